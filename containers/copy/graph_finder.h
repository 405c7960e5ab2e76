// SPDX-License-Identifier: MIT
//
// GraphFinder: what a deep copy of a graph in arenas has to copy. Notes every
// extent that the root reaches in the CopyMap of its chunk; reads the sources,
// writes nothing else.
//
// Objects are entered by address, not in the order in which they were met: a
// walk goes through memory nearly in order, wherever the pointers lead.
// Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_GRAPH_FINDER_H_
#define ACRE_CONTAINERS_COPY_GRAPH_FINDER_H_

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/nested_rows.h"
#include "acre/type_layout.h"
#include "copy/copy_map.h"
#include "copy/copy_maps.h"
#include "copy/copy_plan.h"
#include "copy/finder_mail.h"
#include "copy/ref_copies.h"
#include "copy/static_storage.h"
#include "copy/walk_memory.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class GraphFinder {
 public:
  /// `is_closed`: static storage may not be led to either, and what leads into
  /// the middle of something must be what lies there exactly: see HoldsExactly.
  GraphFinder(CopyPlans& plans, CopyMaps& maps, RefCopies& refs,
              bool is_closed = false,
              OutsideArenas outside = OutsideArenas::kIsCopied)
      : plans_(plans),
        maps_(maps),
        refs_(refs),
        is_closed_(is_closed),
        outside_(outside) {}
  GraphFinder(const GraphFinder&) = delete;
  GraphFinder& operator=(const GraphFinder&) = delete;

  /// False where it finds what cannot be copied by granules: objects outside of
  /// arenas (the root and static storage aside), more types than CopyNote has
  /// numbers for, and pieces that turn out to be parts of larger ones after
  /// they were met.
  bool Run(const char* root, CopyPlan& plan);

  /// The same as one of several, each in a thread of its own with its own maps,
  /// which have the same owners. All are given the same root. Requires: the
  /// plans are closed, no finder is_closed. True where all are done: together
  /// they have noted what is to be copied. False: the caller stops the others.
  bool RunAsMember(const char* root, CopyPlan& plan, FinderDesk& desk);

  /// True where a block is aligned above the granule.
  bool has_wide() const { return has_wide_; }
  /// True where a pointer or view leads into the storage of a Map or Set.
  bool leads_into_table() const { return leads_into_table_; }

 private:
  using Step = CopyPlan::Step;

  /// Objects in a row.
  struct Row {
    const char* data;
    std::size_t count;
    CopyPlan* plan;
  };
  struct Object {
    const char* address = nullptr;  // null: none
    CopyPlan* plan = nullptr;
  };
  /// What a pointer leads to, its notes asked for.
  struct Pending {
    std::uint16_t* notes = nullptr;  // see CopyMap
    const char* target = nullptr;
    CopyPlan* plan = nullptr;
    CopyMap* map = nullptr;  // null: none
  };

  /// Objects that are met in an extent.
  struct Part {
    std::size_t before;     // bytes of the extent in front of them
    std::size_t phase = 0;  // bytes behind the start of one of its elements
    bool is_inside;         // the extent holds all of them
    bool is_all;            // and nothing else
  };

  static constexpr std::size_t kNarrow = 4;
  static constexpr std::size_t kItemsAhead = 48;

  void Begin(const char* root, CopyPlan& plan);
  void WalkAll();
  bool HasMore();
  void TakeMail();
  void TakeBatch(FinderMail::Batch& batch);
  void TakeItem(const FinderMail::Item& item);
  void Send(const CopyMap& map, const FinderMail::Item& item);
  void EnterWaiting(CopyMap& map);
  void SetNarrow(bool is_narrow);
  void Enter(const Object& object);
  static void PrefetchStorage(const Object& object);
  void WalkRows();
  void WalkRow(const Row& row);
  void TakePointers(const char* data, std::size_t count, CopyPlan& plan);
  void TakeStep(const char* slot, Step& step);
  void TakePointer(const char* target, CopyPlan& plan);
  void TakeView(const char* slot, Step& step);
  void TakeRun(const char* target, CopyPlan& plan, std::size_t count);
  void TakeHandle(const char* slot, Step& step);
  void TakeStorage(Step& step, const ElementRun& storage);
  void WalkElements(Step& step, const ElementRun& storage);
  void TakePart(const char* part, const TypeLayout& type);

  void TakeUnusually(CopyMap& map, const char* target, CopyPlan& plan);
  void MeetPointer(CopyMap& map, const char* target, CopyPlan& plan);
  void MeetRun(CopyMap& map, const char* target, CopyPlan& plan,
               std::size_t count);
  void Resolve(const Pending& pending);
  void ResolveSlowly(const Pending& pending);
  void Meet(CopyMap& map, const char* target, CopyPlan& plan,
            std::size_t count);
  void MeetAgain(const CopyMap& map, const char* target, const CopyPlan& plan,
                 std::size_t count);
  static bool IsExactPart(const char* target, const Part& part,
                          const CopyPlan& whole, const CopyPlan& plan,
                          std::size_t count);
  void MeetOutside(const char* target, const CopyPlan& plan, std::size_t count);
  void MeetPart(const Part& part, const CopyPlan& whole, const CopyPlan& plan,
                std::size_t count);
  bool NoteOther(CopyMap* map, const char* start, CopyNote::Kind kind,
                 const CopyPlan& plan, std::size_t bytes);
  bool NoteOtherSlowly(CopyMap* map, const char* start, CopyNote::Kind kind,
                       const CopyPlan& plan, std::size_t bytes);

  CopyPlans& plans_;
  CopyMaps& maps_;
  RefCopies& refs_;
  const bool is_closed_;
  const OutsideArenas outside_;
  FinderDesk* desk_ = nullptr;  // null: alone
  WalkMemory memory_;
  const char* root_ = nullptr;  // where it lies outside of arenas; else null
  CopyPlan* root_plan_ = nullptr;
  bool is_stopped_ = false;
  bool is_narrow_ = false;  // so few wait that nothing is asked for ahead
  bool is_usual_ = true;    // not so, and there is no desk
  bool leads_into_table_ = false;
  bool has_wide_ = false;
  NestedRows<Row> rows_;
  LookAhead<Object> ahead_;  // will be entered soon
  LookAhead<Pending> pending_;
  std::unordered_map<const char*, std::size_t> table_bytes_;  // by start
  StaticStorage static_storage_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_GRAPH_FINDER_H_
