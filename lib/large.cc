// SPDX-License-Identifier: MIT
//
// Large blocks: above kInlineMax, and too large to share a chunk. Each has a
// chunk of its own, given back when the block is freed, kept by Reset.

#include <algorithm>

#include "poison.h"
#include "slow_path.h"

namespace acre::inline ACRE_ABI::detail {

void* SlowPath::TakeLarge(std::size_t bytes, std::size_t align) {
  const std::size_t slack = align > kGranule ? align : 0;
  const std::size_t need =
      RoundUp(bytes, kGranule) + slack + kChunkHeader + kGranule;
  Chunk* chunk = Acquire(need, need);
  if (chunk == nullptr) return nullptr;
  // A source that gave much more (a fixed buffer) did not mean it for one
  // block.
  const SizeClass size = BlockFor(bytes, align);
  if (chunk->capacity() >= size.bytes + slack + kInlineMax / 4) {
    Advance(chunk);
    return Carve(size.bytes, BlockAlign(size, align));
  }
  return TakeLargeFrom(chunk, bytes, align);
}

void* SlowPath::TakeRetainedLarge(std::size_t bytes, std::size_t align) {
  const std::size_t slack = align > kGranule ? align : 0;
  Chunk* chunk = TakeLargeSpare(RoundUp(bytes, kGranule) + slack);
  return chunk == nullptr ? nullptr : TakeLargeFrom(chunk, bytes, align);
}

void* SlowPath::TakeLargeFrom(Chunk* chunk, std::size_t bytes,
                              std::size_t align) {
  chunk->is_large = true;
  chunk->order = a_.next_order_++;
  chunk->prev = nullptr;
  chunk->next = a_.large_;
  if (a_.large_ != nullptr) a_.large_->prev = chunk;
  a_.large_ = chunk;
  const auto at = reinterpret_cast<std::uintptr_t>(chunk->begin.load());
  char* start = chunk->begin + (RoundUp(at, align) - at);
  chunk->top = start + RoundUp(bytes, kGranule);
  chunk->dirty = std::max(chunk->dirty, chunk->top);
  return start;
}

/// The smallest spare that fits; none that would waste more than half.
Chunk* SlowPath::TakeLargeSpare(std::size_t need) {
  Chunk** best = nullptr;
  for (Chunk** at = &a_.large_spares_; *at != nullptr; at = &(*at)->next) {
    const std::size_t capacity = (*at)->capacity();
    if (capacity < need) continue;
    if (best == nullptr || capacity < (*best)->capacity()) best = at;
  }
  if (best == nullptr) return nullptr;
  const bool wastes = (*best)->capacity() / 2 > need;
  if (wastes && need > kInlineMax) return nullptr;
  Chunk* chunk = *best;
  *best = chunk->next;
  return chunk;
}

/// A block with a chunk of its own has what that chunk has, not what its size
/// class would give it.
bool SlowPath::GrowLarge(void* block, std::size_t new_bytes) {
  Chunk* chunk = index::Find(block);
  char* end = static_cast<char*>(block) + RoundUp(new_bytes, kGranule);
  if (end > chunk->limit) return false;
  chunk->top = std::max(chunk->top, end);
  chunk->dirty = std::max(chunk->dirty, end);
  return true;
}

/// False where the block shares its chunk with others.
bool SlowPath::GiveLarge(void* block) {
  Chunk* chunk = index::Find(block);
  ACRE_CHECK(chunk != nullptr && chunk->owner.load() == a_.entry_,
             "Free(%p): not a block of arena '%s'", block, a_.name());
  if (!chunk->is_large) return false;
  if (a_.mark_ != nullptr && chunk->order < a_.mark_->order) {
    Unpoison(block, sizeof(WaitingBlock));
    auto* waiting = static_cast<WaitingBlock*>(block);
    waiting->next = a_.mark_->waiting;
    waiting->index = kWaitingLarge;
    a_.mark_->waiting = waiting;
    return true;
  }
  UnlinkLarge(chunk);
  Release(chunk);
  return true;
}

void SlowPath::UnlinkLarge(Chunk* chunk) {
  (chunk->prev != nullptr ? chunk->prev->next : a_.large_) = chunk->next;
  if (chunk->next != nullptr) chunk->next->prev = chunk->prev;
}

void SlowPath::RetireLarge(Chunk* chunk) {
  ForgetBlocks(chunk, chunk->begin);
  chunk->order = 0;
  chunk->next = a_.large_spares_;
  a_.large_spares_ = chunk;
}

/// Makes spares of all large chunks put to use at `from_order` or later.
void SlowPath::RetireAllLarge(std::uint64_t from_order) {
  Chunk* chunk = a_.large_;
  while (chunk != nullptr) {
    Chunk* next = chunk->next;
    if (chunk->order >= from_order) {
      UnlinkLarge(chunk);
      RetireLarge(chunk);
    }
    chunk = next;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
