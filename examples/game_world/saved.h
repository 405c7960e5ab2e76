// SPDX-License-Identifier: MIT
//
// The world as JSON: one text for all levels, from which the very same world is
// built again. Things name their kinds; whatever else points to something is a
// reference to where that stands.

#ifndef GAME_WORLD_SAVED_H_
#define GAME_WORLD_SAVED_H_

#include <acre/arena.h>

#include <string>

#include "world.h"

namespace game {

/// Why the file could not be written; empty where it was.
std::string SaveWorld(const World& world, const std::string& path);

/// The world of such a file. Null where it is none; `error` tells why.
World* LoadWorld(acre::Arena& arena, const std::string& path,
                 std::string& error);

/// Whether the world is what the file says: written again, it is the same text.
bool IsSavedIn(const World& world, const std::string& path);

}  // namespace game

#endif  // GAME_WORLD_SAVED_H_
