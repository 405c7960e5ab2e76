// SPDX-License-Identifier: MIT
//
// What a frame keeps of an arena beside the contents of its pages: the fields
// of the Arena, and which chunks it has, in which order. Internal to acre.

#ifndef ACRE_LIB_HISTORY_ARENA_STATE_H_
#define ACRE_LIB_HISTORY_ARENA_STATE_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "core/chunk.h"
#include "history/source_array.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Fields of Arena, of the same names. Not among them: what names it and who
/// uses it; its stamp, which goes on, since none may be used twice; and how
/// many elements were erased, by which iterators see that they must look.
struct ArenaState {
  char* cursor;
  char* limit;
  MarkState* mark;
  std::size_t freed;
  std::size_t reused;
  std::size_t reclaim_at;
  Chunk* current;
  std::size_t reserved;
  std::size_t scanned;
  std::size_t unreclaimed;
  std::uint64_t next_order;
  std::uint64_t reset_order;
  std::uint64_t reset_stamp;
  std::uint64_t resets;
  unsigned vain_scans;
  bool has_far_lists;
  FreeBlock* near_free[kNearClasses + 1];
  FreeBlock* far_free[kFarClasses];
};

/// The lists of an arena's chunks, in the order of records.
enum class ChunkList : std::uint64_t { kUsed, kSpare, kLarge, kLargeSpare };

/// Fields of Chunk, of the same names.
struct ChunkRecord {
  Chunk* chunk;
  char* limit;
  char* top;  // null for the current one: it is the arena's cursor
  char* unclassed_end;
  std::size_t charged;
  std::uint64_t order;
  ChunkList list;
  std::uint64_t is_large;

  /// Where its blocks end; null where it has none.
  char* TopIn(const ArenaState& state) const {
    if (list == ChunkList::kSpare || list == ChunkList::kLargeSpare) {
      return nullptr;
    }
    return chunk == state.current ? state.cursor : top;
  }
};
// So that rows of them can be compared.
static_assert(std::has_unique_object_representations_v<ChunkRecord>);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_ARENA_STATE_H_
