// SPDX-License-Identifier: MIT

#include "automatic/stopped_sweep.h"

#include "acre/detail/borrowed.h"
#include "acre/detail/fill.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/location.h"
#include "classify.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Frames of this recursion take some 300 bytes each; a thread in a collection
// has at least a few pages left.
constexpr std::size_t kMaxDepth = 100;

std::uintptr_t Hide(const void* p) {
  return ~reinterpret_cast<std::uintptr_t>(p);
}

}  // namespace

namespace {

/// Calls visit(type, run, row) for the objects in a block, those of New and
/// NewArray or the elements of a storage; `row` is where their numbers begin.
/// What is spare in the storage of a Vector is filled, and leads nowhere.
template <class Visit>
void ForEachRow(const BlockView& block, Visit visit) {
  if (block.table != nullptr) {
    std::size_t cursor = 0;
    for (;;) {
      const ElementRun run =
          block.table->ops->next_in_storage(block.begin, block.bytes, &cursor);
      if (run.data == nullptr) return;
      visit(*block.table->element(), run, run.data);
    }
  }
  if (block.type == nullptr) return;
  const std::size_t count = block.bytes / block.type->size;
  if (!block.is_storage) {
    return visit(*block.type, {block.begin, count}, block.begin);
  }
  const char* at = block.begin;
  for (std::size_t i = 0; i < count; ++i, at += block.type->size) {
    if (IsFilled(at, block.type->size)) continue;
    visit(*block.type, {at, 1}, block.begin);
  }
}

bool HasSlots(const BlockView& block) {
  if (block.table != nullptr) return block.table->element()->has_slots;
  return block.type != nullptr && block.type->has_slots;
}

}  // namespace

void StoppedSweep::Run() {
  BlockView block;
  for (BlockWalk walk(arena_, pass_); walk.Next(&block);) {
    if (block.is_freed || block.is_storage || !HasSlots(block)) continue;
    SweepBlock(block);
  }
  // What no container in the arena holds, one outside does: on a stack, in
  // malloc'ed memory, on the collected heap.
  is_held_outside_ = true;
  for (BlockWalk walk(arena_, pass_); walk.Next(&block);) {
    const bool is_left = block.is_storage && !block.is_freed && !block.is_met;
    if (is_left && HasSlots(block)) SweepBlock(block);
  }
}

void StoppedSweep::SweepBlock(const BlockView& block) {
  row_end_ = block.end();
  ForEachRow(block,
             [this](const TypeLayout& type, ElementRun run, const void* row) {
               row_type_ = &type;
               row_ = static_cast<const char*>(row);
               ForEachSlotIn(type, run, *this);
             });
}

void StoppedSweep::operator()(const Slot& slot) {
  if (slot.field != nullptr && slot.field->note == FieldNote::kReviewed) return;
  if (slot.type->kind == TypeKind::kHandle) return FollowHandle(slot);
  Judge(slot, PointedTo(slot).data);
}

bool StoppedSweep::IsOwn(const void* address) {
  const auto* p = static_cast<const char*>(address);
  Range& range =
      chunks_[reinterpret_cast<std::uintptr_t>(p) >> 20 & (kCacheSize - 1)];
  if (static_cast<std::size_t>(p - range.begin) < range.size) return true;
  const Location where = LocateWhileStopped(address);
  if (where.arena != &arena_) return false;
  range = {where.chunk_begin,
           static_cast<std::size_t>(where.chunk_end - where.chunk_begin)};
  return true;
}

