// SPDX-License-Identifier: MIT
//
// What stands at an address: for audits, messages, and marks.

#include <algorithm>

#include "acre/arena_ref.h"
#include "acre/detail/life.h"
#include "acre/detail/location.h"
#include "acre/detail/walk.h"
#include "acre/failure.h"
#include "acre/fields.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

Location SlowPath::Locate(const Chunk& chunk, const void* address) const {
  const auto* p = static_cast<const char*>(address);
  Location where;
  where.arena = &a_;
  where.chunk_begin = chunk.begin;
  where.chunk_end = chunk.end;
  const char* top = &chunk == a_.current_ ? a_.cursor_ : chunk.top;
  where.live_end = IsInUse(chunk) ? top : where.chunk_begin;
  where.dirty_end = std::max<const char*>(chunk.dirty, where.live_end);
  where.place = p >= where.chunk_begin && p < where.live_end ? Place::kLive
                                                             : Place::kUnused;
  if (!kChecked || where.place != Place::kLive) return where;
  const char* start = chunk.blocks.StartOf(p);
  where.place = Place::kUnused;  // a gap
  if (start == nullptr) return where;
  const BlockInfo& info = chunk.blocks.Get(start);
  const std::size_t bytes = std::max<std::size_t>(info.bytes, 1);
  if (p >= start + bytes) return where;
  where.place = static_cast<BlockState>(info.state) == BlockState::kFreed
                    ? Place::kFreed
                    : Place::kLive;
  where.block = start;
  where.block_bytes = info.bytes;
  where.block_type = info.taken_as();
  where.is_storage = info.is_storage != 0;
  return where;
}

namespace {

/// The live block around an address in use, where it is known.
void TellSampled(const Chunk& chunk, const void* address, Location& where) {
  const auto* const p = static_cast<const char*>(address);
  const char* const start = chunk.blocks.StartOf(p);
  if (start == nullptr) return;
  const BlockInfo& info = chunk.blocks.Get(start);
  if (static_cast<BlockState>(info.state) != BlockState::kLive ||
      p >= start + info.bytes) {
    return;
  }
  where.block = start;
  where.block_bytes = info.bytes;
  where.block_type = info.taken_as();
  where.is_storage = info.is_storage != 0;
}

Location LocateIn(const Chunk* chunk, const void* address) noexcept {
  if (chunk == nullptr) return {};
  Arena* arena = chunk->owner.load()->arena();
  return arena == nullptr ? Location{}
                          : SlowPath(*arena).Locate(*chunk, address);
}

}  // namespace

Location Locate(const void* address) noexcept {
  return LocateIn(index::Find(address), address);
}

Location LocateWhileStopped(const void* address) noexcept {
  const Chunk* const chunk = index::FindWhileStopped(address);
  Location where = LocateIn(chunk, address);
  // Of an arena in the middle of an update the records may be anywhere.
  if (!kChecked && where.place == Place::kLive &&
      !SlowPath(*where.arena).IsUpdating() && chunk->blocks.exists()) {
    TellSampled(*chunk, address, where);
  }
  return where;
}

WhileStopped::WhileStopped() noexcept { index::SetStopper(true); }
WhileStopped::~WhileStopped() { index::SetStopper(false); }

bool IsYounger(const Arena& arena, const Mark& mark,
               const void* address) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsYounger(mark, address);
}

std::uint64_t TimesBroughtBack(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).TimesBroughtBack();
}

bool HasFrames(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).HasFrames();
}

bool IsOfThisLevel(const Arena& arena, std::uint64_t stamp) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsOfThisLevel(stamp);
}

bool IsOlderThanMark(const Arena& arena, const void* address) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsOlderThanMark(address);
}

std::uint64_t StampOf(const Arena& arena, const void* address) {
  ACRE_CHECK(
      !kChecked || Locate(address).place == Place::kLive,
      "RefTo: %p lies in memory of arena '%s' that is not handed out, or "
      "was given up",
      address, arena.name());
  return SlowPath(const_cast<Arena&>(arena)).StampOf(address);
}

bool IsLiveIn(const Arena* arena, std::uint64_t stamp) noexcept {
  return IsLiving(arena) && arena->IsLive(stamp);
}

bool IsTracedSlot(const TypeLayout& type, const void* slot) noexcept {
  return IsTracedWord(static_cast<const char*>(slot) + AddressOffset(type));
}

bool IsTracedWord(const void* word) noexcept {
  const Chunk* const chunk = index::Find(word);
  return chunk != nullptr && chunk->bits != nullptr &&
         Tracer::IsTraced(*chunk, word);
}

void CheckStorage(const TypeLayout& type, const void* handle) {
  if (IsRef(type)) return;
  const HandleStorage storage = type.ops->storage(handle);
  if (storage.block == nullptr || IsLiveIn(storage.arena, storage.stamp))
    return;
  Gone gone;
  const char* const name = IsLiving(storage.arena) ? storage.arena->name()
                           : FindEnded(storage.arena, &gone) ? gone.name
                                                             : "?";
  FailMisuse(
      "acre: ForEachPart: the storage of the %.*s at %p was given up by a "
      "Reset, a Rewind or the end of arena '%s'",
      static_cast<int>(type.name.size()), type.name.data(), handle, name);
}

void FailStaleRef(const Arena* arena, const void* pointer) {
  if (pointer == nullptr) FailMisuse("acre: an ArenaRef to nothing is used");
  if (!IsLiving(arena)) {
    Gone gone;
    FailStale("acre: the ArenaRef to %p is used, but its arena '%s' has ended",
              pointer, FindEnded(arena, &gone) ? gone.name : "?");
  }
  FailStale(
      "acre: the ArenaRef to %p is used, but what it refers to was given up by "
      "a Reset or Rewind of arena '%s'",
      pointer, arena->name());
}

}  // namespace acre::inline ACRE_ABI::detail
