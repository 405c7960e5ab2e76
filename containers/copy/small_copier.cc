// SPDX-License-Identifier: MIT

#include "copy/small_copier.h"

#include <bit>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/location.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk.h"
#include "copy/copy_bytes.h"
#include "copy/table_runs.h"

namespace acre::inline ACRE_ABI::detail {

bool SmallCopier::Run(const TypeLayout& type, const void* root) {
  Meet(type, root, 1);
  if (!Find() || !Sort() || !Take()) return false;
  Copy();
  is_finished_ = true;
  return true;
}

SmallCopier::~SmallCopier() {
  if (is_finished_) return;
  refs_.GiveBack();
  while (taken_ != 0) {
    const Extent& extent = *sorted_[--taken_];
    Blocks::Give(arena_, extent.copy, extent.bytes, extent.align(),
                 extent.block_type());
  }
}

/// The seat of the extent that starts there, or the free one that it would get.
std::size_t SmallCopier::SeatOf(const void* source) const {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;  // Fibonacci hash
  constexpr int kShift = 64 - std::countr_zero(kSeats);
  const auto granule = reinterpret_cast<std::uintptr_t>(source) / kGranule;
  std::size_t seat = granule * kGoldenRatio >> kShift;
  while (seats_[seat] != 0 && extents_[seats_[seat] - 1].source != source) {
    seat = (seat + 1) % kSeats;
  }
  return seat;
}

// ----------------------------------------------------------------------- find

bool SmallCopier::Find() {
  while (walked_ < count_ && !is_stopped_) {
    const Extent& extent = extents_[walked_++];
    if (!extent.type->has_slots) continue;
    const Plan plan = PlanOf(*extent.type);
    if (!extent.is_table) {
      FindInRow(plan, {extent.source, extent.bytes / extent.type->size});
      continue;
    }
    ForEachTableRun({extent.source, extent.bytes}, extent.slot_shape(),
                    [&](const ElementRun& run) { FindInRow(plan, run); });
  }
  return !is_stopped_;
}

void SmallCopier::FindInRow(Plan plan, const ElementRun& row) {
  if (plan.type->kind == TypeKind::kPointer) return FindPointers(plan, row);
  const std::size_t size = plan.type->size;
  const auto* at = static_cast<const char*>(row.data);
  for (std::size_t i = 0; i < row.count; ++i, at += size) {
    for (std::size_t step = plan.first; step != plan.end; ++step) {
      if (ACRE_UNLIKELY(is_stopped_)) return;
      TakeStep(step, at + steps_[step].offset);
    }
  }
}

void SmallCopier::FindPointers(Plan plan, const ElementRun& row) {
  if (is_stopped_) return;  // there was no room for the step
  const TypeLayout& type = *elements_[plan.first];
  const auto* pointers = static_cast<const void* const*>(row.data);
  for (std::size_t i = 0; i < row.count && !is_stopped_; ++i) {
    if (pointers[i] == nullptr || StaysOutside(pointers[i])) continue;
    NoteLink(reinterpret_cast<const char*>(&pointers[i]), plan.first,
             Meet(type, pointers[i], 1));
  }
}

inline void SmallCopier::TakeStep(std::size_t nth, const char* slot) {
  const Step& step = steps_[nth];
  switch (step.kind) {
    case Step::Kind::kPointer: {
      const void* const target = *reinterpret_cast<void* const*>(slot);
      if (target == nullptr || StaysOutside(target)) return;
      return NoteLink(slot, nth, Meet(*elements_[nth], target, 1));
    }
    case Step::Kind::kView: {
      const ElementRun run = step.type->ops->view(slot);
      if (run.count == 0 || StaysOutside(run.data)) return;
      return NoteLink(slot, nth, Meet(*elements_[nth], run.data, run.count));
    }
    case Step::Kind::kVector:
    case Step::Kind::kString:
    case Step::Kind::kHandle:
      return NoteLink(slot, nth,
                      MeetStorage(step, *elements_[nth], step.InUse(slot)));
    case Step::Kind::kRef:
      refs_.Count(*step.type);
      return NoteLink(slot, nth, 0);
    case Step::Kind::kPart:
      return TakePart(*step.type, slot);
  }
}

/// A tuple, a choice, a long array.
void SmallCopier::TakePart(const TypeLayout& type, const char* part) {
  auto take = [this](const Slot& slot) {
    const std::size_t step = StepOf(*slot.type);
    if (is_stopped_) return;
    TakeStep(step, static_cast<const char*>(slot.address));
  };
  ForEachSlot(type, const_cast<char*>(part), take);
}

/// The root is no pointer's target there.
bool SmallCopier::StaysOutside(const void* target) {
  if (outside_ == OutsideArenas::kIsCopied) return false;
  const auto* at = static_cast<const char*>(target);
  const Extent& root = extents_[0];
  return !IsHandedOut(at, 0) && (at < root.source || at >= root.end());
}

/// The number of the extent that is these objects.
std::size_t SmallCopier::Meet(const TypeLayout& type, const void* source,
                              std::size_t count) {
  const std::size_t bytes = count * type.size;
  std::uint8_t& seat = seats_[SeatOf(source)];
  if (seat == 0) {
    return Add(seat, {static_cast<const char*>(source), bytes, &type, false,
                      false, nullptr});
  }
  const Extent& known = extents_[seat - 1];
  const bool are_same =
      !known.is_storage && known.bytes == bytes && SameType(*known.type, type);
  return are_same ? seat : Stop();
}

/// The number of a container's storage; 0 where it has none.
std::size_t SmallCopier::MeetStorage(const Step& step,
                                     const TypeLayout& element,
                                     const ElementRun& storage) {
  if (storage.count == 0) return 0;
  std::uint8_t& seat = seats_[SeatOf(storage.data)];
  // Whose keys hold pointers has to be filled anew.
  const bool is_usual = step.kind != Step::Kind::kHandle ||
                        (step.is_table && step.type->ops->rehash == nullptr);
  if (seat != 0 || !is_usual) return Stop();
  return Add(seat, {static_cast<const char*>(storage.data), storage.count,
                    &element, true, step.is_table, nullptr});
}

/// The root, the first of all, need not lie in an arena.
inline std::size_t SmallCopier::Add(std::uint8_t& seat, const Extent& extent) {
  // Without looking at all elements of what is long.
  const TypeLayout& type = *extent.type;
  const bool is_long = type.has_slots && extent.bytes > kMostLinks * type.size;
  if (count_ == kMost || is_long ||
      (count_ != 0 && !IsHandedOut(extent.source, extent.bytes))) {
    return Stop();
  }
  extents_[count_] = extent;
  seat = static_cast<std::uint8_t>(++count_);
  return count_;
}

ACRE_INLINE void SmallCopier::NoteLink(const char* slot, std::size_t step,
                                       std::size_t to) {
  const auto offset =
      static_cast<std::size_t>(slot - extents_[walked_ - 1].source);
  if (ACRE_UNLIKELY(links_count_ == kMostLinks || offset > UINT32_MAX)) {
    Stop();
    return;
  }
  links_[links_count_++] = {
      static_cast<std::uint32_t>(offset), static_cast<std::uint8_t>(walked_),
      static_cast<std::uint8_t>(to), static_cast<std::uint8_t>(step)};
}

SmallCopier::Plan SmallCopier::PlanOf(const TypeLayout& type) {
  for (std::size_t i = 0; i < plans_count_; ++i) {
    if (SameType(*plans_[i].type, type)) return plans_[i];
  }
  Plan plan{&type, static_cast<std::uint8_t>(steps_count_), 0};
  ForEachSlotType(type, 0,
                  [this](std::size_t offset, const TypeLayout& slot,
                         const FieldLayout*) { AddStep(slot, offset); });
  plan.end = static_cast<std::uint8_t>(steps_count_);
  if (plans_count_ == kMostPlans) {
    Stop();
  } else {
    plans_[plans_count_++] = plan;
  }
  return plan;
}

void SmallCopier::AddStep(const TypeLayout& slot, std::size_t offset) {
  if (steps_count_ == kMostSteps || offset > UINT32_MAX) {
    Stop();
    return;
  }
  const Step step = CopyPlans::StepOf(slot, offset);
  const bool leads_on =
      step.kind != Step::Kind::kPart && step.kind != Step::Kind::kRef;
  elements_[steps_count_] = leads_on ? slot.element() : nullptr;
  steps_[steps_count_++] = step;
}

/// Of a slot in a part, whose offset only an object tells. Of no meaning where
/// there is no place for it.
std::size_t SmallCopier::StepOf(const TypeLayout& slot) {
  for (std::size_t i = 0; i < steps_count_; ++i) {
    if (SameType(*steps_[i].type, slot)) return i;
  }
  AddStep(slot, 0);
  return steps_count_ - 1;
}

std::size_t SmallCopier::Stop() {
  is_stopped_ = true;
  return 0;
}

bool SmallCopier::IsHandedOut(const char* begin, std::size_t bytes) {
  if (begin < chunk_begin_ || begin >= live_end_) {
    const Location where = Locate(begin);
    if (where.arena == nullptr) return false;
    chunk_begin_ = where.chunk_begin;
    live_end_ = where.live_end;
  }
  return begin >= chunk_begin_ && begin < live_end_ &&
         bytes <= static_cast<std::size_t>(live_end_ - begin);
}

/// False where the bytes of one are another's as well.
bool SmallCopier::Sort() {
  for (std::size_t i = 0; i < count_; ++i) {
    // What was made in order is mostly met in order.
    std::size_t at = i;
    for (; at != 0 && sorted_[at - 1]->source > extents_[i].source; --at) {
      sorted_[at] = sorted_[at - 1];
    }
    sorted_[at] = &extents_[i];
  }
  for (std::size_t i = 1; i < count_; ++i) {
    if (sorted_[i - 1]->end() > sorted_[i]->source) return false;
  }
  return true;
}

// ----------------------------------------------------------------------- take

bool SmallCopier::Take() {
  for (; taken_ < count_; ++taken_) {
    Extent& extent = *sorted_[taken_];
    void* block = Blocks::TryTake(arena_, extent.bytes, extent.align(),
                                  extent.block_type());
    if (block == nullptr) return false;
    if (extent.is_storage) Blocks::NoteStorage(arena_, block);
    if (extent.is_table) {
      NoteTableRow(arena_, block, extent.bytes, *extent.type);
    }
    extent.copy = static_cast<char*>(block);
  }
  return refs_.Reserve();
}

// ----------------------------------------------------------------------- copy

void SmallCopier::Copy() {
  // The root may lie anywhere.
  std::memcpy(extents_[0].copy, extents_[0].source, extents_[0].bytes);
  for (std::size_t i = 1; i < count_; ++i) {
    CopyBytes(extents_[i].copy, extents_[i].source, extents_[i].bytes);
  }
  for (std::size_t i = 0; i < links_count_; ++i) Rewrite(links_[i]);
}

inline void SmallCopier::Rewrite(const Link& link) {
  char* slot = extents_[link.in - 1].copy + link.offset;
  const Extent* to = link.to != 0 ? &extents_[link.to - 1] : nullptr;
  const Step& step = steps_[link.step];
  switch (step.kind) {
    case Step::Kind::kPointer:
      *reinterpret_cast<void**>(slot) = to->copy;
      return;
    case Step::Kind::kView:
      return step.type->ops->set_view(slot, to->copy);
    case Step::Kind::kRef:
      return refs_.Copy(*step.type, slot);
    default:
      return step.Adopt(slot, &arena_, to != nullptr ? to->copy : nullptr,
                        to != nullptr ? to->bytes : 0);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
