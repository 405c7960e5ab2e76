// SPDX-License-Identifier: MIT
//
// ChangedPages: which parts of a checked arena an audit has to look at again.
// With the world stopped by the collector; nothing here allocates or locks.
//
//   FindWritten(arena)           what was written since it was asked last
//   ChoosePages(arena, notes)    those with such notes are to be looked at
//   NotedBlocks(arena, kChosen)  the blocks in them
//
// What is found there is noted at the page: it may have to be looked at again
// although nobody writes to it. Internal to acre.

#ifndef ACRE_DETAIL_CHANGED_PAGES_H_
#define ACRE_DETAIL_CHANGED_PAGES_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/detail/block_walk.h"
#include "acre/fwd.h"
#include "acre/page_tracking.h"

namespace acre::inline ACRE_ABI::detail {

/// Notes of a page, as bits.
enum PageNote : std::uint8_t {
  kWritten = 1,     ///< since it was chosen last, or a block came or went
  kChosen = 2,      ///< by ChoosePages
  kLeadsOut = 4,    ///< a slot leads to no memory of the arena
  kBorrows = 8,     ///< a borrowed field leads into the collected heap
  kLeadsNear = 16,  ///< as kLeadsOut, to memory of the collected heap that is
                    ///< no leak: it may be given to somebody else at any time
};

/// True where some page was written since, or counts as written. Asks the
/// kernel, or reads all that the arena has handed out. Where few pages are
/// audited (ArenaOptions::audit_one_in), those count as written.
/// Requires: the arena is not in the middle of an update.
bool FindWritten(const Arena& arena, PageTracking tracking) noexcept;

/// Chooses the pages that have any of these notes, and no others; they lose
/// their notes. Returns how many there are.
std::size_t ChoosePages(const Arena& arena, std::uint8_t notes) noexcept;

/// True where some page has any of these notes.
bool AnyNoted(const Arena& arena, std::uint8_t notes) noexcept;

/// All pages count as written.
void NoteAllPages(const Arena& arena) noexcept;

/// How many chunks the arena has given back. An address in one of those may be
/// anybody's by now.
std::uint64_t ChunksGivenBack(const Arena& arena) noexcept;

/// The next part of [*from, to) that is audited: all of it, but in release
/// builds (ArenaOptions::audit_one_in). False: none. Constant, or linear in the
/// pages that are passed.
bool NextAudited(const Arena& arena, const char** from, const char* to,
                 const char** end) noexcept;

/// Blocks that lie, at least in part, in pages with any of the given notes, by
/// address. A block in several rows of such pages comes once for each.
class NotedBlocks {
 public:
  /// Requires: as BlockWalk.
  NotedBlocks(const Arena& arena, std::uint8_t notes);

  /// False where there are no more. Freed blocks are shown too.
  bool Next(BlockView* block);
  const Arena& arena() const { return arena_; }
  /// The row of pages around the block shown last.
  const char* row_begin() const { return row_begin_; }
  const char* row_end() const { return row_end_; }

  /// True where bytes in the chunk of the block shown last lie in such pages.
  bool IsNoted(const char* begin, const char* end) const;
  /// Of the page around an address in that chunk.
  void Note(const void* address, std::uint8_t notes);

 private:
  void GoTo(const Chunk* chunk);
  bool NextRow();

  const Arena& arena_;
  const std::uint8_t notes_;
  const Chunk* chunk_;  // null: done
  const char* top_ = nullptr;
  const char* row_begin_ = nullptr;
  const char* row_end_ = nullptr;
  const char* at_ = nullptr;  // blocks from here on are still to come; null:
                              // the row is still to be found
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_CHANGED_PAGES_H_
