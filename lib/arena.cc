// SPDX-License-Identifier: MIT
//
// The arena's life, and the path of blocks that the inline code cannot serve.

#include "acre/arena.h"

#include <algorithm>
#include <cstring>

#include "acre/gc.h"
#include "poison.h"
#include "slow_path.h"

namespace acre::inline ACRE_ABI {
namespace detail {

SizeClass BlockFor(std::size_t bytes, std::size_t align) {
  if (bytes <= kClassedMax) return ClassOf(bytes, align);
  return {RoundUp(bytes, std::max(align, kGranule)), kNoClass};
}

std::size_t BlockAlign(SizeClass size, std::size_t align) {
  if (align <= kGranule) return kGranule;
  // A recycled block must suit every request of its class.
  return size.index == kNoClass ? align : std::min(size.bytes, kMaxAlignment);
}

// ------------------------------------------------------------------ taking

void* SlowPath::Take(std::size_t bytes, std::size_t align,
                     const TypeLayout* type) {
  if (kChecked) CheckUser();
  if (bytes > PTRDIFF_MAX - 2 * kMaxAlignment) return nullptr;
  void* block = TakeBlock(bytes, align);
  if (kChecked && block != nullptr) NoteTaken(block, bytes, align, type);
  return block;
}

void* SlowPath::TakeBlock(std::size_t bytes, std::size_t align) {
  const SizeClass size = BlockFor(bytes, align);
  const std::size_t block_align = BlockAlign(size, align);
  if (void* block = PopFree(size)) return block;
  if (size.bytes > kInlineMax) {
    if (void* block = TakeRetainedLarge(bytes, align)) return block;
  }
  if (char* block = Carve(size.bytes, block_align)) return block;
  const std::size_t slack = block_align > kGranule ? block_align : 0;
  if (size.bytes > kInlineMax && size.bytes > NextChunkSize() / 4) {
    if (Extend(size.bytes + slack)) return Carve(size.bytes, block_align);
    return TakeLarge(bytes, align);
  }
  // A re-entrant user may take the new chunk's memory, hence the loop.
  while (Refill(size.bytes + slack)) {
    if (void* block = PopFree(size)) return block;
    if (char* block = Carve(size.bytes, block_align)) return block;
  }
  return nullptr;
}

ACRE_READS_FREE_BLOCKS void* SlowPath::PopFree(SizeClass size) {
  if (size.index == kNoClass) return nullptr;
  FreeBlock* block = a_.free_[size.index];
  if (block == nullptr) return nullptr;
  a_.free_[size.index] = block->next;
  a_.reused_ += size.bytes;
  return block;
}

ACRE_READS_FREE_BLOCKS void SlowPath::PushFree(void* block, unsigned index,
                                               std::size_t bytes) {
  auto* free_block = static_cast<FreeBlock*>(block);
  free_block->next = a_.free_[index];
  a_.free_[index] = free_block;
  a_.freed_ += bytes;
}

// What alignment skips and Shrink cuts off is handed out later, as ordinary
// blocks: the largest that fit, a multiple of a quarter of an octave.
void SlowPath::PushGap(char* gap, std::size_t bytes) {
  while (bytes != 0) {
    std::size_t piece = std::min(bytes, kInlineMax);
    if (piece > kSmallMax)
      piece = std::bit_floor(piece) / 4 * (piece / (std::bit_floor(piece) / 4));
    GivePiece(gap, ClassOf(piece, 1));
    gap += piece;
    bytes -= piece;
  }
}

char* SlowPath::Carve(std::size_t bytes, std::size_t align) {
  const auto at = reinterpret_cast<std::uintptr_t>(a_.cursor_);
  const std::size_t gap = RoundUp(at, align) - at;
  const auto room = static_cast<std::size_t>(a_.limit_ - a_.cursor_);
  if (room < bytes || room - bytes < gap) return nullptr;
  char* block = a_.cursor_ + gap;
  PushGap(a_.cursor_, gap);
  a_.cursor_ = block + bytes;
  return block;
}

// ------------------------------------------------------------------ chunks

std::size_t SlowPath::NextChunkSize() const {
  return std::clamp(a_.reserved_, a_.options_.first_chunk,
                    std::max(a_.options_.first_chunk, a_.options_.max_chunk));
}

/// Makes a chunk with `need` free bytes current, if there is one to be had.
bool SlowPath::Refill(std::size_t need) {
  if (AdvanceToSpare(need)) return true;
  if (a_.options_.freelists &&
      a_.freed_ - a_.scanned_ >=
          std::max(NextChunkSize(), (a_.freed_ - a_.reused_) / 2) &&
      ReclaimFor(need)) {
    return true;
  }
  if (Extend(need)) return true;
  if (Chunk* large = TakeLargeSpare(need)) {
    large->is_large = false;
    Advance(large);
    return true;
  }
  const std::size_t min_size = need + kChunkHeader + kGranule;
  if (Chunk* chunk = Acquire(min_size, std::max(min_size, NextChunkSize()))) {
    Advance(chunk);
    return true;
  }
  // The source is dry: look for whole chunks even if few bytes were freed.
  return a_.options_.freelists && a_.freed_ != a_.scanned_ && ReclaimFor(need);
}

/// Makes the current chunk longer, so that it has `need` free bytes, if its
/// source can. Only while no spare serves: the last chunk is the one that ends
/// where nothing else begins.
bool SlowPath::Extend(std::size_t need) {
  Chunk* chunk = a_.current_;
  if (chunk == nullptr || chunk->charged != chunk->memory.size) return false;
  const auto begin = reinterpret_cast<std::uintptr_t>(chunk->memory.address);
  if (begin % kMaxAlignment != 0 || chunk->memory.size % kMaxAlignment != 0) {
    return false;
  }
  // Up to 16 bytes at the end of a chunk are never handed out.
  const std::size_t min_more =
      RoundUp(need - a_.remaining() + kGranule, kMaxAlignment);
  if (need > PTRDIFF_MAX / 2 || min_more > Allowed()) return false;
  const std::size_t wanted =
      std::max(min_more, RoundUp(NextChunkSize(), kMaxAlignment));
  const std::size_t more = a_.source_->Extend(
      chunk->memory, min_more,
      std::min(wanted, Allowed() / kMaxAlignment * kMaxAlignment));
  if (more == 0) return false;
  NoteTop();
  char* const old_limit = chunk->limit;
  if (!index::ExtendChunk(chunk, more)) {
    // Out of memory for the index. The source keeps what it gave as part of
    // the chunk; it goes back with it.
    return false;
  }
  chunk->charged += more;
  a_.reserved_ += more;
  a_.limit_ = chunk->limit;
  PoisonOwn(old_limit, static_cast<std::size_t>(chunk->limit - old_limit));
  return a_.remaining() >= need;
}

bool SlowPath::ReclaimFor(std::size_t need) {
  if (!Reclaim()) return false;
  const auto room = static_cast<std::size_t>(a_.limit_ - a_.cursor_);
  return room >= need || AdvanceToSpare(need);
}

/// Spares stand behind current_; the first that fits is put right behind it.
bool SlowPath::AdvanceToSpare(std::size_t need) {
  Chunk** at = a_.current_ != nullptr ? &a_.current_->next : &a_.first_;
  while (*at != nullptr && (*at)->capacity() < need) at = &(*at)->next;
  Chunk* spare = *at;
  if (spare == nullptr) return false;
  *at = spare->next;
  Advance(spare);
  return true;
}

/// Links `chunk` behind current_ and makes it the current one.
void SlowPath::Advance(Chunk* chunk) {
  Chunk*& at = a_.current_ != nullptr ? a_.current_->next : a_.first_;
  chunk->next = at;
  at = chunk;
  NoteTop();
  StartAt(chunk);
}

/// Writes the cursor back to the current chunk.
void SlowPath::NoteTop() {
  if (a_.current_ == nullptr) return;
  a_.current_->top = a_.cursor_;
  a_.current_->dirty = std::max(a_.current_->dirty, a_.cursor_);
}

void SlowPath::StartAt(Chunk* chunk) {
  chunk->order = a_.next_order_++;
  a_.current_ = chunk;
  a_.cursor_ = chunk->begin.load(std::memory_order_relaxed);
  a_.limit_ = chunk->limit;
}

ArenaEntry* SlowPath::Entry() {
  if (a_.entry_ == nullptr) a_.entry_ = index::AddArena(&a_, a_.collected_);
  return a_.entry_;
}

Chunk* SlowPath::Acquire(std::size_t min_size, std::size_t wanted) {
  ArenaEntry* entry = Entry();
  if (entry == nullptr) return nullptr;
  if (min_size > Allowed() && !(ReleaseSpares() && min_size <= Allowed())) {
    return nullptr;
  }
  const auto acquire = [&] {
    return a_.source_->Acquire(
        min_size, std::min(RoundUp(wanted, kMaxAlignment), Allowed()));
  };
  ChunkMemory memory = acquire();
  if (memory.address == nullptr && ReleaseSpares()) memory = acquire();
  if (memory.address == nullptr) return nullptr;
  ACRE_CHECK(reinterpret_cast<std::uintptr_t>(memory.address) % kGranule == 0 &&
                 memory.size >= min_size,
             "the source of arena '%s' returned %zu bytes at %p; at least %zu, "
             "aligned to 16, were asked for",
             a_.name(), memory.size, memory.address, min_size);
  // Asked again: the source may have run code that made this arena grow.
  const std::size_t allowed = Allowed();
  Chunk* chunk = min_size <= allowed ? index::AddChunk(entry, memory) : nullptr;
  if (chunk == nullptr) {
    a_.source_->Release(memory);
    return nullptr;
  }
  // A source that cannot give less is used up to the limit only.
  chunk->charged = std::min(memory.size, allowed);
  chunk->limit =
      std::min(chunk->limit, static_cast<char*>(memory.address) +
                                 (chunk->charged - 1) / kGranule * kGranule);
  a_.reserved_ += chunk->charged;
  PoisonOwn(chunk->begin, chunk->capacity());
  return chunk;
}

/// Bytes that may still be reserved.
std::size_t SlowPath::Allowed() const {
  const std::size_t limit = a_.options_.byte_limit;
  return limit - std::min(a_.reserved_, limit);
}

/// Gives all spares back; false where there was none.
bool SlowPath::ReleaseSpares() {
  Chunk* lists[] = {a_.large_spares_, nullptr};
  Chunk*& behind = a_.current_ != nullptr ? a_.current_->next : a_.first_;
  lists[1] = behind;
  a_.large_spares_ = behind = nullptr;
  for (Chunk* chunk : lists) {
    while (chunk != nullptr) {
      Chunk* next = chunk->next;
      Release(chunk);
      chunk = next;
    }
  }
  return lists[0] != nullptr || lists[1] != nullptr;
}

void SlowPath::Release(Chunk* chunk) {
  const ChunkMemory memory = chunk->memory;
  Unpoison(chunk->begin, chunk->capacity());
  a_.reserved_ -= chunk->charged;
  index::RemoveChunk(chunk);
  a_.source_->Release(memory);
}

// ------------------------------------------------------------------ giving

void SlowPath::Give(void* block, std::size_t bytes, std::size_t align,
                    const TypeLayout* type) {
  if (kChecked) {
    CheckUser();
    CheckGive(block, bytes, align, type);
  }
  const SizeClass size = BlockFor(bytes, align);
  if (kChecked) NoteGiven(block, bytes);
  if (size.bytes > kInlineMax && GiveLarge(block)) return;
  if (size.index == kNoClass) return;  // usable again after Reset
  GivePiece(block, size);
}

void SlowPath::GivePiece(void* block, SizeClass size) {
  if (!a_.options_.freelists) {
    if (static_cast<char*>(block) + size.bytes != a_.cursor_) {
      a_.freed_ += size.bytes;
      return;
    }
    NoteTop();
    a_.cursor_ = static_cast<char*>(block);
    ForgetBlocks(a_.current_, a_.cursor_);
    return;
  }
  if (a_.mark_ != nullptr && IsBelowMark(block)) {
    return PushWaiting(block, size.index);
  }
  PushFree(block, size.index, size.bytes);
}

bool SlowPath::TryGrow(void* block, std::size_t old_bytes,
                       std::size_t new_bytes, std::size_t align) {
  if (kChecked) {
    CheckUser();
    CheckLiveBlock(a_, block, "TryGrow");
  }
  if (new_bytes > PTRDIFF_MAX / 2 || new_bytes < old_bytes) return false;
  const SizeClass old_size = BlockFor(old_bytes, align);
  const SizeClass new_size = BlockFor(new_bytes, align);
  char* end = static_cast<char*>(block) + old_size.bytes;
  if (old_size.bytes > kInlineMax && index::Find(block)->is_large) {
    if (!GrowLarge(block, new_bytes)) return false;
  } else if (new_size.bytes > old_size.bytes) {
    const std::size_t more = new_size.bytes - old_size.bytes;
    const std::size_t need = BlockAlign(new_size, align);
    if (end != a_.cursor_ ||
        reinterpret_cast<std::uintptr_t>(block) % need != 0) {
      return false;
    }
    if (more > a_.remaining() && !Extend(more)) return false;
    a_.cursor_ += more;
  }
  if (kChecked) {
    Chunk* chunk = index::Find(block);
    BlockInfo& info = chunk->blocks.At(static_cast<char*>(block));
    info.bytes = new_bytes;
    Unpoison(block, new_bytes);
  }
  return true;
}

void SlowPath::Shrink(void* block, std::size_t old_bytes, std::size_t new_bytes,
                      std::size_t align) {
  if (kChecked) {
    CheckUser();
    CheckLiveBlock(a_, block, "Shrink");
    const Chunk* chunk = index::Find(block);
    ACRE_CHECK(
        const_cast<Chunk*>(chunk)->blocks.At(static_cast<char*>(block)).bytes ==
            old_bytes,
        "Shrink(%p) in arena '%s': the block does not have %zu bytes", block,
        a_.name(), old_bytes);
  }
  ACRE_CHECK(new_bytes <= old_bytes,
             "Shrink(%p) in arena '%s': from %zu to %zu bytes is no shrinking",
             block, a_.name(), old_bytes, new_bytes);
  if (kChecked) {
    BlockInfo& info = index::Find(block)->blocks.At(static_cast<char*>(block));
    info.bytes = new_bytes;
    char* rest = static_cast<char*>(block) + new_bytes;
    Fill(rest, kFreedByte, old_bytes - new_bytes);
    PoisonOwn(rest, old_bytes - new_bytes);
  }
  const SizeClass old_size = BlockFor(old_bytes, align);
  const SizeClass new_size = BlockFor(new_bytes, align);
  if (old_size.bytes == new_size.bytes || old_size.index == kNoClass) return;
  if (old_size.bytes > kInlineMax && index::Find(block)->is_large) return;
  char* rest = static_cast<char*>(block) + new_size.bytes;
  char* end = static_cast<char*>(block) + old_size.bytes;
  if (end == a_.cursor_) {
    NoteTop();
    a_.cursor_ = rest;
    return;
  }
  PushGap(rest, static_cast<std::size_t>(end - rest));
}

bool SlowPath::TryReserve(std::size_t bytes) {
  if (kChecked) CheckUser();
  if (bytes > PTRDIFF_MAX / 2) return false;
  bytes = RoundUp(bytes, kGranule);
  while (a_.remaining() < bytes) {
    if (!Refill(bytes)) return false;
  }
  return true;
}

// -------------------------------------------------------------------- reset

void SlowPath::ForgetBlocks(Chunk* chunk, char* from) {
  if (!kChecked) return;
  chunk->blocks.Clear(from);
  PoisonOwn(from, static_cast<std::size_t>(chunk->limit - from));
}

void SlowPath::Reset(ResetMode mode) {
  if (kChecked) CheckUser();
  NoteTop();
  RetireAllLarge(0);
  std::fill(std::begin(a_.free_), std::end(a_.free_), nullptr);
  a_.freed_ = a_.reused_ = a_.scanned_ = 0;
  SetMark(nullptr);
  a_.stamp_ = a_.next_stamp_++;
  a_.reset_order_ = a_.next_order_;
  ++a_.resets_;
  a_.current_ = nullptr;
  a_.cursor_ = a_.limit_ = nullptr;
  for (Chunk* list : {a_.first_, a_.large_spares_}) {
    if (mode == ResetMode::kKeep && !kChecked) break;
    for (Chunk* c = list; c != nullptr; c = c->next) WipeChunk(c, mode);
  }
  TrimTo(mode == ResetMode::kRelease ? 0 : a_.options_.retain_limit);
  if (a_.first_ != nullptr) StartAt(a_.first_);
}

/// Zeros, or in checked builds fills, what was handed out of a spare.
void SlowPath::WipeChunk(Chunk* chunk, ResetMode mode) {
  char* begin = chunk->begin;
  const auto dirty = static_cast<std::size_t>(chunk->dirty - begin);
  if (mode == ResetMode::kRelease || dirty == 0) return;
  Unpoison(begin, dirty);
  if (mode == ResetMode::kClear) {
    std::memset(begin, 0, dirty);
    chunk->dirty = begin;
  } else {
    Fill(begin, kFreedByte, dirty);
  }
  ForgetBlocks(chunk, begin);
}

/// Releases spares until at most `limit` bytes are reserved: large ones first,
/// then those used last. All chunks are spares when this is called.
void SlowPath::TrimTo(std::size_t limit) {
  while (a_.reserved_ > limit && a_.large_spares_ != nullptr) {
    Chunk* chunk = a_.large_spares_;
    a_.large_spares_ = chunk->next;
    Release(chunk);
  }
  if (a_.reserved_ <= limit) return;
  std::size_t kept = 0;
  for (Chunk* c = a_.large_spares_; c != nullptr; c = c->next) {
    kept += c->charged;
  }
  Chunk** at = &a_.first_;
  while (*at != nullptr && kept + (*at)->charged <= limit) {
    kept += (*at)->charged;
    at = &(*at)->next;
  }
  Chunk* chunk = *at;
  *at = nullptr;
  while (chunk != nullptr) {
    Chunk* next = chunk->next;
    Release(chunk);
    chunk = next;
  }
}

void SlowPath::ReleaseAll() {
  if (a_.entry_ == nullptr) return;
  RetireAllLarge(0);
  a_.current_ = nullptr;
  TrimTo(0);
  index::RemoveArena(a_.entry_);
  a_.entry_ = nullptr;
}

// ------------------------------------------------------------------ queries

bool SlowPath::IsInUse(const Chunk& chunk) const {
  if (chunk.order < a_.reset_order_) return false;
  return chunk.is_large ||
         (a_.current_ != nullptr && chunk.order <= a_.current_->order);
}

ArenaStats SlowPath::Stats() const {
  ArenaStats stats;
  stats.reserved = a_.reserved_;
  stats.resets = a_.resets_;
  bool used = a_.current_ != nullptr;
  for (const Chunk* c = a_.first_; c != nullptr; c = c->next) {
    const char* top = c == a_.current_ ? a_.cursor_ : c->top;
    if (used) stats.carved += static_cast<std::size_t>(top - c->begin);
    ++(used ? stats.chunks : stats.spare_chunks);
    if (c == a_.current_) used = false;
  }
  for (const Chunk* c = a_.large_; c != nullptr; c = c->next) {
    ++stats.chunks;
    ++stats.large_blocks;
    stats.carved += static_cast<std::size_t>(c->top - c->begin);
  }
  for (const Chunk* c = a_.large_spares_; c != nullptr; c = c->next) {
    ++stats.spare_chunks;
  }
  stats.freed = a_.freed_ - a_.reused_;
  for (const MarkState* m = a_.mark_; m != nullptr; m = m->outer) {
    stats.freed += m->freed - m->reused + m->waiting_bytes;
  }
  if (a_.current_ != nullptr) {
    stats.current_used =
        static_cast<std::size_t>(a_.cursor_ - a_.current_->begin);
    stats.current_size = a_.current_->capacity();
  }
  return stats;
}

void SlowPath::VisitChunks(void (*visit)(void*, const ChunkInfo&),
                           void* context) const {
  const auto show = [&](const Chunk& chunk, const char* top) {
    ChunkInfo info;
    info.begin = reinterpret_cast<const std::byte*>(chunk.begin.load());
    info.capacity = chunk.capacity();
    info.is_large = chunk.is_large;
    info.is_spare = !IsInUse(chunk);
    if (!info.is_spare) {
      info.used = static_cast<std::size_t>(top - chunk.begin.load());
    }
    visit(context, info);
  };
  const Chunk* behind = a_.current_ != nullptr ? a_.current_->next : a_.first_;
  for (const Chunk* c = a_.first_; c != behind; c = c->next) {
    show(*c, c == a_.current_ ? a_.cursor_ : c->top);
  }
  for (const Chunk* c = a_.large_; c != nullptr; c = c->next) show(*c, c->top);
  for (const Chunk* list :
       {behind, const_cast<const Chunk*>(a_.large_spares_)}) {
    for (const Chunk* c = list; c != nullptr; c = c->next) show(*c, c->top);
  }
}

Location SlowPath::Locate(const Chunk& chunk, const void* address) const {
  const auto* p = static_cast<const char*>(address);
  Location where;
  where.arena = &a_;
  where.chunk_begin = chunk.begin;
  where.chunk_end = chunk.end;
  const char* top = &chunk == a_.current_ ? a_.cursor_ : chunk.top;
  where.place = IsInUse(chunk) && p >= chunk.begin && p < top ? Place::kLive
                                                              : Place::kUnused;
  if (!kChecked || where.place != Place::kLive) return where;
  const char* start = chunk.blocks.StartOf(p);
  where.place = Place::kUnused;  // a gap
  if (start == nullptr) return where;
  const BlockInfo& info = const_cast<Chunk&>(chunk).blocks.At(start);
  const std::size_t bytes = std::max<std::size_t>(info.bytes, 1);
  if (p >= start + bytes) return where;
  where.place = static_cast<BlockState>(info.state) == BlockState::kFreed
                    ? Place::kFreed
                    : Place::kLive;
  where.block = start;
  where.block_bytes = info.bytes;
  where.block_type = info.type;
  return where;
}

Location Locate(const void* address) noexcept {
  const Chunk* chunk = index::Find(address);
  if (chunk == nullptr) return {};
  Arena* arena = chunk->owner.load()->arena();
  return arena == nullptr ? Location{}
                          : SlowPath(*arena).Locate(*chunk, address);
}

bool IsOlderThanMark(const Arena& arena, const void* address) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).IsOlderThanMark(address);
}

}  // namespace detail

