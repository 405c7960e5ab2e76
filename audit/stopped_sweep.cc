// SPDX-License-Identifier: MIT

#include "stopped_sweep.h"

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

void StoppedSweep::Run() {
  BlockWalk walk(arena_, pass_);
  while (walk.Next(&block_)) {
    if (block_.is_freed || block_.is_storage || block_.type == nullptr ||
        !block_.type->has_slots) {
      continue;
    }
    ForEachSlotIn(*block_.type,
                  {block_.begin, block_.bytes / block_.type->size}, *this);
  }
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
  StoppedFinding finding;
  const Location where = LocateWhileStopped(address);
  if (where.arena != nullptr) {
    if (!where.arena->is_collected()) return;
    finding.target = Target::kCollectedArena;
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
  finding.hidden_block = Hide(block_.begin);
  finding.type = slot.type->element();
  finding.in_block = block_.type;
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
