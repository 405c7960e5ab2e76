// SPDX-License-Identifier: MIT
//
// The world as a file that is mapped back: nothing is parsed and nothing is
// built, whatever its size. Objects lie in it as they lay in the arena; only
// what belongs to the program, the kinds of things, is written by name, and
// pointed to again.

#ifndef GAME_WORLD_KEPT_H_
#define GAME_WORLD_KEPT_H_

#include <acre/arena.h>
#include <acre/saved_arena.h>

#include <cstdint>
#include <string>

#include "world.h"

namespace game {

struct Kept {
  World* world = nullptr;
  acre::Vector<acre::String> kinds;  // of all things, level after level
};
ACRE_LAYOUT(Kept, world, kinds)

/// Writes the world, and plays on; false, and said so, where that fails.
bool PlayAndKeep(acre::Arena& arena, World& world, const std::string& path,
                 std::int32_t tics);

/// Maps it, and loads it once more; plays both. False, and said so, where it is
/// no such file, or the two end differently.
bool PlayKept(const std::string& path, std::int32_t tics);

}  // namespace game

#endif  // GAME_WORLD_KEPT_H_
