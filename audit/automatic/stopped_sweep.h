// SPDX-License-Identifier: MIT
//
// StoppedSweep: all leaks of one arena, and how they are held, with the world
// stopped by the collector. Allocates nothing, takes no lock, believes no
// pointer before it is known to lie in the arena: objects may be half made,
// their threads stand anywhere. For where PageSweep has found something.

#ifndef ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_
#define ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/detail/changed_pages.h"
#include "acre/detail/walk.h"
#include "automatic/stopped_judge.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

using FoundStopped = void (*)(void* context, const StoppedFinding& finding);

class StoppedSweep {
 public:
  /// `found` is called for each leak.
  StoppedSweep(const Arena& arena, FoundStopped found, void* context)
      : arena_(arena),
        judge_(arena),
        found_(found),
        context_(context),
        pass_(NextPass()) {}

  void Run();

  void operator()(const Slot& slot);

  /// Containers in containers deeper than the sweep follows; counted, for they
  /// were not looked into.
  std::size_t too_deep() const { return too_deep_; }

 private:
  void Judge(const Slot& slot, const void* address);
  void FollowHandle(const Slot& slot);
  void SweepBlock(const BlockView& block);

  const Arena& arena_;
  StoppedJudge judge_;
  const FoundStopped found_;
  void* const context_;
  const std::uint16_t pass_;
  const TypeLayout* row_type_ = nullptr;
  const char* row_ = nullptr;
  const char* row_end_ = nullptr;
  bool is_held_outside_ = false;
  std::size_t depth_ = 0;
  std::size_t too_deep_ = 0;
};

/// Looks at what borrowed fields lead to: the user has promised to keep it
/// alive. When the collector has marked: tells those whose target it is about
/// to free, or has freed before. Of the pages in which PageSweep has noted
/// something.
class BorrowedSweep {
 public:
  BorrowedSweep(const Arena& arena, FoundStopped found, void* context)
      : blocks_(arena, kLeadsOut | kBorrows),
        found_(found),
        context_(context) {}

  void Run();

  void operator()(const char* word);

 private:
  bool Borrows(const TypeLayout& type);

  NotedBlocks blocks_;
  const FoundStopped found_;
  void* const context_;
  const TypeLayout* row_type_ = nullptr;
  const char* row_ = nullptr;
  const char* row_end_ = nullptr;
  bool is_held_outside_ = false;
  // What MayBorrow said of types met before.
  struct Known {
    const TypeLayout* type = nullptr;
    bool borrows = false;
  };
  static constexpr std::size_t kKnown = 64;
  Known known_[kKnown];
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_
