// SPDX-License-Identifier: MIT
//
// MarkState: one open mark. Lies in the arena itself, as the first block above
// the mark, so that Rewind gives it back with the rest.
//
//   chunk: | older blocks | MarkState | saved freelist heads | younger blocks
//                         ^ position

#ifndef ACRE_LIB_CORE_MARK_H_
#define ACRE_LIB_CORE_MARK_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "core/chunk.h"

namespace acre::inline ACRE_ABI::detail {

/// A block that was freed below a mark; not re-used until the mark closes.
struct WaitingBlock {
  WaitingBlock* next;
  std::uint64_t index;  // size class, or kWaitingUnclassed
};
inline constexpr std::uint64_t kWaitingUnclassed = ~std::uint64_t{0};
static_assert(sizeof(WaitingBlock) <= kGranule);

struct SavedList {
  FreeBlock* head;
  std::uint64_t index;  // size class; of audited pages: kClassCount more
};

struct MarkState {
  MarkState* outer;  // next older open mark, or null
  Chunk* chunk;      // current at the time, never null
  char* cursor;      // the position; this state stands there
  WaitingBlock* waiting;
  std::size_t freed;  // of the arena, when the mark was opened
  std::size_t reused;
  std::size_t scanned;
  std::size_t unreclaimed;
  std::size_t waiting_bytes;
  std::uint64_t order;        // chunks of this order or more are younger
  std::uint64_t stamp;        // of this mark's allocations; 0: closed
  std::uint64_t outer_stamp;  // of the allocations before it
  std::size_t saved_count;    // SavedLists that follow this struct
  MarkState* jump;            // an older open mark, farther away, or null
  std::size_t depth;          // number of older open marks

  SavedList* saved() { return reinterpret_cast<SavedList*>(this + 1); }
};
/// Where `jump` of a new mark leads: by the links of a skew binary list (E. W.
/// Myers, 1983, An applicative random-access stack) any mark is found in a
/// number of steps that is the logarithm of theirs.
inline MarkState* JumpFrom(const MarkState* outer) {
  if (outer == nullptr) return nullptr;
  MarkState* const near = outer->jump;
  if (near != nullptr && near->jump != nullptr &&
      outer->depth - near->depth == near->depth - near->jump->depth) {
    return near->jump;
  }
  return const_cast<MarkState*>(outer);
}

static_assert(sizeof(MarkState) % alignof(SavedList) == 0);

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_MARK_H_
