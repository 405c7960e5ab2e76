// SPDX-License-Identifier: MIT
//
// Rollback: what a game does whose inputs come over a network. It plays on
// without those that have not come yet; when one does, it goes back to the tic
// that it was meant for and plays again from there. acre::History brings back
// the world of that tic, as it lay in memory.

#ifndef GAME_WORLD_ROLLBACK_H_
#define GAME_WORLD_ROLLBACK_H_

#include <acre/arena.h>

#include <cstdint>
#include <vector>

#include "sim.h"
#include "wad.h"
#include "world.h"

namespace game {

/// All that a match is: what does not lie in the arena would not go back.
struct Match {
  World* world = nullptr;
  Random random{1993};
  Counters counters = {};
  std::int32_t tic = 0;
};
ACRE_LAYOUT(Match, world, random, counters, tic)

/// A tug at a player: it drops its prey and looks for another one.
struct Input {
  std::int32_t tic = 0;
  std::int32_t level = 0;  // counted in the order of names
};

/// The same inputs in every run, one every few tics.
std::vector<Input> MakeInputs(std::int32_t tics, std::int32_t levels);

/// Plays with inputs that come `back` tics late, and once more with inputs in
/// time; prints what that costs. False where the two end differently.
bool PlayWithRollback(const Wad& wad, std::int32_t tics, std::int32_t back);

/// Plays every tic again, `back` tics later. Prints the first difference by
/// path, and false, where that gives another state.
bool PlaySyncTest(const Wad& wad, std::int32_t tics, std::int32_t back);

/// Plays two worlds side by side, spoils a health in one and finds it. False
/// where the difference found is another one.
bool FindDesync(const Wad& wad, std::int32_t tics);

}  // namespace game

#endif  // GAME_WORLD_ROLLBACK_H_
