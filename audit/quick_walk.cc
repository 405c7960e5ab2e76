// SPDX-License-Identifier: MIT

#include "quick_walk.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/parts.h"

namespace acre::inline ACRE_ABI::detail {

bool QuickWalk::IsClean(std::span<const AuditRoot> roots, AuditReport& report) {
  for (const AuditRoot& root : roots) {
    Visit(marks_.Of(root.object), root.object, *PlanOf(*root.type), 1);
  }
  WalkAll();
  report.objects = objects_;
  report.pointers = pointers_;
  report.reviewed = reviewed_.size();
  return is_clean_;
}

// --------------------------------------------------------------- whole arenas

bool QuickWalk::IsWholeClean(std::span<const AuditRoot> roots,
                             PerChunk<CoveredWords>& covered,
                             AuditReport& report) {
  covered_ = &covered;
  MarkBlocks();
  for (const AuditRoot& root : roots) {
    rows_.Keep({static_cast<const char*>(root.object),
                static_cast<const char*>(root.object) + root.type->size,
                PlanOf(*root.type)});
  }
  WalkRows();
  EnterBlocks();
  report.objects = objects_;
  report.pointers = pointers_;
  report.reviewed = reviewed_.size();
  return is_clean_;
}

QuickWalk::Plan* QuickWalk::PlanOfBlock(const BlockView& block) {
  if (block.is_freed || block.is_storage || block.type == nullptr) {
    return nullptr;
  }
  if (block_type_ != block.type) {
    block_type_ = block.type;
    block_plan_ = PlanOf(*block.type);
    block_plan_->has_gaps = MayHaveGaps(*block.type, block.begin);
  }
  return block_plan_;
}

void QuickWalk::MarkBlocks() {
  BlockWalk walk(arena_);
  for (BlockView block; walk.Next(&block);) {
    const Plan* const plan = PlanOfBlock(block);
    if (plan == nullptr || plan->number == 0) continue;
    // Elements behind the first are looked up where something leads to them.
    marks_.Of(block.begin)->Mark(block.begin, plan->number);
  }
}

void QuickWalk::EnterBlocks() {
  BlockWalk walk(arena_);
  std::size_t storages = 0;
  for (BlockView block; is_clean_ && walk.Next(&block);) {
    Plan* const plan = PlanOfBlock(block);
    if (plan == nullptr) {
      if (block.is_freed) continue;
      ++storages;
      has_rest_ = has_rest_ || !block.is_storage;  // raw memory
      continue;
    }
    if (block.bytes == 0) continue;
    ++objects_;
    has_rest_ = has_rest_ || plan->has_gaps;
    if (plan->steps.empty()) continue;
    const std::size_t size = plan->type->size;
    const char* const end = block.begin + block.bytes / size * size;
    for (const char* at = block.begin; at != end; at += size) {
      Enter({at, plan});
    }
    if (!rows_.empty()) WalkRows();
  }
  unjudged_.Drain([this](const Unjudged& pointer) { JudgeTarget(pointer); });
  has_rest_ = has_rest_ || storages != storages_met_;
}

/// Of a whole arena. What is fine is marked: it is not judged again.
inline void QuickWalk::JudgeTarget(const Unjudged& pointer) {
  const auto [in, address, step, marks] = pointer;
  if (address == nullptr) return;
  const std::uint8_t number = TargetOf(*step).number;
  if (marks != nullptr && marks->IsMarked(address, number)) return;
  if (!IsFine(marks, address, *step, 1)) return Suspect(in);
  if (marks != nullptr) marks->Mark(address, number);
}

/// Of a whole arena: false where the storage was met before. It is no
/// undescribed memory.
inline bool QuickWalk::CoverStorage(const HandleStorage& storage) {
  const auto* const block = static_cast<const char*>(storage.block);
  CoveredWords* const covered = covered_->Of(block);
  if (covered == nullptr) return true;
  if (covered->IsCovered(block)) return false;
  covered->Cover(block, storage.bytes);
  ++storages_met_;
  return true;
}

// ---------------------------------------------------------------------- types

QuickWalk::Plan* QuickWalk::PlanOf(const TypeLayout& type) {
  const auto known = plans_.find(type.id);
  if (known != plans_.end()) return known->second.get();
  Plan* plan = AddPlan(type.id, type);
  ForEachSlotType(
      type, 0,
      [&](std::size_t offset, const TypeLayout& slot, const FieldLayout*) {
        plan->steps.push_back(StepOf(slot, offset));
      });
  plan->is_pointer = type.kind == TypeKind::kPointer;
  return plan;
}

QuickWalk::Step QuickWalk::StepOf(const TypeLayout& slot, std::size_t offset) {
  Step step{.offset = static_cast<std::uint32_t>(offset),
            .kind = slot.kind,
            .type = &slot,
            .element = nullptr};
  const bool is_slot = slot.kind == TypeKind::kPointer ||
                       slot.kind == TypeKind::kView ||
                       slot.kind == TypeKind::kHandle;
  if (!is_slot) return step;
  step.element = slot.element();
  step.leads_on = step.element->has_slots;
  step.has_runs =
      slot.kind == TypeKind::kHandle && (IsTable(slot) || HasOwnForm(slot));
  step.size = step.element->size;
  step.align = step.element->align;
  return step;
}

QuickWalk::Plan& QuickWalk::TargetOf(Step& step) {
  if (step.target == nullptr) {
    step.target = PlanOf(*step.element);
    step.number = step.target->number;
  }
  return *step.target;
}

QuickWalk::Plan* QuickWalk::StoragePlanOf(const TypeLayout& handle) {
  const auto known = plans_.find(~handle.id);
  return known != plans_.end() ? known->second.get()
                               : AddPlan(~handle.id, handle);
}

QuickWalk::Plan* QuickWalk::AddPlan(std::uint64_t id, const TypeLayout& type) {
  const std::uint8_t number =
      last_number_ < ChunkMarks::kMaxTypes ? ++last_number_ : 0;
  auto& plan = plans_[id];
  plan = std::make_unique<Plan>(Plan{&type, number});
  if (number != 0) numbered_[number] = plan.get();
  return plan.get();
}

// ----------------------------------------------------------------------- walk

void QuickWalk::WalkAll() {
  for (bool found = true; found && is_clean_;) {
    WalkRows();
    found = false;
    // By index: more chunks may be met.
    for (std::size_t i = 0; i < marks_.size() && is_clean_; ++i) {
      if (!marks_[i].HasPending()) continue;
      found = true;
      marks_[i].EnterPending([this](const char* object, unsigned number) {
        Plan* plan = numbered_[number];
        __builtin_prefetch(object);
        __builtin_prefetch(object + plan->type->size - 1);
        const Object next = ahead_.Exchange({object, plan});
        PrefetchStorage(ahead_.Middle());
        EnterAhead(next);
      });
    }
    ahead_.Drain([this](const Object& object) { EnterAhead(object); });
    unmarked_.Drain([this](const Unmarked& object) { MarkOne(object); });
    found = found || !rows_.empty();
    for (std::size_t i = 0; i < marks_.size(); ++i) {
      found = found || marks_[i].HasPending();
    }
  }
}

/// The object's own memory has come by now. The handles that lead on, Vector,
/// Map and Set, start with the address of their storage.
inline void QuickWalk::PrefetchStorage(const Object& object) {
  if (object.address == nullptr) return;
  for (const Step& step : object.plan->steps) {
    if (step.kind != TypeKind::kHandle || !step.leads_on) continue;
    const void* storage;
    std::memcpy(&storage, object.address + step.offset, sizeof storage);
    __builtin_prefetch(storage);
  }
}

void QuickWalk::WalkRows() {
  while (!rows_.empty() && is_clean_) {
    EnterRow(rows_.Pop());
  }
}

inline void QuickWalk::EnterAhead(const Object& object) {
  if (object.address == nullptr || !is_clean_) return;
  ++objects_;
  Enter(object);
  if (!rows_.empty()) WalkRows();
}

void QuickWalk::EnterRow(const Row& row) {
  ++objects_;
  Plan& plan = *row.plan;
  if (plan.is_pointer) return FollowPointers(row.begin, row.end, plan);
  for (const char* at = row.begin; at != row.end && is_clean_;
       at += plan.type->size) {
    Enter({at, &plan});
  }
}

void QuickWalk::EnterNested(const Row& row) {
  rows_.WalkOrKeep(row, [this](const Row& now) { EnterRow(now); });
}

inline void QuickWalk::FollowPointers(const char* begin, const char* end,
                                      Plan& plan) {
  Step& step = plan.steps[0];
  for (; begin != end; begin += sizeof(void*)) {
    FollowPointer({begin, &plan}, begin, step);
  }
}

inline void QuickWalk::Enter(Object object) {
  for (Step& step : object.plan->steps) {
    TakeStep(object, object.address + step.offset, step);
  }
}

inline void QuickWalk::TakeStep(Object in, const char* slot, Step& step) {
  switch (step.kind) {
    case TypeKind::kPointer:
      return FollowPointer(in, slot, step);
    case TypeKind::kView:
      return FollowView(in, slot, step);
    case TypeKind::kHandle:
      return FollowHandle(in, slot, step);
    default:
      return WalkPart(in, slot, *step.type);
  }
}

/// A tuple, a choice, a long array.
void QuickWalk::WalkPart(Object in, const char* part, const TypeLayout& type) {
  auto take = [&](const Slot& slot) {
    Step step = StepOf(*slot.type, 0);
    if (covered_ != nullptr && step.kind == TypeKind::kPointer) {
      const void* const address = PointedTo(slot).data;
      if (address == nullptr) return;
      ++pointers_;
      // Not later: the step is gone by then.
      return JudgeTarget({in, address, &step, marks_.Of(address)});
    }
    TakeStep(in, static_cast<const char*>(slot.address), step);
  };
  ForEachSlot(type, const_cast<char*>(part), take);
}

inline void QuickWalk::FollowPointer(Object in, const char* slot, Step& step) {
  const void* address = *reinterpret_cast<const void* const*>(slot);
  if (address == nullptr) return;
  ++pointers_;
  ChunkMarks* const marks = marks_.Of(address);
  if (covered_ != nullptr) {
    if (marks != nullptr) marks->Prefetch(address);
    return JudgeTarget(unjudged_.Exchange({in, address, &step, marks}));
  }
  if (marks == nullptr || step.number == 0) {
    return FollowSlowly(in, marks, address, step);
  }
  // In checked builds judging takes longer than asking whether it was done.
  if (kChecked && marks->IsMarked(address, step.number)) return;
  if (!IsFine(marks, address, step, 1)) return Suspect(in);
  const ChunkMarks::Spot spot = marks->SpotOf(address, step.number);
  ChunkMarks::Prefetch(spot);
  MarkOne(unmarked_.Exchange({marks, spot}));
}

/// What cannot be marked, or the first of its type.
void QuickWalk::FollowSlowly(Object in, ChunkMarks* marks, const void* address,
                             Step& step) {
  if (!IsFine(marks, address, step, 1)) return Suspect(in);
  if (step.leads_on) Visit(marks, address, TargetOf(step), 1);
}

void QuickWalk::FollowView(Object in, const char* slot, Step& step) {
  const ElementRun run = step.type->ops->view(slot);
  if (run.count == 0 || run.data == nullptr) return;
  ++pointers_;
  ChunkMarks* marks = marks_.Of(run.data);
  if (!IsFine(marks, run.data, step, run.count)) return Suspect(in);
  if (step.leads_on && covered_ == nullptr) {
    Visit(marks, run.data, TargetOf(step), run.count);
  }
}

inline void QuickWalk::FollowHandle(Object in, const char* slot, Step& step) {
  const HandleStorage storage = step.type->ops->storage(slot);
  if (storage.block == nullptr) return;
  ++pointers_;
  ChunkMarks* marks = marks_.Of(storage.block);
  if (!IsFine(marks, storage, *step.element)) return Suspect(in);
  const bool is_new =
      covered_ != nullptr
          ? CoverStorage(storage)
          : step.leads_on && VisitStorage(marks, storage.block, step);
  if (!is_new || !step.leads_on) return;
  Plan& plan = TargetOf(step);
  const auto* begin = static_cast<const char*>(storage.block);
  const char* end = begin + storage.used;
  if (!step.has_runs) {
    if (!plan.is_pointer) return EnterNested({begin, end, &plan});
    ++objects_;  // as EnterRow does; pointers nest no deeper
    return FollowPointers(begin, end, plan);
  }
  ForEachRun(*step.type, slot, [&](ElementRun run, std::size_t) {
    const auto* data = static_cast<const char*>(run.data);
    EnterNested({data, data + run.count * step.size, &plan});
  });
}

inline bool QuickWalk::IsFine(const ChunkMarks* marks, const void* address,
                              const Step& step, std::size_t count) {
  if (!kChecked && marks != nullptr) {
    const auto* p = static_cast<const char*>(address);
    return (reinterpret_cast<std::uintptr_t>(p) & (step.align - 1)) == 0 &&
           BytesOf(count, step.size) <= marks->RoomAt(p);
  }
  return !classifier_.Classify(address, {step.element, count});
}

inline bool QuickWalk::IsFine(const ChunkMarks* marks,
                              const HandleStorage& storage,
                              const TypeLayout& element) {
  if (!kChecked && marks != nullptr && storage.arena == &arena_ &&
      arena_.IsLive(storage.stamp) &&
      storage.used <= marks->RoomAt(static_cast<const char*>(storage.block))) {
    return true;
  }
  return !classifier_.ClassifyStorage(storage, element);
}

inline void QuickWalk::Visit(ChunkMarks* marks, const void* address, Plan& plan,
                             std::size_t count) {
  if (count == 1 && marks != nullptr && plan.number != 0) {
    return MarkOne({marks, marks->SpotOf(address, plan.number)});
  }
  VisitElsewhere(address, plan, count);
}

inline void QuickWalk::MarkOne(const Unmarked& object) {
  if (object.marks == nullptr) return;
  switch (ChunkMarks::Mark(object.spot)) {
    case ChunkMarks::Seen::kNow:
      return object.marks->SetPending(object.spot);
    case ChunkMarks::Seen::kBefore:
      return;
    case ChunkMarks::Seen::kNoPlace:
      return VisitElsewhere(object.marks->AddressOf(object.spot),
                            *numbered_[ChunkMarks::TypeOf(object.spot)], 1);
  }
}

void QuickWalk::VisitElsewhere(const void* address, Plan& plan,
                               std::size_t count) {
  const std::size_t size = plan.type->size;
  const std::uint64_t number = visited_.FindOrInsert(address, *plan.type);
  std::size_t seen = 0;
  if (number == VisitSet::kNone) {
    walked_.push_back(count);
  } else {
    seen = std::exchange(walked_[number], std::max(walked_[number], count));
  }
  if (seen >= count) return;
  const auto* begin = static_cast<const char*>(address);
  rows_.Keep({begin + seen * size, begin + count * size, &plan});
}

inline bool QuickWalk::VisitStorage(ChunkMarks* marks, const void* block,
                                    Step& step) {
  if (step.storage == nullptr) step.storage = StoragePlanOf(*step.type);
  if (marks != nullptr) {
    const auto seen = marks->Mark(block, step.storage->number);
    if (seen != ChunkMarks::Seen::kNoPlace) {
      return seen == ChunkMarks::Seen::kNow;
    }
  }
  if (!visited_.InsertStorage(block, *step.type)) return false;
  walked_.push_back(1);
  return true;
}

// ------------------------------------------------------------------- findings

void QuickWalk::Suspect(Object object) {
  auto judge = [this](const Slot& slot) { Judge(slot); };
  ForEachSlot(*object.plan->type, const_cast<char*>(object.address), judge);
}

void QuickWalk::Judge(const Slot& slot) {
  std::optional<Verdict> verdict;
  const TypeLayout& type = *slot.type;
  if (type.kind == TypeKind::kHandle) {
    const HandleStorage storage = type.ops->storage(slot.address);
    if (storage.block == nullptr) return;
    verdict = classifier_.ClassifyStorage(storage, *type.element());
  } else {
    const ElementRun run = PointedTo(slot);
    if (run.data == nullptr) return;
    verdict = classifier_.Classify(run.data, {type.element(), run.count});
    if (type.kind == TypeKind::kPointer &&
        classifier_.IsEndOfArray(run.data, *type.element())) {
      return;
    }
  }
  if (verdict) verdict = classifier_.InTraced(type, slot.address, *verdict);
  if (!verdict || !classifier_.IsOwn(slot.address)) return;
  if (verdict->target == Target::kStatic && !options_.report_static) return;
  if (slot.field != nullptr && slot.field->note == FieldNote::kReviewed) {
    reviewed_.insert(slot.address);
  } else {
    is_clean_ = false;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
