// SPDX-License-Identifier: MIT

#include "acre/detail/state_plan.h"

#include <algorithm>

#include "acre/detail/parts.h"
#include "acre/detail/state_numbers.h"
#include "acre/detail/walk.h"
#include "acre/hash.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

bool IsText(const TypeLayout& type) {
  return type.kind == TypeKind::kHandle &&
         type.ops->form == HandleForm::kString;
}

/// Neither part of the state nor to be followed.
bool IsLeftOut(const FieldLayout& field) {
  return field.is_transient || field.note == FieldNote::kBorrowed ||
         field.size == 0 || field.type()->name.ends_with('&');
}

/// Calls visit(type) for the parts of a type, what it leads to and has elements
/// of.
template <class Visit>
void ForEachTypeIn(const TypeLayout& type, Visit visit) {
  for (const FieldLayout& field : type.fields) {
    if (field.note != FieldNote::kOpaque && !IsLeftOut(field)) {
      visit(*field.type());
    }
  }
  if (type.element != nullptr) visit(*type.element());
}

}  // namespace

// ---------------------------------------------------------------------- plans

StatePlans::StatePlans(const TypeLayout& root) {
  root_ = &Know(root);
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    ForEachTypeIn(*in_order_[i]->type,
                  [&](const TypeLayout& part) { Know(part); });
  }
  FindIdentities();
  for (StatePlan* plan : in_order_) Fill(*plan);
}

StatePlan& StatePlans::Know(const TypeLayout& type) {
  std::unique_ptr<StatePlan>& plan = plans_[type.id];
  if (plan == nullptr) {
    plan = std::make_unique<StatePlan>();
    plan->type = &type;
    plan->index = static_cast<std::uint32_t>(in_order_.size());
    plan->number = plan->index < 255 ? plan->index + 1 : 0;
    in_order_.push_back(plan.get());
  }
  return *plan;
}

void StatePlans::FindIdentities() {
  for (const StatePlan* plan : in_order_) {
    const TypeLayout& type = *plan->type;
    if (type.kind != TypeKind::kPointer && type.kind != TypeKind::kView) {
      continue;
    }
    StatePlan& target = Know(*type.element());
    target.has_identity = target.type->kind == TypeKind::kStruct;
  }
}

void StatePlans::Fill(StatePlan& plan) {
  Add(plan, *plan.type, 0, true);
  plan.is_flat = std::all_of(
      plan.steps.begin(), plan.steps.end(),
      [](const StateStep& s) { return s.kind == StateKind::kBytes; });
  plan.is_pointer =
      plan.steps.size() == 1 && plan.type->kind == TypeKind::kPointer;
  plan.is_whole = plan.steps.size() == 1 && plan.is_flat &&
                  plan.steps[0].size == plan.type->size;
}

void StatePlans::AddBytes(StatePlan& plan, std::size_t offset,
                          std::size_t size) {
  if (size == 0) return;
  if (!plan.steps.empty()) {
    StateStep& last = plan.steps.back();
    if (last.kind == StateKind::kBytes && last.offset + last.size == offset) {
      last.size += static_cast<std::uint32_t>(size);
      return;
    }
  }
  plan.steps.push_back({StateKind::kBytes, static_cast<std::uint32_t>(offset),
                        static_cast<std::uint32_t>(size)});
}

void StatePlans::AddStep(StatePlan& plan, StateKind kind,
                         const TypeLayout& type, std::size_t offset,
                         const TypeLayout* leads_to) {
  plan.steps.push_back({kind, static_cast<std::uint32_t>(offset), 0, &type,
                        leads_to != nullptr ? &Know(*leads_to) : nullptr});
}

void StatePlans::AddFields(StatePlan& plan, const TypeLayout& type,
                           std::size_t offset) {
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    if (field.note == FieldNote::kOpaque) {
      const HoleBytes hole = HoleAt(type, i);
      if (!field.is_transient) AddBytes(plan, offset + hole.offset, hole.size);
    } else if (!IsLeftOut(field)) {
      Add(plan, *field.type(), offset + field.offset, false);
    }
  }
}

void StatePlans::Add(StatePlan& plan, const TypeLayout& type,
                     std::size_t offset, bool is_top) {
  if (!is_top && Know(type).has_identity) {
    return AddStep(plan, StateKind::kObject, type, offset, &type);
  }
  if (IsChoice(type) || IsTuple(type)) {
    AddStep(plan, IsChoice(type) ? StateKind::kChoice : StateKind::kTuple, type,
            offset, nullptr);
    plan.steps.back().first_part =
        static_cast<std::uint32_t>(plan.parts.size());
    for (const FieldLayout& field : type.fields) {
      plan.parts.push_back(&Know(*field.type()));
    }
    return;
  }
  if (IsArray(type)) {
    const TypeLayout& element = *type.element();
    // An array in an array, of bytes: as many rows as there are.
    StatePlan alone;
    Add(alone, element, 0, false);
    const bool is_whole = alone.steps.size() == 1 &&
                          alone.steps[0].kind == StateKind::kBytes &&
                          alone.steps[0].size == element.size;
    if (is_whole) return AddBytes(plan, offset, type.count * element.size);
    return AddStep(plan, StateKind::kArray, type, offset, &element);
  }
  switch (type.kind) {
    case TypeKind::kPlain:
      if (type.name == "std::monostate") return;
      if (type.name == "std::complex<long double>") {
        const TypeLayout& part = LayoutOf<long double>();
        AddBytes(plan, offset, ValueBytes(part));
        return AddBytes(plan, offset + part.size, ValueBytes(part));
      }
      return AddBytes(plan, offset, ValueBytes(type));
    case TypeKind::kStruct:
      return AddFields(plan, type, offset);
    case TypeKind::kPointer:
      return AddStep(plan, StateKind::kPointer, type, offset, type.element());
    case TypeKind::kView:
      return AddStep(plan, StateKind::kView, type, offset, type.element());
    case TypeKind::kHandle:
      if (IsText(type)) {
        return AddStep(plan, StateKind::kText, type, offset, type.element());
      }
      if (HasOwnForm(type)) {
        return AddStep(plan, StateKind::kOwnForm, type, offset, nullptr);
      }
      AddStep(plan, IsTable(type) ? StateKind::kTable : StateKind::kRow, type,
              offset, type.element());
      if (IsTable(type)) {
        plan.steps.back().key_plan = &Know(*type.fields[0].type());
      }
      return;
    case TypeKind::kArray:
    case TypeKind::kTuple:
    case TypeKind::kChoice:
      return;  // seen above
  }
}

