// SPDX-License-Identifier: MIT
//
// The pages of chunks: which may have been written, kept and put back.

#include <algorithm>

#include "acre/detail/size_class.h"
#include "history/history_state.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

// Smaller ones are compared sooner than the kernel is asked: a page takes 0.1
// us, a call and a fault 1.2 each.
constexpr std::ptrdiff_t kWatchedBytes = std::ptrdiff_t{128} << 10;
// Pages that were written are named at every Capture until they are protected
// again. To compare one in vain costs a fifth of the fault that its next write
// takes once it is protected: that is done when as much was lost in vain as the
// faults of one frame will cost.
constexpr std::size_t kVainForFault = 5;

char* AlignDown(char* p, std::size_t align) {
  return p - reinterpret_cast<std::uintptr_t>(p) % align;
}

char* EndOf(const Chunk& chunk) {
  return static_cast<char*>(chunk.memory.address) +
         (chunk.memory.size - 1) / kGranule * kGranule;
}

}  // namespace

/// Pages for all of the chunk, as long as it is now. False where memory ran
/// out.
bool HistoryState::SetRows(ChunkHistory& known) {
  Chunk& chunk = *known.chunk;
  char* const begin = chunk.begin;
  char* const end = EndOf(chunk);
  if (known.bytes.end != end) {
    if (!store_.SetMemory(known.bytes, AlignDown(begin, store_.page_bytes()),
                          begin, end)) {
      return false;
    }
    Watch(known);
  }
  if (!kChecked) return true;
  const BlockMap::Part infos = chunk.blocks.InfosTo(end);
  const BlockMap::Part starts = chunk.blocks.StartsTo(end);
  return store_.SetMemory(known.infos, infos.begin, infos.begin, infos.end) &&
         store_.SetMemory(known.starts, starts.begin, starts.begin, starts.end);
}

/// The block map of a longer chunk lies elsewhere.
void HistoryState::MoveRows(ChunkHistory& known) {
  const auto move = [](PageRow& row, char* begin) {
    row.end = begin + (row.end - row.begin);
    row.begin = row.grid = begin;
  };
  const char* const begin = known.chunk->begin;
  move(known.infos, known.chunk->blocks.InfosTo(begin).begin);
  move(known.starts, known.chunk->blocks.StartsTo(begin).begin);
}

/// Lets the kernel note what is written, in whole pages of the chunk.
void HistoryState::Watch(ChunkHistory& known) {
  if (!is_tracking_ || known.is_refused) return;
  const std::size_t page = store_.page_bytes();
  const PageRow& row = known.bytes;
  const bool is_longer = known.watched.begin != nullptr;
  char* const begin =
      is_longer ? known.watched.end : AlignDown(row.begin + page - 1, page);
  char* const end = AlignDown(static_cast<char*>(known.chunk->memory.address) +
                                  known.chunk->memory.size,
                              page);
  if (end - begin < (is_longer ? 1 : kWatchedBytes)) return;
  if (kChecked) known.chunk->blocks.pages().LetGo();
  if (tracker_.Watch({begin, end})) {
    known.watched = {is_longer ? known.watched.begin : begin, end};
    return;
  }
  StopWatching(known);
  known.is_refused = true;
  is_tracking_ = false;
}

void HistoryState::StopWatching(ChunkHistory& known) {
  if (known.watched.begin != nullptr) tracker_.Unwatch(known.watched);
  known.watched = {};
}

