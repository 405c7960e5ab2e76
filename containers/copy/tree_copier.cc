// SPDX-License-Identifier: MIT

#include "copy/tree_copier.h"

#include "acre/detail/blocks.h"
#include "acre/detail/walk.h"
#include "acre/gc_ref.h"

namespace acre::inline ACRE_ABI::detail {

bool TreeCopier::Run(const TypeLayout& type, void* object) {
  Walk(type, object);
  if (!has_failed_) return true;
  is_giving_back_ = true;
  Walk(type, object);
  for (const HandleStorage& gone : given_back_) {
    Blocks::Give(arena_, gone.block, gone.bytes, gone.align, gone.type);
  }
  return false;
}

void TreeCopier::Walk(const TypeLayout& type, void* object) {
  WalkRun(plans_.Of(type), {object, 1});
  while (!rows_.empty()) {
    const Row row = rows_.Pop();
    WalkRun(*row.plan, row.run);
  }
}

void TreeCopier::WalkRun(CopyPlan& plan, ElementRun run) {
  char* at = static_cast<char*>(const_cast<void*>(run.data));
  for (std::size_t i = 0; i < run.count; ++i, at += plan.size) {
    for (CopyPlan::Step& step : plan.steps) {
      if (step.is_handle()) {
        CopyStorage(step, at + step.offset);
      } else {
        WalkPart(*step.type, at + step.offset);
      }
    }
  }
}

void TreeCopier::WalkPart(const TypeLayout& type, void* part) {
  auto copy = [this](const Slot& slot) {
    if (slot.type->kind != TypeKind::kHandle) return;
    if (IsRef(*slot.type)) return CopyRef(*slot.type, slot.address);
    CopyPlan::Step step = plans_.StepOf(*slot.type);
    CopyStorage(step, slot.address);
  };
  ForEachSlot(type, part, copy);
}

inline void TreeCopier::CopyStorage(CopyPlan::Step& step, void* handle) {
  if (ACRE_UNLIKELY(is_giving_back_)) return GiveBack(step, handle);
  auto* slot = static_cast<char*>(handle);
  // After a failure what is left becomes empty: its storage is the source's.
  if (ACRE_UNLIKELY(has_failed_) || step.InUse(slot).count == 0) {
    return step.Adopt(slot, &arena_, nullptr, 0);
  }
  const TypeOps& ops = *step.type->ops;
  switch (ops.copy_storage(handle, &arena_).outcome) {
    case StorageCopy::Outcome::kNone:
      return;
    case StorageCopy::Outcome::kCopied:
      return WalkElements(step, handle);
    case StorageCopy::Outcome::kNoMemory:
      has_failed_ = true;
      failed_bytes_ = ops.storage(handle).used;
      return ops.adopt(handle, &arena_, nullptr, 0);
  }
}

void TreeCopier::CopyRef(const TypeLayout& type, void* ref) {
  if (is_giving_back_) return type.ops->release(ref);
  if (has_failed_) return type.ops->adopt(ref, &arena_, nullptr, 0);
  has_failed_ = type.ops->copy_storage(ref, &arena_).outcome ==
                StorageCopy::Outcome::kNoMemory;
  if (has_failed_) failed_bytes_ = kSlotBytes;
}

void TreeCopier::GiveBack(CopyPlan::Step& step, void* handle) {
  const HandleStorage storage = step.type->ops->storage(handle);
  if (storage.block == nullptr) return;
  // Later: what is in it has to be read yet.
  given_back_.push_back(storage);
  WalkElements(step, handle);
  step.type->ops->adopt(handle, &arena_, nullptr, 0);
}

void TreeCopier::WalkElements(CopyPlan::Step& step, const void* handle) {
  CopyPlan& elements = plans_.TargetOf(step);
  if (elements.steps.empty()) return;
  ForEachRun(*step.type, handle, [&](ElementRun run, std::size_t) {
    rows_.WalkOrKeep({&elements, run},
                     [this](const Row& row) { WalkRun(*row.plan, row.run); });
  });
}

}  // namespace acre::inline ACRE_ABI::detail
