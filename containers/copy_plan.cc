// SPDX-License-Identifier: MIT

#include "acre/detail/copy_plan.h"

#include <algorithm>
#include <unordered_set>

#include "acre/detail/group.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// False at a pointer or view; `known`: the types that were looked at.
bool HoldsNoPointer(const TypeLayout& type,
                    std::unordered_set<std::uint64_t>* known) {
  if (!type.has_slots || !known->insert(type.id).second) return true;
  const auto all_of = [known](std::span<const FieldLayout> parts) {
    return std::all_of(parts.begin(), parts.end(), [=](const auto& part) {
      return HoldsNoPointer(*part.type(), known);
    });
  };
  switch (type.kind) {
    case TypeKind::kPlain:
      return true;
    case TypeKind::kPointer:
    case TypeKind::kView:
      return false;
    case TypeKind::kStruct:
      return all_of(type.slots);
    case TypeKind::kTuple:
    case TypeKind::kChoice:
      return all_of(type.fields);
    case TypeKind::kArray:
    case TypeKind::kHandle:
      return HoldsNoPointer(*type.element(), known);
  }
  return false;
}

}  // namespace

std::size_t CopyPlan::align() const {
  return is_table ? std::max(type->align, kGroupBytes) : type->align;
}

CopyPlan& CopyPlans::Of(const TypeLayout& type) {
  const auto known = by_id_.find(type.id);
  if (known != by_id_.end()) return *known->second;
  CopyPlan& plan = Add(type.id, type);
  ForEachSlotType(type, 0, [&](std::size_t offset, const TypeLayout& slot) {
    plan.steps.push_back(StepOf(slot, offset));
  });
  return plan;
}

CopyPlan::Step CopyPlans::StepOf(const TypeLayout& slot,
                                 std::size_t offset) const {
  const bool is_table = slot.kind == TypeKind::kHandle && IsTable(slot);
  return {static_cast<std::uint32_t>(offset),
          slot.kind,
          is_table,
          &slot,
          nullptr,
          nullptr};
}

CopyPlan& CopyPlans::StorageOf(const TypeLayout& handle) {
  if (!IsTable(handle)) return Of(*handle.element());
  const auto known = by_id_.find(~handle.id);
  if (known != by_id_.end()) return *known->second;
  CopyPlan& plan = Add(~handle.id, *handle.element());
  plan.is_table = true;
  return plan;
}

CopyPlan& CopyPlans::Add(std::uint64_t id, const TypeLayout& type) {
  const auto number = static_cast<unsigned>(by_number_.size() + 1);
  by_number_.push_back(std::make_unique<CopyPlan>(CopyPlan{&type, number}));
  by_id_[id] = by_number_.back().get();
  return *by_number_.back();
}

bool IsTree(const TypeLayout& type) {
  std::unordered_set<std::uint64_t> known;
  return HoldsNoPointer(type, &known);
}

}  // namespace acre::inline ACRE_ABI::detail
