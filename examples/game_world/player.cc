// SPDX-License-Identifier: MIT

#include "player.h"

#include "doors.h"
#include "missiles.h"
#include "monsters.h"
#include "paths.h"
#include "trace.h"

namespace game {
namespace {

constexpr std::int32_t kPlanTics = 35;    // between two searches for ways
constexpr std::int32_t kPreyTics = 350;   // between two choices of prey
constexpr std::int32_t kReloadTics = 12;  // between two shots
constexpr std::int32_t kReach = 768;      // map units to shoot across

/// The nearest monster alive and in range, or null.
Thing* FindNearest(const Level& level, Point at) {
  Thing* nearest = nullptr;
  std::int32_t best = kReach * kUnit;
  for (Thing* monster : level.monsters) {
    if (monster->state == ThingState::kDead) continue;
    const std::int32_t distance = Distance(monster->at, at);
    if (distance >= best) continue;
    best = distance;
    nearest = monster;
  }
  return nearest;
}

void ChoosePrey(Game& game, Level& level) {
  const auto count = static_cast<std::int32_t>(level.monsters.size());
  level.prey =
      count == 0
          ? nullptr
          : level.monsters[static_cast<std::size_t>(game.random.Below(count))];
}

void Plan(Game& game, Level& level) {
  Thing& player = *level.player;
  if (game.tic % kPreyTics == 0) ChoosePrey(game, level);
  FindWays(level, *player.sector);
  UseSwitches(level, *player.sector);
}

/// Where to walk: to the prey, through the first line on the way.
Point NextPlayerStep(const Level& level, const Thing& player) {
  if (player.wait > 0) {
    return {player.at.x + player.velocity.x, player.at.y + player.velocity.y};
  }
  const std::int32_t speed = player.kind->speed * kUnit / 2;
  const Thing& prey = *level.prey;
  const Line* line = FirstLine(*player.sector, *prey.sector);
  const Point goal = line == nullptr ? prey.at : Beyond(*line, player.sector);
  return Ahead(player.at, goal, speed);
}

void TurnAway(Game& game, Thing& player) {
  constexpr std::int32_t kSpeed = 8 * kUnit;
  player.velocity = {game.random.Below(2 * kSpeed + 1) - kSpeed,
                     game.random.Below(2 * kSpeed + 1) - kSpeed};
  player.wait = 4 + game.random.Below(16);
}

void WalkOn(Game& game, Level& level, Thing& player) {
  const Sector* before = player.sector;
  const Way way = Walk(game, player, NextPlayerStep(level, player));
  if (player.wait > 0) --player.wait;
  if (way.wall != nullptr) {
    UseDoor(level, *way.wall);
    TurnAway(game, player);
  } else if (player.sector != before) {
    FindWays(level, *player.sector);
  }
}

void ShootBack(Game& game, Level& level, Thing& player) {
  const Thing* near = FindNearest(level, player.at);
  if (near == nullptr) return;
  Shoot(game, level, player, near->at);
  MakeNoise(game, level, player);
}

}  // namespace

void RunPlayer(Game& game, Level& level) {
  if (level.player == nullptr) return;
  Thing& player = *level.player;
  if (player.state == ThingState::kDead) {
    return AwaitReturn(game, player, ThingState::kAwake);
  }
  if (game.tic % kPlanTics == 0) Plan(game, level);
  if (level.prey != nullptr) WalkOn(game, level, player);
  if (game.tic % kReloadTics == 0) ShootBack(game, level, player);
}

}  // namespace game
