// SPDX-License-Identifier: MIT

#include "automatic/stopped_sweep.h"

#include "acre/detail/borrowed.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/location.h"
#include "automatic/noted_rows.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Frames of this recursion take some 300 bytes each; a thread in a collection
// has at least a few pages left.
constexpr std::size_t kMaxDepth = 100;

bool HasSlots(const BlockView& block) {
  const TypeLayout* const type = ElementOf(block);
  return type != nullptr && type->has_slots;
}

}  // namespace

void StoppedSweep::Run() {
  BlockView block;
  for (auto walk = BlockWalk::OverKnown(arena_, pass_); walk.Next(&block);) {
    if (block.is_freed || block.is_storage || !HasSlots(block)) continue;
    SweepBlock(block);
  }
  // What no container in the arena holds, one outside does: on a stack, in
  // malloc'ed memory, on the collected heap.
  is_held_outside_ = true;
  for (auto walk = BlockWalk::OverKnown(arena_, pass_); walk.Next(&block);) {
    const bool is_left = block.is_storage && !block.is_freed && !block.is_met;
    if (is_left && HasSlots(block)) SweepBlock(block);
  }
}

void StoppedSweep::SweepBlock(const BlockView& block) {
  const TypeLayout& type = *ElementOf(block);
  row_end_ = block.end();
  row_type_ = &type;
  const auto sweep = [&](const void* begin, std::size_t count,
                         const char* row) {
    row_ = row;
    ForEachSlotIn(type, {begin, count}, *this);
  };
  // What is spare in storage, or still to be made, is filled there alone.
  if (block.table == nullptr) {
    const char* part = block.begin;
    const char* end = nullptr;
    for (; NextAudited(arena_, &part, block.end(), &end); part = end) {
      ForEachRowIn(block, part, end, sweep);
    }
    return;
  }
  ForEachEntryIn(block, [&](char* begin, std::size_t count, const char* row) {
    ForEachAudited(arena_, {begin, count}, type.size,
                   [&](ElementRun run) { sweep(run.data, run.count, row); });
  });
}

void StoppedSweep::operator()(const Slot& slot) {
  if (slot.field != nullptr && slot.field->note == FieldNote::kReviewed) return;
  if (slot.type->kind == TypeKind::kHandle) return FollowHandle(slot);
  Judge(slot, PointedTo(slot).data);
}

void StoppedSweep::Judge(const Slot& slot, const void* address) {
  if (address == nullptr || judge_.IsOwn(address)) return;
  StoppedFinding finding;
  if (!judge_.IsLeak(*slot.type, slot.address, address, &finding)) return;
  finding.hidden_row = Hide(row_);
  finding.row_bytes = static_cast<std::size_t>(row_end_ - row_);
  finding.row_type = row_type_;
  finding.is_held_outside = is_held_outside_;
  found_(context_, finding);
}

void StoppedSweep::FollowHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr) return;
  if (!judge_.IsOwn(storage.block)) return Judge(slot, storage.block);
  const TypeLayout& element = *handle.element();
  if (!element.has_slots) return;
  const Location where = LocateWhileStopped(storage.block);
  if (where.place != Place::kLive || where.block != storage.block ||
      !where.is_storage || storage.used > where.block_bytes ||
      !MeetBlock(arena_, storage.block, pass_)) {
    return;
  }
  if (depth_ == kMaxDepth) {
    ++too_deep_;
    return;
  }
  ++depth_;
  NoteStackUse(__builtin_frame_address(0));
  ForEachRun(handle, slot.address, [&](ElementRun run, std::size_t) {
    ForEachAudited(arena_, run, element.size, [&](ElementRun part) {
      ForEachSlotIn(element, part, *this);
    });
  });
  --depth_;
}

// ------------------------------------------------------------------ borrowed

void BorrowedSweep::Run() {
  ForEachNotedRow(
      blocks_, [this](const TypeLayout& type) { return Borrows(type); },
      [this](const BlockView& block, const TypeLayout& type, const char* at,
             std::size_t count, const char* row) {
        is_held_outside_ = block.is_storage;
        row_end_ = block.end();
        row_type_ = &type;
        row_ = row;
        for (; count != 0; --count, at += type.size) {
          ForEachBorrowedWord(type, at, *this);
        }
      });
}

bool BorrowedSweep::Borrows(const TypeLayout& type) {
  Known& known = known_[reinterpret_cast<std::uintptr_t>(&type) / 64 % kKnown];
  if (known.type != &type) known = {&type, MayBorrow(type)};
  return known.borrows;
}

void BorrowedSweep::operator()(const char* word) {
  const void* address = *reinterpret_cast<const void* const*>(word);
  if (address == nullptr) return;
  const void* base = CollectedBase(address);
  const bool is_freed = base == nullptr && IsFreeHeapMemory(address);
  if (!is_freed && (base == nullptr || IsUncollectable(base))) return;
  if (!is_freed && IsMarked(base)) return;
  StoppedFinding finding;
  finding.hidden_slot = Hide(word);
  finding.hidden_address = Hide(address);
  finding.target = Target::kFreedObject;
  if (!is_freed) {
    finding.hidden_base = Hide(base);
    finding.target_bytes = CollectedSize(base);
    finding.is_pointer_free = IsPointerFree(base);
  }
  finding.row_type = row_type_;
  finding.hidden_row = Hide(row_);
  finding.row_bytes = static_cast<std::size_t>(row_end_ - row_);
  finding.is_held_outside = is_held_outside_;
  finding.is_borrowed = true;
  found_(context_, finding);
}

}  // namespace acre::inline ACRE_ABI::detail
