// SPDX-License-Identifier: MIT

#include "acre/escape.h"

#include "acre/detail/blocks.h"
#include "copy/cell_escape.h"
#include "copy/copier.h"
#include "copy/graph_copier.h"
#include "copy/small_copier.h"

namespace acre::inline ACRE_ABI::detail {

void* EscapeObject(const TypeLayout& type, const void* object,
                   const HeapAllocator& allocator) {
  constexpr OutsideArenas kOutside = OutsideArenas::kStays;
  NeedHeap();
  // What it gives up it has made in vain: a host's allocator is to see what
  // becomes a copy.
  if (allocator.allocate == nullptr && !MustTellOfWrites()) {
    CellEscape cells;
    if (void* const copy = cells.Run(type, object)) return copy;
  }
  Arena& heap = HeapArena();
  const Escaping escaping(allocator);
  {
    SmallCopier small(heap, kOutside);
    if (small.Run(type, object)) return small.copy();
  }
  {
    GraphCopier graph(heap, nullptr, kOutside);
    if (graph.Run(type, object)) return graph.copy();
  }
  Copier copier(heap, kOutside);
  void* const copy = copier.Run(type, object);
  if (copy == nullptr) Blocks::Fail(heap, copier.failed_bytes());
  return copy;
}

}  // namespace acre::inline ACRE_ABI::detail
