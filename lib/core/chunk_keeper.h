// SPDX-License-Identifier: MIT
//
// ChunkKeeper: who wants the chunks that an arena gives back, for as long as a
// frame of its history needs them. The core knows no history: it asks the
// keeper of the arena's entry, where there is one. Internal to acre.

#ifndef ACRE_LIB_CORE_CHUNK_KEEPER_H_
#define ACRE_LIB_CORE_CHUNK_KEEPER_H_

#include <cstddef>

#include "acre/config.h"
#include "core/chunk.h"

namespace acre::inline ACRE_ABI::detail {

/// What a keeper knows of a chunk: the base of what it puts at Chunk::kept.
struct KeptChunk {};

/// Called on the thread that uses the arena, while that is consistent.
class ChunkKeeper {
 public:
  /// The arena has got a chunk from its source.
  virtual void NoteNew(Chunk* chunk) = 0;
  /// The arena is done with a chunk, which is in none of its lists and has no
  /// blocks. True: it stays, and in the index; false: it is forgotten, and goes
  /// back to its source.
  virtual bool Keep(Chunk* chunk) = 0;
  /// One that was kept and can hold `min_size` bytes, header included, for the
  /// arena to use again; null: there is none. `any`: also one that is much
  /// larger than `wanted`.
  virtual Chunk* TakeBack(std::size_t min_size, std::size_t wanted,
                          bool any) = 0;
  /// The arena ends. Nothing is called after this.
  virtual void ArenaEnds() = 0;

 protected:
  ~ChunkKeeper() = default;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_CHUNK_KEEPER_H_
