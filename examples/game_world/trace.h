// SPDX-License-Identifier: MIT
//
// Movement: from sector to sector, across the lines between them. What stands
// in the way is a wall, a step too high, a ceiling too low or a closed door.

#ifndef GAME_WORLD_TRACE_H_
#define GAME_WORLD_TRACE_H_

#include "sim.h"
#include "world.h"

namespace game {

/// Map units: how high a walker steps, and the room it needs.
inline constexpr std::int32_t kStepHeight = 24;
inline constexpr std::int32_t kBodyHeight = 56;

/// Where a straight move ends.
struct Way {
  Sector* sector = nullptr;    // of the end, or of the last free point
  const Line* wall = nullptr;  // what stopped it; null: nothing did
};

/// Follows `thing` from where it is to `end`. Linear in the lines around the
/// sectors it passes.
Way Trace(const Thing& thing, Point end);

/// May a walker step from one sector into the other?
bool CanStep(const Sector& from, const Sector& to);

/// Moves a player or monster, unless something is in the way: that it is told.
Way Walk(Game& game, Thing& walker, Point end);

/// Puts it there at once, across no lines.
void Place(Thing& walker, Point at, Sector* sector);

/// Rounded down.
std::int32_t Distance(Point a, Point b);

/// The point `length` away from `from`, in the direction of `to`.
Point Ahead(Point from, Point to, std::int32_t length);

}  // namespace game

#endif  // GAME_WORLD_TRACE_H_
