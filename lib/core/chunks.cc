// SPDX-License-Identifier: MIT
//
// The arena's chunks: which one is current, where the next comes from, and how
// many are kept.

#include <algorithm>
#include <cstring>

#include "acre/detail/blocks.h"
#include "core/chunk_keeper.h"
#include "core/life.h"
#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

std::size_t SlowPath::NextChunkSize() const {
  const ArenaOptions& options = a_.options_;
  if (options.first_chunk != 0) {
    return std::clamp(a_.reserved_, options.first_chunk,
                      std::max(options.first_chunk, options.max_chunk));
  }
  const std::size_t least = a_.collected_ ? 256 : std::size_t{64} << 10;
  // Without the small first chunk, which would make all others odd.
  return std::clamp(a_.reserved_ & ~(least - 1), least,
                    std::max(least, options.max_chunk));
}

/// Most arenas of a program may be small. Where small chunks cost their source
/// little an arena begins with one, and goes on as all others: from libgc 64
/// KiB are 8500 instructions, there and back, one below 1 KiB 300. Not without
/// freelists, as Free then gives back what stands last in the current chunk
/// alone.
std::size_t SlowPath::FirstChunkSize(std::size_t need) const {
  return a_.reserved_ == 0 && need <= kSmallChunk / 3 && BeginsSmall()
             ? kSmallChunk
             : NextChunkSize();
}

bool SlowPath::BeginsSmall() const {
  const ArenaOptions& options = a_.options_;
  return options.first_chunk == 0 && options.source == nullptr &&
         options.freelists && !a_.collected_ &&
         options.trace == Trace::kNothing;
}

/// The chunk of a small arena that has ended. Checked builds take none: there
/// what is gone is known as that.
Chunk* SlowPath::TakeParked(std::size_t need) {
  if (kChecked || a_.entry_ != nullptr || need > kSmallChunk / 3 ||
      a_.options_.byte_limit < kSmallChunk || !BeginsSmall()) {
    return nullptr;
  }
  a_.entry_ = index::Unpark(&a_);
  if (a_.entry_ == nullptr) return nullptr;
  NoteSource();
  Chunk* const chunk = a_.entry_->chunks;
  Charge(chunk, kSmallChunk);
  if (ACRE_UNLIKELY(AuditOneIn() != 0)) SampleParked(*chunk);
  return chunk;
}

/// True where the arena has ended, and its one small chunk is kept for others.
bool SlowPath::Park() {
  const ArenaEntry& entry = *a_.entry_;
  const Chunk* const chunk = a_.first_;
  return !kChecked && a_.sampler_ == nullptr && chunk != nullptr &&
         chunk->next == nullptr && a_.large_ == nullptr &&
         a_.large_spares_ == nullptr && chunk->charged == kSmallChunk &&
         chunk->memory.size == kSmallChunk && BeginsSmall() &&
         entry.keeper == nullptr && entry.watch == nullptr &&
         entry.refs.all == nullptr && entry.weak_refs.all == nullptr &&
         entry.older_stamps.count == 0 && entry.times_brought_back == 0 &&
         index::Park(a_.entry_);
}

/// Makes a chunk with `need` free bytes current, if there is one to be had.
bool SlowPath::Refill(std::size_t need) {
  if (AdvanceToSpare(need)) return true;
  if (Chunk* parked = TakeParked(need)) {
    Advance(parked);
    return true;
  }
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
  if (Chunk* chunk =
          Acquire(min_size, std::max(min_size, FirstChunkSize(need)))) {
    Advance(chunk);
    return true;
  }
  // The source is dry: look for whole chunks even if few bytes were freed.
  return a_.options_.freelists && a_.freed_ != a_.scanned_ && ReclaimFor(need);
}