// -------------------------------------------------------- the public surface

Arena::Arena(const ArenaOptions& options)
    : source_(options.source != nullptr ? options.source
                                        : &CollectedSource::Instance()),
      entry_(nullptr),
      options_(options) {
  gives_slowly_ = !options.freelists;
}

Arena::~Arena() { detail::SlowPath(*this).ReleaseAll(); }

void* Arena::TakeSlow(std::size_t bytes, std::size_t align,
                      const TypeLayout* type) {
  return detail::SlowPath(*this).Take(bytes, align, type);
}

void Arena::GiveSlow(void* block, std::size_t bytes, std::size_t align,
                     const TypeLayout* type) {
  detail::SlowPath(*this).Give(block, bytes, align, type);
}

void Arena::CheckFree(void* block, std::size_t bytes, std::size_t align,
                      const TypeLayout* type) {
  detail::SlowPath(*this).CheckGive(block, bytes, align, type);
}

bool Arena::TryGrow(void* block, std::size_t old_bytes, std::size_t new_bytes,
                    std::size_t align) {
  detail::CheckAlignment(align);
  return detail::SlowPath(*this).TryGrow(block, old_bytes, new_bytes, align);
}

void Arena::Shrink(void* block, std::size_t old_bytes, std::size_t new_bytes,
                   std::size_t align) {
  detail::CheckAlignment(align);
  detail::SlowPath(*this).Shrink(block, old_bytes, new_bytes, align);
}

