// SPDX-License-Identifier: MIT

#include "automatic/page_sweep.h"

#include "acre/detail/borrowed.h"
#include "acre/detail/fill.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "automatic/noted_rows.h"

namespace acre::inline ACRE_ABI::detail {

UnscannedArray<PageSweep::Plan, PageSweep::kPlans> PageSweep::plans;

PageSweep::PageSweep(const Arena& arena, IsKnown is_known, const void* context)
    : judge_(arena),
      blocks_(arena, kChosen),
      is_known_(is_known),
      context_(context) {
  // A library that was unloaded may have left a layout there.
  for (Plan& plan : plans) plan.type = nullptr;
}

void PageSweep::AddStep(Plan& plan, std::size_t offset, const TypeLayout& type,
                        const FieldLayout* field) {
  const bool is_slot = type.kind == TypeKind::kPointer ||
                       type.kind == TypeKind::kView ||
                       type.kind == TypeKind::kHandle;
  if (is_slot && field != nullptr && field->note == FieldNote::kReviewed) {
    return;
  }
  if (type.kind == TypeKind::kHandle && IsRef(type)) return;
  if (plan.count == Plan::kMaxSteps || offset > UINT32_MAX) {
    plan.is_walked = true;
    return;
  }
  plan.steps[plan.count++] = {static_cast<std::uint32_t>(offset),
                              is_slot ? type.kind : TypeKind::kStruct, &type,
                              field};
}

const PageSweep::Plan& PageSweep::PlanFor(const TypeLayout& type) {
  const auto bits = reinterpret_cast<std::uintptr_t>(&type);
  Plan& plan = plans[(bits >> 6 ^ bits >> 12) % kPlans];
  if (plan.type != &type) {
    plan.type = &type;
    plan.count = 0;
    plan.is_walked = false;
    plan.borrows = MayBorrow(type);
    ForEachSlotType(type, 0,
                    [&plan](std::size_t offset, const TypeLayout& slot,
                            const FieldLayout* field) {
                      AddStep(plan, offset, slot, field);
                    });
  }
  return plan;
}

bool PageSweep::FindsNew() {
  NoteStackUse(__builtin_frame_address(0));
  const Plan* plan = nullptr;
  ForEachNotedRow(
      blocks_,
      [&plan](const TypeLayout& type) {
        if (plan == nullptr || plan->type != &type) plan = &PlanFor(type);
        return plan->count != 0 || plan->is_walked || plan->borrows;
      },
      [&](const BlockView&, const TypeLayout& type, char* at, std::size_t count,
          const char*) {
        for (; count != 0; --count, at += type.size) Look(*plan, type, at);
      });
  return has_new_;
}

void PageSweep::Look(const Plan& plan, const TypeLayout& type, char* object) {
  if (plan.borrows) ForEachBorrowedWord(type, object, *this);
  if (plan.is_walked) return ForEachSlot(type, object, *this);
  for (std::size_t i = 0; i < plan.count; ++i) {
    const Step& step = plan.steps[i];
    char* const slot = object + step.offset;
    switch (step.kind) {
      case TypeKind::kPointer: {
        const void* const address = *reinterpret_cast<void* const*>(slot);
        if (address != nullptr && !judge_.IsOwn(address)) {
          LookAt(*step.type, slot, address);
        }
        break;
      }
      case TypeKind::kHandle:
        LookAtHandle(*step.type, slot);
        break;
      case TypeKind::kView:
        (*this)(Slot{step.type, slot, nullptr});
        break;
      default:
        ForEachSlot(*step.type, slot, *this, step.field);
        break;
    }
  }
}

void PageSweep::operator()(const Slot& slot) {
  if (slot.field != nullptr && slot.field->note == FieldNote::kReviewed) return;
  if (slot.type->kind == TypeKind::kHandle) {
    return LookAtHandle(*slot.type, slot.address);
  }
  const void* const address = PointedTo(slot).data;
  if (address != nullptr && !judge_.IsOwn(address)) {
    LookAt(*slot.type, slot.address, address);
  }
}

/// The address is not the arena's.
void PageSweep::LookAt(const TypeLayout& type, const void* slot,
                       const void* address) {
  if (IsFillWord(address)) return;
  NoteStackUse(__builtin_frame_address(0));
  StoppedFinding finding;
  if (judge_.IsLeak(type, slot, address, &finding)) {
    blocks_.Note(slot, kLeadsOut);
    has_new_ = has_new_ || !is_known_(context_, finding);
    return;
  }
  const bool is_near =
      CollectedBase(address) != nullptr || IsFreeHeapMemory(address);
  blocks_.Note(slot, is_near ? kLeadsOut | kLeadsNear : kLeadsOut);
}

/// Its storage is a block, and is looked at where that lies.
void PageSweep::LookAtHandle(const TypeLayout& type, const void* slot) {
  const HandleStorage storage = type.ops->storage(slot);
  if (storage.block == nullptr) return;
  if (!judge_.IsOwn(storage.block)) return LookAt(type, slot, storage.block);
  if (!HasOwnForm(type) || !type.element()->has_slots) return;
  // Only the handle knows what is in there, whoever writes to it.
  blocks_.Note(slot, kLeadsOut);
  has_new_ = true;
}

void PageSweep::operator()(const char* word) {
  const void* const address = *reinterpret_cast<const void* const*>(word);
  if (address == nullptr || IsFillWord(address) || judge_.IsOwn(address)) {
    return;
  }
  const void* const base = CollectedBase(address);
  const bool leads_in =
      base != nullptr ? !IsUncollectable(base) : IsFreeHeapMemory(address);
  // Whatever is at that address now may be something else soon.
  blocks_.Note(word, leads_in ? kLeadsOut | kBorrows : kLeadsOut);
}

}  // namespace acre::inline ACRE_ABI::detail
