// SPDX-License-Identifier: MIT

#include "saved/saved_plan.h"

#include <algorithm>

#include "acre/detail/parts.h"
#include "acre/detail/state_plan.h"
#include "acre/detail/table_rep.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// What a walk goes on with.
bool IsFollowed(const FieldLayout& field) {
  return field.note != FieldNote::kOpaque &&
         field.note != FieldNote::kBorrowed && !field.is_transient;
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
    Add(plan, type, 0);
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
      step.own = &plan == &Know(type) ? &plan : &Filled(type);
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

SavedBlockKind StorageKindOf(const TypeLayout& handle,
                             const HandleStorage& storage) {
  if (IsTable(handle)) return SavedBlockKind::kTable;
  const bool has_elements =
      storage.type != nullptr && SameType(*storage.type, *handle.element());
  return has_elements ? SavedBlockKind::kRow : SavedBlockKind::kBytes;
}

std::size_t AlignOf(SavedBlockKind kind, const SavedPlan& plan) {
  const TypeLayout& type = *plan.type;
  switch (kind) {
    case SavedBlockKind::kObjects:
      return type.align;
    case SavedBlockKind::kRow:
      return type.element()->align;
    case SavedBlockKind::kTable: {
      const TypeLayout& element = *type.element();
      return SlotShape{element.size, element.align}.table_align();
    }
    case SavedBlockKind::kBytes:
      break;
  }
  return kGranule;
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
  switch (kind) {
    case SavedBlockKind::kObjects:
      return holds(*plan.type, memory, offset);
    case SavedBlockKind::kRow:
      return holds(*plan.type->element(), memory, offset);
    case SavedBlockKind::kBytes:
      return type.size == 1 && !type.has_slots;
    case SavedBlockKind::kTable:
      break;
  }
  // Where its slots begin the first element tells.
  const TypeLayout& element = *plan.type->element();
  const auto next = plan.type->ops->next_in_storage;
  std::size_t cursor = 0;
  const auto* first =
      static_cast<const char*>(next(memory, bytes, &cursor).data);
  if (first == nullptr) return false;
  const char* const slots = first - (cursor - 1) * element.size;
  const char* const at = memory + offset;
  if (at < slots) return false;
  const auto before = static_cast<std::size_t>(at - slots);
  cursor = before / element.size;
  const char* const slot = slots + cursor * element.size;
  const std::size_t inside = before % element.size;
  return next(memory, bytes, &cursor).data == slot &&
         inside + count * type.size <= element.size &&
         holds(element, slot, inside);
}

bool IsZero(const char* bytes, std::size_t size) {
  return std::all_of(bytes, bytes + size, [](char c) { return c == 0; });
}

}  // namespace acre::inline ACRE_ABI::detail
