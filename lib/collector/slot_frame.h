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

class SlotFrame {
 public:
  SlotFrame() = default;
  SlotFrame(const SlotFrame&) = delete;
  SlotFrame& operator=(const SlotFrame&) = delete;
  ~SlotFrame() { Drop(); }

  /// What the arena's tables hold now. Segments that are as in `last`, or null,
  /// are shared with it. False, and nothing kept, where memory runs out.
  [[nodiscard]] bool Take(ArenaEntry& entry, const SlotFrame* last);
  /// Makes the tables what they were. Requires: no segment was freed since.
  void Put(ArenaEntry& entry) const;
  void Drop();

  /// What is shared counts for each of those who share it in part.
  std::size_t bytes() const;

 private:
  struct Part {
    SlotSegment* segment;
    SlotSegment* copy;
  };
  struct Table {
    SlotSegment* levels = nullptr;
    Part* parts = nullptr;  // owned
    std::size_t count = 0;
  };

  static bool TakeTable(const SlotTable& table, const Table* last, Table* to);
  static void PutTable(const Table& from, SlotTable* table);
  static void DropTable(Table* table);

  Table refs_;
  Table weak_refs_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_SLOT_FRAME_H_
