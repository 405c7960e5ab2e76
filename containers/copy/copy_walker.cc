// SPDX-License-Identifier: MIT

#include "copy/copy_walker.h"

#include <cstring>

#include "acre/detail/walk.h"
#include "copy/copy_bytes.h"
#include "copy/table_runs.h"

namespace acre::inline ACRE_ABI::detail {
void CopyWalker::CopyRoot(CopyPlan& plan) {
  std::memcpy(job_.root_copy, job_.root, job_.root_bytes);
  WalkRow({job_.root_copy, 1, &plan});
  WalkRows();
}

void CopyWalker::CopyAllIn(const CopyMap& map) {
  // Storage is copied with its container.
  map.ForEachApart([&](const char* start, CopyNote note,
                       const CopyMap::Line& line, std::size_t granule) {
    CopyExtent(map, start, note, job_.placement.CopyOf(line, granule));
  });
}

void CopyWalker::FinishAll() {
  pending_.Drain([this](const Pending& pending) { Finish(pending); });
}

inline void CopyWalker::CopyExtent(const CopyMap& map, const char* start,
                                   CopyNote note, char* copy) {
  CopyPlan& plan = job_.plans[note.number()];
  if (ACRE_LIKELY(note.is_object())) {
    CopyBytes(copy, start, plan.size);
    for (Step& step : plan.steps) TakeStep(copy + step.offset, step);
  } else {
    const std::size_t bytes = map.BytesOf(start);
    CopyBytes(copy, start, bytes);
    WalkRow({copy, bytes / plan.size, &plan});
  }
  if (!rows_.empty()) WalkRows();
}

void CopyWalker::WalkRows() {
  while (!rows_.empty()) WalkRow(rows_.Pop());
}

void CopyWalker::WalkRow(const Row& row) {
  CopyPlan& plan = *row.plan;
  if (plan.is_pointer) return TakePointers(row.data, row.count);
  char* data = row.data;
  for (std::size_t i = 0; i < row.count; ++i, data += plan.size) {
    for (Step& step : plan.steps) TakeStep(data + step.offset, step);
  }
}

ACRE_INLINE void CopyWalker::TakePointers(char* data, std::size_t count) {
  auto* pointers = reinterpret_cast<char**>(data);
  for (std::size_t i = 0; i < count; ++i) TakePointer(&pointers[i]);
}

inline void CopyWalker::TakeStep(char* slot, Step& step) {
  switch (step.kind) {
    case Step::Kind::kPointer:
      return TakePointer(reinterpret_cast<char**>(slot));
    case Step::Kind::kView:
      return TakeView(slot, step);
    case Step::Kind::kVector:
    case Step::Kind::kString:
    case Step::Kind::kHandle:
      return TakeHandle(slot, step);
    case Step::Kind::kRef:
      return job_.refs.Copy(*step.type, slot);
    case Step::Kind::kPart:
      return TakePart(slot, *step.type);
  }
}

ACRE_INLINE void CopyWalker::TakePointer(char** slot) {
  if (*slot == nullptr) return;
  const CopyMap* const map = maps_.Of(*slot);
  if (ACRE_UNLIKELY(map == nullptr)) return TakePointerOut(slot);
  const CopyMap::Line& line = map->LineAt(*slot);
  __builtin_prefetch(&line);
  Finish(pending_.Exchange({slot, &line}));
  if (job_.placement.is_in_order()) return;
  const Pending& middle = pending_.Middle();
  if (middle.slot != nullptr)
    job_.placement.Prefetch(*middle.line, *middle.slot);
}

/// One that leads to the root, or to what is not copied.
void CopyWalker::TakePointerOut(char** slot) {
  if (char* copy = CopyOf(*slot)) *slot = copy;
}

ACRE_INLINE void CopyWalker::Finish(const Pending& pending) {
  if (ACRE_UNLIKELY(pending.slot == nullptr)) return;
  const char* source = *pending.slot;
  *pending.slot = job_.placement.CopyOf(maps_, *pending.line, source);
  if (ACRE_UNLIKELY(job_.leads_into_table)) {
    NotePointer(pending.slot, nullptr, source);
  }
}

void CopyWalker::TakeView(char* slot, Step& step) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0) return;
  const auto* source = static_cast<const char*>(run.data);
  if (char* copy = CopyOf(source)) {
    step.type->ops->set_view(slot, copy);
    if (job_.leads_into_table) NotePointer(slot, step.type, source);
  }
}

inline void CopyWalker::TakeHandle(char* slot, Step& step) {
  const ElementRun storage = step.InUse(slot);
  if (storage.count == 0) return step.Adopt(slot, &job_.arena, nullptr, 0);
  const auto* block = static_cast<const char*>(storage.data);
  char* copy = CopyOf(block);
  CopyBytes(copy, block, storage.count);
  step.Adopt(slot, &job_.arena, copy, storage.count);
  if (step.is_table && step.type->ops->rehash != nullptr) {
    table_keys_.Add(*step.type, slot);
  }
  if (step.leads_on) WalkElements(step, {copy, storage.count});
}

inline void CopyWalker::WalkElements(Step& step, const ElementRun& storage) {
  CopyPlan& plan = job_.plans.TargetOf(step);
  const auto walk = [this](const Row& row) { WalkRow(row); };
  if (!step.is_table) {
    auto* data = static_cast<char*>(const_cast<void*>(storage.data));
    if (plan.is_pointer) {
      return TakePointers(data, storage.count / sizeof(void*));
    }
    const std::size_t count = storage.count / plan.size;
    return rows_.WalkOrKeep({data, count, &plan}, walk);
  }
  ForEachTableRun(storage, plan.slot_shape(), [&](const ElementRun& run) {
    auto* data = static_cast<char*>(const_cast<void*>(run.data));
    rows_.WalkOrKeep({data, run.count, &plan}, walk);
  });
}

/// A tuple, a choice, a long array.
void CopyWalker::TakePart(char* part, const TypeLayout& type) {
  auto take = [this](const Slot& slot) {
    Step step = job_.plans.StepOf(*slot.type);
    TakeStep(static_cast<char*>(slot.address), step);
  };
  ForEachSlot(type, part, take);
}

/// Null: what lies there is not copied.
inline char* CopyWalker::CopyOf(const char* source) {
  if (const CopyMap* map = maps_.Of(source); ACRE_LIKELY(map != nullptr)) {
    return job_.placement.CopyOf(*map, source);
  }
  const auto offset = static_cast<std::size_t>(source - job_.root);
  return offset < job_.root_bytes ? job_.root_copy + offset : nullptr;
}

/// Entries of a table may move once its keys are known.
void CopyWalker::NotePointer(void* slot, const TypeLayout* view,
                             const char* source) {
  CopyMap* map = maps_.Of(source);
  if (map == nullptr) return;
  const char* start = map->StartOf(source, map->At(source));
  if (job_.plans[map->At(start).number()].is_table) {
    table_keys_.AddPointer(slot, view);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
