// SPDX-License-Identifier: MIT
//
// BlockPool: a fixed number of blocks of one size, without a byte between them.
// What is free is known by a bitmap, so a foreign or a second Free is refused
// in every build, and any address tells its block.
//
//   acre::BlockPool pool(arena, {.block_size = 4096, .count = 1000});
//   void* page = pool.Allocate();
//   pool.Free(page);
//
// The bitmap is hierarchical: a bit a block, a bit for each 64 of those bits,
// and so on. Allocate takes the lowest free block by one bit scan a level: 4
// levels for 16 million blocks. (A flat bitmap is scanned from its start.)
//
// Ownership: two blocks of the arena, given back at the end of the pool; the
// arena must outlive it and must not be Reset meanwhile.
// Threads: one at a time. Complexity: constant (log64 count).

#ifndef ACRE_BLOCK_POOL_H_
#define ACRE_BLOCK_POOL_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI {

struct BlockPoolOptions {
  std::size_t block_size = 64;   ///< bytes; 0 counts as 1
  std::size_t count = 1024;      ///< blocks
  std::size_t align = kGranule;  ///< a power of two, at most 4096
  bool zero_on_free = false;     ///< Free zeroes the block; a new pool is zero
};

struct BlockPoolStats {
  std::size_t total = 0;  ///< blocks
  std::size_t used = 0;
  std::size_t free = 0;
  double utilization = 0;  ///< used / total; 0 for an empty pool
};

/// See the top of this file.
class BlockPool {
 public:
  /// Takes all memory at once; fails like Allocate. block_size is rounded up to
  /// a multiple of align.
  BlockPool(Arena& arena, const BlockPoolOptions& options);
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  /// Gives nothing back where a History has brought the arena back since.
  ~BlockPool();

  /// The free block with the lowest address. Its contents are arbitrary; with
  /// zero_on_free they are zeros. Fails through the out-of-memory handler where
  /// all blocks are in use.
  [[nodiscard]] void* Allocate();
  /// As Allocate; null where all blocks are in use.
  [[nodiscard]] void* TryAllocate();

  /// Gives back what Allocate returned. Null does nothing. An address that is
  /// not the start of a block of this pool, or of one that is free already, is
  /// misuse, in every build.
  void Free(void* block);

  /// Ends the life of all blocks. Zeroes those in use where zero_on_free is on.
  void Reset();

  /// True for an address inside one of this pool's blocks, in use or not.
  bool Owns(const void* address) const noexcept;
  /// True where the block around `address` is in use.
  bool IsUsed(const void* address) const noexcept;
  /// The number of the block around an address, from 0. Requires: Owns().
  std::size_t IndexOf(const void* address) const;
  /// The address of block `index`. Requires: index < stats().total.
  void* BlockAt(std::size_t index) const;

  BlockPoolStats stats() const noexcept;
  const char* name() const noexcept { return arena_.name(); }
  /// As Arena::HandOver, of the arena whose blocks they are.
  void HandOver() noexcept { arena_.HandOver(); }
  std::size_t block_size() const noexcept { return block_size_; }
  bool full() const noexcept { return used_ == count_; }

 private:
  static constexpr std::size_t kMaxLevels = 8;  // 64^8 blocks

  void MarkFree(std::size_t index);
  void MarkUsed(std::size_t index);
  void SetAllFree();

  Arena& arena_;
  std::byte* blocks_ = nullptr;    // count_ * block_size_ bytes
  std::uint64_t* bits_ = nullptr;  // all levels, bits_words_ words
  // Into bits_. Level 0: a bit a block, set where it is free; above: a bit a
  // word, set where that is not zero.
  std::uint64_t* levels_[kMaxLevels] = {};
  std::size_t bits_words_ = 0;
  std::size_t level_count_ = 0;
  std::size_t block_size_;
  std::size_t align_;
  std::size_t count_;
  std::uint64_t times_brought_back_ = detail::TimesBroughtBack(arena_);
  std::size_t used_ = 0;
  bool zero_on_free_;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_BLOCK_POOL_H_