// ------------------------------------------------------------------- contents

void StateHash::Add(std::uint64_t word) {
  state_ = Mix(state_ ^ word ^ kMix1, kMix0 ^ (word << 32 | word >> 32));
}

void StateHash::AddBytes(const void* data, std::size_t size) {
  state_ = HashBytes(static_cast<const char*>(data), size, state_);
}

namespace {

void AddContents(StateHash& hash, const StatePlan& plan, const char* object,
                 int depth);

void AddRun(StateHash& hash, const StatePlan& plan, ElementRun run, int depth) {
  hash.Add(run.count);
  const auto* at = static_cast<const char*>(run.data);
  if (plan.is_whole) return hash.AddBytes(at, run.count * plan.type->size);
  for (std::size_t i = 0; i < run.count; ++i, at += plan.type->size) {
    AddContents(hash, plan, at, depth);
  }
}

/// What pointers lead to counts by its plain bytes, one step far.
void AddContents(StateHash& hash, const StatePlan& plan, const char* object,
                 int depth) {
  for (const StateStep& step : plan.steps) {
    const char* const at = object + step.offset;
    switch (step.kind) {
      case StateKind::kBytes:
        hash.AddBytes(at, step.size);
        break;
      case StateKind::kObject:
        AddContents(hash, *step.plan, at, depth);
        break;
      case StateKind::kPointer:
      case StateKind::kView: {
        const ElementRun run =
            PointedTo({step.type, const_cast<char*>(at), nullptr});
        const bool is_text =
            step.kind == StateKind::kView && step.plan->is_whole;
        hash.Add(run.data == nullptr ? 0 : run.count);
        if (run.data == nullptr || (depth != 0 && !is_text) ||
            ArenaOf(run.data) == nullptr) {
          break;
        }
        AddRun(hash, *step.plan, run, depth + 1);
        break;
      }
      case StateKind::kText:
        AddRun(hash, *step.plan, RowOf(step, at), depth);
        break;
      case StateKind::kRow:
      case StateKind::kTable:
        // How many there are; containers as keys are rare, and sorted next to
        // each other where they are as long.
        ForEachRun(*step.type, at, [&](ElementRun run, std::size_t) {
          if (step.plan->is_flat && step.kind == StateKind::kRow) {
            AddRun(hash, *step.plan, run, depth);
          } else {
            hash.Add(run.count);
          }
        });
        break;
      case StateKind::kOwnForm:
        if (step.type->ops->digest != nullptr) {
          hash.Add(step.type->ops->digest(at));
        }
        break;
      case StateKind::kChoice: {
        const ActivePart active = step.type->ops->active(at);
        hash.Add(active.object == nullptr ? ~std::uint64_t{0} : active.index);
        if (active.object == nullptr) break;
        AddContents(hash, *plan.parts[step.first_part + active.index],
                    static_cast<const char*>(active.object), depth);
        break;
      }
      case StateKind::kTuple:
        for (std::size_t i = 0; i < step.type->fields.size(); ++i) {
          AddContents(hash, *plan.parts[step.first_part + i],
                      static_cast<const char*>(step.type->ops->part(at, i)),
                      depth);
        }
        break;
      case StateKind::kArray:
        for (std::size_t i = 0; i < step.type->count; ++i) {
          AddContents(hash, *step.plan, at + i * step.plan->type->size, depth);
        }
        break;
    }
  }
}

}  // namespace

std::uint64_t ContentsOf(const StatePlan& plan, const void* object) {
  StateHash hash;
  AddContents(hash, plan, static_cast<const char*>(object), 0);
  return hash.value();
}

std::vector<StateEntry> EntriesOf(const StateStep& step, const void* table,
                                  StateNumbers& numbers) {
  const StatePlan& key = *step.key_plan;
  std::vector<StateEntry> entries;
  ForEachRun(*step.type, table, [&](ElementRun run, std::size_t) {
    StateEntry entry;
    entry.element = run.data;
    if (key.is_pointer) {
      const void* const to = *static_cast<void* const*>(run.data);
      entry.number = numbers.Known(to, *key.steps[0].plan);
    }
    if (entry.number == 0) {
      entry.key = ContentsOf(key, run.data);
      // Keys that are alike: by what belongs to them.
      if (key.is_pointer) entry.rest = ContentsOf(*step.plan, run.data);
    }
    entries.push_back(entry);
  });
  std::stable_sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace acre::inline ACRE_ABI::detail
