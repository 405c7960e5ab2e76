// SPDX-License-Identifier: MIT
//
// GraphCopier: deep copy of what lies in arenas, in one pass. Keeps sharing,
// cycles and pointers into objects. Internal to acre.
//
//   met for the first time:  a block in the target, noted in the ForwardMap of
//                            the source's chunk; the object waits in a queue
//   its turn in the queue:   its bytes are copied, its containers get storage,
//                            what its pointers lead to is met
//   met again:               the map tells where the copy is
//
// What it cannot do it finds out, gives everything back and leaves to Copier:
// objects outside of arenas (the root and static storage aside), and pieces
// that turn out to be parts of a larger one after they were met.

#ifndef ACRE_CONTAINERS_DETAIL_GRAPH_COPIER_H_
#define ACRE_CONTAINERS_DETAIL_GRAPH_COPIER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/copy_plan.h"
#include "acre/detail/forward_map.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/static_storage.h"
#include "acre/detail/table_keys.h"
#include "acre/detail/walk_memory.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class GraphCopier {
 public:
  explicit GraphCopier(Arena& arena) : arena_(arena) {}
  GraphCopier(const GraphCopier&) = delete;
  GraphCopier& operator=(const GraphCopier&) = delete;
  /// Gives everything back where Run has not succeeded, or threw.
  ~GraphCopier();

  /// False where it cannot do it or memory runs out: Copier needs less, as it
  /// merges pieces that overlap.
  bool Run(const TypeLayout& type, const void* root);

  void* copy() const { return root_.copy; }

 private:
  using Step = CopyPlan::Step;

  /// What is copied as one piece; see ForwardMap. In another order than
  /// StorageCopy: g++ would copy neighbours by one load of 16 bytes, which
  /// stalls on the two stores before it.
  struct Extent {
    const char* source;
    std::size_t bytes;
    char* copy;
    const CopyPlan* plan;  // of the elements, or of a table's storage

    bool Holds(const char* p, std::size_t length) const {
      const auto offset = static_cast<std::size_t>(p - source);
      return offset < bytes && length <= bytes - offset;
    }
  };
  /// An object that waits for its turn.
  struct Object {
    const char* source;
    char* copy;
    CopyPlan* plan;
  };
  /// Copied elements.
  struct Row {
    char* data;
    std::size_t count;
    CopyPlan* plan;
  };
  /// A pointer in a copy, the cell of its target asked for.
  struct Pending {
    void** slot = nullptr;
    CopyPlan* target = nullptr;
  };

  // ------------------------------------------------------------------- walk
  void WalkAll();
  void WalkMet();
  void WalkRows();
  void PrefetchStorage(const Object& object);
  void WalkRun(char* data, std::size_t count, CopyPlan& plan);
  void TakeStep(char* slot, Step& step);
  void TakePointer(void** slot, CopyPlan& target);
  void TakeView(char* slot, Step& step);
  void TakeHandle(char* slot, Step& step);
  void WalkElements(char* slot, Step& step, const StorageCopy& storage);
  void WalkPart(char* part, const TypeLayout& type);

  // ------------------------------------------------------------------- copy
  void Resolve(const Pending& pending);
  void NoteSlot(void* slot, const TypeLayout* view);
  /// Where the copy of `count` objects is; it is made where there is none.
  /// Null: the pointer stays as it is, or the copy was stopped.
  char* Forward(const char* source, CopyPlan& plan, std::size_t count);
  char* Meet(ForwardMap& map, const char* source, CopyPlan& plan,
             std::size_t count);
  char* ForwardOutside(const char* source, const CopyPlan& plan,
                       std::size_t count);
  char* InExtent(const Extent& extent, const char* p, const CopyPlan& plan,
                 std::size_t count);
  Extent ExtentOf(const ForwardMap& map, const char* p, ForwardCell cell);
  /// False where it overlaps another extent.
  bool Note(ForwardMap* map, const Extent& extent);
  bool NoteFar(ForwardMap& map, const Extent& extent);

  void GiveBack();
  void GiveBack(const Extent& extent);

  Arena& arena_;
  bool is_stopped_ = false;
  bool is_finished_ = false;
  CopyPlans plans_;
  PerChunk<ForwardMap> maps_;
  WalkMemory memory_;
  std::vector<Extent> large_;
  Extent root_ = {};  // where it lies outside of arenas also its map
  WalkQueue<Object> met_{memory_};
  NestedRows<Row> rows_;
  LookAhead<Pending> pending_;
  TableKeys table_keys_;
  bool leads_into_table_ = false;  // what Forward returned last
  StaticStorage static_storage_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_GRAPH_COPIER_H_