void* Arena::Grow(void* block, std::size_t old_bytes, std::size_t new_bytes,
                  std::size_t align) {
  if (TryGrow(block, old_bytes, new_bytes, align)) return block;
  ACRE_CHECK(new_bytes >= old_bytes,
             "Grow(%p) in arena '%s': from %zu to %zu bytes is no growth",
             block, name(), old_bytes, new_bytes);
  void* larger = Allocate(new_bytes, align);
  std::memcpy(larger, block, old_bytes);
  Free(block, old_bytes, align);
  return larger;
}

bool Arena::TryReserve(std::size_t bytes) {
  return detail::SlowPath(*this).TryReserve(bytes);
}

void Arena::Reserve(std::size_t bytes) {
  if (!TryReserve(bytes)) FailAllocation(bytes);
}

void Arena::VisitChunks(void (*visit)(void*, const ChunkInfo&),
                        void* context) const {
  detail::SlowPath(const_cast<Arena&>(*this)).VisitChunks(visit, context);
}

bool Arena::IsOpen(Mark mark) const noexcept {
  return detail::SlowPath(const_cast<Arena&>(*this)).IsOpen(mark);
}

void Arena::Reset(ResetMode mode) { detail::SlowPath(*this).Reset(mode); }
Mark Arena::Checkpoint() { return detail::SlowPath(*this).Checkpoint(); }
void Arena::Rewind(Mark mark) { detail::SlowPath(*this).Rewind(mark); }
void Arena::HandOver() noexcept { detail::SlowPath(*this).HandOver(); }

bool Arena::Owns(const void* address) const noexcept {
  const detail::Chunk* chunk = detail::index::Find(address);
  return chunk != nullptr && chunk->owner.load() == entry_;
}

ArenaStats Arena::stats() const noexcept {
  return detail::SlowPath(const_cast<Arena&>(*this)).Stats();
}

bool Arena::IsLiveInMarks(std::uint64_t stamp) const noexcept {
  return detail::SlowPath(const_cast<Arena&>(*this)).IsLiveInMarks(stamp);
}

void Arena::FailAllocation(std::size_t bytes) const {
  detail::FailOutOfMemory(
      {options_.name, bytes, reserved_, options_.byte_limit});
}

Arena* ArenaOf(const void* address) noexcept {
  const detail::Chunk* chunk = detail::index::Find(address);
  return chunk == nullptr ? nullptr : chunk->owner.load()->arena();
}

}  // namespace acre::inline ACRE_ABI
