// SPDX-License-Identifier: MIT

#include "copy/graph_finder.h"

#include <cstdint>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/parts.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk.h"
#include "copy/table_runs.h"

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

bool GraphFinder::Run(const char* root, CopyPlan& plan) {
  Begin(root, plan);
  WalkAll();
  return !is_stopped_;
}

bool GraphFinder::RunAsMember(const char* root, CopyPlan& plan,
                              FinderDesk& desk) {
  desk_ = &desk;
  SetNarrow(false);
  Begin(root, plan);
  do {
    WalkAll();
  } while (!is_stopped_ && desk.Wait());
  return !is_stopped_ && !desk.is_stopped();
}

/// Of members the one whose chunk it is.
void GraphFinder::Begin(const char* root, CopyPlan& plan) {
  if (CopyMap* map = maps_.Of(root)) {
    if (map->is_mine()) Meet(*map, root, plan, 1);
  } else {
    root_ = root;
    root_plan_ = &plan;
    rows_.Keep({root, 1, &plan});
  }
}

// ----------------------------------------------------------------------- walk

void GraphFinder::WalkAll() {
  do {
    if (desk_ != nullptr) TakeMail();
    WalkRows();
    // By index: more chunks may be met.
    for (std::size_t i = 0; i < maps_.size() && !is_stopped_; ++i) {
      if (maps_[i].waiting() != 0) EnterWaiting(maps_[i]);
      if (desk_ != nullptr) TakeMail();
    }
    ahead_.Drain([this](const Object& object) { Enter(object); });
    pending_.Drain([this](const Pending& pending) { Resolve(pending); });
  } while (!is_stopped_ && HasMore());
}

/// What other members have met in chunks of this one.
void GraphFinder::TakeMail() {
  TakeBatch(*desk_->Own());
  while (FinderMail::Batch* batch = desk_->Receive()) TakeBatch(*batch);
  is_stopped_ = is_stopped_ || desk_->is_stopped();
}

void GraphFinder::TakeBatch(FinderMail::Batch& batch) {
  SetNarrow(batch.size < kNarrow);
  for (std::size_t i = 0; i < batch.size; ++i) {
    // They lie in the memory of the other's processor.
    __builtin_prefetch(batch.items + i + kItemsAhead);
    TakeItem(batch.items[i]);
  }
  batch.size = 0;
}

ACRE_INLINE void GraphFinder::TakeItem(const FinderMail::Item& item) {
  CopyPlan& plan = plans_[item.number()];
  CopyMap* const map = maps_.Of(item.target);
  if (ACRE_UNLIKELY(map == nullptr)) {  // there was no memory for it
    is_stopped_ = true;
    return;
  }
  switch (item.kind()) {
    case FinderMail::Kind::kPointer:
      return MeetPointer(*map, item.target, plan);
    case FinderMail::Kind::kView:
      return MeetRun(*map, item.target, plan, item.count());
    case FinderMail::Kind::kStorage:
      NoteOther(map, item.target, CopyNote::Kind::kStorage, plan, item.count());
  }
}

bool GraphFinder::HasMore() {
  if (!rows_.empty()) return true;
  if (desk_ != nullptr && desk_->Own()->size != 0) return true;
  for (std::size_t i = 0; i < maps_.size(); ++i) {
    if (maps_[i].waiting() != 0) return true;
  }
  return false;
}

void GraphFinder::EnterWaiting(CopyMap& map) {
  map.EnterWaiting([&](const char* start, unsigned number) {
    CopyPlan& plan = plans_[number];
    Object next{start, &plan};
    // Of a list or two nothing can be asked for ahead of time.
    SetNarrow(map.waiting() < kNarrow);
    if (ACRE_LIKELY(!is_narrow_)) {
      __builtin_prefetch(start);
      __builtin_prefetch(start + plan.size - 1);
      next = ahead_.Exchange(next);
      PrefetchStorage(ahead_.Middle());
    }
    Enter(next);
  });
}

inline void GraphFinder::SetNarrow(bool is_narrow) {
  is_narrow_ = is_narrow;
  is_usual_ = !is_narrow && desk_ == nullptr;
}

ACRE_INLINE void GraphFinder::Enter(const Object& object) {
  if (object.address == nullptr || is_stopped_) return;
  for (Step& step : object.plan->steps) {
    TakeStep(object.address + step.offset, step);
  }
  if (!rows_.empty()) WalkRows();
}

