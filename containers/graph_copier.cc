// SPDX-License-Identifier: MIT

#include "acre/detail/graph_copier.h"

#include <cstring>

#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

bool IsGranule(const void* address) {
  return reinterpret_cast<std::uintptr_t>(address) % kGranule == 0;
}

/// True where `type` has, at `offset`, a part of type `wanted` whose slots are
/// its own slots. Parts of tuples and choices are not looked for.
bool HasPart(const TypeLayout& type, std::size_t offset,
             const TypeLayout& wanted, std::size_t count) {
  if (count == 1 && offset == 0 && SameType(type, wanted)) return true;
  if (type.kind == TypeKind::kArray) {
    const TypeLayout& element = *type.element();
    if (SameType(element, wanted)) {
      return offset % element.size == 0 &&
             offset / element.size + count <= type.count;
    }
    return HasPart(element, offset % element.size, wanted, count);
  }
  if (type.kind != TypeKind::kStruct) return false;
  for (const FieldLayout& field : type.slots) {
    const TypeLayout& part = *field.type();
    if (offset >= field.offset && offset - field.offset < part.size &&
        HasPart(part, offset - field.offset, wanted, count)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool GraphCopier::Run(const TypeLayout& type, const void* root) {
  CopyPlan& plan = plans_.Of(type);
  const auto* source = static_cast<const char*>(root);
  if (ForwardMap* map = maps_.Of(root)) {
    root_ = {source, type.size, Meet(*map, source, plan, 1), &plan};
  } else {
    root_ = {source, type.size,
             static_cast<char*>(
                 Blocks::TryTake(arena_, type.size, type.align, &type)),
             &plan};
    if (root_.copy == nullptr) return false;
    met_.Push({source, root_.copy, &plan});
  }
  WalkAll();
  is_finished_ = !is_stopped_;
  return is_finished_;
}

GraphCopier::~GraphCopier() {
  if (!is_finished_) GiveBack();
}

// ----------------------------------------------------------------------- walk

void GraphCopier::WalkAll() {
  do {
    WalkMet();
    pending_.Drain([this](const Pending& pending) { Resolve(pending); });
  } while (!met_.empty() && !is_stopped_);
  if (is_stopped_) return;
  table_keys_.Run();
}

/// Objects in the order in which they were met: often that of their addresses.
void GraphCopier::WalkMet() {
  while (!met_.empty() && !is_stopped_) {
    met_.LookAhead(
        [](const Object& later) {
          __builtin_prefetch(later.source);
          __builtin_prefetch(later.source + later.plan->type->size - 1);
        },
        [this](const Object& soon) { PrefetchStorage(soon); });
    const Object object = met_.Pop();
    std::memcpy(object.copy, object.source, object.plan->type->size);
    WalkRun(object.copy, 1, *object.plan);
    WalkRows();
  }
}

void GraphCopier::WalkRows() {
  while (!rows_.empty() && !is_stopped_) {
    const Row row = rows_.Pop();
    WalkRun(row.data, row.count, *row.plan);
  }
}

/// The object's own memory has come by now: it tells where its storage is.
inline void GraphCopier::PrefetchStorage(const Object& object) {
  for (const Step& step : object.plan->steps) {
    if (step.kind != TypeKind::kHandle) continue;
    const void* storage =
        step.type->ops->storage(object.source + step.offset).block;
    if (storage == nullptr) continue;
    __builtin_prefetch(storage);
    if (const ForwardMap* map = maps_.Of(storage)) map->Prefetch(storage);
  }
}

void GraphCopier::WalkRun(char* data, std::size_t count, CopyPlan& plan) {
  if (plan.steps.empty()) return;
  if (plan.type->kind == TypeKind::kPointer) {
    CopyPlan& target = plans_.TargetOf(plan.steps[0]);
    for (std::size_t i = 0; i < count; ++i, data += sizeof(void*)) {
      TakePointer(reinterpret_cast<void**>(data), target);
    }
    return;
  }
  for (std::size_t i = 0; i < count; ++i, data += plan.type->size) {
    for (Step& step : plan.steps) TakeStep(data + step.offset, step);
  }
}

inline void GraphCopier::TakeStep(char* slot, Step& step) {
  switch (step.kind) {
    case TypeKind::kPointer:
      return TakePointer(reinterpret_cast<void**>(slot), plans_.TargetOf(step));
    case TypeKind::kView:
      return TakeView(slot, step);
    case TypeKind::kHandle:
      return TakeHandle(slot, step);
    default:
      return WalkPart(slot, *step.type);
  }
}

inline void GraphCopier::TakePointer(void** slot, CopyPlan& target) {
  if (*slot == nullptr) return;
  if (const ForwardMap* map = maps_.Of(*slot)) map->Prefetch(*slot);
  Resolve(pending_.Exchange({slot, &target}));
}

void GraphCopier::TakeView(char* slot, Step& step) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0) return;
  const auto* source = static_cast<const char*>(run.data);
  if (char* copy = Forward(source, plans_.TargetOf(step), run.count)) {
    step.type->ops->set_view(slot, copy);
    NoteSlot(slot, step.type);
  }
}

inline void GraphCopier::TakeHandle(char* slot, Step& step) {
  if (is_stopped_) return;
  const TypeOps& ops = *step.type->ops;
  const StorageCopy storage = ops.copy_storage(slot, &arena_);
  switch (storage.outcome) {
    case StorageCopy::Outcome::kNone:
      return;
    case StorageCopy::Outcome::kNoMemory:
      is_stopped_ = true;
      return;
    case StorageCopy::Outcome::kCopied:
      break;
  }
  const Extent extent{static_cast<const char*>(storage.source), storage.bytes,
                      static_cast<char*>(storage.copy),
                      &plans_.StorageOf(step)};
  if (!Note(maps_.Of(extent.source), extent)) return GiveBack(extent);
  if (ops.rehash != nullptr) table_keys_.Add(*step.type, slot);
  if (step.type->element()->has_slots) WalkElements(slot, step, storage);
}

void GraphCopier::WalkElements(char* slot, Step& step,
                               const StorageCopy& storage) {
  CopyPlan& elements = plans_.TargetOf(step);
  const auto walk = [&](void* data, std::size_t count) {
    rows_.WalkOrKeep(
        {static_cast<char*>(data), count, &elements},
        [this](const Row& row) { WalkRun(row.data, row.count, *row.plan); });
  };
  if (!step.is_table) {
    return walk(storage.copy, storage.bytes / elements.type->size);
  }
  ForEachRun(*step.type, slot, [&](ElementRun run, std::size_t) {
    walk(const_cast<void*>(run.data), run.count);
  });
}

void GraphCopier::WalkPart(char* part, const TypeLayout& type) {
  auto take = [this](const Slot& slot) {
    Step step = plans_.StepOf(*slot.type);
    TakeStep(static_cast<char*>(slot.address), step);
  };
  ForEachSlot(type, part, take);
}

// ----------------------------------------------------------------------- copy

inline void GraphCopier::Resolve(const Pending& pending) {
  if (pending.slot == nullptr) return;
  const auto* source = static_cast<const char*>(*pending.slot);
  if (char* copy = Forward(source, *pending.target, 1)) {
    *pending.slot = copy;
    NoteSlot(pending.slot, nullptr);
  }
}

/// Entries of a table may move once its keys are known.
inline void GraphCopier::NoteSlot(void* slot, const TypeLayout* view) {
  if (ACRE_LIKELY(!leads_into_table_)) return;
  leads_into_table_ = false;
  table_keys_.AddPointer(slot, view);
}

inline char* GraphCopier::Forward(const char* source, CopyPlan& plan,
                                  std::size_t count) {
  ForwardMap* map = maps_.Of(source);
  if (ACRE_UNLIKELY(map == nullptr)) return ForwardOutside(source, plan, count);
  const ForwardCell cell = map->At(source);
  if (count == 1 && cell.StartsSmall(plan.number) && IsGranule(source)) {
    return cell.copy();
  }
  if (!cell) return Meet(*map, source, plan, count);
  return InExtent(ExtentOf(*map, source, cell), source, plan, count);
}

char* GraphCopier::Meet(ForwardMap& map, const char* source, CopyPlan& plan,
                        std::size_t count) {
  if (is_stopped_) return nullptr;
  const TypeLayout& type = *plan.type;
  const std::size_t bytes = count * type.size;
  // An element of an array, perhaps, that is met as a whole later.
  if (!IsGranule(source) || !map.Holds(source + bytes - 1)) {
    is_stopped_ = true;
    return nullptr;
  }
  auto* copy =
      static_cast<char*>(Blocks::TryTake(arena_, bytes, type.align, &type));
  if (copy == nullptr) {
    is_stopped_ = true;
    return nullptr;
  }
  const Extent extent{source, bytes, copy, &plan};
  if (!Note(&map, extent)) {
    GiveBack(extent);
    return nullptr;
  }
  if (count == 1) {
    met_.Push({source, copy, &plan});
  } else {
    std::memcpy(copy, source, bytes);
    if (!plan.steps.empty()) rows_.Keep({copy, count, &plan});
  }
  return copy;
}

/// Static storage stays where it is.
char* GraphCopier::ForwardOutside(const char* source, const CopyPlan& plan,
                                  std::size_t count) {
  if (root_.Holds(source, count * plan.type->size)) {
    return InExtent(root_, source, plan, count);
  }
  if (!static_storage_.Holds(source)) is_stopped_ = true;
  return nullptr;
}

char* GraphCopier::InExtent(const Extent& extent, const char* p,
                            const CopyPlan& plan, std::size_t count) {
  const TypeLayout& type = *plan.type;
  if (extent.Holds(p, count * type.size)) {
    // Counted from the end: a table's storage starts with other things.
    const TypeLayout& element = *extent.plan->type;
    const auto to_end =
        static_cast<std::size_t>(extent.source + extent.bytes - p);
    const std::size_t behind = to_end % element.size;
    const std::size_t offset = behind == 0 ? 0 : element.size - behind;
    const bool are_elements = offset == 0 && SameType(element, type);
    const bool has_slots_of_its_own = !plan.steps.empty() && !are_elements &&
                                      !HasPart(element, offset, type, count);
    // Where both take the same bytes, the block is of the type around the
    // other.
    const bool is_around =
        count * type.size == extent.bytes && DepthOf(type) > DepthOf(element);
    char* copy = extent.copy + (p - extent.source);
    const bool is_aligned =
        (reinterpret_cast<std::uintptr_t>(copy) & (type.align - 1)) == 0;
    if (!has_slots_of_its_own && !is_around && is_aligned) {
      leads_into_table_ = extent.plan->is_table;
      return copy;
    }
  }
  is_stopped_ = true;
  return nullptr;
}

GraphCopier::Extent GraphCopier::ExtentOf(const ForwardMap& map, const char* p,
                                          ForwardCell cell) {
  if (cell.is_large()) return large_[cell.index()];
  const char* begin = map.BeginOf(p, cell);
  const ForwardCell first = map.At(begin);
  return {begin, map.BytesOf(begin, first), first.copy(),
          &plans_[first.number()]};
}

inline bool GraphCopier::Note(ForwardMap* map, const Extent& extent) {
  if (map == nullptr || extent.plan->number > ForwardCell::kMaxNumber ||
      !IsGranule(extent.source)) {
    is_stopped_ = true;
    return false;
  }
  const std::size_t granules = (extent.bytes + kGranule - 1) / kGranule;
  std::uint64_t* cells = nullptr;
  if (granules <= ForwardCell::kMaxGranules) {
    cells = map->CellsIfNear(extent.source, granules);
  }
  if (cells == nullptr) return NoteFar(*map, extent);
  std::uint64_t any = 0;
  for (std::size_t i = 0; i < granules; ++i) any |= cells[i];
  if (any != 0) {
    is_stopped_ = true;
    return false;
  }
  const ForwardCell first(extent.copy, extent.plan->number, extent.bytes);
  for (std::size_t i = 0; i < granules; ++i) cells[i] = first.Nth(i).bits();
  return true;
}

bool GraphCopier::NoteFar(ForwardMap& map, const Extent& extent) {
  if (!map.IsFree(extent.source, extent.bytes)) {
    is_stopped_ = true;
    return false;
  }
  // Whatever throws from here on, the extent is in one of them.
  large_.push_back(extent);
  map.MakeCells(extent.source, extent.bytes, memory_);
  if (extent.bytes > ForwardCell::kMaxGranules * kGranule) {
    map.Note(extent.source, extent.bytes,
             ForwardCell::Large(large_.size() - 1));
  } else {
    large_.pop_back();
    map.Note(extent.source, extent.bytes,
             ForwardCell(extent.copy, extent.plan->number, extent.bytes));
  }
  return true;
}

void GraphCopier::GiveBack(const Extent& extent) {
  Blocks::Give(arena_, extent.copy, extent.bytes, extent.plan->align(),
               extent.plan->block_type());
}

void GraphCopier::GiveBack() {
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    maps_[i].ForEachSmall(
        [this](const char* begin, std::size_t bytes, ForwardCell first) {
          GiveBack({begin, bytes, first.copy(), &plans_[first.number()]});
        });
  }
  for (const Extent& extent : large_) GiveBack(extent);
  if (root_.copy != nullptr && maps_.Of(root_.source) == nullptr) {
    GiveBack(root_);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
