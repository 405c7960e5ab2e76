// SPDX-License-Identifier: MIT
//
// Missiles: born by New, freed at the wall or body that they hit.

#ifndef GAME_WORLD_MISSILES_H_
#define GAME_WORLD_MISSILES_H_

#include "sim.h"
#include "world.h"

namespace game {

/// From `shooter` toward `at`.
void Shoot(Game& game, Level& level, Thing& shooter, Point at);

/// One tic of all missiles of the level.
void RunMissiles(Game& game, Level& level);

}  // namespace game

#endif  // GAME_WORLD_MISSILES_H_
