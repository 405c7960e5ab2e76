// SPDX-License-Identifier: MIT

#include "history/arena_state.h"

#include <algorithm>
#include <utility>

#include "acre/detail/blocks.h"
#include "core/poison.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {

void SlowPath::SaveState(ArenaState& state) const {
  state.cursor = a_.cursor_;
  state.limit = a_.limit_;
  state.mark = a_.mark_;
  state.freed = a_.freed_;
  state.reused = a_.reused_;
  state.reclaim_at = a_.reclaim_at_;
  state.current = a_.current_;
  state.reserved = a_.reserved_;
  state.scanned = a_.scanned_;
  state.unreclaimed = a_.unreclaimed_;
  state.next_order = a_.next_order_;
  state.reset_order = a_.reset_order_;
  state.reset_stamp = a_.reset_stamp_;
  state.resets = a_.resets_;
  state.vain_scans = a_.vain_scans_;
  state.has_far_lists = a_.far_free_ != nullptr;
  std::copy_n(a_.near_free_, kNearClasses + 1, state.near_free);
  if (state.has_far_lists) {
    std::copy_n(a_.far_free_, kFarClasses, state.far_free);
  }
}

void SlowPath::LoadState(const ArenaState& state) {
  a_.cursor_ = state.cursor;
  a_.limit_ = state.limit;
  a_.mark_ = state.mark;
  a_.freed_ = state.freed;
  a_.reused_ = state.reused;
  a_.stamp_ = a_.next_stamp_++;
  a_.reclaim_at_ = state.reclaim_at;
  a_.reserved_ = state.reserved;
  a_.scanned_ = state.scanned;
  a_.unreclaimed_ = state.unreclaimed;
  a_.next_order_ = state.next_order;
  a_.reset_order_ = state.reset_order;
  a_.reset_stamp_ = state.reset_stamp;
  a_.resets_ = state.resets;
  a_.vain_scans_ = state.vain_scans;
  EmptyFreeLists();
  std::copy_n(state.near_free, kNearClasses + 1, a_.near_free_);
  if (state.has_far_lists) {
    std::copy_n(state.far_free, kFarClasses, a_.far_free_);
  }
  Blocks::CountErasure(a_);  // iterators look again
}

/// What is made from now on gets another stamp; all there is stays live. False
/// where memory ran out, and nothing has changed.
bool SlowPath::BeginStretch() {
  if (!a_.entry_->older_stamps.Add(a_.stamp_)) return false;
  a_.stamp_ = a_.next_stamp_++;
  NoteOlder();
  return true;
}

/// The stamps of a frame are the live ones. Requires: the state is loaded.
void SlowPath::GoBackTo(LiveStamps stamps) {
  stamps.Share();
  a_.entry_->older_stamps.Drop();
  a_.entry_->older_stamps = stamps;
  NoteOlder();
}

void SlowPath::ForEachListed(void (*visit)(void*, Chunk*, ChunkList),
                             void* context) const {
  Chunk* const behind = a_.current_ != nullptr ? a_.current_->next : a_.first_;
  const std::pair<Chunk*, ChunkList> lists[] = {
      {a_.first_, ChunkList::kUsed},
      {behind, ChunkList::kSpare},
      {a_.large_, ChunkList::kLarge},
      {a_.large_spares_, ChunkList::kLargeSpare}};
  for (const auto& [list, kind] : lists) {
    Chunk* const end = kind == ChunkList::kUsed ? behind : nullptr;
    for (Chunk* c = list; c != end;) {
      Chunk* const next = c->next;  // the visitor may link it elsewhere
      visit(context, c, kind);
      c = next;
    }
  }
}

ChunkRecord SlowPath::RecordOf(Chunk* chunk, ChunkList list) const {
  return {chunk,
          chunk->limit,
          chunk == a_.current_ ? nullptr : chunk->top,
          chunk->unclassed_end,
          chunk->charged,
          chunk->order,
          list,
          chunk->is_large};
}

/// Requires: the state is loaded after it.
void SlowPath::LoadChunks(const ChunkRecord* records, std::size_t count,
                          const ArenaState& state) {
  a_.first_ = a_.current_ = a_.large_ = a_.large_spares_ = nullptr;
  Chunk** shared_end = &a_.first_;
  Chunk** large_end = &a_.large_;
  Chunk** spare_end = &a_.large_spares_;
  Chunk* last_large = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const ChunkRecord& record = records[i];
    Chunk* const chunk = record.chunk;
    char* const top = record.TopIn(state);
    chunk->limit = record.limit;
    chunk->top = top != nullptr ? top : chunk->begin.load();
    chunk->dirty = std::max(chunk->dirty, chunk->top);
    chunk->unclassed_end = record.unclassed_end;
    chunk->charged = record.charged;
    chunk->order = record.order;
    chunk->is_large = record.is_large != 0;
    chunk->next = nullptr;
    chunk->prev = nullptr;
    Chunk**& end = record.list == ChunkList::kLarge        ? large_end
                   : record.list == ChunkList::kLargeSpare ? spare_end
                                                           : shared_end;
    *end = chunk;
    end = &chunk->next;
    if (record.list == ChunkList::kLarge) {
      chunk->prev = std::exchange(last_large, chunk);
    }
  }
  a_.current_ = state.current;
}

/// Of a chunk that frames have, in checked builds: its block map is that of
/// this moment again, below `top`; nothing is above.
void SlowPath::MendChunk(Chunk* chunk, const char* top) {
  chunk->blocks.Mend(top);
  if (!PoisonsMemory()) return;
  char* const begin = chunk->begin;
  Poison(begin, static_cast<std::size_t>(chunk->limit - begin));
  for (const char* p = chunk->blocks.NextStart(begin); p != nullptr;
       p = chunk->blocks.NextStart(p + kGranule)) {
    const BlockInfo& info = chunk->blocks.Get(p);
    if (static_cast<BlockState>(info.state) != BlockState::kLive) continue;
    Unpoison(const_cast<char*>(p), info.bytes);
  }
}

/// Open marks lie in the arena, and are no blocks.
void SlowPath::MendMarks() {
  if (!PoisonsMemory()) return;
  for (MarkState* m = a_.mark_; m != nullptr; m = m->outer) {
    Unpoison(m, sizeof *m);
    Unpoison(m, sizeof *m + m->saved_count * sizeof(SavedList));
  }
}

}  // namespace acre::inline ACRE_ABI::detail