/// Makes the current chunk longer, so that it has `need` free bytes: by what
/// the byte limit had cut off, and then by what its source can add.
bool SlowPath::Extend(std::size_t need) {
  Chunk* chunk = a_.current_;
  if (chunk == nullptr || need > PTRDIFF_MAX / 2) return false;
  UseHeld(chunk);
  if (Remaining() >= need) return true;
  const auto begin = reinterpret_cast<std::uintptr_t>(chunk->memory.address);
  if (chunk->charged != chunk->memory.size || begin % kMaxAlignment != 0 ||
      chunk->memory.size % kMaxAlignment != 0) {
    return false;
  }
  // Up to 16 bytes at the end of a chunk are never handed out.
  const std::size_t missing = need - Remaining() + kGranule;
  if (missing > Allowed()) return false;
  const std::size_t min_more = RoundUp(missing, kMaxAlignment);
  const std::size_t wanted_more =
      std::max(min_more, std::min(RoundUp(NextChunkSize(), kMaxAlignment),
                                  Allowed() / kMaxAlignment * kMaxAlignment));
  std::size_t more = 0;
  {
    const CallingSource calling(*this);
    more = a_.source_->Extend(chunk->memory, min_more, wanted_more);
  }
  if (more == 0) return false;
  // Where the index has no memory the source keeps what it gave as part of the
  // chunk; it goes back with it.
  ChunkMemory longer = chunk->memory;
  longer.size += more;
  if (!StartSampling(longer) || !index::ExtendChunk(chunk, more)) return false;
  UseHeld(chunk);
  return Remaining() >= need;
}

/// Where blocks end, of what is charged; in front of the bitmap of a traced
/// one.
char* SlowPath::LimitOf(const Chunk& chunk) {
  char* const begin = static_cast<char*>(chunk.memory.address);
  char* const limit = begin + (chunk.charged - 1) / kGranule * kGranule;
  if (chunk.bits == nullptr) return limit;
  const auto words = reinterpret_cast<char*>(chunk.bits) - begin;
  return std::min(limit, begin + words / 16 * 16);
}

/// Moves the limit of the current chunk to the end of what the source gave, or
/// as far as the byte limit allows.
void SlowPath::UseHeld(Chunk* chunk) {
  const std::size_t more =
      std::min(chunk->memory.size - chunk->charged, Allowed());
  if (more == 0) return;
  NoteTop();
  char* const old_limit = Limit();
  chunk->charged += more;
  a_.reserved_ += more;
  chunk->limit = LimitOf(*chunk);
  SetLimit(chunk->limit);
  PoisonOwn(old_limit, static_cast<std::size_t>(chunk->limit - old_limit));
}

bool SlowPath::ReclaimFor(std::size_t need) {
  if (!Reclaim()) return false;
  return Remaining() >= need || AdvanceToSpare(need);
}

