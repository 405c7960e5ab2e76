// SPDX-License-Identifier: MIT

#include "copy/copy_plan.h"

#include <algorithm>

#include "acre/detail/handle.h"
#include "acre/detail/size_class.h"
#include "acre/detail/table_rep.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// False at a pointer or view; `known`: what containers hold, as far as it was
/// looked at: a type holds itself in a container or not at all.
bool HoldsNoPointer(const TypeLayout& type, std::vector<std::uint64_t>* known) {
  if (!type.has_slots) return true;
  const auto all_of = [known](FieldList parts) {
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
      return HoldsNoPointer(*type.element(), known);
    case TypeKind::kHandle: {
      const TypeLayout& element = *type.element();
      // What containers with slots mostly hold; without taking memory.
      if (element.kind == TypeKind::kPointer) return false;
      if (!element.has_slots ||
          std::find(known->begin(), known->end(), element.id) != known->end()) {
        return true;
      }
      known->push_back(element.id);
      return HoldsNoPointer(element, known);
    }
  }
  return false;
}

CopyPlan::Step::Kind KindOf(const TypeLayout& type) {
  using Kind = CopyPlan::Step::Kind;
  if (type.kind == TypeKind::kPointer) return Kind::kPointer;
  if (type.kind == TypeKind::kView) return Kind::kView;
  if (type.kind != TypeKind::kHandle) return Kind::kPart;
  switch (type.ops->form) {
    case HandleForm::kVector:
      return Kind::kVector;
    case HandleForm::kString:
      return Kind::kString;
    case HandleForm::kRef:
    case HandleForm::kWeakRef:
      return Kind::kRef;
    case HandleForm::kOther:
      break;
  }
  return Kind::kHandle;
}

}  // namespace

std::size_t BlockBytes(std::size_t bytes, std::size_t align) {
  if (align > kGranule) return RoundUp(bytes, kGranule);
  if (bytes <= kSmallMax) return ClassOf(bytes, align).bytes;
  return RoundUp(UsableBytes(bytes, align), kGranule);
}

std::size_t CopyPlan::align() const {
  return is_table ? slot_shape().table_align() : type->align;
}

CopyPlan& CopyPlans::Of(const TypeLayout& type) {
  if (CopyPlan* known = Find(type, false)) return *known;
  CopyPlan& plan = Add(type);
  ForEachSlotType(
      type, 0,
      [&](std::size_t offset, const TypeLayout& slot, const FieldLayout*) {
        plan.steps.push_back(StepOf(slot, offset));
        const CopyPlan::Step& step = plan.steps.back();
        if (step.leads_on) plan.storage_offsets.push_back(step.offset);
      });
  const std::size_t granules = plan.block_bytes / kGranule;
  if (granules <= FewNotes::kMost && !plan.is_wide &&
      plan.number <= CopyNote::kMaxObject) {
    plan.notes = {plan.note(), granules};
  }
  return plan;
}

CopyPlan::Step CopyPlans::StepOf(const TypeLayout& slot, std::size_t offset) {
  const bool is_handle = slot.kind == TypeKind::kHandle;
  return {static_cast<std::uint32_t>(offset),
          KindOf(slot),
          is_handle && IsTable(slot),
          is_handle && slot.element()->has_slots,
          &slot,
          is_handle ? slot.element()->size : 0,
          nullptr,
          nullptr};
}

CopyPlan& CopyPlans::StorageOf(const TypeLayout& handle) {
  if (!IsTable(handle)) return Of(*handle.element());
  if (CopyPlan* known = Find(*handle.element(), true)) return *known;
  CopyPlan& plan = Add(*handle.element());
  plan.is_table = true;
  return plan;
}

void CopyPlans::Close() {
  // By index: more come to be known.
  for (std::size_t i = 0; i < by_number_.size(); ++i) {
    for (CopyPlan::Step& step : by_number_[i]->steps) Close(step);
  }
}

/// Of a choice with the slots of all alternatives.
void CopyPlans::Close(CopyPlan::Step& step) {
  using Kind = CopyPlan::Step::Kind;
  if (step.kind == Kind::kRef) return;
  if (step.kind != Kind::kPart) {
    TargetOf(step);
    if (step.is_handle()) StorageOf(step);
    return;
  }
  const auto close_all = [this](const TypeLayout& part) {
    ForEachSlotType(part, 0,
                    [this](std::size_t, const TypeLayout& slot, const auto*) {
                      CopyPlan::Step inner = StepOf(slot);
                      Close(inner);
                    });
  };
  if (step.type->kind == TypeKind::kArray)
    return close_all(*step.type->element());
  for (const FieldLayout& part : step.type->fields) close_all(*part.type());
}

CopyPlan* CopyPlans::Find(const TypeLayout& type, bool is_table) const {
  for (const auto& plan : by_number_) {
    if (plan->is_table == is_table && SameType(*plan->type, type)) {
      return plan.get();
    }
  }
  return nullptr;
}

CopyPlan& CopyPlans::Add(const TypeLayout& type) {
  const auto number = static_cast<unsigned>(by_number_.size() + 1);
  by_number_.push_back(
      std::make_unique<CopyPlan>(CopyPlan{&type, type.size, number}));
  CopyPlan& plan = *by_number_.back();
  plan.is_pointer = type.kind == TypeKind::kPointer;
  plan.is_wide = type.align > kGranule;
  plan.may_be_other = number <= CopyNote::kMaxOther && !plan.is_wide;
  plan.block_bytes = BlockBytes(type.size, type.align);
  return plan;
}

bool IsTree(const TypeLayout& type) {
  std::vector<std::uint64_t> known;
  return HoldsNoPointer(type, &known);
}

}  // namespace acre::inline ACRE_ABI::detail
