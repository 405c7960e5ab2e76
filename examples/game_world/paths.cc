// SPDX-License-Identifier: MIT

#include "paths.h"

#include <algorithm>

#include "doors.h"
#include "monsters.h"
#include "trace.h"

namespace game {
namespace {

constexpr std::int32_t kEarshot = 16;  // sectors
constexpr std::int32_t kBeyond = 12;   // map units

bool CanPass(const Line& line, const Sector& from, const Sector& to) {
  if (CanStep(from, to)) return true;
  return IsManualDoor(line) && to.floor - from.floor <= kStepHeight;
}

bool LetsSoundThrough(const Sector& from, const Sector& to) {
  return std::min(from.ceiling, to.ceiling) > std::max(from.floor, to.floor);
}

void Hear(Game& game, Sector& sector, Thing& shooter) {
  ++game.counters.shots_heard;
  for (Thing* thing : sector.things) Wake(game, *thing, &shooter);
}

}  // namespace

void FindWays(Level& level, Sector& goal) {
  for (Sector& sector : level.sectors) {
    sector.steps = -1;
    sector.toward = nullptr;
  }
  level.queue.clear();
  level.queue.push_back(&goal);
  goal.steps = 0;
  for (std::size_t i = 0; i < level.queue.size(); ++i) {
    Sector* sector = level.queue[i];
    for (Line* line : sector->lines) {
      Sector* next = Across(*line, sector);
      if (next == nullptr || next->steps >= 0) continue;
      if (!CanPass(*line, *next, *sector)) continue;
      next->steps = sector->steps + 1;
      next->toward = line;
      level.queue.push_back(next);
    }
  }
}

Line* FirstLine(const Sector& goal, const Sector& from) {
  Line* line = nullptr;
  for (const Sector* at = &from; at != &goal; at = Across(*line, at)) {
    line = at->toward;
    if (line == nullptr) return nullptr;
  }
  return line;
}

void MakeNoise(Game& game, Level& level, Thing& shooter) {
  level.heard.clear();
  level.queue.clear();
  level.heard[shooter.sector] = 0;
  level.queue.push_back(shooter.sector);
  for (std::size_t i = 0; i < level.queue.size(); ++i) {
    Sector* sector = level.queue[i];
    Hear(game, *sector, shooter);
    const std::int32_t steps = level.heard.at(sector) + 1;
    if (steps > kEarshot) continue;
    for (const Line* line : sector->lines) {
      Sector* next = Across(*line, sector);
      if (next == nullptr || !LetsSoundThrough(*sector, *next)) continue;
      if (level.heard.try_emplace(next, steps).second) {
        level.queue.push_back(next);
      }
    }
  }
}

Point Beyond(const Line& line, const Sector* sector) {
  const Point a = *line.from;
  const Point b = *line.to;
  const Point middle = {a.x + (b.x - a.x) / 2, a.y + (b.y - a.y) / 2};
  const bool from_front = line.front->sector == sector;
  // The left of a -> b is behind, for those at the front.
  const std::int32_t sign = from_front ? 1 : -1;
  const Point left = {middle.x - sign * (b.y - a.y),
                      middle.y + sign * (b.x - a.x)};
  return Ahead(middle, left, kBeyond * kUnit);
}

}  // namespace game