/// The object's own memory has come by now. The handles whose elements are
/// walked, Vector, Map and Set, start with the address of their storage.
inline void GraphFinder::PrefetchStorage(const Object& object) {
  if (object.address == nullptr) return;
  for (const std::uint32_t offset : object.plan->storage_offsets) {
    const void* storage;
    std::memcpy(&storage, object.address + offset, sizeof storage);
    __builtin_prefetch(storage);
  }
}

void GraphFinder::WalkRows() {
  while (!rows_.empty() && !is_stopped_) WalkRow(rows_.Pop());
}

void GraphFinder::WalkRow(const Row& row) {
  CopyPlan& plan = *row.plan;
  if (plan.is_pointer) return TakePointers(row.data, row.count, plan);
  const char* data = row.data;
  for (std::size_t i = 0; i < row.count; ++i, data += plan.size) {
    for (Step& step : plan.steps) TakeStep(data + step.offset, step);
  }
}

ACRE_INLINE void GraphFinder::TakePointers(const char* data, std::size_t count,
                                           CopyPlan& plan) {
  CopyPlan& target = plans_.TargetOf(plan.steps[0]);
  if (is_narrow_) SetNarrow(count < kNarrow);
  const auto* pointers = reinterpret_cast<const char* const*>(data);
  for (std::size_t i = 0; i < count; ++i) TakePointer(pointers[i], target);
}

ACRE_INLINE void GraphFinder::TakeStep(const char* slot, Step& step) {
  switch (step.kind) {
    case Step::Kind::kPointer:
      return TakePointer(*reinterpret_cast<const char* const*>(slot),
                         plans_.TargetOf(step));
    case Step::Kind::kView:
      return TakeView(slot, step);
    case Step::Kind::kVector:
    case Step::Kind::kString:
      return TakeHandle(slot, step);
    case Step::Kind::kHandle:
      if (!step.is_table) {  // HasOwnForm
        is_stopped_ = true;
        return;
      }
      return TakeHandle(slot, step);
    case Step::Kind::kRef:
      return refs_.Count(*step.type);
    case Step::Kind::kPart:
      return TakePart(slot, *step.type);
  }
}

ACRE_INLINE void GraphFinder::TakePointer(const char* target, CopyPlan& plan) {
  if (target == nullptr) return;
  CopyMap* map = maps_.Of(target);
  if (ACRE_UNLIKELY(map == nullptr)) return MeetOutside(target, plan, 1);
  if (ACRE_UNLIKELY(!is_usual_)) return TakeUnusually(*map, target, plan);
  Resolve(
      pending_.Exchange({map->NotesFrom(target, memory_), target, &plan, map}));
}

/// Of a list, or as a member.
void GraphFinder::TakeUnusually(CopyMap& map, const char* target,
                                CopyPlan& plan) {
  if (desk_ == nullptr || (is_narrow_ && map.is_mine())) {
    MeetPointer(map, target, plan);
  } else {
    Send(map, {target, plan, 1, FinderMail::Kind::kPointer});
  }
}

ACRE_INLINE void GraphFinder::MeetPointer(CopyMap& map, const char* target,
                                          CopyPlan& plan) {
  const Pending pending{map.NotesFrom(target, memory_), target, &plan, &map};
  Resolve(is_narrow_ ? pending : pending_.Exchange(pending));
}

/// Whose it is cannot be foreseen, so that it makes no difference here: what is
/// this member's own waits like the others'.
ACRE_INLINE void GraphFinder::Send(const CopyMap& map,
                                   const FinderMail::Item& item) {
  if (ACRE_LIKELY(!desk_->Put(map.owner(), item))) return;
  if (map.is_mine()) {
    TakeBatch(*desk_->Own());
  } else {
    desk_->Flush(map.owner());
  }
}

void GraphFinder::TakeView(const char* slot, Step& step) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0) return;
  TakeRun(static_cast<const char*>(run.data), plans_.TargetOf(step), run.count);
}

/// What a view has.
void GraphFinder::TakeRun(const char* target, CopyPlan& plan,
                          std::size_t count) {
  CopyMap* map = maps_.Of(target);
  if (map == nullptr) return MeetOutside(target, plan, count);
  if (desk_ != nullptr) {
    return Send(*map, {target, plan, count, FinderMail::Kind::kView});
  }
  MeetRun(*map, target, plan, count);
}

void GraphFinder::MeetRun(CopyMap& map, const char* target, CopyPlan& plan,
                          std::size_t count) {
  if (map.At(target)) return MeetAgain(map, target, plan, count);
  Meet(map, target, plan, count);
}

