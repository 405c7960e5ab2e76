// SPDX-License-Identifier: MIT
//
// Searches through the graph of sectors, breadth first: the ways to the
// player, and how far a shot is heard.

#ifndef GAME_WORLD_PATHS_H_
#define GAME_WORLD_PATHS_H_

#include "sim.h"
#include "world.h"

namespace game {

/// Sets Sector::steps and Sector::toward of every sector. Doors that a walker
/// can open count as open. Linear in the lines of the level.
void FindWays(Level& level, Sector& goal);

/// The line that somebody at the goal of FindWays crosses first on the way to
/// `from`, or null.
Line* FirstLine(const Sector& goal, const Sector& from);

/// Wakes everybody who hears a shot there.
void MakeNoise(Game& game, Level& level, Thing& shooter);

/// A point a little behind the middle of the line, seen from `sector`.
Point Beyond(const Line& line, const Sector* sector);

}  // namespace game

#endif  // GAME_WORLD_PATHS_H_
