// SPDX-License-Identifier: MIT
//
// The player: walks to a monster chosen at random, opens what it runs into,
// and shoots at what is near.

#ifndef GAME_WORLD_PLAYER_H_
#define GAME_WORLD_PLAYER_H_

#include "sim.h"
#include "world.h"

namespace game {

/// One tic of the player of the level, if there is one.
void RunPlayer(Game& game, Level& level);

}  // namespace game

#endif  // GAME_WORLD_PLAYER_H_
