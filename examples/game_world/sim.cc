// SPDX-License-Identifier: MIT

#include "sim.h"

#include <map>
#include <string_view>

#include "doors.h"
#include "missiles.h"
#include "monsters.h"
#include "player.h"

namespace game {
namespace {

void RunLevel(Game& game, Level& level) {
  RunPlayer(game, level);
  RunMonsters(game, level);
  RunMissiles(game, level);
  RunDoors(game, level);
}

/// FNV-1a, a number at a time.
class Summer {
 public:
  void Add(std::int64_t value) {
    sum_ = (sum_ ^ static_cast<std::uint64_t>(value)) * 0x100000001B3u;
  }

  void Add(const Thing& thing) {
    Add(thing.at.x);
    Add(thing.at.y);
    Add(thing.z);
    Add(thing.health);
    Add(thing.wait);
    Add(static_cast<std::int64_t>(thing.state));
  }

  void Add(const Level& level) {
    for (const Thing& thing : level.things) Add(thing);
    for (const Thing* missile : level.missiles) Add(*missile);
    for (const Sector& sector : level.sectors) {
      Add(sector.ceiling);
      Add(sector.steps);
      Add(static_cast<std::int64_t>(sector.things.size()));
    }
    const std::map<std::int32_t, std::int32_t> kills(level.kills.begin(),
                                                     level.kills.end());
    for (const auto& [type, count] : kills) Add(type), Add(count);
  }

  std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t sum_ = 0xCBF29CE484222325u;
};

}  // namespace

void RunTics(Game& game, std::int32_t count) {
  for (std::int32_t i = 0; i < count; ++i, ++game.tic) {
    for (auto& [name, level] : game.world.levels) RunLevel(game, *level);
  }
}

std::uint64_t Checksum(const World& world) {
  // In the order of their names: a Map's is that of its history.
  std::map<std::string_view, const Level*> levels;
  for (const auto& [name, level] : world.levels) levels[name] = level;
  Summer summer;
  for (const auto& [name, level] : levels) summer.Add(*level);
  return summer.sum();
}

}  // namespace game