ACRE_INLINE void GraphFinder::TakeHandle(const char* slot, Step& step) {
  const ElementRun storage = step.InUse(slot);
  if (storage.count != 0) TakeStorage(step, storage);
}

void GraphFinder::TakeStorage(Step& step, const ElementRun& storage) {
  if (is_stopped_) return;
  const auto* block = static_cast<const char*>(storage.data);
  const CopyPlan& plan = plans_.StorageOf(step);
  CopyMap* map = maps_.Of(block);
  if (desk_ != nullptr && map != nullptr) {
    // Where its owner cannot note it all will be stopped.
    Send(*map, {block, plan, storage.count, FinderMail::Kind::kStorage});
  } else if (!NoteOther(map, block, CopyNote::Kind::kStorage, plan,
                        storage.count)) {
    return;
  }
  if (step.leads_on) WalkElements(step, storage);
}

ACRE_INLINE void GraphFinder::WalkElements(Step& step,
                                           const ElementRun& storage) {
  CopyPlan& plan = plans_.TargetOf(step);
  const auto walk = [this](const Row& row) { WalkRow(row); };
  if (!step.is_table) {
    const auto* data = static_cast<const char*>(storage.data);
    if (plan.is_pointer) {
      return TakePointers(data, storage.count / sizeof(void*), plan);
    }
    const std::size_t count = storage.count / plan.size;
    return rows_.WalkOrKeep({data, count, &plan}, walk);
  }
  if (is_narrow_) SetNarrow(storage.count / plan.size < kNarrow);
  ForEachTableRun(storage, plan.slot_shape(), [&](const ElementRun& run) {
    rows_.WalkOrKeep({static_cast<const char*>(run.data), run.count, &plan},
                     walk);
  });
}

/// A tuple, a choice, a long array.
void GraphFinder::TakePart(const char* part, const TypeLayout& type) {
  auto take = [this](const Slot& slot) {
    Step step = plans_.StepOf(*slot.type);
    TakeStep(static_cast<const char*>(slot.address), step);
  };
  ForEachSlot(type, const_cast<char*>(part), take);
}

// ----------------------------------------------------------------------- note

ACRE_INLINE void GraphFinder::Resolve(const Pending& pending) {
  if (ACRE_UNLIKELY(pending.notes == nullptr)) return ResolveSlowly(pending);
  const CopyPlan& plan = *pending.plan;
  if (CopyNote(*pending.notes).StartsObject(plan.number)) return;
  if (!pending.map->NoteFew(pending.notes, plan.notes, pending.target,
                            plan.block_bytes)) {
    return ResolveSlowly(pending);
  }
  if (!plan.steps.empty()) pending.map->CountWaiting(pending.target);
}

void GraphFinder::ResolveSlowly(const Pending& pending) {
  if (pending.map == nullptr) return;
  const CopyNote note = pending.map->At(pending.target);
  if (note.StartsObject(pending.plan->number) && IsGranule(pending.target)) {
    return;
  }
  if (note) return MeetAgain(*pending.map, pending.target, *pending.plan, 1);
  Meet(*pending.map, pending.target, *pending.plan, 1);
}

void GraphFinder::Meet(CopyMap& map, const char* target, CopyPlan& plan,
                       std::size_t count) {
  if (count != 1) {
    const std::size_t bytes = count * plan.size;
    if (NoteOther(&map, target, CopyNote::Kind::kArray, plan, bytes) &&
        !plan.steps.empty()) {
      rows_.Keep({target, count, &plan});
    }
    return;
  }
  if (plan.number > CopyNote::kMaxObject || !IsGranule(target) ||
      !map.Note(target, plan.note(), plan.size, plan.block_bytes, memory_)) {
    is_stopped_ = true;
    return;
  }
  has_wide_ = has_wide_ || plan.is_wide;
  if (!plan.steps.empty()) map.CountWaiting(target);
}

ACRE_INLINE bool GraphFinder::NoteOther(CopyMap* map, const char* start,
                                        CopyNote::Kind kind,
                                        const CopyPlan& plan,
                                        std::size_t bytes) {
  if (bytes <= FewNotes::kMost * kGranule && map != nullptr &&
      plan.may_be_other) {
    const CopyNote note = CopyNote::Other(kind, plan.number, bytes);
    const std::size_t granules = (bytes + kGranule - 1) / kGranule;
    std::uint16_t* few = map->NotesFrom(start, memory_);
    if (few != nullptr &&
        map->NoteFew(few, {note, granules}, start, granules * kGranule)) {
      return true;
    }
  }
  return NoteOtherSlowly(map, start, kind, plan, bytes);
}

