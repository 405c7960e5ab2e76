// SPDX-License-Identifier: MIT

#include "acre/detail/tree_copier.h"

#include <algorithm>
#include <cstring>

namespace acre::inline ACRE_ABI::detail {

// ---------------------------------------------------------------------- types

const TreeCopier::Plan* TreeCopier::PlanOf(const TypeLayout& type) {
  for (const auto& plan : plans_) {
    if (SameType(*plan->type, type)) return plan.get();
  }
  // In the list before its steps are known: types may contain themselves.
  plans_.push_back(std::make_unique<Plan>(Plan{&type}));
  Plan& plan = *plans_.back();
  ForEachSlotType(type, 0, [&](std::size_t offset, const TypeLayout& slot) {
    if (slot.kind == TypeKind::kPointer || slot.kind == TypeKind::kView) {
      is_tree_ = false;
      return;
    }
    const Plan* elements = nullptr;
    if (slot.kind != TypeKind::kHandle) {
      AddParts(slot);
    } else if (slot.element()->has_slots) {
      elements = PlanOf(*slot.element());
    }
    plan.steps.push_back({offset, &slot, elements});
  });
  return &plan;
}

/// Of what a tuple, a choice or an array consists of, so that nothing is
/// missed: their containers are met one by one.
void TreeCopier::AddParts(const TypeLayout& type) {
  if (type.kind == TypeKind::kArray) {
    PlanOf(*type.element());
    return;
  }
  for (const FieldLayout& part : type.fields) {
    if (part.type()->has_slots) PlanOf(*part.type());
  }
}

// ----------------------------------------------------------------------- copy

bool TreeCopier::Run(void* object) {
  Walk(object);
  if (!has_failed_) return true;
  is_giving_back_ = true;
  Walk(object);
  for (const HandleStorage& gone : given_back_) {
    Blocks::Give(arena_, gone.block, gone.bytes, gone.align, gone.type);
  }
  return false;
}

void TreeCopier::Walk(void* object) {
  WalkRun(*root_, {object, 1});
  while (!rows_.empty()) {
    const Row row = rows_.back();
    rows_.pop_back();
    WalkRun(*row.plan, row.run);
  }
}

void TreeCopier::WalkRun(const Plan& plan, ElementRun run) {
  char* at = static_cast<char*>(const_cast<void*>(run.data));
  for (std::size_t i = 0; i < run.count; ++i, at += plan.type->size) {
    for (const Step& step : plan.steps) {
      if (step.type->kind == TypeKind::kHandle) {
        CopyStorage(*step.type, at + step.offset, step.elements);
      } else {
        WalkPart(*step.type, at + step.offset);
      }
    }
  }
}

void TreeCopier::WalkPart(const TypeLayout& type, void* part) {
  auto copy = [this](const Slot& slot) {
    if (slot.type->kind != TypeKind::kHandle) return;
    const TypeLayout& element = *slot.type->element();
    CopyStorage(*slot.type, slot.address,
                element.has_slots ? PlanOf(element) : nullptr);
  };
  ForEachSlot(type, part, copy);
}

inline void TreeCopier::CopyStorage(const TypeLayout& handle, void* object,
                                    const Plan* elements) {
  if (ACRE_UNLIKELY(is_giving_back_)) {
    return GiveBack(handle, object, elements);
  }
  // After a failure what is left becomes empty: its storage is the source's.
  if (ACRE_UNLIKELY(has_failed_)) {
    return handle.ops->adopt(object, &arena_, nullptr, 0);
  }
  switch (handle.ops->copy_storage(object, &arena_)) {
    case StorageCopy::kNone:
      return;
    case StorageCopy::kCopied:
      if (elements != nullptr) WalkElements(handle, object, elements);
      return;
    case StorageCopy::kNoMemory:
      has_failed_ = true;
      failed_bytes_ = handle.ops->storage(object).used;
      return handle.ops->adopt(object, &arena_, nullptr, 0);
  }
}

void TreeCopier::GiveBack(const TypeLayout& handle, void* object,
                          const Plan* elements) {
  const HandleStorage storage = handle.ops->storage(object);
  if (storage.block == nullptr) return;
  // Later: what is in it has to be read yet.
  given_back_.push_back(storage);
  if (elements != nullptr) WalkElements(handle, object, elements);
  handle.ops->adopt(object, &arena_, nullptr, 0);
}

void TreeCopier::WalkElements(const TypeLayout& handle, const void* object,
                              const Plan* elements) {
  constexpr std::size_t kMaxDepth = 16;
  ++depth_;
  ForEachRun(handle, object, [&](ElementRun run, std::size_t) {
    if (depth_ > kMaxDepth) {
      rows_.push_back({elements, run});
    } else {
      WalkRun(*elements, run);
    }
  });
  --depth_;
}

}  // namespace acre::inline ACRE_ABI::detail
