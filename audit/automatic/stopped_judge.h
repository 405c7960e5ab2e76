// SPDX-License-Identifier: MIT
//
// StoppedJudge: does an address in a slot lead from one arena into the
// collected heap? With the world stopped by the collector: allocates nothing,
// takes no lock.

#ifndef ACRE_AUDIT_AUTOMATIC_STOPPED_JUDGE_H_
#define ACRE_AUDIT_AUTOMATIC_STOPPED_JUDGE_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/unscanned_array.h"
#include "acre/finding.h"
#include "acre/type_layout.h"

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

inline std::uintptr_t Hide(const void* p) {
  return ~reinterpret_cast<std::uintptr_t>(p);
}

/// One at a time: what it knows of chunks is in one place.
class StoppedJudge {
 public:
  /// Makes that place: see UnscannedArray. Before there is a judge.
  static bool MakeRoom() { return ranges.Make(); }

  explicit StoppedJudge(const Arena& arena);

  /// True for memory of the arena, in use or not.
  bool IsOwn(const void* address) {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const Range& range = ranges[at >> kRangeShift & mask_];
    return at - ~range.hidden_begin < range.size || Find(address);
  }

  /// True where the slot leaks. Fills in what concerns slot and target.
  /// Requires: address is not null, nor own.
  bool IsLeak(const TypeLayout& type, const void* slot, const void* address,
              StoppedFinding* finding);

 private:
  bool Find(const void* address);

  // Chunks of the arena met last, by address: 64 KiB go to one place, so that
  // only the ends of chunks share one.
  static constexpr unsigned kRangeShift = 16;
  static constexpr std::size_t kFew = 64;
  static constexpr std::size_t kMany = 4096;
  struct Range {
    std::uintptr_t hidden_begin;
    std::size_t size;
  };
  static UnscannedArray<Range, kMany> ranges;

  const Arena& arena_;
  std::size_t mask_;  // of the ranges that are used
  std::size_t found_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_STOPPED_JUDGE_H_
