// SPDX-License-Identifier: MIT
//
// What the program prints, a few lines a subject.

#ifndef GAME_WORLD_REPORT_H_
#define GAME_WORLD_REPORT_H_

#include <acre/arena.h>
#include <acre/audit.h>

#include <string_view>

#include "gc_world.h"
#include "sim.h"
#include "world.h"

namespace game {

/// Bytes, as mebibytes.
double Mebibytes(std::size_t bytes);

void PrintWorld(const World& world, const acre::Arena& arena,
                double milliseconds);
void PrintGame(const Game& game, double milliseconds);
void PrintAudit(const acre::AuditReport& report, double milliseconds);

/// Milliseconds of a full collection.
struct CollectionTimes {
  double empty = 0;    // with neither world
  double arena = 0;    // with the world in the arena
  double objects = 0;  // with the world as collected objects
};
void PrintCollections(const CollectionTimes& times, const GcCopy& copy);

}  // namespace game

#endif  // GAME_WORLD_REPORT_H_
