// SPDX-License-Identifier: MIT

#include "monsters.h"

#include "doors.h"
#include "missiles.h"
#include "paths.h"
#include "trace.h"

namespace game {
namespace {

constexpr std::int32_t kThinkTics = 4;    // between two moves
constexpr std::int32_t kLookTics = 16;    // between two looks around
constexpr std::int32_t kSight = 640;      // map units
constexpr std::int32_t kNearSectors = 2;  // steps that count as in view
constexpr std::int32_t kRange = 1024;     // map units to shoot across
constexpr std::int32_t kShotChance = 16;  // one move in so many
constexpr std::int32_t kReturnTics = 12 * 35;

/// Is it its turn? Spreads the monsters of a level over the tics.
bool IsDue(const Game& game, std::size_t index, std::int32_t every) {
  return (game.tic + static_cast<std::int32_t>(index)) % every == 0;
}

void LookAround(Game& game, const Level& level, Thing& monster) {
  Thing* player = level.player;
  if (player == nullptr || player->state == ThingState::kDead) return;
  const std::int32_t steps = monster.sector->steps;
  const bool is_in_view = steps >= 0 && steps <= kNearSectors;
  if (is_in_view && Distance(monster.at, player->at) < kSight * kUnit) {
    Wake(game, monster, player);
  }
}

/// The target, as long as it lives; the player otherwise.
Thing* ChooseTarget(const Level& level, Thing& monster) {
  if (monster.target == nullptr || monster.target->state == ThingState::kDead) {
    monster.target = level.player;
  }
  return monster.target;
}

/// Something is in the way: open it, and walk elsewhere for a while.
void TurnAway(Game& game, Level& level, Thing& monster, const Line& wall) {
  UseDoor(level, wall);
  const std::int32_t speed = monster.kind->speed * kUnit;
  const std::int32_t spread = 2 * speed + 1;
  monster.velocity = {game.random.Below(spread) - speed,
                      game.random.Below(spread) - speed};
  monster.wait = 2 + game.random.Below(8);
}

Point NextStep(const Level& level, const Thing& monster) {
  const std::int32_t speed = monster.kind->speed * kUnit;
  if (monster.wait > 0) {
    return {monster.at.x + monster.velocity.x,
            monster.at.y + monster.velocity.y};
  }
  const Thing& target = *monster.target;
  const bool is_detour = &target == level.player &&
                         monster.sector != target.sector &&
                         monster.sector->toward != nullptr;
  const Point goal =
      is_detour ? Beyond(*monster.sector->toward, monster.sector) : target.at;
  return Ahead(monster.at, goal, speed);
}

void Hunt(Game& game, Level& level, Thing& monster) {
  const Thing* target = ChooseTarget(level, monster);
  if (target == nullptr || target->state == ThingState::kDead) return;
  if (Distance(monster.at, target->at) < kRange * kUnit &&
      game.random.Below(kShotChance) == 0) {
    Shoot(game, level, monster, target->at);
  }
  const Way way = Walk(game, monster, NextStep(level, monster));
  if (monster.wait > 0) --monster.wait;
  if (way.wall != nullptr) TurnAway(game, level, monster, *way.wall);
}

void RunMonster(Game& game, Level& level, Thing& monster, std::size_t index) {
  switch (monster.state) {
    case ThingState::kAsleep:
      if (IsDue(game, index, kLookTics)) LookAround(game, level, monster);
      return;
    case ThingState::kAwake:
      if (IsDue(game, index, kThinkTics)) Hunt(game, level, monster);
      return;
    case ThingState::kDead:
      return AwaitReturn(game, monster, ThingState::kAsleep);
  }
}

void Kill(Game& game, Level& level, Thing& victim) {
  victim.state = ThingState::kDead;
  victim.wait = kReturnTics;
  victim.target = nullptr;
  victim.sector->things.erase_value(&victim, 1);
  const bool is_player = victim.kind->role == Role::kPlayer;
  ++(is_player ? game.counters.player_deaths : game.counters.kills);
  ++level.kills[victim.kind->type];
}

}  // namespace

void RunMonsters(Game& game, Level& level) {
  for (std::size_t i = 0; i < level.monsters.size(); ++i) {
    RunMonster(game, level, *level.monsters[i], i);
  }
}

void Hurt(Game& game, Level& level, Thing& victim, Thing& source) {
  victim.health -= source.kind->damage;
  if (victim.health <= 0) return Kill(game, level, victim);
  Wake(game, victim, &source);
  victim.target = &source;
}

void Wake(Game& game, Thing& monster, Thing* target) {
  if (monster.kind->role != Role::kMonster ||
      monster.state != ThingState::kAsleep) {
    return;
  }
  monster.state = ThingState::kAwake;
  monster.target = target;
  ++game.counters.wakeups;
}

void AwaitReturn(Game& game, Thing& dead, ThingState state) {
  if (--dead.wait > 0) return;
  dead.state = state;
  dead.health = dead.kind->health;
  dead.at = dead.start;
  dead.sector = dead.home;
  dead.z = dead.home->floor;
  dead.home->things.push_back(&dead);
  ++game.counters.returns;
}

}  // namespace game
