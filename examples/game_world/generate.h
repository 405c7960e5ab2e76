// SPDX-License-Identifier: MIT
//
// Levels for machines without a WAD: grids of rooms joined by doors and open
// passages, full of monsters, in the records of a WAD. The same every time.

#ifndef GAME_WORLD_GENERATE_H_
#define GAME_WORLD_GENERATE_H_

#include <vector>

#include "wad.h"

namespace game {

/// MAP01 onward. Requires: 1 <= count <= 99.
std::vector<RawLevel> GenerateLevels(int count = 32);

}  // namespace game

#endif  // GAME_WORLD_GENERATE_H_
