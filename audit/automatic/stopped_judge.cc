// SPDX-License-Identifier: MIT

#include "automatic/stopped_judge.h"

#include <cstring>

#include "acre/detail/gc_query.h"
#include "acre/detail/location.h"
#include "classify.h"

namespace acre::inline ACRE_ABI::detail {

UnscannedArray<StoppedJudge::Range, StoppedJudge::kMany> StoppedJudge::ranges;

StoppedJudge::StoppedJudge(const Arena& arena)
    : arena_(arena), mask_(kFew - 1) {
  std::memset(ranges.data(), 0, kFew * sizeof(Range));
}

bool StoppedJudge::Find(const void* address) {
  const Location where = LocateWhileStopped(address);
  if (where.arena != &arena_) return false;
  if (mask_ != kMany - 1 && ++found_ > kFew) {
    std::memset(ranges.data(), 0, ranges.kBytes);
    mask_ = kMany - 1;
  }
  ranges[reinterpret_cast<std::uintptr_t>(address) >> kRangeShift & mask_] = {
      Hide(where.chunk_begin),
      static_cast<std::size_t>(where.chunk_end - where.chunk_begin)};
  return true;
}

bool StoppedJudge::IsLeak(const TypeLayout& type, const void* slot,
                          const void* address, StoppedFinding* finding) {
  const bool is_traced = arena_.is_traced() && IsOwn(slot);
  if (is_traced && type.kind != TypeKind::kHandle && IsTracedSlot(type, slot)) {
    return false;
  }
  if (is_traced) finding->target = Target::kUntraced;
  const Location where = LocateWhileStopped(address);
  if (where.arena != nullptr) {
    if (!where.arena->is_collected()) return false;
    if (!is_traced) finding->target = Target::kCollectedArena;
    finding->hidden_base = Hide(where.chunk_begin);
  } else {
    const void* base = CollectedBase(address);
    if (base == nullptr || IsUncollectable(base)) return false;
    finding->hidden_base = Hide(base);
    finding->target_bytes = CollectedSize(base);
    finding->is_pointer_free = IsPointerFree(base);
  }
  finding->hidden_slot = Hide(slot);
  finding->hidden_address = Hide(address);
  finding->type = type.element();
  finding->kind = KindOf(type);
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
