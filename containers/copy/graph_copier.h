// SPDX-License-Identifier: MIT
//
// GraphCopier: deep copy of what lies in arenas. Keeps sharing, cycles and
// pointers into objects. Internal to acre.
//
//   1. find   what the root reaches, noted beside the chunks    GraphFinder
//   2. place  memory for all of it: nothing was written so far  CopyPlacement
//   3. copy   the bytes, in the order of the sources' addresses; pointers are
//             told where the copies are                         CopyWalker
//
// The first and the last by several threads, where that is asked for:
// GraphTeam. What it cannot do it finds out first, and leaves to Copier.

#ifndef ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_
#define ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_

#include <cstddef>
#include <memory>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/type_layout.h"
#include "copy/copy_maps.h"
#include "copy/copy_placement.h"
#include "copy/copy_plan.h"
#include "copy/copy_walker.h"
#include "copy/graph_finder.h"
#include "copy/graph_team.h"
#include "copy/ref_copies.h"

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
  /// merges pieces that overlap. `members`: threads, this one included, where
  /// the root lies in an arena; one where nothing may lie out of an arena.
  bool Run(const TypeLayout& type, const void* root, unsigned members = 1);

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
  bool Find(CopyPlan& plan, unsigned members);
  bool Take(CopyPlan& plan);
  bool CopyAll(CopyPlan& plan);
  Arena& arena_;
  const bool is_closed_;
  CopyPlans plans_;
  CopyMaps maps_;
  RefCopies refs_;
  GraphFinder finder_;
  std::unique_ptr<GraphTeam> team_;  // or none
  CopyPlacement placement_{arena_, plans_, maps_};
  const char* root_ = nullptr;
  std::size_t root_bytes_ = 0;  // where it lies outside of arenas; else 0
  const TypeLayout* root_type_ = nullptr;
  char* copy_ = nullptr;    // of the root
  bool has_root_ = false;   // one that was taken by itself
  bool is_placed_ = false;  // all else was taken
  bool is_finished_ = false;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_GRAPH_COPIER_H_
