// SPDX-License-Identifier: MIT
//
// QuickWalk: is there anything to report? The first pass of an audit, from
// roots or of a whole arena. It remembers nothing of the way and stops at the
// first finding: a second pass tells what, and how it is reached. Most audits
// end here.
//
// From roots, marks are of objects that were met. Of a whole arena, they are of
// objects that are there: first every block is marked, then what is in them is
// judged, in the order of addresses; most pointers lead to a mark.

#ifndef ACRE_AUDIT_QUICK_WALK_H_
#define ACRE_AUDIT_QUICK_WALK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "acre/audit.h"
#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/detail/chunk_marks.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/detail/per_chunk.h"
#include "acre/detail/visit_set.h"
#include "acre/detail/walk.h"
#include "classify.h"
#include "covered_words.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class QuickWalk {
 public:
  QuickWalk(const Arena& arena, const AuditOptions& options)
      : arena_(arena), options_(options), classifier_(arena), marks_(&arena) {}

  /// False where there is something to report; true: `report` has the counts.
  bool IsClean(std::span<const AuditRoot> roots, AuditReport& report);
  /// The same of every block, and the roots; words that no layout describes are
  /// left out. `covered`: storages that were met. Checked builds.
  bool IsWholeClean(std::span<const AuditRoot> roots,
                    PerChunk<CoveredWords>& covered, AuditReport& report);
  /// After that: true where there are such words.
  bool has_rest() const { return has_rest_; }

 private:
  struct Plan;

  /// One slot of an object, or a part that only its layout can walk; with all
  /// that following it takes, so that no layout is asked on the way.
  struct Step {
    std::uint32_t offset = 0;
    TypeKind kind;
    bool leads_on = false;    // what it leads to has slots itself
    bool has_runs = false;    // of a handle: its elements are no row
    std::uint8_t number = 0;  // of the target's plan; 0: none, or not made yet.
                              // Else the target has slots
    const TypeLayout* type;   // of the slot or part
    const TypeLayout* element;  // of what it leads to
    std::size_t size = 0;       // of that
    std::size_t align = 1;      // of that
    Plan* target = nullptr;     // of that; null: not made yet
    Plan* storage = nullptr;    // of the storage of a handle; the same
  };
  static Step StepOf(const TypeLayout& slot, std::size_t offset);

  /// A type's slots in a row, so that entering an object is one loop.
  struct Plan {
    const TypeLayout* type;
    std::uint8_t number;  // for ChunkMarks; 0: there are too many types
    std::vector<Step> steps = {};
    bool is_pointer = false;  // and nothing else
    bool has_gaps = false;    // known of those of blocks, of a whole arena
  };
  /// Elements.
  struct Row {
    const char* begin;
    const char* end;
    Plan* plan;
  };
  struct Object {
    const char* address = nullptr;
    Plan* plan = nullptr;
  };

  // ------------------------------------------------------------------ types
  Plan* PlanOf(const TypeLayout& type);
  /// Of the storage of a handle: an object of its type may lie at its address.
  Plan* StoragePlanOf(const TypeLayout& handle);
  Plan* AddPlan(std::uint64_t id, const TypeLayout& type);

  Plan& TargetOf(Step& step);

  // ----------------------------------------------------------- whole arenas
  /// Of a block of New or NewArray, or null: a walk over blocks asks often for
  /// the same.
  Plan* PlanOfBlock(const BlockView& block);
  void MarkBlocks();
  void EnterBlocks();
  struct Unjudged;
  void JudgeTarget(const Unjudged& pointer);
  bool CoverStorage(const HandleStorage& storage);

  // ------------------------------------------------------------------ walk
  void WalkAll();
  void WalkRows();
  void EnterAhead(const Object& object);
  void PrefetchStorage(const Object& object);
  void Enter(Object object);
  void EnterRow(const Row& row);
  void FollowPointers(const char* begin, const char* end, Plan& plan);
  void EnterNested(const Row& row);
  void TakeStep(Object in, const char* slot, Step& step);
  void FollowPointer(Object in, const char* slot, Step& step);
  void FollowSlowly(Object in, ChunkMarks* marks, const void* address,
                    Step& step);
  void FollowView(Object in, const char* slot, Step& step);
  void FollowHandle(Object in, const char* slot, Step& step);
  void WalkPart(Object in, const char* part, const TypeLayout& type);
  bool IsFine(const ChunkMarks* marks, const void* address, const Step& step,
              std::size_t count);
  bool IsFine(const ChunkMarks* marks, const HandleStorage& storage,
              const TypeLayout& element);
  struct Unmarked;
  void MarkOne(const Unmarked& object);
  void Visit(ChunkMarks* marks, const void* address, Plan& plan,
             std::size_t count);
  void VisitElsewhere(const void* address, Plan& plan, std::size_t count);
  bool VisitStorage(ChunkMarks* marks, const void* block, Step& step);
  /// A slot in it is not fine: is that something to report?
  void Suspect(Object object);
  void Judge(const Slot& slot);

  const Arena& arena_;
  const AuditOptions& options_;
  Classifier classifier_;
  PerChunk<CoveredWords>* covered_ = nullptr;  // of a whole arena
  bool is_clean_ = true;
  std::size_t objects_ = 0;
  std::size_t pointers_ = 0;
  std::unordered_set<const void*> reviewed_;  // slots

  std::unordered_map<std::uint64_t, std::unique_ptr<Plan>> plans_;  // by id
  Plan* numbered_[ChunkMarks::kMaxTypes + 1] = {};
  unsigned last_number_ = 0;

  MarkedChunks marks_;

  // Of a whole arena.
  const TypeLayout* block_type_ = nullptr;  // PlanOfBlock was asked of last
  Plan* block_plan_ = nullptr;
  std::size_t storages_met_ = 0;
  bool has_rest_ = false;
  /// A pointer in an object, to where the marks have been asked for.
  struct Unjudged {
    Object in = {};
    const void* address = nullptr;  // null: none
    Step* step = nullptr;
    ChunkMarks* marks = nullptr;
  };
  LookAhead<Unjudged> unjudged_;

  // What has no place in the marks: other types, rows, other memory.
  VisitSet visited_;
  std::vector<std::size_t> walked_;  // elements, by number in visited_
  NestedRows<Row> rows_;

  /// A pointer that was judged, its target not yet marked.
  struct Unmarked {
    ChunkMarks* marks = nullptr;  // null: none
    ChunkMarks::Spot spot = {};
  };
  LookAhead<Unmarked> unmarked_;
  LookAhead<Object> ahead_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_QUICK_WALK_H_
