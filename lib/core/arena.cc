// SPDX-License-Identifier: MIT
//
// The arena's life, and the path of blocks that the inline code cannot serve.

#include "acre/arena.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/blocks.h"
#include "acre/detail/fill.h"
#include "acre/detail/heap_arena.h"
#include "acre/detail/watch.h"
#include "acre/gc.h"
#include "core/chunk_keeper.h"
#include "core/life.h"
#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI {
namespace detail {

// ------------------------------------------------------------------ taking

void* SlowPath::Take(std::size_t bytes, std::size_t align,
                     const TypeLayout* type) {
  if (ACRE_UNLIKELY(a_.is_heap_)) return TakeFromHeap(bytes, align, type);
  if (kChecked) CheckUser();
  if (ArenaWatch* watch = Watch()) watch->BeforeTake(a_);
  const Updating updating(*this);
  if (bytes > PTRDIFF_MAX - 2 * kMaxAlignment) return nullptr;
  void* block = TakeBlock(bytes, align);
  if (block == nullptr) return nullptr;
  if (kChecked) NoteTaken(block, bytes, align, type);
  if (a_.sampler_ != nullptr) NoteSampled(block, bytes, align, type);
  if (a_.tracer_ != nullptr) NoteTraced(block, bytes, align, type);
  return block;
}

void* SlowPath::TakeBlock(std::size_t bytes, std::size_t align) {
  const SizeClass size = BlockFor(bytes, align);
  const std::size_t block_align = BlockAlign(size, align);
  if (void* block = PopFree(size)) return block;
  if (size.bytes > kInlineMax) {
    if (void* block = TakeRetainedLarge(bytes, align)) return block;
  }
  if (TakeTailBack()) Reclaim();
  if (char* block = Carve(size.bytes, block_align)) return block;
  const std::size_t slack = block_align > kGranule ? block_align : 0;
  if (size.bytes > kInlineMax && size.bytes > NextChunkSize() / 4) {
    if (Extend(size.bytes + slack)) {
      if (char* block = Carve(size.bytes, block_align)) return block;
    }
    return TakeLarge(bytes, align);
  }
  // A re-entrant user may take the new chunk's memory, hence the loop.
  while (Refill(size.bytes + slack)) {
    if (void* block = PopFree(size)) return block;
    if (char* block = Carve(size.bytes, block_align)) return block;
  }
  return nullptr;
}

char* SlowPath::Carve(std::size_t bytes, std::size_t align) {
  const auto at = reinterpret_cast<std::uintptr_t>(a_.cursor_);
  const std::size_t gap = RoundUp(at, align) - at;
  const std::size_t room = Remaining();
  if (room < bytes || room - bytes < gap) return nullptr;
  char* const tail = a_.cursor_;
  a_.cursor_ += gap + bytes;
  PushGap(tail, gap);
  return tail + gap;
}

// ------------------------------------------------------------------ giving

void SlowPath::Give(void* block, std::size_t bytes, std::size_t align,
                    const TypeLayout* type) {
  if (ACRE_UNLIKELY(a_.is_heap_)) return;  // the collector's
  const Updating updating(*this);
  if (kChecked) CheckGive(block, bytes, align, type);
  const bool is_recorded = IsRecorded(block);
  if (is_recorded) {
    if (ArenaWatch* watch = Watch()) watch->BlockFreed(block, bytes);
  }
  const SizeClass size = BlockFor(bytes, align);
  if (ACRE_UNLIKELY(a_.tracer_ != nullptr)) {
    const Chunk& chunk = *index::Find(block);
    Tracer::Clear(chunk, block,
                  static_cast<char*>(block) +
                      (chunk.HasUnclassed(block) ? bytes : size.bytes));
  }
  if (is_recorded) NoteGiven(block, bytes);
  if (size.bytes > kInlineMax && GiveUnclassed(block)) return;
  if (size.index != kNoClass) {
    GivePiece(block, size);
    if (a_.freed_ >= ReclaimAt()) PlanReclaim();
    return;
  }
  // Too large for a freelist: usable again at once where it is the last block,
  // after Reset where not.
  if (static_cast<char*>(block) + size.bytes == a_.cursor_) Retract(block);
}

/// Moves the cursor back to `end`: what lies behind is handed out again.
void SlowPath::Retract(void* end) {
  NoteTop();
  a_.cursor_ = static_cast<char*>(end);
  ForgetBlocks(a_.current_, a_.cursor_);
}

void SlowPath::GivePiece(void* block, SizeClass size) {
  if (!a_.options_.freelists) {
    if (static_cast<char*>(block) + size.bytes != a_.cursor_) {
      FreedCounter(block) += size.bytes;
      return;
    }
    return Retract(block);
  }
  if (a_.mark_ != nullptr && IsBelowMark(block)) {
    return PushWaiting(block, size.index);
  }
  PushFree(block, size.index, size.bytes);
}

bool SlowPath::TryGrow(void* block, std::size_t old_bytes,
                       std::size_t new_bytes, std::size_t align) {
  // Of a traced block it is not known what is to lie in the rest.
  if (a_.is_heap_ || IsTraced()) return false;
  const Updating updating(*this);
  if (kChecked) CheckLiveBlock(a_, block, "TryGrow");
  TakeTailBack();
  if (new_bytes > PTRDIFF_MAX / 2 || new_bytes < old_bytes) return false;
  const SizeClass old_size = BlockFor(old_bytes, align);
  const SizeClass new_size = BlockFor(new_bytes, align);
  char* end = static_cast<char*>(block) + old_size.bytes;
  // Asked first: the class of a large block may end behind its chunk, where
  // the cursor is.
  if (old_size.bytes > kInlineMax && index::Find(block)->HasUnclassed(block)) {
    if (!GrowUnclassed(block, new_bytes)) return false;
  } else if (new_size.bytes > old_size.bytes) {
    const std::size_t more = new_size.bytes - old_size.bytes;
    const std::size_t need = BlockAlign(new_size, align);
    if (end != a_.cursor_ ||
        (reinterpret_cast<std::uintptr_t>(block) & (need - 1)) != 0) {
      return false;
    }
    if (more > Remaining() && !Extend(more)) return false;
    // The source may have run code that used the arena.
    if (end != a_.cursor_ || more > Remaining()) return false;
    a_.cursor_ += more;
  }
  if (IsRecorded(block)) NoteGrown(block, old_bytes, new_bytes);
  return true;
}

bool SlowPath::TryShrink(void* block, std::size_t old_bytes,
                         std::size_t new_bytes, std::size_t align) {
  if (a_.is_heap_) return false;
  const Updating updating(*this);
  if (kChecked) {
    CheckLiveBlock(a_, block, "Shrink");
    ACRE_CHECK(index::Find(block)->blocks.At(static_cast<char*>(block)).bytes ==
                   old_bytes,
               "Shrink(%p) in arena '%s': the block does not have %zu bytes",
               block, a_.name(), old_bytes);
  }
  const SizeClass old_size = BlockFor(old_bytes, align);
  const SizeClass new_size = BlockFor(new_bytes, align);
  const Chunk* chunk =
      old_size.bytes > kInlineMax ? index::Find(block) : nullptr;
  const bool unclassed = chunk != nullptr && chunk->HasUnclassed(block);
  // Free would take a small block for one of its class; and one that has most
  // of a chunk and does not use it is moved.
  if (unclassed &&
      (new_size.bytes <= kInlineMax || new_bytes < chunk->capacity() / 2)) {
    return false;
  }
  if (IsRecorded(block)) {
    BlockInfo& info = index::Find(block)->blocks.At(static_cast<char*>(block));
    info.bytes = new_bytes;
    if (!kChecked && !unclassed &&
        !a_.sampler_->pages.HasAny(block, new_size.bytes)) {
      // Inline code may give it back, and hand it out as something else.
      info.state = static_cast<std::uint8_t>(BlockState::kNone);
    }
    char* rest = static_cast<char*>(block) + new_bytes;
    Fill(rest, kFreedByte, old_bytes - new_bytes);
    PoisonOwn(rest, old_bytes - new_bytes);
  }
  if (IsTraced()) {
    char* const begin = static_cast<char*>(block);
    Tracer::Clear(*index::Find(block), begin + RoundUp(new_bytes, kGranule / 2),
                  begin + (unclassed ? old_bytes : old_size.bytes));
  }
  if (unclassed || old_size.bytes == new_size.bytes) return true;
  char* rest = static_cast<char*>(block) + new_size.bytes;
  char* end = static_cast<char*>(block) + old_size.bytes;
  if (end == a_.cursor_) {
    Retract(rest);
  } else {
    PushGap(rest, static_cast<std::size_t>(end - rest));
  }
  return true;
}

bool SlowPath::TryReserve(std::size_t bytes) {
  const Updating updating(*this);
  if (bytes > PTRDIFF_MAX / 2) return false;
  if (TakeTailBack()) Reclaim();
  bytes = RoundUp(bytes, kGranule);
  while (Remaining() < bytes) {
    Chunk* const left = a_.current_;
    char* const tail = a_.cursor_;
    const std::size_t room = Remaining();
    if (!Refill(bytes)) return false;
    // What is left behind is used for small blocks. (A source may have run code
    // that used it already.)
    if (left == nullptr || left == a_.current_ || left->top != tail ||
        left->order == 0 || !a_.options_.freelists) {
      continue;
    }
    left->top = tail + room;
    left->dirty = std::max(left->dirty, left->top);
    PushGap(tail, room);
  }
  return true;
}

char* SlowPath::TakeRoom(std::size_t bytes) {
  if (kChecked) CheckUser();
  if (ArenaWatch* watch = Watch()) watch->BeforeTake(a_);
  const Updating updating(*this);
  if (bytes > Remaining() && !TryReserve(bytes)) return nullptr;
  return Carve(bytes, kGranule);
}

void SlowPath::GiveRoom(char* room, std::size_t bytes) {
  const Updating updating(*this);
  PushGap(room, bytes);
  if (a_.freed_ >= ReclaimAt()) PlanReclaim();
}

// -------------------------------------------------------------------- reset

void SlowPath::ForgetBlocks(Chunk* chunk, char* from) {
  if (!chunk->blocks.exists()) return;
  chunk->blocks.Clear(from);
  PoisonOwn(from, static_cast<std::size_t>(chunk->limit - from));
}

void SlowPath::Reset(ResetMode mode) {
  ACRE_CHECK(!a_.is_heap_, "Reset: %s is no arena of yours", a_.name());
  const Updating updating(*this);
  NoteTop();
  RetireAllLarge(0);
  if (a_.freed_ != a_.reused_ || a_.mark_ != nullptr) {
    EmptyFreeLists();
  }
  a_.freed_ = a_.reused_ = a_.scanned_ = a_.unreclaimed_ = a_.vain_scans_ = 0;
  if (a_.entry_ != nullptr) {
    a_.entry_->older_stamps.Drop();
    slots::Reset(*a_.entry_, mode == ResetMode::kRelease);
  }
  SetMark(nullptr);
  a_.stamp_ = a_.next_stamp_++;
  a_.reset_stamp_ = a_.stamp_;
  a_.reset_order_ = a_.next_order_;
  ++a_.resets_;
  a_.current_ = nullptr;
  a_.cursor_ = a_.limit_ = nullptr;
  for (Chunk* list : {a_.first_, a_.large_spares_}) {
    if (mode == ResetMode::kKeep && !IsAudited() && !IsTraced()) break;
    for (Chunk* c = list; c != nullptr; c = c->next) WipeChunk(c, mode);
  }
  TrimTo(mode == ResetMode::kRelease ? 0 : a_.options_.retain_limit);
  if (a_.first_ != nullptr) StartAt(a_.first_);
}

/// Zeros, or in checked builds fills, what was handed out of a spare.
void SlowPath::WipeChunk(Chunk* chunk, ResetMode mode) {
  ForgetTraced(chunk, chunk->begin);
  if (mode == ResetMode::kKeep && !kChecked) {
    return ForgetBlocks(chunk, chunk->begin);
  }
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

void SlowPath::ReleaseAll() {
  if (a_.entry_ == nullptr || Park()) return;
  if (IsAudited()) {
    if (!IsUsedHere()) BecomeUser();
    Exchange(a_.updating_, true);
  }
  if (a_.entry_->keeper != nullptr) a_.entry_->keeper->ArenaEnds();
  RetireAllLarge(0);
  a_.current_ = nullptr;
  a_.cursor_ = a_.limit_ = nullptr;
  EmptyFreeLists();
  a_.far_free_ = nullptr;
  TrimTo(0);
  slots::End(*a_.entry_);
  if (a_.tracer_ != nullptr) FreeTracer(std::exchange(a_.tracer_, nullptr));
  a_.sampler_ = nullptr;
  index::RemoveArena(a_.entry_);
  a_.entry_ = nullptr;
}

// ------------------------------------------------------------------ queries

bool SlowPath::IsInUse(const Chunk& chunk) const {
  if (chunk.order < a_.reset_order_) return false;
  return chunk.is_large ||
         (a_.current_ != nullptr && chunk.order <= a_.current_->order);
}

const Chunk* SlowPath::FirstInUse() const {
  return a_.current_ != nullptr ? a_.first_ : a_.large_;
}

const Chunk* SlowPath::NextInUse(const Chunk& chunk) const {
  return &chunk == a_.current_ ? a_.large_ : chunk.next;
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

}  // namespace detail

// -------------------------------------------------------- the public surface

Arena::Arena(const ArenaOptions& options)
    : source_(options.source != nullptr          ? options.source
              : options.trace == Trace::kNothing ? &CollectedSource::Instance()
                                                 : &detail::TheTracedSource()),
      entry_(nullptr),
      options_(options) {
  ACRE_CHECK(
      !is_traced() || options.source == nullptr,
      "arena '%s' is to be traced: the collector marks through chunks on "
      "its own heap alone; leave options.source null",
      options.name);
  if (!kChecked) return;
  stamp_ = detail::life::Begin(this, options.name);
  next_stamp_ = stamp_ + 1;
}

Arena::~Arena() {
  detail::SlowPath path(*this);
  path.BeforeEnd();
  path.ReleaseAll();
  if (kChecked) detail::life::End(this);
}

void* Arena::TakeSlow(std::size_t bytes, std::size_t align,
                      const TypeLayout* type) {
  if (!kChecked && ACRE_UNLIKELY(tracer_ != nullptr)) {
    void* const block = detail::SlowPath(*this).TakeTraced(bytes, align, type);
    if (ACRE_LIKELY(block != nullptr)) return block;
  }
  return detail::SlowPath(*this).Take(bytes, align, type);
}

void Arena::GiveSlow(void* block, std::size_t bytes, std::size_t align,
                     const TypeLayout* type) {
  if (!kChecked && ACRE_UNLIKELY(sampler_ != nullptr) &&
      detail::SlowPath(*this).GiveSampled(block, bytes, align)) {
    return;
  }
  if (!kChecked && ACRE_UNLIKELY(tracer_ != nullptr) &&
      detail::SlowPath(*this).GiveTraced(block, bytes, align)) {
    return;
  }
  detail::SlowPath(*this).Give(block, bytes, align, type);
}

void Arena::CheckFree(void* block, std::size_t bytes, std::size_t align,
                      const TypeLayout* type) {
  if (is_heap_) return;  // the collector's
  detail::SlowPath path(*this);
  path.CheckGive(block, bytes, align, type);
  path.BeforeFree();
}

bool Arena::TryGrow(void* block, std::size_t old_bytes, std::size_t new_bytes,
                    std::size_t align) {
  detail::CheckAlignment(align);
  return detail::SlowPath(*this).TryGrow(block, old_bytes, new_bytes, align);
}

std::size_t detail::Blocks::GrowIntoRest(Arena& arena, void* block,
                                         std::size_t bytes, std::size_t least,
                                         std::size_t most,
                                         const TypeLayout& element) {
  return SlowPath(arena).GrowIntoRest(block, bytes, least, most, element);
}

std::size_t detail::Blocks::BytesOfLarge(const void* block, std::size_t bytes) {
  return index::Find(block)->HasUnclassed(block)
             ? RoundUp(bytes, kGranule)
             : BlockFor(bytes, kGranule).bytes;
}

char* detail::Blocks::TryTakeRoom(Arena& arena, std::size_t bytes) {
  return SlowPath(arena).TakeRoom(bytes);
}

void detail::Blocks::NoteCutSlow(Arena& arena, void* block, std::size_t bytes,
                                 std::size_t align, const TypeLayout* type) {
  SlowPath(arena).NoteCut(block, bytes, align, type);
}

void detail::Blocks::NoteFilledSlow(Arena&, void* block, std::size_t bytes,
                                    std::size_t align, const TypeLayout* type) {
  SlowPath::NoteBlock(*index::Find(block), block, bytes, align, type);
}

void detail::Blocks::NoteLongerSlow(Arena& arena, void* block,
                                    std::size_t old_bytes, std::size_t bytes,
                                    const TypeLayout& element) {
  SlowPath(arena).NoteLonger(block, old_bytes, bytes, element);
}

void detail::Blocks::Wipe(const Arena& arena, void* first, std::size_t bytes,
                          std::size_t element) {
  const SlowPath path(const_cast<Arena&>(arena));
  path.FillAudited(static_cast<char*>(first), bytes, element, kFreedByte);
}

void detail::Blocks::GiveRoom(Arena& arena, char* room, std::size_t bytes) {
  SlowPath(arena).GiveRoom(room, bytes);
}

void* Arena::Shrink(void* block, std::size_t old_bytes, std::size_t new_bytes,
                    std::size_t align) {
  detail::CheckAlignment(align);
  ACRE_CHECK(new_bytes <= old_bytes,
             "Shrink(%p) in arena '%s': from %zu to %zu bytes is no shrinking",
             block, name(), old_bytes, new_bytes);
  if (detail::SlowPath(*this).TryShrink(block, old_bytes, new_bytes, align)) {
    return block;
  }
  void* smaller = Allocate(new_bytes, align);
  std::memcpy(smaller, block, new_bytes);
  Free(block, old_bytes, align);
  return smaller;
}

void* Arena::Grow(void* block, std::size_t old_bytes, std::size_t new_bytes,
                  std::size_t align) {
  if (block == nullptr && old_bytes == 0) return Allocate(new_bytes, align);
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

void Arena::Reset(ResetMode mode) {
  detail::SlowPath path(*this);
  constexpr auto kNoHolders = static_cast<unsigned>(ResetMode::kNoHolders);
  const auto flags = static_cast<unsigned>(mode);
  if ((flags & kNoHolders) != 0) {
    __builtin_unwind_init();  // saves the program's registers in this frame
    detail::RequireNoHolders(*this, __builtin_frame_address(0));
  }
  path.BeforeReset();
  path.Reset(static_cast<ResetMode>(flags & ~kNoHolders));
  path.AfterReset();
}
Mark Arena::Checkpoint() { return detail::SlowPath(*this).Checkpoint(); }
void Arena::Rewind(Mark mark) {
  detail::SlowPath path(*this);
  path.BeforeReset();
  path.Rewind(mark);
  path.AfterReset();
}
void Arena::HandOver() noexcept { detail::SlowPath(*this).HandOver(); }

bool Arena::Owns(const void* address) const noexcept {
  const detail::Chunk* chunk = detail::index::Find(address);
  return chunk != nullptr && chunk->owner.load() == entry_;
}

ArenaStats Arena::stats() const noexcept {
  return detail::SlowPath(const_cast<Arena&>(*this)).Stats();
}

bool Arena::IsLiveOlder(std::uint64_t stamp) const noexcept {
  return detail::SlowPath(const_cast<Arena&>(*this)).IsLiveOlder(stamp);
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
