// SPDX-License-Identifier: MIT

#include "diff/differ.h"

#include <algorithm>
#include <cstring>

#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI {
namespace detail {

bool Differ::Run(const void* here, const void* there, DiffReport& report) {
  report_ = &report;
  const StatePlan& root = plans_.root();
  Note(here_.NumberAt(here_.Find(here, root)).value, 0,
       static_cast<const char*>(here), root);
  there_.NumberAt(there_.Find(there, root));
  Later(root, {static_cast<const char*>(here), static_cast<const char*>(there)},
        1, true, {});
  std::size_t next = 0;
  do {
    if (tells_) {
      for (; next < items_.size(); ++next) {
        current_ = static_cast<std::uint32_t>(next);
        CompareItem(Item(items_[next]));
        // In order, so that the shortest way is told.
        pointers_.Drain([this](const Pointers& pointers) { Follow(pointers); });
      }
    } else {
      WalkAll();
    }
  } while (!IsFound() && CompareNextTable());
  return !is_different_;
}

/// Of those that wait until all else has been met; false: there is none.
bool Differ::CompareNextTable() {
  if (tables_.empty()) return false;
  const Table table = tables_.front();
  tables_.pop_front();
  current_ = table.item;
  CompareTable(*table.step, table.at);
  return true;
}

void Differ::WalkAll() {
  constexpr std::size_t kAhead = 16;
  std::vector<Item> items;
  while (!items_.empty() && !IsFound()) {
    items.swap(items_);
    items_.clear();
    for (std::size_t i = 0; i < items.size() && !IsFound(); ++i) {
      if (i + kAhead < items.size()) {
        __builtin_prefetch(items[i + kAhead].at.here);
        __builtin_prefetch(items[i + kAhead].at.there);
      }
      CompareItem(items[i]);
    }
    pointers_.Drain([this](const Pointers& pointers) { Follow(pointers); });
  }
}

void Differ::Later(const StatePlan& plan, Pair at, std::size_t count,
                   bool is_known, const Origin& origin) {
  if (count == 0) return;
  items_.push_back({at, count, &plan, is_known});
  if (tells_) origins_.push_back(origin);
}

// -------------------------------------------------------------------- objects

void Differ::CompareItem(const Item& item) {
  const std::size_t size = item.plan->type->size;
  Pair at = item.at;
  if (!tells_ && item.plan->is_whole && !item.plan->has_identity) {
    ++report_->objects;
    if (std::memcmp(at.here, at.there, item.count * size) != 0) {
      is_different_ = true;
    }
    return;
  }
  for (std::size_t i = 0; i < item.count && !IsFound(); ++i) {
    ++report_->objects;
    if (item.plan->has_identity && !item.is_known) {
      CompareIdentity(*item.plan, at);
    }
    Compare(*item.plan, at);
    at = {at.here + size, at.there + size};
  }
}

void Differ::Compare(const StatePlan& plan, Pair at) {
  for (const StateStep& step : plan.steps) {
    if (IsFound()) return;
    const Pair part{at.here + step.offset, at.there + step.offset};
    if (step.kind != StateKind::kBytes) {
      CompareStep(plan, step, part);
    } else if (std::memcmp(part.here, part.there, step.size) != 0) {
      is_different_ = true;
      if (tells_) {
        TellBytes(*plan.type, at, step.offset, step.offset + step.size,
                  PathOf(current_, at.here, *plan.type));
      }
    }
  }
}

void Differ::CompareStep(const StatePlan& plan, const StateStep& step,
                         Pair at) {
  switch (step.kind) {
    case StateKind::kBytes:
      return;
    case StateKind::kObject:
      return ComparePart(*step.plan, at);
    case StateKind::kPointer:
      return ComparePointers(step, at);
    case StateKind::kView:
      return CompareView(step, at);
    case StateKind::kText:
      return CompareText(step, at, RowOf(step, at.here), RowOf(step, at.there));
    case StateKind::kRow:
      return CompareRow(step, at);
    case StateKind::kTable:
      if (WaitsForOthers(step)) {
        return tables_.push_back({&step, at, current_});
      }
      return CompareTable(step, at);
    case StateKind::kOwnForm: {
      if (step.type->ops->digest == nullptr ||
          step.type->ops->digest(at.here) == step.type->ops->digest(at.there) ||
          !Wants(at.here)) {
        return;
      }
      return Tell(DiffKind::kValue, at, *step.type,
                  PathOf(current_, at.here, *step.type), "a value",
                  "another one");
    }
    case StateKind::kChoice:
      return CompareChoice(plan, step, at);
    case StateKind::kTuple:
      for (std::size_t i = 0; i < step.type->fields.size(); ++i) {
        ComparePart(
            *plan.parts[step.first_part + i],
            {static_cast<const char*>(step.type->ops->part(at.here, i)),
             static_cast<const char*>(step.type->ops->part(at.there, i))});
      }
      return;
    case StateKind::kArray:
      for (std::size_t i = 0; i < step.type->count; ++i) {
        const std::size_t offset = i * step.plan->type->size;
        ComparePart(*step.plan, {at.here + offset, at.there + offset});
      }
      return;
  }
}

void Differ::ComparePart(const StatePlan& plan, Pair part) {
  if (plan.has_identity) CompareIdentity(plan, part);
  Compare(plan, part);
}

/// Of objects that lie in others: whether pointers were met that lead to both
/// from the same place.
void Differ::CompareIdentity(const StatePlan& plan, Pair object) {
  const auto here = here_.NumberAt(here_.Find(object.here, plan));
  const auto there = there_.NumberAt(there_.Find(object.there, plan));
  if (here.is_new) Note(here.value, current_, object.here, plan);
  if (here.value == there.value && here.is_new == there.is_new) return;
  if (here.is_new) there_.Skip();
  if (there.is_new) here_.Skip();
  const auto tell = [&](const StateNumbers::Number& number) {
    return number.is_new ? "an object of its own"
                         : "what " + WhereIs(number.value) + " leads to";
  };
  if (!Wants(object.here)) return;
  Tell(DiffKind::kPointer, object, *plan.type,
       PathOf(current_, object.here, *plan.type), tell(here), tell(there));
}

// ------------------------------------------------------------------- pointers

void Differ::ComparePointers(const StateStep& step, Pair slot) {
  const auto* here = *reinterpret_cast<char* const*>(slot.here);
  const auto* there = *reinterpret_cast<char* const*>(slot.there);
  if (here == nullptr && there == nullptr) return;
  if (here == nullptr || there == nullptr) {
    if (!Wants(slot.here)) return;
    const auto tell = [&](const char* p) {
      if (p == nullptr) return "null";
      return here_.Find(p, *step.plan).is_in_arena ? "an object"
                                                   : "what lies outside";
    };
    return Tell(DiffKind::kPointer, slot, *step.type,
                PathOf(current_, slot.here, *step.type), tell(here),
                tell(there));
  }
  Follow(pointers_.Exchange({here_.Find(here, *step.plan),
                             there_.Find(there, *step.plan),
                             OriginOf(step, slot, Via::kPointer)}));
}

void Differ::Follow(const Pointers& pointers) {
  const StateNumbers::Place& to = pointers.here;
  if (to.address == nullptr || IsFound()) return;
  const auto here = here_.NumberAt(to);
  const auto there = there_.NumberAt(pointers.there);
  const Origin& origin = pointers.origin;
  const bool is_both = to.is_in_arena == pointers.there.is_in_arena;
  if (here.value == there.value && here.is_new == there.is_new && is_both) {
    if (!here.is_new) return;
    Note(here.value, static_cast<std::uint32_t>(items_.size()), to.address,
         *to.plan);
    if (!to.is_in_arena) return;
    return Later(*to.plan, {to.address, pointers.there.address}, 1, true,
                 origin);
  }
  if (here.is_new && !there.is_new) there_.Skip();
  if (there.is_new && !here.is_new) here_.Skip();
  if (!Wants(origin.slot)) return;
  const auto tell = [&](const StateNumbers::Number& number,
                        const StateNumbers::Place& place) {
    if (!place.is_in_arena) return std::string("what lies outside");
    return number.is_new ? "an object that was not met before"
                         : WhereIs(number.value);
  };
  Tell(DiffKind::kPointer, {origin.slot, nullptr}, *origin.type,
       PathOf(origin.parent, origin.slot, *origin.type), tell(here, to),
       tell(there, pointers.there));
}

void Differ::CompareView(const StateStep& step, Pair slot) {
  const ElementRun here = step.type->ops->view(slot.here);
  const ElementRun there = step.type->ops->view(slot.there);
  const StateNumbers::Place here_place = here_.Find(here.data, *step.plan);
  const StateNumbers::Place there_place = there_.Find(there.data, *step.plan);
  const bool are_inside = (here.count == 0 || here_place.is_in_arena) &&
                          (there.count == 0 || there_place.is_in_arena);
  if (are_inside && step.plan->is_whole && !step.plan->has_identity &&
      step.plan->type->size == 1) {
    return CompareText(step, slot, here, there);
  }
  CompareCounts(step, slot, here.count, there.count);
  const std::size_t count = std::min(here.count, there.count);
  if (count == 0) return;
  const Pair at{static_cast<const char*>(here.data),
                static_cast<const char*>(there.data)};
  if (are_inside && !step.plan->has_identity) {
    return Later(*step.plan, at, count, true,
                 OriginOf(step, slot, Via::kElements));
  }
  const std::size_t size = step.plan->type->size;
  for (std::size_t i = 0; i < (are_inside ? count : 1); ++i) {
    Origin origin = OriginOf(step, slot, Via::kElements, i);
    Follow({here_.Find(at.here + i * size, *step.plan),
            there_.Find(at.there + i * size, *step.plan), origin});
  }
}

// ----------------------------------------------------------------- containers

void Differ::CompareCounts(const StateStep& step, Pair at, std::size_t here,
                           std::size_t there) {
  if (here == there || !Wants(at.here)) return;
  Tell(DiffKind::kSize, at, *step.type, PathOf(current_, at.here, *step.type),
       std::to_string(here) + (here == 1 ? " element" : " elements"),
       std::to_string(there) + (there == 1 ? " element" : " elements"));
}

void Differ::CompareRow(const StateStep& step, Pair at) {
  const ElementRun here = RowOf(step, at.here);
  const ElementRun there = RowOf(step, at.there);
  CompareCounts(step, at, here.count, there.count);
  Later(*step.plan,
        {static_cast<const char*>(here.data),
         static_cast<const char*>(there.data)},
        std::min(here.count, there.count), false,
        OriginOf(step, at, Via::kElements));
}

void Differ::CompareTable(const StateStep& step, Pair at) {
  const std::vector<StateEntry> here = EntriesOf(step, at.here, here_);
  const std::vector<StateEntry> there = EntriesOf(step, at.there, there_);
  CompareCounts(step, at, here.size(), there.size());
  std::size_t i = 0;
  std::size_t k = 0;
  while ((i < here.size() || k < there.size()) && !IsFound()) {
    const bool is_both =
        i < here.size() && k < there.size() && here[i].IsAs(there[k]);
    if (is_both) {
      Later(*step.plan,
            {static_cast<const char*>(here[i].element),
             static_cast<const char*>(there[k].element)},
            1, false, OriginOf(step, at, Via::kEntry, i));
      ++i;
      ++k;
      continue;
    }
    const bool is_first =
        k == there.size() || (i < here.size() && here[i] < there[k]);
    const void* const element = is_first ? here[i].element : there[k].element;
    if (Wants(element)) {
      const std::string key = EntryText(step, element, is_first ? i : k);
      Tell(is_first ? DiffKind::kHere : DiffKind::kThere, at, *step.plan->type,
           PathOf(current_, at.here, *step.type) + key,
           is_first ? "there is one" : "none",
           is_first ? "none" : "there is one");
      Difference& last = report_->differences.back();
      last.here_at = is_first ? element : nullptr;
      last.there_at = is_first ? nullptr : element;
    }
    ++(is_first ? i : k);
  }
}

void Differ::CompareChoice(const StatePlan& plan, const StateStep& step,
                           Pair at) {
  const ActivePart here = step.type->ops->active(at.here);
  const ActivePart there = step.type->ops->active(at.there);
  if (here.object == nullptr && there.object == nullptr) return;
  if (here.object == nullptr || there.object == nullptr ||
      here.index != there.index) {
    if (!Wants(at.here)) return;
    const auto tell = [&](const ActivePart& part) {
      if (part.object == nullptr) return std::string("none");
      return TypeTextOf(*step.type->fields[part.index].type());
    };
    return Tell(DiffKind::kPart, at, *step.type,
                PathOf(current_, at.here, *step.type), tell(here), tell(there));
  }
  ComparePart(*plan.parts[step.first_part + here.index],
              {static_cast<const char*>(here.object),
               static_cast<const char*>(there.object)});
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
