// SPDX-License-Identifier: MIT
//
// What things there are: a static table, read only. Things in the arena point
// into it; their layout declares that pointer borrowed.

#ifndef GAME_WORLD_KINDS_H_
#define GAME_WORLD_KINDS_H_

#include <cstdint>
#include <string_view>

namespace game {

enum class Role : std::uint8_t { kScenery, kPlayer, kMonster, kMissile };

struct ThingKind {
  std::int32_t type = 0;  // as in THINGS; 0: any other
  const char* name = "";
  Role role = Role::kScenery;
  std::int32_t health = 0;
  std::int32_t speed = 0;   // map units a move (a tic, for missiles)
  std::int32_t damage = 0;  // of its missiles
  std::int32_t radius = 0;  // map units
};

/// The kind of a THINGS type; scenery for all that is not listed.
const ThingKind& KindOf(std::int32_t type);

/// The kind of that name; null where there is none.
const ThingKind* FindKind(std::string_view name);

/// What players and monsters shoot.
const ThingKind& MissileKind();

}  // namespace game

#endif  // GAME_WORLD_KINDS_H_
