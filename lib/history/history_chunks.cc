// SPDX-License-Identifier: MIT
//
// The chunks that frames have: listed, kept aside, used again, given back.

#include <cstring>
#include <new>
#include <utility>

#include "acre/detail/has_memory.h"
#include "history/history_state.h"

namespace acre::inline ACRE_ABI::detail {

/// Null where memory ran out.
ChunkHistory* HistoryState::Know(Chunk* chunk) {
  if (ChunkHistory* known = Of(chunk)) return known;
  auto* known = new (std::nothrow) ChunkHistory;
  if (known == nullptr) return nullptr;
  known->chunk = chunk;
  known->prev = last_known_;
  (last_known_ != nullptr ? last_known_->next : known_) = known;
  last_known_ = known;
  chunk->kept = known;
  return known;
}

void HistoryState::Forget(ChunkHistory* known) {
  StopWatching(*known);
  FreeRows(*known);
  (known->prev != nullptr ? known->prev->next : known_) = known->next;
  (known->next != nullptr ? known->next->prev : last_known_) = known->prev;
  known->chunk->kept = nullptr;
  delete known;
}

void HistoryState::FreeRows(ChunkHistory& known) {
  for (PageRow* row : {&known.bytes, &known.infos, &known.starts}) {
    store_.FreeRow(*row);
  }
}

bool HistoryState::Keep(Chunk* chunk) {
  ChunkHistory* const known = Of(chunk);
  if (known == nullptr) return false;
  if (known->lists == 0) {
    Forget(known);
    return false;
  }
  known->is_aside = true;
  known->aside_since = captures_;
  return true;
}

/// The one known longest: a program that plays again what it did after a frame
/// asks for the same chunks in the same order, and gets the same addresses.
Chunk* HistoryState::TakeBack(std::size_t min_size, std::size_t wanted,
                              bool any) {
  for (ChunkHistory* k = known_; k != nullptr; k = k->next) {
    const std::size_t size = k->chunk->memory.size;
    if (!k->is_aside || size < min_size || (!any && size / 2 > wanted)) {
      continue;
    }
    k->is_aside = false;
    k->chunk->is_large = false;
    k->chunk->next = k->chunk->prev = nullptr;
    return k->chunk;
  }
  return nullptr;
}

/// Gives back what stands aside and no frame has. Not at once: a program that
/// goes back and plays again will want it soon.
void HistoryState::ReleaseUnneeded(bool all) {
  for (ChunkHistory* k = known_; k != nullptr;) {
    ChunkHistory* const next = k->next;
    if (k->is_aside && k->lists == 0 &&
        (all || captures_ - k->aside_since > most_)) {
      Chunk* const chunk = k->chunk;
      Forget(k);
      SlowPath(*arena_).GiveBack(chunk);
    }
    k = next;
  }
}

/// Lists the transient fields that there are, for the frame, which shares the
/// list with the one before where they are the same. False where memory ran
/// out.
bool HistoryState::ListTransients(Frame& frame) {
  frame.transients = nullptr;
  if (!transient_types_.any()) return true;
  return HasMemory([&] {
    std::vector<TransientField> fields = transient_types_.In(*arena_, root_);
    if (count_ != 0) {
      frame.transients = (*this)[count_ - 1].transients;
      if (*frame.transients == fields) return;
    }
    frame.transients =
        std::make_shared<const std::vector<TransientField>>(std::move(fields));
  });
}

/// Makes the list of the arena's chunks. False where memory ran out.
bool HistoryState::ListChunks() {
  struct Lister {
    HistoryState& self;
    SlowPath path;
    bool is_whole = true;
  } lister{*this, SlowPath(*arena_)};
  listing_.Clear();
  lister.path.ForEachListed(
      [](void* context, Chunk* chunk, ChunkList list) {
        auto& [self, path, is_whole] = *static_cast<Lister*>(context);
        is_whole = is_whole && self.Know(chunk) != nullptr &&
                   self.listing_.Push(self.store_.source(),
                                      path.RecordOf(chunk, list));
      },
      &lister);
  return lister.is_whole;
}

/// The same, for the frame, which shares it with the one before where they are
/// the same.
bool HistoryState::ListChunks(Frame& frame) {
  if (!ListChunks()) return false;
  if (count_ != 0) {
    ChunkRow* const last = (*this)[count_ - 1].chunks;
    if (last->records.size() == listing_.size() &&
        (listing_.empty() ||
         std::memcmp(last->records.begin(), listing_.begin(),
                     listing_.size() * sizeof(ChunkRecord)) == 0)) {
      ++last->frames;
      frame.chunks = last;
      return true;
    }
  }
  auto* row = new (std::nothrow) ChunkRow;
  if (row == nullptr) return false;
  if (!row->records.Reserve(store_.source(), listing_.size())) {
    delete row;
    return false;
  }
  for (const ChunkRecord& record : listing_) {
    row->records.Push(record);
    ++Of(record.chunk)->lists;
  }
  row->frames = 1;
  frame.chunks = row;
  return true;
}

void HistoryState::DropChunks(ChunkRow* row) {
  if (--row->frames != 0) return;
  for (const ChunkRecord& record : row->records) {
    --Of(record.chunk)->lists;
  }
  row->records.Free(store_.source());
  delete row;
}

/// Puts aside what the arena has and the row has not; nothing of the row is.
void HistoryState::TakeOutYounger(const ChunkRow& row) {
  struct Younger {
    Chunk* list = nullptr;
    HistoryState& self;
  } younger{nullptr, *this};
  ++pass_;
  for (const ChunkRecord& record : row.records) {
    Of(record.chunk)->in_pass = pass_;
  }
  SlowPath path(*arena_);
  path.ForEachListed(
      [](void* context, Chunk* chunk, ChunkList) {
        auto& [list, self] = *static_cast<Younger*>(context);
        const ChunkHistory* known = Of(chunk);
        if (known != nullptr && known->in_pass == self.pass_) return;
        chunk->next = list;
        list = chunk;
      },
      &younger);
  for (const ChunkRecord& record : row.records) {
    Of(record.chunk)->is_aside = false;
  }
  for (Chunk* chunk = younger.list; chunk != nullptr;) {
    Chunk* const next = chunk->next;
    path.Vacate(chunk);
    if (ChunkHistory* known = Know(chunk); known != nullptr) {
      known->is_aside = true;
      known->aside_since = captures_;
    } else {
      path.GiveBack(chunk);
    }
    chunk = next;
  }
}

void HistoryState::ArenaEnds() {
  DropAll();
  while (known_ != nullptr) Forget(known_);
  SlowPath(*arena_).Entry()->keeper = nullptr;
  arena_ = nullptr;
}

}  // namespace acre::inline ACRE_ABI::detail