/// Spares stand behind current_; one that fits is put right behind it: the
/// first for small blocks; for others, which a large block may want for itself,
/// the smallest of a few.
bool SlowPath::AdvanceToSpare(std::size_t need) {
  constexpr int kMost = 16;
  int seen = 0;
  Chunk** best = nullptr;
  Chunk** at = a_.current_ != nullptr ? &a_.current_->next : &a_.first_;
  for (; *at != nullptr; at = &(*at)->next) {
    const std::size_t capacity = (*at)->capacity();
    if (capacity < need) continue;
    if (best == nullptr || capacity < (*best)->capacity()) best = at;
    if (need <= kSmallMax || capacity < 2 * need || ++seen == kMost) break;
  }
  if (best == nullptr) return false;
  Chunk* spare = *best;
  *best = spare->next;
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

/// Makes a spare of a chunk without blocks, which is not the current one.
void SlowPath::Shelve(Chunk* chunk) {
  Chunk** at = &a_.first_;
  while (*at != chunk) at = &(*at)->next;
  *at = chunk->next;
  chunk->next = a_.current_->next;
  a_.current_->next = chunk;
  Vacate(chunk);
}

/// No block of it is in use any more: it counts as a spare.
void SlowPath::Vacate(Chunk* chunk) {
  chunk->order = 0;
  ForgetBlocks(chunk, chunk->begin);
  ForgetTraced(chunk, chunk->begin);
}

/// Writes the cursor back to the current chunk.
void SlowPath::NoteTop() {
  if (a_.current_ == nullptr) return;
  a_.current_->top = a_.cursor_;
  a_.current_->dirty = std::max(a_.current_->dirty, a_.cursor_);
}

void SlowPath::StartAt(Chunk* chunk) {
  chunk->order = a_.next_order_++;
  chunk->unclassed_end = nullptr;
  a_.current_ = chunk;
  a_.cursor_ = chunk->begin.load(std::memory_order_relaxed);
  SetLimit(chunk->limit);
}

/// Blocks may end there: nothing is set aside, and the next Free asks whether
/// something is to be.
void SlowPath::SetLimit(char* limit) {
  a_.limit_ = limit;
  ReclaimAt() = 0;
  if (a_.sampler_ != nullptr) a_.sampler_->is_tail_aside = false;
}

ArenaEntry* SlowPath::Entry() {
  if (a_.entry_ != nullptr) return a_.entry_;
  a_.entry_ = index::AddArena(&a_, a_.collected_);
  if (a_.entry_ == nullptr) return nullptr;
  NoteSource();
  if (kChecked) MakeWatch(*a_.entry_);
  return a_.entry_;
}

/// Whose code it is.
void SlowPath::NoteSource() {
  std::memcpy(&a_.entry_->source_code, static_cast<const void*>(a_.source_),
              sizeof(void*));
}

/// Where a history keeps chunks, one of those before one of the source.
Chunk* SlowPath::Acquire(std::size_t min_size, std::size_t wanted) {
  ArenaEntry* entry = Entry();
  if (entry == nullptr) return nullptr;
  if (IsTraced()) {
    if (!HasTracer()) return nullptr;
    min_size = TracedMemory::BytesFor(min_size);
    wanted = std::max(wanted, min_size);
  }
  if (min_size > Allowed() && !(ReleaseSpares() && min_size <= Allowed())) {
    return nullptr;
  }
  Chunk* chunk = nullptr;
  if (entry->keeper != nullptr) {
    chunk = entry->keeper->TakeBack(min_size, wanted, false);
  }
  if (chunk == nullptr) chunk = AcquireNew(min_size, wanted);
  if (chunk == nullptr && entry->keeper != nullptr) {
    chunk = entry->keeper->TakeBack(min_size, wanted, true);
  }
  // Asked again: the source may have run code that made this arena grow.
  const std::size_t allowed = Allowed();
  if (chunk != nullptr && min_size > allowed) {
    GiveBack(chunk);
    chunk = nullptr;
  }
  if (chunk != nullptr) Charge(chunk, allowed);
  return chunk;
}

Chunk* SlowPath::AcquireNew(std::size_t min_size, std::size_t wanted) {
  // Whole pages of the index, but for the chunks of very small arenas.
  wanted = RoundUp(wanted, wanted < kMaxAlignment ? kGranule : kMaxAlignment);
  const auto acquire = [&] {
    const CallingSource calling(*this);
    return a_.source_->Acquire(min_size, std::min(wanted, Allowed()));
  };
  ChunkMemory memory = acquire();
  if (memory.address == nullptr && ReleaseSpares()) memory = acquire();
  if (memory.address == nullptr) return nullptr;
  ACRE_CHECK(reinterpret_cast<std::uintptr_t>(memory.address) % kGranule == 0 &&
                 memory.size >= min_size,
             "the source of arena '%s' returned %zu bytes at %p; at least %zu, "
             "aligned to 16, were asked for",
             a_.name(), memory.size, memory.address, min_size);
  Chunk* chunk =
      StartSampling(memory) ? index::AddChunk(a_.entry_, memory) : nullptr;
  if (chunk != nullptr) {
    chunk->bits = IsTraced() ? TracedMemory::BitsOf(memory.address, memory.size)
                             : nullptr;
  }
  if (chunk == nullptr) {
    const CallingSource calling(*this);
    a_.source_->Release(memory);
    return nullptr;
  }
  if (a_.entry_->keeper != nullptr) a_.entry_->keeper->NoteNew(chunk);
  return chunk;
}

/// A source that cannot give less is used up to the limit only.
void SlowPath::Charge(Chunk* chunk, std::size_t allowed) {
  chunk->charged = std::min(chunk->memory.size, allowed);
  chunk->limit = LimitOf(*chunk);
  a_.reserved_ += chunk->charged;
  PoisonOwn(chunk->begin, chunk->capacity());
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

/// Requires: it is in no list any more.
void SlowPath::Release(Chunk* chunk) {
  a_.reserved_ -= chunk->charged;
  if (ChunkKeeper* keeper = a_.entry_->keeper; keeper != nullptr) {
    Vacate(chunk);
    if (keeper->Keep(chunk)) return;
  }
  GiveBack(chunk);
}

/// To its source.
void SlowPath::GiveBack(Chunk* chunk) {
  const ChunkMemory memory = chunk->memory;
  Unpoison(chunk->begin, chunk->capacity());
  if (kChecked) life::NoteGone(&a_, memory);
  ++a_.entry_->chunks_given_back;
  index::RemoveChunk(chunk);
  const CallingSource calling(*this);
  a_.source_->Release(memory);
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

// ------------------------------------------------------------------- tracing

/// Made before the first chunk. False where memory ran out.
bool SlowPath::HasTracer() {
  if (a_.tracer_ != nullptr) return true;
  Tracer* const tracer = NewTracer(a_.collected_);
  if (tracer == nullptr) return false;
  // To get it may have run code that used this arena.
  if (a_.tracer_ == nullptr) {
    a_.tracer_ = tracer;
    tracer->scans_raw = a_.options_.trace == Trace::kPointers ? 1 : 0;
  } else if (!a_.collected_) {
    FreeTracer(tracer);
  }
  return true;
}

void SlowPath::NoteTraced(void* block, std::size_t bytes, std::size_t align,
                          const TypeLayout* type) {
  const Chunk& chunk = *index::Find(block);
  // Raw memory: all that it has, of which Free clears all.
  const bool is_raw = type == nullptr && !chunk.HasUnclassed(block);
  a_.tracer_->NoteTaken(chunk, block,
                        is_raw ? BlockFor(bytes, align).bytes : bytes, type);
}

/// As index::Find: most blocks are of the current one.
Chunk* SlowPath::ChunkOf(const void* block) const {
  if (Chunk* const current = a_.current_; current != nullptr) {
    const auto* const at = static_cast<const char*>(block);
    const char* const begin = current->begin.load(std::memory_order_relaxed);
    if (at >= begin && at < current->limit) return current;
  }
  return index::Find(block);
}

void* SlowPath::TakeTraced(std::size_t bytes, std::size_t align,
                           const TypeLayout* type) {
  if (type == nullptr || bytes - 1 >= kSmallMax || align > kGranule ||
      a_.current_ == nullptr) {
    return nullptr;
  }
  const SizeClass size = ClassOf(bytes, align);
  FreeBlock*& list = a_.tracer_->lists[size.index];
  if (void* const block = Pop(list, size)) {
    a_.tracer_->NoteRow(*ChunkOf(block), block, bytes, *type);
    return block;
  }
  char* const block = a_.cursor_;
  if (size.bytes > static_cast<std::size_t>(a_.current_->limit - block)) {
    return nullptr;
  }
  a_.cursor_ = a_.limit_ = block + size.bytes;
  a_.tracer_->NoteRow(*a_.current_, block, bytes, *type);
  return block;
}

bool SlowPath::GiveTraced(void* block, std::size_t bytes, std::size_t align) {
  if (bytes - 1 >= kSmallMax || align > kGranule || a_.mark_ != nullptr ||
      a_.current_ == nullptr || !a_.options_.freelists) {
    return false;
  }
  const SizeClass size = ClassOf(bytes, align);
  Tracer::Clear(*ChunkOf(block), block, static_cast<char*>(block) + size.bytes);
  Push(block, a_.tracer_->lists[size.index]);
  a_.freed_ += size.bytes;
  return true;
}

/// Nothing from there on holds anything any more.
void SlowPath::ForgetTraced(Chunk* chunk, const char* from) {
  if (a_.tracer_ == nullptr) return;
  const char* const top = chunk == a_.current_ ? a_.cursor_ : chunk->top;
  Tracer::Clear(*chunk, from, std::max<const char*>(top, chunk->dirty));
}

void Blocks::NoteRow(Arena& arena, void* block, std::size_t bytes,
                     std::size_t offset, const TypeLayout& element) {
  if (!arena.is_traced()) return;
  char* const begin = static_cast<char*>(block);
  Tracer::Clear(*index::Find(block), begin, begin + bytes);
  SlowPath(arena).AddRow(block, bytes, offset, element);
}

void Blocks::AddRow(Arena& arena, void* block, std::size_t bytes,
                    std::size_t offset, const TypeLayout& element) {
  if (!arena.is_traced()) return;
  SlowPath(arena).AddRow(block, bytes, offset, element);
}

void SlowPath::AddRow(void* block, std::size_t bytes, std::size_t offset,
                      const TypeLayout& element) {
  if (bytes == offset) return;
  char* const begin = static_cast<char*>(block);
  a_.tracer_->NoteRow(*index::Find(block), begin + offset, bytes - offset,
                      element);
}

}  // namespace acre::inline ACRE_ABI::detail
