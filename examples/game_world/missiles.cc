// SPDX-License-Identifier: MIT

#include "missiles.h"

#include "monsters.h"
#include "trace.h"

namespace game {
namespace {

constexpr std::int32_t kMuzzleHeight = 32;  // map units above the floor
constexpr std::int32_t kLifetime = 105;     // tics

/// Whoever stands where the missile is, its shooter apart; or null.
Thing* FindVictim(const Thing& missile) {
  for (Thing* thing : missile.sector->things) {
    const std::int32_t reach = thing->kind->radius + missile.kind->radius;
    if (thing != missile.source &&
        Distance(thing->at, missile.at) < reach * kUnit) {
      return thing;
    }
  }
  return nullptr;
}

/// One tic. True: it is spent.
bool Fly(Game& game, Level& level, Thing& missile) {
  const Point end = {missile.at.x + missile.velocity.x,
                     missile.at.y + missile.velocity.y};
  const Way way = Trace(missile, end);
  if (way.wall != nullptr || --missile.wait <= 0) return true;
  missile.at = end;
  missile.sector = way.sector;
  Thing* victim = FindVictim(missile);
  if (victim == nullptr) return false;
  Hurt(game, level, *victim, *missile.source);
  return true;
}

}  // namespace

void Shoot(Game& game, Level& level, Thing& shooter, Point at) {
  const ThingKind& kind = MissileKind();
  const Point ahead = Ahead(shooter.at, at, kind.speed * kUnit);
  Thing* missile = game.arena.New<Thing>();
  missile->kind = &kind;
  missile->sector = shooter.sector;
  missile->source = &shooter;
  missile->at = shooter.at;
  missile->velocity = {ahead.x - shooter.at.x, ahead.y - shooter.at.y};
  missile->z = shooter.sector->floor + kMuzzleHeight;
  missile->wait = kLifetime;
  level.missiles.push_back(missile);
  ++game.counters.missiles_born;
}

void RunMissiles(Game& game, Level& level) {
  const std::size_t spent = level.missiles.erase_if([&](Thing* missile) {
    if (!Fly(game, level, *missile)) return false;
    game.arena.Free(missile);
    return true;
  });
  game.counters.missiles_freed += spent;
}

}  // namespace game
