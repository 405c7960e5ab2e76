// SPDX-License-Identifier: MIT

#include "saved/saved_plan.h"

#include <algorithm>
#include <cstddef>

#include "acre/detail/parts.h"
#include "acre/detail/state_plan.h"
#include "acre/detail/walk.h"
#include "acre/element.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// What a walk goes on with.
bool IsFollowed(const FieldLayout& field) {
  return field.note != FieldNote::kOpaque &&
         field.note != FieldNote::kBorrowed && !field.is_transient;
}

bool IsMended(const SavedPlan& plan, const SavedStep& step) {
  switch (step.kind) {
    case SavedKind::kBorrowed:
    case SavedKind::kTransient:
    case SavedKind::kView:
      return true;
    case SavedKind::kHandle:
      return IsTable(*step.type);
    case SavedKind::kChoice:
    case SavedKind::kTuple: {
      const auto first = plan.parts.begin() + step.first_part;
      return std::any_of(
          first, first + static_cast<std::ptrdiff_t>(step.type->fields.size()),
          [](const SavedPlan* part) { return part->is_mended; });
    }
    case SavedKind::kArray:
      return step.plan->is_mended;
    case SavedKind::kPointer:
    case SavedKind::kBool:
      break;
  }
  return false;
}

bool IsReference(const FieldLayout& field) {
  return field.size == 0 || field.type()->name.ends_with('&');
}

}  // namespace

SavedPlans::SavedPlans(const TypeLayout& root) {
  Know(root);
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    const TypeLayout& type = *in_order_[i]->type;
    for (const FieldLayout& field : type.fields) {
      if (IsFollowed(field) && !IsReference(field)) Know(*field.type());
    }
    if (type.element != nullptr) Know(*type.element());
    if (type.kind != TypeKind::kHandle) continue;
    if (HasOwnForm(type)) {
      // Whatever its storage is a row of.
      Know(LayoutOf<char>());
      Know(LayoutOf<std::uint32_t>());
    }
    if (type.ops->rehash != nullptr || type.ops->reseed != nullptr) {
      Know(*type.element()).is_rehashed = true;
      has_rehashed_ = true;
    }
    has_seeds_ = has_seeds_ || type.ops->reseed != nullptr;
    if (type.ops->is_sound == nullptr && unsaved_ == nullptr) unsaved_ = &type;
  }
  for (std::size_t i = 0; i < in_order_.size(); ++i) {
    Filled(*in_order_[i]->type);
  }
}

SavedPlan& SavedPlans::Know(const TypeLayout& type) {
  std::unique_ptr<SavedPlan>& plan = plans_[type.id];
  if (plan == nullptr) {
    plan = std::make_unique<SavedPlan>();
    plan->type = &type;
    plan->number = static_cast<std::uint32_t>(in_order_.size());
    in_order_.push_back(plan.get());
  }
  return *plan;
}

/// Types nest by value only so deep, so this ends.
SavedPlan& SavedPlans::Filled(const TypeLayout& type) {
  SavedPlan& plan = Know(type);
  if (!plan.is_filled) {
    plan.is_filled = true;
    plan.is_pointer = type.kind == TypeKind::kPointer;
    Add(plan, type, 0);
    plan.is_mended = std::any_of(
        plan.steps.begin(), plan.steps.end(),
        [&](const SavedStep& step) { return IsMended(plan, step); });
  }
  return plan;
}

void SavedPlans::AddFields(SavedPlan& plan, const TypeLayout& type,
                           std::size_t offset) {
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    SavedStep step{SavedKind::kTransient,
                   static_cast<std::uint32_t>(offset + field.offset),
                   field.size};
    if (field.note == FieldNote::kOpaque) {
      if (!field.is_transient) continue;
      const HoleBytes hole = HoleAt(type, i);
      step.offset = static_cast<std::uint32_t>(offset + hole.offset);
      step.size = static_cast<std::uint32_t>(hole.size);
      plan.steps.push_back(step);
    } else if (field.note == FieldNote::kBorrowed) {
      // Of a reference the layout says nothing: it is a pointer's place.
      if (step.size == 0) step.size = sizeof(void*);
      const bool is_reference = IsReference(field);
      step.kind = field.is_transient && !is_reference ? SavedKind::kTransient
                                                      : SavedKind::kBorrowed;
      step.type = field.type();
      plan.steps.push_back(step);
    } else if (field.is_transient) {
      plan.steps.push_back(step);
    } else {
      Add(plan, *field.type(), offset + field.offset);
    }
  }
}

