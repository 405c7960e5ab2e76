// SPDX-License-Identifier: MIT
//
// The same world the way a program without arenas has it: every level, sector,
// line, side, point, thing and texture an object of its own on the collected
// heap, every list a collected array. Here only to be compared: the collector
// has to mark each of these objects, and none of those in the arena.

#ifndef GAME_WORLD_GC_WORLD_H_
#define GAME_WORLD_GC_WORLD_H_

#include <cstddef>

#include "world.h"

namespace game {

struct GcWorld;  // gc_world.cc

struct GcCopy {
  GcWorld* world = nullptr;  // reaches everything; keep it where libgc looks
  std::size_t objects = 0;   // arrays included
  std::size_t bytes = 0;
};

/// Copies what the collector would have to mark; scratch data (what was heard,
/// the queue of searches) and counts of kills are left out.
GcCopy CopyToCollectedHeap(const World& world);

}  // namespace game

#endif  // GAME_WORLD_GC_WORLD_H_