void StoppedSweep::Judge(const Slot& slot, const void* address) {
  if (address == nullptr || IsOwn(address)) return;
  const bool is_traced = arena_.is_traced() && IsOwn(slot.address);
  if (is_traced && slot.type->kind != TypeKind::kHandle &&
      IsTracedSlot(*slot.type, slot.address)) {
    return;
  }
  StoppedFinding finding;
  if (is_traced) finding.target = Target::kUntraced;
  const Location where = LocateWhileStopped(address);
  if (where.arena != nullptr) {
    if (!where.arena->is_collected()) return;
    if (!is_traced) finding.target = Target::kCollectedArena;
    finding.hidden_base = Hide(where.chunk_begin);
  } else {
    const void* base = CollectedBase(address);
    if (base == nullptr || IsUncollectable(base)) return;
    finding.hidden_base = Hide(base);
    finding.target_bytes = CollectedSize(base);
    finding.is_pointer_free = IsPointerFree(base);
  }
  finding.hidden_slot = Hide(slot.address);
  finding.hidden_address = Hide(address);
  finding.hidden_row = Hide(row_);
  finding.row_bytes = static_cast<std::size_t>(row_end_ - row_);
  finding.type = slot.type->element();
  finding.row_type = row_type_;
  finding.is_held_outside = is_held_outside_;
  finding.kind = KindOf(*slot.type);
  found_(context_, finding);
}

void StoppedSweep::FollowHandle(const Slot& slot) {
  const TypeLayout& handle = *slot.type;
  const HandleStorage storage = handle.ops->storage(slot.address);
  if (storage.block == nullptr) return;
  if (!IsOwn(storage.block)) {
    return Judge(slot, storage.block);
  }
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
    ForEachSlotIn(element, run, *this);
  });
  --depth_;
}

// ------------------------------------------------------------------ borrowed

bool BorrowedSweep::IsNeeded() {
  counts_ = true;
  count_ = 0;
  Walk();
  return count_ != 0;
}

void BorrowedSweep::Run() {
  counts_ = false;
  Walk();
}

void BorrowedSweep::Walk() {
  BlockView block;
  for (BlockWalk walk(arena_); walk.Next(&block);) {
    if (block.is_freed) continue;
    const TypeLayout* element =
        block.table != nullptr ? block.table->element() : block.type;
    if (element == nullptr || !Borrows(*element)) continue;
    is_held_outside_ = block.is_storage;
    row_end_ = block.end();
    ForEachRow(block,
               [this](const TypeLayout& type, ElementRun run, const void* row) {
                 row_type_ = &type;
                 row_ = static_cast<const char*>(row);
                 const char* at = static_cast<const char*>(run.data);
                 for (std::size_t i = 0; i < run.count; ++i, at += type.size) {
                   ForEachBorrowedWord(type, at, *this);
                 }
               });
  }
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
  ++count_;
  if (counts_ || (!is_freed && IsMarked(base))) return;
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

namespace {

// Debug builds run this at each collection.
#if defined(__clang__)
#define ACRE_FAST_IN_DEBUG
#else
#define ACRE_FAST_IN_DEBUG __attribute__((optimize("O2")))
#endif

constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15u;  // 2^64 / phi

/// A word of memory of any type.
using AnyWord [[gnu::may_alias]] = std::uint64_t;

/// Four lanes, so that the products overlap: memory is what takes the time.
__attribute__((no_sanitize("address"))) ACRE_FAST_IN_DEBUG std::uint64_t
Checksum(const char* begin, std::size_t bytes) {
  // Loads, not memcpy: AddressSanitizer would check that.
  const auto* words = reinterpret_cast<const AnyWord*>(begin);
  const std::size_t count = bytes / sizeof(AnyWord);
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      lanes[lane] = (lanes[lane] ^ words[i + lane]) * kMultiplier;
      lanes[lane] ^= lanes[lane] >> 32;
    }
  }
  for (; i < count; ++i) {
    lanes[0] = (lanes[0] ^ words[i]) * kMultiplier;
    lanes[0] ^= lanes[0] >> 32;
  }
  return (lanes[0] * 3 + lanes[1] * 5) ^ (lanes[2] * 7 + lanes[3] * 11);
}

}  // namespace

std::uint64_t ChecksumOf(const Arena& arena) {
  std::uint64_t sum = arena.stamp() * kMultiplier + CollectedHeapBytes();
  arena.ForEachChunk([&sum](const ChunkInfo& chunk) {
    const auto* begin = reinterpret_cast<const char*>(chunk.begin);
    sum = (sum ^ reinterpret_cast<std::uintptr_t>(begin)) * kMultiplier;
    sum = (sum ^ Checksum(begin, chunk.used)) * kMultiplier + chunk.used;
  });
  return sum;
}

}  // namespace acre::inline ACRE_ABI::detail
