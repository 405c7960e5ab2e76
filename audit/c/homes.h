// SPDX-License-Identifier: MIT
//
// Where arenas of the C API come from. What is special about them is told from
// the arena alone: its flags lie behind its name.
//
// Those that their user ends are never freed, only used again: a reference may
// lie where nobody sees it, and asks its arena whether it has ended. Internal
// to the C API.

#ifndef ACRE_AUDIT_C_HOMES_H_
#define ACRE_AUDIT_C_HOMES_H_

#include <cstdint>

#include "acre/acre.h"
#include "acre/arena.h"

namespace acre::c_api {

/// Fails as New does.
Arena& NewArena(const acre_arena_options& options);

/// Requires: it is in use.
void EndArena(Arena& arena);

/// False for an arena that has ended.
bool IsInUse(const Arena& arena);

/// Since it was made for whom it belongs to now.
std::uint64_t ResetsOf(const Arena& arena);

bool HoldsObjects(const Arena& arena);

}  // namespace acre::c_api

#endif  // ACRE_AUDIT_C_HOMES_H_
