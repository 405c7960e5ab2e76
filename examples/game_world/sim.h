// SPDX-License-Identifier: MIT
//
// The simulation: every tic (a 35th of a second) monsters wake, hunt and
// shoot, doors move, missiles fly, and a player without a human hunts back.
// The rules are simpler than the original's; the traffic is like it: each
// missile is one New and one Free, things move between the Vectors of sectors,
// doors enter and leave a Map. The same world and number of tics give the same
// result everywhere.

#ifndef GAME_WORLD_SIM_H_
#define GAME_WORLD_SIM_H_

#include <acre/arena.h>
#include <acre/layout.h>

#include <cstdint>

#include "random.h"
#include "world.h"

namespace game {

/// What happened so far.
struct Counters {
  std::uint64_t missiles_born = 0;
  std::uint64_t missiles_freed = 0;
  std::uint64_t doors_opened = 0;
  std::uint64_t doors_closed = 0;
  std::uint64_t shots_heard = 0;  // by sectors
  std::uint64_t wakeups = 0;
  std::uint64_t moves = 0;         // of players and monsters
  std::uint64_t sector_moves = 0;  // of those, into another sector
  std::uint64_t kills = 0;
  std::uint64_t player_deaths = 0;
  std::uint64_t returns = 0;  // of the dead

  friend bool operator==(const Counters&, const Counters&) = default;
};

ACRE_LAYOUT(Counters, missiles_born, missiles_freed, doors_opened, doors_closed,
            shots_heard, wakeups, moves, sector_moves, kills, player_deaths,
            returns)

/// What the rules work on. The arena is that of the world.
struct Game {
  acre::Arena& arena;
  World& world;
  Random random{1993};
  Counters counters = {};
  std::int32_t tic = 0;
};

/// Runs the game for so many tics.
void RunTics(Game& game, std::int32_t count);

/// A number that differs where the states of two worlds differ; no address
/// enters into it.
std::uint64_t Checksum(const World& world);

}  // namespace game

#endif  // GAME_WORLD_SIM_H_
