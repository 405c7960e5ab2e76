// SPDX-License-Identifier: MIT
//
// StoppedAudit: what a collection looks at in one arena, so that it costs what
// has changed.
//
//   pages written since --+
//   pages whose slots     +--> PageSweep --something new--> StoppedSweep -->
//   told lead out of the arena-+        |
//                                  +--> notes for the next collection
//
// A page that nobody has written to cannot hold a new leak, unless what it
// leads to has changed hands: memory outside of the arena, or a chunk that the
// arena has given back. Where nothing was written at all, what is outside of
// the collected heap is looked at again only if that has grown.

#ifndef ACRE_AUDIT_AUTOMATIC_STOPPED_AUDIT_H_
#define ACRE_AUDIT_AUTOMATIC_STOPPED_AUDIT_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/page_tracking.h"
#include "automatic/page_sweep.h"
#include "automatic/stopped_sweep.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Used by collections; the rest by the thread of the arena.
class StoppedAudit {
 public:
  /// For another arena.
  void Start() {
    sweeps_all_.store(true);
    borrows_.store(false);
  }
  void set_tracking(PageTracking tracking) { tracking_.store(tracking); }
  /// The next collection looks at everything.
  void SweepAll() { sweeps_all_.store(true); }

  /// Calls found(context, finding) for leaks, those that are known too if there
  /// is one that is not. False where nothing has changed, and nothing was
  /// looked at.
  bool Run(const Arena& arena, PageSweep::IsKnown is_known, FoundStopped found,
           void* context);

  /// When the collector has marked: whether the arena has changed or not, what
  /// it borrows may be held no longer.
  void RunMarked(const Arena& arena, FoundStopped found, void* context) const;

 private:
  bool Choose(const Arena& arena);

  std::atomic<PageTracking> tracking_{PageTracking::kKernel};
  std::atomic<bool> sweeps_all_{true};
  std::atomic<bool> borrows_{false};  // from the collected heap
  std::uint64_t given_back_ = 0;      // chunks, when it ran last
  std::size_t heap_bytes_ = 0;        // of the collected heap, by then
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_STOPPED_AUDIT_H_
