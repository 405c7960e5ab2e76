// SPDX-License-Identifier: MIT
//
// Life: what <acre/detail/life.h> is told. Called in checked builds alone.

#ifndef ACRE_LIB_CORE_LIFE_H_
#define ACRE_LIB_CORE_LIFE_H_

#include <cstdint>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "acre/detail/life.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

struct ArenaEntry;

#pragma GCC visibility push(hidden)

namespace life {

/// An Arena is constructed. Returns its first stamp: no two arenas use the same
/// ones, so that a handle of an arena that has ended is not taken for one of
/// its successor at the same address.
std::uint64_t Begin(const Arena* arena, const char* name);
/// From now on it lives as long as its entry says: the collector ends it.
void Follow(const Arena* arena, const ArenaEntry* entry);
void End(const Arena* arena);
/// The arena that was at `arena` has given this memory back, or has ended.
void NoteGone(const Arena* arena, ChunkMemory memory);
/// The same for what the collector took together with the arena.
void NoteCollected(const char* name, ChunkMemory memory);

}  // namespace life
}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_LIFE_H_
