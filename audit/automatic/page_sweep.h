// SPDX-License-Identifier: MIT
//
// PageSweep: is there a leak that nobody knows of yet? Looks at the objects in
// the pages of one arena that were chosen, by address, and notes at the pages
// what has to be looked at again. What it finds StoppedSweep tells: here no way
// to an object is followed. With the world stopped by the collector: allocates
// nothing, takes no lock.

#ifndef ACRE_AUDIT_AUTOMATIC_PAGE_SWEEP_H_
#define ACRE_AUDIT_AUTOMATIC_PAGE_SWEEP_H_

#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/changed_pages.h"
#include "acre/detail/unscanned_array.h"
#include "acre/detail/walk.h"
#include "automatic/stopped_judge.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// One at a time: plans of types are in one place.
class PageSweep {
 public:
  /// Makes that place, and the judge's: see UnscannedArray. Before there is a
  /// sweep.
  static bool MakeRoom() { return plans.Make() && StoppedJudge::MakeRoom(); }

  using IsKnown = bool (*)(const void* context, const StoppedFinding& finding);

  /// `is_known`: true for leaks that were told before.
  PageSweep(const Arena& arena, IsKnown is_known, const void* context);

  /// True where a leak is that is not known, or may be in a container that
  /// only its handle can go through. Goes through all that is chosen.
  bool FindsNew();

  /// A slot that only a walk over the layout finds.
  void operator()(const Slot& slot);
  /// A word of a borrowed field.
  void operator()(const char* word);

 private:
  struct Step {
    std::uint32_t offset;
    TypeKind kind;  // of the slot; kStruct stands for what is walked
    const TypeLayout* type;
    const FieldLayout* field;  // as in Slot
  };
  /// What an object of a type has in it. Many types have the same place.
  struct Plan {
    static constexpr std::size_t kMaxSteps = 15;
    const TypeLayout* type;
    std::uint8_t count;
    bool is_walked;  // it has more steps than there is room for
    bool borrows;
    Step steps[kMaxSteps];
  };
  static constexpr std::size_t kPlans = 64;
  static UnscannedArray<Plan, kPlans> plans;

  static const Plan& PlanFor(const TypeLayout& type);
  static void AddStep(Plan& plan, std::size_t offset, const TypeLayout& type,
                      const FieldLayout* field);
  void Look(const Plan& plan, const TypeLayout& type, char* object);
  void LookAt(const TypeLayout& type, const void* slot, const void* address);
  void LookAtHandle(const TypeLayout& type, const void* slot);

  StoppedJudge judge_;
  NotedBlocks blocks_;
  const IsKnown is_known_;
  const void* const context_;
  bool has_new_ = false;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_PAGE_SWEEP_H_