/// A choice or a tuple: each of its parts has a plan.
void SavedPlans::AddParts(SavedPlan& plan, SavedStep step) {
  bool has_steps = false;
  bool has_values = step.kind == SavedKind::kChoice;
  step.first_part = static_cast<std::uint32_t>(plan.parts.size());
  std::vector<const SavedPlan*> parts;
  for (const FieldLayout& field : step.type->fields) {
    const SavedPlan& part = Filled(*field.type());
    has_steps = has_steps || !part.steps.empty();
    has_values = has_values || !part.values.empty();
    parts.push_back(&part);
  }
  plan.parts.insert(plan.parts.end(), parts.begin(), parts.end());
  if (has_steps) plan.steps.push_back(step);
  if (has_values) plan.values.push_back(step);
}

void SavedPlans::AddArray(SavedPlan& plan, const TypeLayout& type,
                          std::size_t offset) {
  constexpr std::size_t kMaxUnrolled = 16;
  const TypeLayout& element = *type.element();
  const SavedPlan& part = Filled(element);
  if (type.count <= kMaxUnrolled) {
    for (std::size_t i = 0; i < type.count; ++i) {
      Add(plan, element, offset + i * element.size);
    }
    return;
  }
  const SavedStep step{SavedKind::kArray, static_cast<std::uint32_t>(offset),
                       static_cast<std::uint32_t>(type.size), &type, &part};
  if (!part.steps.empty()) plan.steps.push_back(step);
  if (!part.values.empty()) plan.values.push_back(step);
}

void SavedPlans::Add(SavedPlan& plan, const TypeLayout& type,
                     std::size_t offset) {
  SavedStep step{SavedKind::kPointer, static_cast<std::uint32_t>(offset),
                 static_cast<std::uint32_t>(type.size), &type};
  if (IsChoice(type)) {
    step.kind = SavedKind::kChoice;
    return AddParts(plan, step);
  }
  if (IsTuple(type)) {
    step.kind = SavedKind::kTuple;
    return AddParts(plan, step);
  }
  if (IsArray(type)) return AddArray(plan, type, offset);
  switch (type.kind) {
    case TypeKind::kPlain:
      if (type.name != "bool") return;
      step.kind = SavedKind::kBool;
      return plan.values.push_back(step);
    case TypeKind::kStruct:
      return AddFields(plan, type, offset);
    case TypeKind::kHandle:
      step.kind = SavedKind::kHandle;
      if (IsTable(type)) step.key = &Know(*type.fields[0].type());
      break;
    case TypeKind::kView:
      step.kind = SavedKind::kView;
      break;
    case TypeKind::kPointer:
    case TypeKind::kArray:
    case TypeKind::kTuple:
    case TypeKind::kChoice:
      break;
  }
  step.plan = &Know(*type.element());
  plan.steps.push_back(step);
}

std::size_t AlignOf(SavedBlockKind kind, const SavedPlan& plan) {
  const TypeLayout& type = *plan.type;
  if (kind != SavedBlockKind::kTable) return type.align;
  return SlotShape{type.size, type.align}.table_align();
}

bool BlockHolds(SavedBlockKind kind, const SavedPlan& plan, const char* memory,
                std::size_t bytes, std::size_t offset, const TypeLayout& type,
                std::size_t count) {
  const auto holds = [&](const TypeLayout& row, const char* begin,
                         std::size_t at) {
    const std::size_t last = at + (count - 1) * type.size;
    return HoldsPart(row, begin, at, type) &&
           (count == 1 || HoldsPart(row, begin, last, type));
  };
  if (kind != SavedBlockKind::kTable) return holds(*plan.type, memory, offset);
  const char* const element =
      SavedTable(*plan.type, memory, bytes).Around(memory + offset);
  if (element == nullptr) return false;
  const auto inside = static_cast<std::size_t>(memory + offset - element);
  return inside + count * type.size <= plan.type->size &&
         holds(*plan.type, element, inside);
}

bool IsZero(const char* bytes, std::size_t size) {
  return std::all_of(bytes, bytes + size, [](char c) { return c == 0; });
}

}  // namespace acre::inline ACRE_ABI::detail