/// Calls visit(page) for the pages of a chunk below `top` that may have been
/// written, until that returns false. `protect`: those are protected again.
template <class Visit>
bool HistoryState::ForEachCandidate(ChunkHistory& known, const char* top,
                                    bool protect, Visit visit) {
  const PageRow& row = known.bytes;
  const std::size_t last = store_.PagesTo(row, top);
  const auto all = [&](std::size_t from, std::size_t to) {
    for (; from < to; ++from) {
      if (!visit(from)) return false;
    }
    return true;
  };
  if (known.watched.begin == nullptr) return all(0, last);
  const std::size_t page = store_.page_bytes();
  const std::size_t begin = store_.PageAt(row, known.watched.begin);
  const std::size_t end = std::min(store_.PageAt(row, known.watched.end), last);
  if (!all(0, std::min(begin, last))) return false;
  PageRange rest = {known.watched.begin, row.grid + end * page};
  while (rest.begin < rest.end) {
    constexpr std::size_t kMost = 256;
    PageRange found[kMost];
    const long count = tracker_.Scan(rest, protect, found, kMost, &rest.begin);
    if (count < 0) {
      StopWatching(known);
      known.is_refused = true;
      is_tracking_ = false;
      return all(store_.PageAt(row, rest.begin), last);
    }
    if (is_lost_) continue;  // it is asked to protect alone
    for (long i = 0; i < count; ++i) {
      if (i + 1 < count) {
        store_.LookAhead(row, store_.PageAt(row, found[i + 1].begin));
      }
      if (!all(store_.PageAt(row, found[i].begin),
               store_.PageAt(row, found[i].end - 1) + 1)) {
        return false;
      }
    }
  }
  return is_lost_ ? all(begin, last) : all(end, last);
}

bool HistoryState::KeepPages(Frame& frame) {
  const bool protect =
      is_lost_ || captures_ == 1 || vain_ > kVainForFault * last_made_;
  std::size_t candidates = 0;
  const SlowPath path(*arena_);
  for (ChunkHistory* k = known_; k != nullptr; k = k->next) {
    if (k->is_aside || !path.IsInUse(*k->chunk)) continue;
    if (!SetRows(*k)) return false;
    const auto keep = [&](std::size_t page) {
      ++candidates;
      return store_.Keep(k->bytes, page, frame.number, frame.made);
    };
    const char* const top = path.TopOf(*k->chunk);
    if (!ForEachCandidate(*k, top, protect, keep)) return false;
    if (!kChecked) continue;
    const auto keep_all = [&](PageRow& row, const char* end) {
      for (std::size_t i = 0, n = store_.PagesTo(row, end); i < n; ++i) {
        if (!store_.Keep(row, i, frame.number, frame.made)) return false;
      }
      return true;
    };
    if (!keep_all(k->infos, k->chunk->blocks.InfosTo(top).end) ||
        !keep_all(k->starts, k->chunk->blocks.StartsTo(top).end)) {
      return false;
    }
  }
  if (protect) vain_ = 0;
  last_made_ = frame.made.size();
  vain_ += candidates - frame.made.size();
  return true;
}

/// Makes pages what they were in the frame: those written since the one in
/// force, and those that differ between the two.
void HistoryState::PutPages(const Frame& frame) {
  const SlowPath path(*arena_);
  ++pass_;
  for (ChunkHistory* k = known_; k != nullptr; k = k->next) {
    k->top_then = nullptr;
  }
  for (const ChunkRecord& record : frame.chunks->records) {
    Of(record.chunk)->top_then = record.TopIn(frame.state);
  }
  if (kChecked) {
    for (ChunkHistory* k = known_; k != nullptr; k = k->next) MoveRows(*k);
  }
  const FrameNumber from = std::min(at_, frame.number);
  const FrameNumber to = std::max(at_, frame.number);
  for (std::size_t i = 0; i < count_; ++i) {
    const Frame& between = (*this)[i];
    if (between.number <= from || between.number > to) continue;
    for (const VersionIndex version : between.made) {
      store_.PutOther(version, at_, frame.number, pass_);
    }
  }
  for (ChunkHistory* k = known_; k != nullptr; k = k->next) {
    const char* top = k->top_then;
    if (!k->is_aside && path.IsInUse(*k->chunk)) {
      top = std::max(top, path.TopOf(*k->chunk));
    }
    if (top == nullptr) continue;
    ForEachCandidate(*k, top, false, [&](std::size_t page) {
      store_.Put(k->bytes, page, frame.number, pass_);
      return true;
    });
    if (!kChecked) continue;
    const auto put_all = [&](PageRow& row, const char* end) {
      for (std::size_t i = 0, n = store_.PagesTo(row, end); i < n; ++i) {
        store_.Put(row, i, frame.number, pass_);
      }
    };
    put_all(k->infos, k->chunk->blocks.InfosTo(top).end);
    put_all(k->starts, k->chunk->blocks.StartsTo(top).end);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
