// SPDX-License-Identifier: MIT
//
// Differ: two graphs, walked side by side. A first pass only asks whether they
// differ and remembers nothing of the way; where they do a second one tells
// what, and how it is reached.
//
// Objects of either side are numbered as they are met. Two pointers lead to the
// same place where what they lead to has one number on both sides.

#ifndef ACRE_AUDIT_DIFF_DIFFER_H_
#define ACRE_AUDIT_DIFF_DIFFER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "acre/config.h"
#include "acre/detail/look_ahead.h"
#include "acre/detail/state_numbers.h"
#include "acre/detail/state_plan.h"
#include "acre/diff.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

std::string TypeTextOf(const TypeLayout& type);
/// "[key]" of an element of a Map, "{key}" of one of a Set.
std::string EntryText(const StateStep& step, const void* element,
                      std::size_t ordinal);

class Differ {
 public:
  Differ(const StatePlans& plans, const DiffOptions& options, bool tells)
      : plans_(plans), options_(options), tells_(tells) {}

  /// False where the two differ. The report has the counts, and where the
  /// differ tells, the differences.
  bool Run(const void* here, const void* there, DiffReport& report);

 private:
  /// Of the same thing, here and there.
  struct Pair {
    const char* here = nullptr;
    const char* there = nullptr;
  };
  enum class Via : std::uint8_t { kRoot, kPointer, kElements, kEntry };
  /// How an item is reached: from a part of another one.
  struct Origin {
    std::uint32_t parent = 0;
    Via via = Via::kRoot;
    const char* slot = nullptr;        // that part, here
    const TypeLayout* type = nullptr;  // of the part
    std::size_t ordinal = 0;           // of the entry
  };
  /// Objects in a row, in both.
  struct Item {
    Pair at;
    std::size_t count = 0;
    const StatePlan* plan = nullptr;
    bool is_known = false;  // they have their numbers
  };
  struct Pointers {
    StateNumbers::Place here;
    StateNumbers::Place there;
    Origin origin;
  };

  struct Table {
    const StateStep* step;
    Pair at;
    std::uint32_t item;
  };

  void WalkAll();
  bool CompareNextTable();
  void CompareItem(const Item& item);
  void Compare(const StatePlan& plan, Pair at);
  void CompareStep(const StatePlan& plan, const StateStep& step, Pair at);
  void ComparePart(const StatePlan& plan, Pair part);
  void CompareIdentity(const StatePlan& plan, Pair object);
  void ComparePointers(const StateStep& step, Pair slot);
  void Follow(const Pointers& pointers);
  void CompareView(const StateStep& step, Pair slot);
  void CompareText(const StateStep& step, Pair at, ElementRun here,
                   ElementRun there);
  void CompareRow(const StateStep& step, Pair at);
  void CompareTable(const StateStep& step, Pair at);
  void CompareChoice(const StatePlan& plan, const StateStep& step, Pair at);
  void CompareCounts(const StateStep& step, Pair at, std::size_t here,
                     std::size_t there);

  Origin OriginOf(const StateStep& step, Pair slot, Via via,
                  std::size_t ordinal = 0) const {
    return {current_, via, slot.here, step.type, ordinal};
  }
  void Later(const StatePlan& plan, Pair at, std::size_t count, bool is_known,
             const Origin& origin);

  // telling
  void Note(std::uint64_t number, std::uint32_t item, const char* at,
            const StatePlan& plan);
  bool IsFound() const { return !tells_ && is_different_; }
  bool Wants(const void* place);
  void Tell(DiffKind kind, Pair at, const TypeLayout& type, std::string path,
            std::string here, std::string there);
  void TellBytes(const TypeLayout& type, Pair object, std::size_t begin,
                 std::size_t end, const std::string& path);
  std::string PathOf(std::uint32_t item, const char* part,
                     const TypeLayout& type) const;
  std::string WhereIs(std::uint64_t number) const;

  const StatePlans& plans_;
  const DiffOptions& options_;
  const bool tells_;
  bool is_different_ = false;
  DiffReport* report_ = nullptr;
  StateNumbers here_;
  StateNumbers there_;
  LookAhead<Pointers> pointers_;
  std::deque<Table> tables_;     // that wait until all else has been met
  std::vector<Item> items_;      // where it tells: all; else those that wait
  std::vector<Origin> origins_;  // where it tells: of each
  std::uint32_t current_ = 0;    // the item that is compared
  std::unordered_set<const void*> told_;
  /// Where an object was met first, here; by number, where it tells.
  struct Met {
    std::uint32_t item = 0;
    const char* at = nullptr;
    const TypeLayout* type = nullptr;
  };
  std::vector<Met> met_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_DIFF_DIFFER_H_
