// SPDX-License-Identifier: MIT
//
// The freelists of an arena, by size class: its own, and where inline code must
// not find them those of its tracer or sampler.

#include <algorithm>
#include <utility>

#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

/// What Checkpoint has taken out, where there is none of that number.
void SlowPath::PutList(const SavedList& saved) {
  FreeBlock* list = saved.head;
  auto index = static_cast<unsigned>(saved.index);
  if (a_.tracer_ != nullptr) {
    a_.tracer_->lists[index] = list;
  } else if (index < kClassCount) {
    Join(list, a_.FreeList(index));
  } else if (index -= kClassCount; a_.sampler_ != nullptr) {
    a_.sampler_->lists[index] = list;
  } else if (HasList(index)) {  // they are audited no more
    Join(list, a_.FreeList(index));
  }
}

/// Puts a list in front of another one. Constant where that is empty.
ACRE_READS_FREE_BLOCKS void SlowPath::Join(FreeBlock* list, FreeBlock*& other) {
  if (list == nullptr) return;
  if (other != nullptr) {
    FreeBlock* last = list;
    while (last->next != nullptr) last = last->next;
    last->next = other;
  }
  other = list;
}

void* SlowPath::PopHidden(SizeClass size) {
  if (a_.tracer_ != nullptr) return Pop(a_.tracer_->lists[size.index], size);
  FreeBlock*& audited = a_.sampler_->lists[size.index];
  if (audited == nullptr) {
    return a_.FreeBlockOf(size.index) == nullptr
               ? nullptr
               : Pop(a_.FreeList(size.index), size);
  }
  void* const block = Pop(audited, size);
  if (audited == nullptr) Show(size.index);
  return block;
}

/// They are the entry's: the collector frees collected arenas without a word.
bool SlowPath::HasFarLists() {
  if (a_.far_free_ != nullptr || a_.tracer_ != nullptr) return true;
  FreeBlock** lists = index::FarLists(a_.entry_);
  if (lists == nullptr) return false;
  a_.far_free_ = lists;
  return true;
}

void SlowPath::EmptyFreeLists() {
  if (a_.tracer_ != nullptr)
    std::fill_n(a_.tracer_->lists, kClassCount, nullptr);
  if (a_.sampler_ != nullptr) {
    std::fill_n(a_.sampler_->lists, kClassCount, nullptr);
    std::fill_n(a_.sampler_->held, kClassCount, nullptr);
    std::fill_n(a_.sampler_->is_held, kClassCount, false);
    a_.sampler_->hidden = 0;
  }
  std::fill(std::begin(a_.near_free_), std::end(a_.near_free_), nullptr);
  if (a_.far_free_ == nullptr) return;
  std::fill_n(a_.far_free_, kFarClasses, nullptr);
}

void SlowPath::PushFree(void* block, unsigned index, std::size_t bytes) {
  a_.freed_ += bytes;
  if (a_.tracer_ != nullptr) return Push(block, a_.tracer_->lists[index]);
  if (a_.sampler_ != nullptr) {
    if (a_.sampler_->pages.HasAny(block, bytes)) {
      HoldBack(index);
      return Push(block, a_.sampler_->lists[index]);
    }
    if (a_.sampler_->is_held[index]) {
      return Push(block, a_.sampler_->held[index]);
    }
  }
  // Where there is no memory for the list the block waits for Reset.
  if (HasList(index)) Push(block, a_.FreeList(index));
}

// What alignment skips and Shrink cuts off is handed out later, as ordinary
// blocks: the largest that fit, a multiple of a quarter of an octave.
void SlowPath::PushGap(char* gap, std::size_t bytes) {
  while (bytes != 0) {
    std::size_t piece = std::min(bytes, kInlineMax);
    if (piece > kSmallMax) piece -= piece % (std::bit_floor(piece) / 4);
    GivePiece(gap, ClassOf(piece, 1));
    gap += piece;
    bytes -= piece;
  }
}

// Reclaim: takes the blocks of whole chunks off the freelists.

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

}  // namespace

ACRE_READS_FREE_BLOCKS void SlowPath::CountFreed() {
  for (Chunk* c = a_.first_; c != nullptr; c = c->next) c->scan_freed = 0;
  ChunkCache cache;
  for (unsigned index = 1; index < kClassCount; ++index) {
    const std::size_t bytes = BytesOfClass(index);
    ForEachList(index, [&](FreeBlock*& list, unsigned) ACRE_READS_FREE_BLOCKS {
      for (FreeBlock* b = list; b != nullptr; b = b->next) {
        cache.Find(b)->scan_freed += bytes;
      }
    });
  }
}

ACRE_READS_FREE_BLOCKS void SlowPath::DropFreed() {
  ChunkCache cache;
  for (unsigned index = 1; index < kClassCount; ++index) {
    const std::size_t bytes = BytesOfClass(index);
    ForEachList(index, [&](FreeBlock*& list, unsigned) ACRE_READS_FREE_BLOCKS {
      FreeBlock** at = &list;
      while (FreeBlock* block = *at) {
        if (cache.Find(block)->IsWhole()) {
          *at = block->next;
          a_.reused_ += bytes;
        } else {
          at = &block->next;
        }
      }
    });
  }
}

}  // namespace acre::inline ACRE_ABI::detail
