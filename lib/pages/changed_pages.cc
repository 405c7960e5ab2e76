// SPDX-License-Identifier: MIT

#include "acre/detail/changed_pages.h"

#include "acre/detail/blocks.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Calls visit(chunk, begin, top) for each chunk of which blocks are known.
template <class Visit>
void ForEachInUse(const Arena& arena, Visit visit) {
  const SlowPath path(const_cast<Arena&>(arena));
  for (const Chunk* chunk = path.FirstInUse(); chunk != nullptr;
       chunk = path.NextInUse(*chunk)) {
    if (!chunk->blocks.exists()) continue;
    const char* const begin = chunk->begin;
    visit(const_cast<Chunk&>(*chunk), begin, path.TopOf(*chunk));
  }
}

}  // namespace

bool FindWritten(const Arena& arena, PageTracking tracking) noexcept {
  bool is_any = false;
  const AuditedPages* const few =
      SlowPath(const_cast<Arena&>(arena)).FewAuditedPages();
  ForEachInUse(arena, [&](Chunk& chunk, const char* begin, const char* top) {
    if (few != nullptr) {
      is_any = chunk.blocks.pages().NoteSome(begin, top, *few) || is_any;
      return;
    }
    if (tracking == PageTracking::kComparing) chunk.blocks.pages().LetGo();
    if (chunk.blocks.pages().FindWritten(begin, top)) is_any = true;
  });
  return is_any;
}

std::size_t ChoosePages(const Arena& arena, std::uint8_t notes) noexcept {
  std::size_t chosen = 0;
  ForEachInUse(arena, [&](Chunk& chunk, const char* begin, const char* top) {
    chosen += chunk.blocks.pages().Choose(begin, top, notes);
  });
  return chosen;
}

bool AnyNoted(const Arena& arena, std::uint8_t notes) noexcept {
  bool is_any = false;
  ForEachInUse(arena, [&](Chunk& chunk, const char* begin, const char* top) {
    if (chunk.blocks.pages().AnyIn(begin, top, notes)) is_any = true;
  });
  return is_any;
}

void NoteAllPages(const Arena& arena) noexcept {
  ForEachInUse(arena, [](Chunk& chunk, const char*, const char*) {
    chunk.blocks.pages().NoteAll();
  });
}

std::uint64_t ChunksGivenBack(const Arena& arena) noexcept {
  return SlowPath(const_cast<Arena&>(arena)).ChunksGivenBack();
}

bool NextAudited(const Arena& arena, const char** from, const char* to,
                 const char** end) noexcept {
  const AuditedPages* const few =
      SlowPath(const_cast<Arena&>(arena)).FewAuditedPages();
  *end = to;
  if (few == nullptr) return *from < to;
  return few->NextPart(from, to, end);
}

NotedBlocks::NotedBlocks(const Arena& arena, std::uint8_t notes)
    : arena_(arena), notes_(notes), chunk_(nullptr) {
  const SlowPath path(const_cast<Arena&>(arena));
  GoTo(path.FirstInUse());
}

/// The next one of which blocks are known.
void NotedBlocks::GoTo(const Chunk* chunk) {
  const SlowPath path(const_cast<Arena&>(arena_));
  while (chunk != nullptr && !chunk->blocks.exists()) {
    chunk = path.NextInUse(*chunk);
  }
  chunk_ = chunk;
  if (chunk == nullptr) return;
  row_end_ = chunk->begin;
  top_ = path.TopOf(*chunk);
}

/// To the next row of pages; false where there is none.
bool NotedBlocks::NextRow() {
  const SlowPath path(const_cast<Arena&>(arena_));
  for (;;) {
    row_begin_ = row_end_;
    if (chunk_->blocks.pages().NextRow(notes_, top_, &row_begin_, &row_end_)) {
      return true;
    }
    GoTo(path.NextInUse(*chunk_));
    if (chunk_ == nullptr) return false;
  }
}

bool NotedBlocks::Next(BlockView* block) {
  while (chunk_ != nullptr) {
    const char* start;
    if (at_ == nullptr) {
      if (!NextRow()) return false;
      // A block may begin before the row.
      start = chunk_->blocks.StartOf(row_begin_);
      if (start == nullptr ||
          start + chunk_->blocks.Get(start).bytes <= row_begin_) {
        start = chunk_->blocks.NextStart(row_begin_);
      }
    } else {
      start = chunk_->blocks.NextStart(at_);
    }
    if (start == nullptr || start >= row_end_) {
      at_ = nullptr;
      continue;
    }
    at_ = start + 1;
    if (chunk_->blocks.Show(start, block)) return true;
  }
  return false;
}

bool NotedBlocks::IsNoted(const char* begin, const char* end) const {
  return chunk_->blocks.pages().AnyIn(begin, end, notes_);
}

void NotedBlocks::Note(const void* address, std::uint8_t notes) {
  const_cast<Chunk*>(chunk_)->blocks.pages().Add(
      static_cast<const char*>(address), notes);
}

}  // namespace acre::inline ACRE_ABI::detail
