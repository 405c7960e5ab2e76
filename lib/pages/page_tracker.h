// SPDX-License-Identifier: MIT
//
// PageTracker: which pages of some ranges may have been written, as the kernel
// tells: userfaultfd with asynchronous write protection (Linux 6.7), read by
// the PAGEMAP_SCAN ioctl. It may name pages too many, never too few: also what
// the kernel wrote (read(2), process_vm_writev) and what MADV_DONTNEED took.
// Without signals and threads. A range that it cannot watch is refused:
//   - where the kernel or a sandbox has no userfaultfd for us;
//   - where somebody watches it already (libgc 8.3 in incremental mode);
//   - shared mappings: writes through another mapping would not be seen.
// Soft-dirty bits are no way out: a kernel built without them takes the request
// and reports nothing. Internal to acre.

#ifndef ACRE_LIB_PAGES_PAGE_TRACKER_H_
#define ACRE_LIB_PAGES_PAGE_TRACKER_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Addresses, in whole pages.
struct PageRange {
  char* begin = nullptr;
  char* end = nullptr;
};

/// Threads: one at a time.
class PageTracker {
 public:
  PageTracker() = default;
  PageTracker(const PageTracker&) = delete;
  PageTracker& operator=(const PageTracker&) = delete;
  /// Requires: everything has been given up.
  ~PageTracker();

  /// From now on writes into the range are noted; all of it counts as written.
  /// False where that cannot be had.
  bool Watch(PageRange range);
  void Unwatch(PageRange range) noexcept;

  /// Writes down which parts of a watched range may have been written since
  /// they were last protected: up to `most`, in order; `*done` is where the
  /// next call has to go on, range.end at the end. `protect`: those written
  /// down count as not written from now on. -1 where the range is not watched
  /// any more: anything may have been written.
  long Scan(PageRange range, bool protect, PageRange* found, std::size_t most,
            char** done) noexcept;

  /// False after fork, in the child: nothing is watched there, and what its
  /// descriptors are asked would be done to the parent's memory.
  bool is_ours() const noexcept;

 private:
  bool Open() noexcept;

  int faults_ = -1;   // userfaultfd; -1: not opened, or refused
  int pagemap_ = -1;  // open where faults_ is
  bool is_refused_ = false;
  long process_ = 0;  // that opened them
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_PAGES_PAGE_TRACKER_H_
