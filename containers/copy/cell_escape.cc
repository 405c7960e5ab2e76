// SPDX-License-Identifier: MIT

#include "copy/cell_escape.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "acre/detail/heap_arena.h"
#include "acre/detail/location.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kCacheLine = 64;

}  // namespace

void* CellEscape::Run(const TypeLayout& type, const void* root) {
  Plan* const first = PlanOf(type);
  if (first == nullptr) return nullptr;
  if (Meet(*first, static_cast<const char*>(root)) == nullptr) return nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    const Object object = objects_[i];
    Plan& plan = const_cast<Plan&>(*object.plan);
    for (std::size_t k = 0; k < plan.slots; ++k) {
      const std::size_t at = plan.offsets[k];
      const auto* const source =
          *reinterpret_cast<const char* const*>(object.source + at);
      if (source == nullptr) continue;
      if (source != root && !IsInArena(source, 1)) {
        // It stays where it is; but not what lies in the root.
        const auto offset =
            static_cast<std::size_t>(source - static_cast<const char*>(root));
        if (offset < type.size) return nullptr;
        continue;
      }
      Plan* const target = TargetOf(plan, k);
      char* const copy = target == nullptr ? nullptr : Meet(*target, source);
      if (copy == nullptr) return nullptr;
      *reinterpret_cast<char**>(object.copy + at) = copy;
    }
  }
  return is_in_order_ || AreApart() ? objects_[0].copy : nullptr;
}

CellEscape::Plan* CellEscape::PlanOf(const TypeLayout& type) {
  for (std::size_t i = 0; i < plans_count_; ++i) {
    if (SameType(*plans_[i].type, type)) return &plans_[i];
  }
  if (plans_count_ == kMostPlans || type.has_handles || type.align > kGranule) {
    return nullptr;
  }
  Plan& plan = plans_[plans_count_];
  plan.type = &type;
  plan.slots = 0;
  bool fits = true;
  ForEachSlotType(
      type, 0,
      [&](std::size_t offset, const TypeLayout& slot, const FieldLayout*) {
        fits =
            fits && slot.kind == TypeKind::kPointer && plan.slots < kMostSlots;
        if (!fits) return;
        plan.targets[plan.slots] = kNoPlan;
        plan.offsets[plan.slots] = static_cast<std::uint32_t>(offset);
        plan.target_types[plan.slots++] = slot.element();
      });
  if (!fits) return nullptr;
  plan.may_hold_address = MayHoldAddress(type);
  ++plans_count_;
  return &plan;
}

inline CellEscape::Plan* CellEscape::TargetOf(Plan& plan, std::size_t slot) {
  if (plan.targets[slot] == kNoPlan) {
    const Plan* const target = PlanOf(*plan.target_types[slot]);
    if (target == nullptr) return nullptr;
    plan.targets[slot] = static_cast<std::uint8_t>(target - plans_);
  }
  return &plans_[plan.targets[slot]];
}

/// The copy of such an object; null where it cannot be made.
inline char* CellEscape::Meet(Plan& plan, const char* source) {
  constexpr std::uint64_t kGoldenRatio = 0x9E3779B97F4A7C15u;  // Fibonacci hash
  constexpr int kShift = 64 - std::countr_zero(kSeats);
  const auto granule = reinterpret_cast<std::uintptr_t>(source) / kGranule;
  for (std::size_t seat = granule * kGoldenRatio >> kShift;;
       seat = (seat + 1) % kSeats) {
    if (seats_[seat] == 0) return Make(plan, source, seats_[seat]);
    const Object& known = objects_[seats_[seat] - 1];
    if (known.source == source) {
      return known.plan == &plan ? known.copy : nullptr;
    }
  }
}

inline char* CellEscape::Make(Plan& plan, const char* source,
                              std::uint8_t& seat) {
  const std::size_t bytes = plan.type->size;
  if (count_ == kMost || (count_ != 0 && !IsInArena(source, bytes))) {
    return nullptr;
  }
  void* const copy = NewHeapObject({}, bytes, plan.type->align, plan.type,
                                   plan.may_hold_address);
  if (copy == nullptr) return nullptr;
  if (bytes % sizeof(std::uint64_t) == 0 && bytes <= kCacheLine) {
    // A call would take longer.
    for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
      std::memcpy(static_cast<char*>(copy) + i, source + i,
                  sizeof(std::uint64_t));
    }
  } else {
    std::memcpy(copy, source, bytes);
  }
  // What was made one after the other is met so, or the other way round.
  if (source >= end_ || count_ == 0) {
    end_ = source + bytes;
    if (count_ == 0) begin_ = source;
  } else if (source + bytes <= begin_) {
    begin_ = source;
  } else {
    is_in_order_ = false;
  }
  objects_[count_] = {source, static_cast<char*>(copy), &plan};
  seat = static_cast<std::uint8_t>(++count_);
  return static_cast<char*>(copy);
}

/// True for what is handed out, as a whole.
inline bool CellEscape::IsInArena(const char* address, std::size_t bytes) {
  if (address < chunk_begin_ || address >= live_end_) {
    const Location where = Locate(address);
    if (where.arena == nullptr) return false;
    chunk_begin_ = where.chunk_begin;
    live_end_ = where.live_end;
    if (address >= live_end_) return false;
  }
  return bytes <= static_cast<std::size_t>(live_end_ - address);
}

/// False where the bytes of one are another's as well.
bool CellEscape::AreApart() {
  const Object* sorted[kMost];
  for (std::size_t i = 0; i < count_; ++i) sorted[i] = &objects_[i];
  std::sort(sorted, sorted + count_, [](const Object* a, const Object* b) {
    return a->source < b->source;
  });
  for (std::size_t i = 1; i < count_; ++i) {
    const Object& before = *sorted[i - 1];
    if (before.source + before.plan->type->size > sorted[i]->source) {
      return false;
    }
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
