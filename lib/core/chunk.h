// SPDX-License-Identifier: MIT
//
// Chunk: the record of one chunk. It lies outside the chunk, in memory that is
// re-used for other chunks but never unmapped, so that readers of the index
// may follow a stale pointer without harm.
//
//   memory.address        begin                      top            limit   end
//   | source's 16 bytes   | block | block | ...      | not yet      | >= 1  |
//                                                                    never
//   The byte before `end` is never handed out: the end of the last block must
//   not be an address that belongs to whatever lies behind the chunk.

#ifndef ACRE_LIB_CORE_CHUNK_H_
#define ACRE_LIB_CORE_CHUNK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "core/block_map.h"

namespace acre::inline ACRE_ABI::detail {

struct Chunk;
struct KeptChunk;  // core/chunk_keeper.h

/// One chunk's place in the list of a page; see chunk_index.h.
struct IndexLink {
  Chunk* chunk = nullptr;
  std::atomic<IndexLink*> next{nullptr};
};

struct Chunk {
  // Read without a lock, by any thread; begin == end while not indexed.
  std::atomic<char*> begin{nullptr};  // first byte that can be a block
  std::atomic<char*> end{nullptr};    // one past the memory of the source
  std::atomic<ArenaEntry*> owner{nullptr};

  // The owning arena's.
  ChunkMemory memory;
  char* limit = nullptr;       // blocks end here at the latest, 16-aligned
  char* top = nullptr;         // carved up to here; the current chunk's is
                               // Arena::cursor_
  Chunk* next = nullptr;       // in the arena's list
  Chunk* prev = nullptr;       // in the list of large chunks in use only
  char* dirty = nullptr;       // no byte at or above it was handed out since
                               // the chunk was acquired or cleared
  std::size_t charged = 0;     // what counts against the arena's byte limit
  std::uint64_t order = 0;     // when it was put to use; 0: spare
  std::size_t scan_freed = 0;  // bytes found on freelists, by a reclaim scan
  bool is_large = false;       // holds one block, has no freelists
  // Where the first block ends, if it grew into all that was left: not where
  // its size class would have it end. Else null.
  char* unclassed_end = nullptr;
  std::uint64_t* bits = nullptr;  // of a traced arena's; see tracer.h
  BlockMap blocks;                // checked builds
  KeptChunk* kept = nullptr;  // what the arena's keeper knows of it, or null

  // The index's.
  Chunk* next_owned = nullptr;  // of the same entry, or in the free list
  Chunk** owned_at = nullptr;   // what points to this one in that list
  IndexLink first_page;
  IndexLink inner_pages;  // one link serves all: such a page has one chunk
  IndexLink last_page;

  std::size_t capacity() const {
    return static_cast<std::size_t>(limit - begin.load());
  }
  /// Requires: `scan_freed` has been counted. No block of it is in use.
  bool IsWhole() const {
    return order != 0 &&
           scan_freed == static_cast<std::size_t>(top - begin.load());
  }
  /// True where a block above kInlineMax does not have the bytes of its size
  /// class: one with a chunk of its own, or one that ends at unclassed_end.
  bool HasUnclassed(const void* block) const {
    return is_large || (unclassed_end != nullptr && block == begin.load());
  }
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_CHUNK_H_
