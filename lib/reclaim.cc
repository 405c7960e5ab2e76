// SPDX-License-Identifier: MIT
//
// Reclaim: finds chunks whose every block lies on a freelist and makes spares
// of them, so that a phase of 48-byte blocks leaves its memory to a phase of
// 64-byte ones. Two passes over the freelists; Refill runs it only when as
// many bytes were freed since the last scan as a chunk holds and as half the
// freelists hold, so each Free pays for a constant share of it.

#include <atomic>

#include "poison.h"
#include "slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Most neighbours on a freelist share a chunk: ask the index when not.
class ChunkCache {
 public:
  Chunk* Find(const void* block) {
    const auto* p = static_cast<const char*>(block);
    if (chunk_ == nullptr || p < begin_ || p >= chunk_->limit) {
      chunk_ = index::Find(block);
      begin_ = chunk_->begin.load(std::memory_order_relaxed);
    }
    return chunk_;
  }

 private:
  Chunk* chunk_ = nullptr;
  const char* begin_ = nullptr;
};

bool IsWhole(const Chunk& chunk) {
  return chunk.order != 0 &&
         chunk.scan_freed ==
             static_cast<std::size_t>(chunk.top - chunk.begin.load());
}

}  // namespace

bool SlowPath::Reclaim() {
  a_.scanned_ = a_.freed_;
  if (a_.current_ == nullptr) return false;
  NoteTop();
  CountFreed();
  bool found = false;
  for (Chunk* c = a_.first_; c != nullptr; c = c->next) {
    if (IsInUse(*c) && c->scan_freed != 0) found |= IsWhole(*c);
  }
  if (!found) return false;
  DropFreed();
  return ShelveWholeChunks();
}

ACRE_READS_FREE_BLOCKS void SlowPath::CountFreed() {
  for (Chunk* c = a_.first_; c != nullptr; c = c->next) c->scan_freed = 0;
  ChunkCache cache;
  for (unsigned index = 1; index < kClassCount; ++index) {
    const std::size_t bytes = BytesOfClass(index);
    for (FreeBlock* b = a_.free_[index]; b != nullptr; b = b->next) {
      cache.Find(b)->scan_freed += bytes;
    }
  }
}

/// Takes the blocks of whole chunks off the freelists.
ACRE_READS_FREE_BLOCKS void SlowPath::DropFreed() {
  ChunkCache cache;
  for (unsigned index = 1; index < kClassCount; ++index) {
    const std::size_t bytes = BytesOfClass(index);
    FreeBlock** at = &a_.free_[index];
    while (FreeBlock* block = *at) {
      if (IsWhole(*cache.Find(block))) {
        *at = block->next;
        a_.reused_ += bytes;
      } else {
        at = &block->next;
      }
    }
  }
}

/// Moves whole chunks behind current_; a whole current chunk starts anew.
bool SlowPath::ShelveWholeChunks() {
  Chunk* whole = nullptr;
  Chunk** at = &a_.first_;
  for (Chunk* c = *at; c != a_.current_; c = *at) {
    if (!IsWhole(*c)) {
      at = &c->next;
      continue;
    }
    *at = c->next;
    c->next = whole;
    whole = c;
  }
  Chunk* current = a_.current_;
  if (IsWhole(*current)) {
    ForgetBlocks(current, current->begin);
    a_.cursor_ = current->begin;
  }
  while (Chunk* c = whole) {
    whole = c->next;
    c->order = 0;
    ForgetBlocks(c, c->begin);
    c->next = current->next;
    current->next = c;
  }
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
