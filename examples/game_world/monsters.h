// SPDX-License-Identifier: MIT
//
// Monsters: asleep until they see or hear the player or are hit; then they
// hunt whoever hurt them last. The dead return after a while.

#ifndef GAME_WORLD_MONSTERS_H_
#define GAME_WORLD_MONSTERS_H_

#include "sim.h"
#include "world.h"

namespace game {

/// One tic of all monsters of the level.
void RunMonsters(Game& game, Level& level);

/// A missile of `source` hits `victim`, which takes offence, or dies.
void Hurt(Game& game, Level& level, Thing& victim, Thing& source);

/// Wakes a monster. Does nothing to one that is awake or dead.
void Wake(Game& game, Thing& monster, Thing* target);

/// Counts down to the return of a dead player or monster to where it began.
void AwaitReturn(Game& game, Thing& dead, ThingState state);

}  // namespace game

#endif  // GAME_WORLD_MONSTERS_H_
