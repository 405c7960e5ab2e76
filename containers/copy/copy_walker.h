// SPDX-License-Identifier: MIT
//
// CopyWalker: the last pass of a copy of a graph. Copies the bytes of what was
// found, chunk by chunk, and tells pointers where the copies are. Several may
// work at once, on chunks of their own: each writes to the copies of its chunks
// and of the storage that containers there own. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_COPY_WALKER_H_
#define ACRE_CONTAINERS_COPY_COPY_WALKER_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/type_layout.h"
#include "copy/copy_map.h"
#include "copy/copy_maps.h"
#include "copy/copy_placement.h"
#include "copy/copy_plan.h"
#include "copy/ref_copies.h"
#include "copy/table_keys.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// What all walkers of a copy know.
struct CopyJob {
  Arena& arena;
  CopyPlans& plans;
  const CopyPlacement& placement;
  RefCopies& refs;  // of a copy that has such there is one walker
  bool leads_into_table;
  // Of a root outside of arenas, which is copied by CopyRoot; else 0 bytes.
  const char* root;
  std::size_t root_bytes;
  char* root_copy;
};

class CopyWalker {
 public:
  /// `maps`: of all that is copied; a walker in another thread has its own,
  /// which looks into those.
  CopyWalker(const CopyJob& job, CopyMaps& maps) : job_(job), maps_(maps) {}
  CopyWalker(const CopyWalker&) = delete;
  CopyWalker& operator=(const CopyWalker&) = delete;

  void CopyRoot(CopyPlan& plan);
  /// All that was found in that chunk, but for storage.
  void CopyAllIn(const CopyMap& map);
  /// After the last one.
  void FinishAll();

  /// What is to be done when all is copied.
  TableKeys& table_keys() { return table_keys_; }

 private:
  using Step = CopyPlan::Step;

  /// Copied objects in a row; their slots are still those of the source.
  struct Row {
    char* data;
    std::size_t count;
    CopyPlan* plan;
  };

  /// A pointer in a copy, the line of its target asked for.
  struct Pending {
    char** slot = nullptr;  // null: none
    const CopyMap::Line* line = nullptr;
  };

  void CopyExtent(const CopyMap& map, const char* start, CopyNote note,
                  char* copy);
  void WalkRows();
  void WalkRow(const Row& row);
  void TakeStep(char* slot, Step& step);
  void TakePointer(char** slot);
  void TakePointerOut(char** slot);
  void TakeView(char* slot, Step& step);
  void TakePointers(char* data, std::size_t count);
  void TakeHandle(char* slot, Step& step);
  void WalkElements(Step& step, const ElementRun& storage);
  void TakePart(char* part, const TypeLayout& type);
  void Finish(const Pending& pending);
  char* CopyOf(const char* source);
  void NotePointer(void* slot, const TypeLayout* view, const char* source);

  const CopyJob job_;
  CopyMaps& maps_;
  NestedRows<Row> rows_;
  LookAhead<Pending> pending_;
  TableKeys table_keys_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_COPY_WALKER_H_
