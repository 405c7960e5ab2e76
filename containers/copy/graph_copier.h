// SPDX-License-Identifier: MIT
//
// GraphCopier: deep copy of what lies in arenas. Keeps sharing, cycles and
// pointers into objects. Internal to acre.
//
//   1. find   what the root reaches, noted beside the chunks    GraphFinder
//   2. place  memory for all of it: nothing was written so far  CopyPlacement
//   3. copy   the bytes, in the order of the sources' addresses; pointers are
//             told where the copies are
//
// What it cannot do it finds out first, and leaves to Copier.

#ifndef ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_
#define ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/type_layout.h"
#include "copy/copy_map.h"
#include "copy/copy_placement.h"
#include "copy/copy_plan.h"
#include "copy/graph_finder.h"
#include "copy/table_keys.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class GraphCopier {
 public:
  /// `only`: nothing that lies out of that arena is copied, nor may be led to.
  explicit GraphCopier(Arena& arena, const Arena* only = nullptr,
                       OutsideArenas outside = OutsideArenas::kIsCopied)
      : arena_(arena),
        is_closed_(only != nullptr),
        maps_(only),
        refs_(arena),
        finder_(plans_, maps_, refs_, only != nullptr, outside) {}
  GraphCopier(const GraphCopier&) = delete;
  GraphCopier& operator=(const GraphCopier&) = delete;
  /// Gives everything back where Run has not succeeded, or threw.
  ~GraphCopier();

  /// False where it cannot do it or memory runs out: Copier needs less, as it
  /// merges pieces that overlap.
  bool Run(const TypeLayout& type, const void* root);

  void* copy() const { return copy_; }

  /// Calls visit(copy, bytes, kind, plan) for each block of a copy that has
  /// succeeded. Not of a root outside of arenas.
  template <class Visit>
  void ForEachCopy(Visit visit) {
    struct Context {
      CopyPlans& plans;
      Visit& visit;
    } context{plans_, visit};
    placement_.ForEachCopy(
        [](void* data, char* copy, std::size_t bytes, CopyNote note) {
          const auto& known = *static_cast<Context*>(data);
          known.visit(copy, bytes, note.kind(), known.plans[note.number()]);
        },
        &context);
  }

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
    const CopyMap* map = nullptr;
    const CopyMap::Line* line = nullptr;
  };

  bool Take(CopyPlan& plan);
  void GiveRoot();
  bool CopyAll(CopyPlan& plan);
  void CopyExtent(const CopyMap& map, const char* start, CopyNote note,
                  char* copy);
  void WalkRows();
  void WalkRow(const Row& row);
  void TakeStep(char* slot, Step& step);
  void TakePointer(char** slot);
  void TakeView(char* slot, Step& step);
  void TakePointers(char* data, std::size_t count);
  void TakeHandle(char* slot, Step& step);
  void WalkElements(char* slot, Step& step, const ElementRun& storage);
  void TakePart(char* part, const TypeLayout& type);
  void Finish(const Pending& pending);
  char* CopyOf(const char* source);
  void NotePointer(void* slot, const TypeLayout* view, const char* source);

  Arena& arena_;
  const bool is_closed_;
  CopyPlans plans_;
  CopyMaps maps_;
  RefCopies refs_;
  GraphFinder finder_;
  CopyPlacement placement_{arena_, plans_, maps_};
  const char* root_ = nullptr;
  std::size_t root_bytes_ = 0;  // where it lies outside of arenas; else 0
  const TypeLayout* root_type_ = nullptr;
  char* copy_ = nullptr;  // of the root
  bool is_taken_ = false;
  bool is_finished_ = false;
  NestedRows<Row> rows_;
  LookAhead<Pending> pending_;
  TableKeys table_keys_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_
