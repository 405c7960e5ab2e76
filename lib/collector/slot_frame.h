// SPDX-License-Identifier: MIT
//
// SlotFrame: the slots of an arena's GcRefs and GcWeakRefs as a frame of its
// History has them. The copies hold what GcRefs referred to, and are swept as
// the slots of GcWeakRefs are: what Restore brings back is never dangling.

#ifndef ACRE_LIB_COLLECTOR_SLOT_FRAME_H_
#define ACRE_LIB_COLLECTOR_SLOT_FRAME_H_

#include <cstddef>

#include "acre/config.h"
#include "core/chunk_index.h"
#include "core/slot_table.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Segments for the copies of frames. To get them may run finalizers.
class SlotCopies {
 public:
  SlotCopies() = default;
  SlotCopies(const SlotCopies&) = delete;
  SlotCopies& operator=(const SlotCopies&) = delete;
  ~SlotCopies();

  bool HasFor(std::size_t strong, std::size_t weak) const {
    return strong <= strong_.count && weak <= weak_.count;
  }
  /// False where memory runs out.
  bool GetFor(std::size_t strong, std::size_t weak);
  SlotSegment* Pop(bool is_strong);

 private:
  struct List {
    SlotSegment* first = nullptr;
    std::size_t count = 0;
  };
  static bool Get(List& list, std::size_t count, bool is_strong);

  List strong_;
  List weak_;
};

class SlotFrame {
 public:
  SlotFrame() = default;
  SlotFrame(const SlotFrame&) = delete;
  SlotFrame& operator=(const SlotFrame&) = delete;
  ~SlotFrame() { Drop(); }

  /// What the arena's tables hold now. Segments that are as in last(context),
  /// or null, are shared with it. False, and nothing kept, where memory runs
  /// out. May run finalizers, which may use the arena; what is taken is that of
  /// afterwards, and last(context) is asked anew.
  [[nodiscard]] bool Take(ArenaEntry& entry,
                          const SlotFrame* (*last)(const void* context),
                          const void* context);
  /// Makes the tables what they were. Requires: no segment was freed since.
  void Put(ArenaEntry& entry) const;
  void Drop();
  void swap(SlotFrame& other) noexcept;

  /// What is shared counts for each of those who share it in part.
  std::size_t bytes() const;

 private:
  struct Part {
    SlotSegment* segment;
    SlotSegment* copy;  // null, until it is filled: to be made
  };
  struct Table {
    SlotSegment* levels = nullptr;
    Part* parts = nullptr;  // owned
    std::size_t count = 0;
    std::size_t lacking = 0;  // copies that are to be made
    bool is_filled = false;
  };

  bool List(const ArenaEntry& entry, const SlotFrame* last);
  static bool ListTable(const SlotTable& table, const Table* last, Table* to);
  static void FillTable(Table* table, bool is_strong, SlotCopies& copies);
  static void PutTable(const Table& from, SlotTable* table);
  static void DropTable(Table* table);

  Table refs_;
  Table weak_refs_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_SLOT_FRAME_H_