bool GraphFinder::NoteOtherSlowly(CopyMap* map, const char* start,
                                  CopyNote::Kind kind, const CopyPlan& plan,
                                  std::size_t bytes) {
  std::size_t block_bytes = BlockBytes(bytes, plan.align());
  // An array may lie in the midst of a block.
  if (block_bytes > kInlineMax && kind == CopyNote::Kind::kStorage &&
      map != nullptr && !plan.is_wide) {
    block_bytes = Blocks::BytesOfLarge(start, bytes);
  }
  if (map == nullptr || plan.number > CopyNote::kMaxOther ||
      !IsGranule(start) ||
      !map->Note(start, CopyNote::Other(kind, plan.number, bytes), bytes,
                 block_bytes, memory_)) {
    is_stopped_ = true;
    return false;
  }
  has_wide_ = has_wide_ || plan.is_wide;
  return true;
}

void GraphFinder::MeetAgain(const CopyMap& map, const char* target,
                            const CopyPlan& plan, std::size_t count) {
  const CopyNote note = map.At(target);
  if (!note.is_in_extent()) {
    is_stopped_ = true;
    return;
  }
  const char* start = map.StartOf(target, note);
  const CopyNote first = map.At(start);
  const CopyPlan& whole = plans_[first.number()];
  const std::size_t pad =
      first.is_object() ? CopyNote::PadOf(whole.size) : first.pad();
  const auto reach = map.ReachOf(start, target + count * plan.size, pad);
  Part part{.before = static_cast<std::size_t>(target - start),
            .is_inside = reach != CopyMap::Reach::kBefore,
            .is_all = target == start && reach == CopyMap::Reach::kTo};
  part.phase = part.before;
  if (whole.is_table) {
    // Elements are counted from the end: the storage starts with other things.
    std::size_t& all = table_bytes_[start];
    if (all == 0) all = map.BytesOf(start);
    const std::size_t element = whole.size;
    part.phase = element - (all - part.before) % element;
    leads_into_table_ = true;
  }
  if (is_closed_ && !IsExactPart(target, part, whole, plan, count)) {
    is_stopped_ = true;
    return;
  }
  MeetPart(part, whole, plan, count);
}

/// Of a table it is not known whether there is an element.
bool GraphFinder::IsExactPart(const char* target, const Part& part,
                              const CopyPlan& whole, const CopyPlan& plan,
                              std::size_t count) {
  const TypeLayout& type = *plan.type;
  const TypeLayout& element = *whole.type;
  if (whole.is_table || !part.is_inside ||
      reinterpret_cast<std::uintptr_t>(target) % type.align != 0) {
    return false;
  }
  const std::size_t inside = part.phase % element.size;
  return (inside == 0 && SameType(element, type)) ||
         (IsByte(type) && IsAnyBytes(element)) ||
         HoldsExactly(element, target - inside, inside, type, count);
}

/// Static storage stays where it is.
void GraphFinder::MeetOutside(const char* target, const CopyPlan& plan,
                              std::size_t count) {
  if (root_ != nullptr) {
    const std::size_t size = root_plan_->type->size;
    const auto before = static_cast<std::size_t>(target - root_);
    const std::size_t bytes = count * plan.size;
    if (before < size) {
      return MeetPart({.before = before,
                       .phase = before,
                       .is_inside = bytes <= size - before,
                       .is_all = bytes == size},
                      *root_plan_, plan, count);
    }
  }
  if (outside_ == OutsideArenas::kStays) return;
  if (is_closed_ || !static_storage_.Holds(target)) is_stopped_ = true;
}

/// Objects in an extent that was met before: the copy of that holds theirs, if
/// its slots are theirs as well.
void GraphFinder::MeetPart(const Part& part, const CopyPlan& whole,
                           const CopyPlan& plan, std::size_t count) {
  const TypeLayout& type = *plan.type;
  const TypeLayout& element = *whole.type;
  const std::size_t offset = part.phase % element.size;
  const bool are_elements = offset == 0 && SameType(element, type);
  const bool has_slots_of_its_own = !plan.steps.empty() && !are_elements &&
                                    !HasPart(element, offset, type, count);
  // Where both take the same bytes, the block is of the type around the other.
  const bool is_around = part.is_all && DepthOf(type) > DepthOf(element);
  const bool is_aligned =
      part.before % type.align == 0 &&
      (type.align <= kGranule || type.align <= whole.align());
  if (!part.is_inside || has_slots_of_its_own || is_around || !is_aligned) {
    is_stopped_ = true;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
