// SPDX-License-Identifier: MIT
//
// Chunk sources: where an arena gets its chunks from. A source knows nothing
// of blocks, freelists or types. The sources that need the collector stand in
// <acre/gc.h>.
//
// Ownership: an arena borrows its source, which must outlive it. What a source
// hands out is the arena's until Release.
// Threads: a source shared by arenas of several threads must synchronise
// itself; MallocSource does, FixedSource serves one arena.
//
//   std::byte buffer[4096];
//   acre::FixedSource source(buffer);
//   acre::Arena arena({.source = &source});

#ifndef ACRE_CHUNK_SOURCE_H_
#define ACRE_CHUNK_SOURCE_H_

#include <cstddef>
#include <span>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

/// A range of memory, as a source hands it out. Null means: no memory.
struct ChunkMemory {
  void* address = nullptr;
  std::size_t size = 0;  ///< bytes
};

/// The first 16 bytes of a chunk belong to its source: the collected sources
/// keep the back-link and their anchor there. The arena never writes them.
inline constexpr std::size_t kChunkHeader = 16;

/// Derive from this to let an arena live in memory of your own.
class ChunkSource {
 public:
  ChunkSource() = default;
  ChunkSource(const ChunkSource&) = delete;
  ChunkSource& operator=(const ChunkSource&) = delete;
  virtual ~ChunkSource() = default;

  /// Returns at least `min_size` bytes aligned to 16, or a null range.
  /// `wanted` (>= min_size) is what the arena would like; a source may give
  /// anything from min_size up. Contents are arbitrary. Sizes are in bytes.
  /// May run code that uses the very arena that asks (a collection that runs
  /// finalizers): an arena is consistent whenever it calls its source.
  virtual ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) = 0;

  /// Takes back what Acquire returned, with what Extend added (less of that
  /// only where the arena ran out of memory for its own records).
  virtual void Release(ChunkMemory memory) noexcept = 0;

  /// Makes memory that Acquire returned longer, in place: by at least
  /// `min_more` bytes, `wanted_more` where possible. Returns by how many, a
  /// multiple of 4096, or 0 where that cannot be done (as here). Only asked of
  /// memory that begins and ends at a multiple of 4096. Must not use the arena.
  virtual std::size_t Extend(ChunkMemory memory, std::size_t min_more,
                             std::size_t wanted_more);
};

/// Chunks from malloc: invisible to the collector, at no cost to it.
class MallocSource final : public ChunkSource {
 public:
  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;
  void Release(ChunkMemory memory) noexcept override;

  /// One instance that lives as long as the process.
  static MallocSource& Instance() noexcept;
};

/// One chunk, in a buffer that the caller owns. A second chunk is refused, so
/// the arena never grows. The buffer may start at any address; up to 15 bytes
/// are lost to alignment, 16 to the header and up to 16 at the end.
class FixedSource final : public ChunkSource {
 public:
  explicit FixedSource(std::span<std::byte> buffer) noexcept;

  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;
  void Release(ChunkMemory memory) noexcept override;

 private:
  // No span: a member of that type costs every file a twentieth of arena.h.
  std::byte* const buffer_;  // borrowed
  const std::size_t size_;   // bytes of it; not 0 while taken_
  bool taken_ = false;       // true while an arena holds the chunk
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_CHUNK_SOURCE_H_
