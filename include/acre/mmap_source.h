// SPDX-License-Identifier: MIT
//
// MmapSource: one large range of addresses, with memory behind it only where it
// is used. The arena's only chunk grows in place, so addresses are contiguous,
// nothing ever moves, and a Vector at the end grows without copying.
//
//   acre::MmapSource source({.reserve = std::size_t{16} << 30});
//   acre::Arena arena({.source = &source});
//
//   base                          committed                    reserve
//   | chunk of the arena ........ | addresses without memory .. | guard page |
//
// Memory is committed as the arena grows, or ahead of that by Commit;
// Reset(ResetMode::kRelease) gives it all back to the system and keeps the
// addresses. One arena at a time; a second chunk is refused, so an arena over
// this source fails when the range is full. As all blocks share one chunk, the
// arena finds whole chunks again only when everything is freed.
//
// Ownership: the source owns the range and must outlive the arena.
// Threads: one at a time.
// Linux. The collector neither scans the range nor knows it.

#ifndef ACRE_MMAP_SOURCE_H_
#define ACRE_MMAP_SOURCE_H_

#include <cstddef>

#include "acre/chunk_source.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// What MmapSource and SharedMemorySource share: a range of addresses of which
/// a growing part has memory.
class RangeSource : public ChunkSource {
 public:
  /// Requires: no arena holds the chunk.
  ~RangeSource() override;

  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;
  void Release(ChunkMemory memory) noexcept override;
  std::size_t Extend(ChunkMemory memory, std::size_t min_more,
                     std::size_t wanted_more) override;

  /// Puts memory behind the first `bytes` bytes now, pages touched, so that
  /// using them costs no page fault. False where the range is smaller or the
  /// system has no memory; what was committed stays. (Before Linux 5.14 pages
  /// can only be touched: there it ends in SIGBUS or the OOM killer.)
  [[nodiscard]] bool Commit(std::size_t bytes);

  /// Where the range begins; null where it could not be reserved.
  const void* base() const noexcept { return base_; }
  std::size_t reserved() const noexcept { return reserved_; }    ///< bytes
  std::size_t committed() const noexcept { return committed_; }  ///< bytes
  /// The errno of the call that failed when the range was reserved, or 0.
  int error() const noexcept { return error_; }

 protected:
  RangeSource(std::size_t step, bool guard) noexcept
      : step_(step), guard_(guard) {}

  /// Reserves `bytes` of addresses: of `fd`, or anonymous where it is -1.
  void Map(std::size_t bytes, std::size_t align, int fd);
  void set_error(int error) noexcept { error_ = error; }

 private:
  bool CommitTo(std::size_t bytes);
  /// Gives the memory back, keeps the addresses.
  virtual void Decommit() noexcept = 0;

  friend class MmapSource;
  friend class SharedMemorySource;

  char* base_ = nullptr;       // owned mapping, or null
  std::size_t reserved_ = 0;   // of addresses, the guard page left out
  std::size_t committed_ = 0;  // from base_; <= reserved_, a multiple of step_
  std::size_t size_ = 0;       // of the chunk; 0: no arena holds it
  std::size_t step_;           // granularity of committing, whole pages
  bool guard_;
  int error_ = 0;
};

struct MmapOptions {
  /// Bytes of addresses; rounded up to whole pages. Costs no memory.
  std::size_t reserve = std::size_t{64} << 30;

  /// Memory is committed in multiples of this; rounded up to whole pages.
  std::size_t commit_step = std::size_t{256} << 10;

  /// Asks for 2 MiB pages: base and commit_step are aligned to them. Fewer TLB
  /// misses in large arenas, up to 2 MiB more memory in small ones.
  bool huge_pages = false;

  /// A page behind the range that faults on any access.
  bool guard_page = true;
};

/// See the top of this file.
class MmapSource final : public RangeSource {
 public:
  /// Where the range cannot be reserved, base() is null, error() says why, and
  /// an arena over this source has no memory.
  explicit MmapSource(const MmapOptions& options = {});

 private:
  void Decommit() noexcept override;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_MMAP_SOURCE_H_
