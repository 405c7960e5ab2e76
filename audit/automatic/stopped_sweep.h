// SPDX-License-Identifier: MIT
//
// StoppedSweep: looks for leaks in one arena with the world stopped by the
// collector. Allocates nothing, takes no lock, believes no pointer before it is
// known to lie in the arena: objects may be half made, their threads stand
// anywhere.

#ifndef ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_
#define ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/detail/walk.h"
#include "acre/finding.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// A leak, as it was when it was found. Addresses are complemented: the
/// collector, which scans static memory, must not take them for references.
struct StoppedFinding {
  std::uintptr_t hidden_slot = 0;
  std::uintptr_t hidden_address = 0;
  std::uintptr_t hidden_base = 0;    // of the target
  std::size_t target_bytes = 0;      // 0: not known
  const TypeLayout* type = nullptr;  // what the slot should lead to; of a
                                     // borrowed field: null
  // The row of objects that the slot was reached from, a block of New or the
  // storage of a container that somebody outside the arena holds.
  const TypeLayout* row_type = nullptr;
  std::uintptr_t hidden_row = 0;
  std::size_t row_bytes = 0;  // from there to the end of the block
  FindingKind kind = FindingKind::kPointer;
  Target target = Target::kCollectedHeap;
  bool is_pointer_free = false;
  bool is_held_outside = false;  // the row is such a storage
  bool is_borrowed = false;      // found by BorrowedSweep
};

using FoundStopped = void (*)(void* context, const StoppedFinding& finding);

class StoppedSweep {
 public:
  /// `found` is called for each leak.
  StoppedSweep(const Arena& arena, FoundStopped found, void* context)
      : arena_(arena), found_(found), context_(context), pass_(NextPass()) {}

  void Run();

  void operator()(const Slot& slot);

  /// Containers in containers deeper than the sweep follows; counted, for they
  /// were not looked into.
  std::size_t too_deep() const { return too_deep_; }

 private:
  bool IsOwn(const void* address);
  void Judge(const Slot& slot, const void* address);
  void FollowHandle(const Slot& slot);
  void SweepBlock(const BlockView& block);

  const Arena& arena_;
  const FoundStopped found_;
  void* const context_;
  const std::uint16_t pass_;
  const TypeLayout* row_type_ = nullptr;
  const char* row_ = nullptr;
  const char* row_end_ = nullptr;
  bool is_held_outside_ = false;
  // Chunks of the arena met last, by megabyte of address.
  struct Range {
    const char* begin = nullptr;
    std::size_t size = 0;
  };
  static constexpr std::size_t kCacheSize = 64;
  Range chunks_[kCacheSize];
  std::size_t depth_ = 0;
  std::size_t too_deep_ = 0;
};

/// Looks at what borrowed fields lead to: the user has promised to keep it
/// alive. When the collector has marked: tells those whose target it is about
/// to free, or has freed before.
class BorrowedSweep {
 public:
  BorrowedSweep(const Arena& arena, FoundStopped found, void* context)
      : arena_(arena), found_(found), context_(context) {}

  /// True where a borrowed field leads into the collected heap at all. Marking
  /// need not have happened.
  bool IsNeeded();
  void Run();

  void operator()(const char* word);

 private:
  void Walk();
  bool Borrows(const TypeLayout& type);

  const Arena& arena_;
  const FoundStopped found_;
  void* const context_;
  bool counts_ = false;  // IsNeeded: nothing is judged
  std::size_t count_ = 0;
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

/// A number that changes when memory that the arena has handed out, or what it
/// has handed out, changes. Reads everything once.
std::uint64_t ChecksumOf(const Arena& arena);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_STOPPED_SWEEP_H_
