// SPDX-License-Identifier: MIT
//
// Builds the world in an arena from the records of a WAD.

#ifndef GAME_WORLD_BUILD_H_
#define GAME_WORLD_BUILD_H_

#include <acre/arena.h>

#include <span>

#include "wad.h"
#include "world.h"

namespace game {

/// Requires: indices in range, as ReadWad and GenerateLevels see to.
/// Returns: a world that lives as long as the contents of the arena.
World* BuildWorld(acre::Arena& arena, std::span<const RawLevel> levels);

/// The sector around a point, or null. Looks at those whose bounding box
/// holds the point, smallest box first.
Sector* FindSector(Level& level, Point at);

}  // namespace game

#endif  // GAME_WORLD_BUILD_H_
