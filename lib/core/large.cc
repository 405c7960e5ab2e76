// SPDX-License-Identifier: MIT
//
// Large blocks: above kInlineMax, and too large to share a chunk. Each has a
// chunk of its own, given back when the block is freed, kept by Reset.
//
// And the block that has grown into all that was left of its chunk: the first
// one there, so that the chunk is whole again when it is freed. It ends where
// the chunk says (unclassed_end), not where a size class would.

#include <algorithm>
#include <utility>

#include "core/poison.h"
#include "core/slow_path.h"

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

/// Within what the block has: a large one all of its chunk.
bool SlowPath::GrowUnclassed(void* block, std::size_t new_bytes) {
  Chunk* chunk = index::Find(block);
  char* end = static_cast<char*>(block) + RoundUp(new_bytes, kGranule);
  if (!chunk->is_large) return end <= chunk->unclassed_end;
  if (end > chunk->limit) return false;
  chunk->top = std::max(chunk->top, end);
  chunk->dirty = std::max(chunk->dirty, end);
  return true;
}

std::size_t SlowPath::GrowIntoRest(void* block, std::size_t old_bytes,
                                   std::size_t least, std::size_t most,
                                   const TypeLayout& element) {
  if (a_.is_heap_ || IsTraced()) return 0;
  const Updating updating(*this);
  if (kChecked) CheckLiveBlock(a_, block, "GrowIntoRest");
  TakeTailBack();
  Chunk* const chunk = a_.current_;
  char* const start = static_cast<char*>(block);
  if (chunk == nullptr || chunk->unclassed_end != nullptr ||
      start != chunk->begin.load() || element.align > kGranule ||
      start + BlockFor(old_bytes, element.align).bytes != a_.cursor_) {
    return 0;
  }
  const std::size_t room =
      std::min(static_cast<std::size_t>(Limit() - start), most);
  std::size_t bytes = room - room % element.size;
  // Of a power of two Blocks::TryDouble believes that it is a class.
  if ((bytes & (bytes - 1)) == 0) bytes -= std::min(bytes, element.size);
  // Free looks for such a block only above kInlineMax.
  if (bytes < least || bytes <= kInlineMax) return 0;
  a_.cursor_ = chunk->unclassed_end = start + RoundUp(bytes, kGranule);
  if (IsRecorded(block)) NoteGrown(block, old_bytes, bytes);
  return bytes;
}

/// False where the block has a size class.
bool SlowPath::GiveUnclassed(void* block) {
  Chunk* chunk = index::Find(block);
  ACRE_CHECK(chunk != nullptr && chunk->owner.load() == a_.entry_,
             "Free(%p): not a block of arena '%s'", block, a_.name());
  if (!chunk->HasUnclassed(block)) return false;
  if (a_.mark_ != nullptr && IsBelowMark(block)) {
    LinkWaiting(block, kWaitingUnclassed);
    return true;
  }
  if (chunk->is_large) {
    UnlinkLarge(chunk);
    Release(chunk);
    return true;
  }
  char* const start = static_cast<char*>(block);
  char* const end = std::exchange(chunk->unclassed_end, nullptr);
  if (end == a_.cursor_) {
    TakeTailBack();  // the chunk is empty: there is nothing to set aside
    Retract(start);
  } else if (chunk != a_.current_ && end == chunk->top) {
    Shelve(chunk);
  } else {
    PushGap(start, static_cast<std::size_t>(end - start));
  }
  return true;
}

void SlowPath::UnlinkLarge(Chunk* chunk) {
  (chunk->prev != nullptr ? chunk->prev->next : a_.large_) = chunk->next;
  if (chunk->next != nullptr) chunk->next->prev = chunk->prev;
}

void SlowPath::RetireLarge(Chunk* chunk) {
  Vacate(chunk);
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
