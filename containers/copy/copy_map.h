// SPDX-License-Identifier: MIT
//
// CopyMap: what of one chunk is copied, and where to. An extent is what is
// copied as one piece: an object, an array, the storage of a container. It
// starts at a granule and owns the granules of its block: of its size class.
//
//   chunk:  | page 8192 | page | page | ...     from a multiple of 1024 on
//   page:   a note for each granule (copy_note.h); a line for 64 granules
//
// Lines are made when all is noted; what they say is up to who places the
// copies. They lie close together: a copy looks into them at random, and that
// they take few pages of the machine's halves its time. Notes are made where
// something is copied; all takes a seventh of the memory that is copied from.
// Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_MAP_H_
#define ACRE_CONTAINERS_COPY_MAP_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "acre/config.h"
#include "acre/detail/pending_bits.h"
#include "acre/detail/size_class.h"
#include "copy/copy_note.h"
#include "copy/walk_memory.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class CopyMap {
 public:
  /// Of 64 granules; see CopyPlacement.
  struct Line {
    std::uint64_t bits;  // a granule each
    std::uint64_t base;
  };
  static constexpr std::size_t kLine = 64 * kGranule;
  static constexpr std::size_t kPage = 8 * kLine;

  /// `live_end`: nothing from there on is handed out. `owner`: which member of
  /// a team of finders has the map with the notes; `is_mine`: it is this one.
  CopyMap(const char* begin, std::size_t size, const char* live_end,
          unsigned owner = 0, bool is_mine = true);

  bool Holds(const void* address) const {
    // One comparison for both ends.
    return static_cast<std::size_t>(At0(address) - begin_) < size_;
  }
  const char* begin() const { return begin_; }

  /// False: it only says whose the chunk is; nothing can be noted, or is.
  bool is_mine() const { return is_mine_; }
  unsigned owner() const { return owner_; }

  /// Of the granule around an address.
  CopyNote At(const void* address) const {
    const std::size_t granule = OffsetOf(address) / kGranule;
    const Page* page = pages_[granule / kGranules];
    return page != nullptr ? CopyNote(page->notes[granule % kGranules])
                           : CopyNote();
  }

  /// Notes an extent that starts there, of `bytes` bytes in a block of
  /// `block_bytes`. False, and nothing done, where a granule of that belongs to
  /// another, or is not handed out. Fails as operator new does.
  bool Note(const char* start, CopyNote note, std::size_t bytes,
            std::size_t block_bytes, WalkMemory& memory);

  /// The notes of FewNotes::kMost granules from an address on, asked for; null
  /// where two pages have them, and where no granule starts there. Fails as
  /// Note does.
  ACRE_INLINE std::uint16_t* NotesFrom(const void* address,
                                       WalkMemory& memory) {
    const std::size_t offset = OffsetOf(address);
    // Of the granule in the page; too large between two granules.
    const std::size_t nth =
        std::rotr(offset % kPage, std::countr_zero(kGranule));
    if (ACRE_UNLIKELY(nth > kGranules - FewNotes::kMost)) return nullptr;
    Page& page = PageAt(offset / kPage, memory);
    __builtin_prefetch(&page.notes[nth]);
    return &page.notes[nth];
  }
  /// Note, of an extent with such notes; `at`: NotesFrom(start). False where
  /// Note has to say.
  ACRE_INLINE bool NoteFew(std::uint16_t* at, const FewNotes& notes,
                           const char* start, std::size_t block_bytes) {
    if (block_bytes > size_ - static_cast<std::size_t>(start - begin_) ||
        !notes.TryPut(at)) {
      return false;
    }
    ++extents_;
    return true;
  }

  /// The start of the extent around an address, whose note that is.
  const char* StartOf(const char* address, CopyNote note) const {
    const char* start = address - OffsetOf(address) % kGranule;
    while (!note.is_start()) {
      start -= note.distance() * kGranule;
      note = At(start);
    }
    return start;
  }
  /// True where an address is in a granule of the extent that starts there.
  bool IsIn(const char* start, const char* address) const {
    if (!Holds(address)) return false;
    const CopyNote note = At(address);
    return note.is_in_extent() && StartOf(address, note) == start;
  }
  /// How far the extent that starts at an address goes, against an `end` behind
  /// that. `pad`: the bytes of its last granule that are not its own, which may
  /// be another's. Takes no longer where the extent is long.
  enum class Reach : std::uint8_t { kBefore, kTo, kBeyond };
  Reach ReachOf(const char* start, const char* end, std::size_t pad) const {
    if (!IsIn(start, end - 1)) return Reach::kBefore;
    const auto bytes = static_cast<std::size_t>(end - start);
    const std::size_t granules = (bytes + kGranule - 1) / kGranule;
    if (IsBehind(start, granules)) return Reach::kBeyond;
    const std::size_t own = granules * kGranule - pad;
    if (own < bytes) return Reach::kBefore;
    return own == bytes ? Reach::kTo : Reach::kBeyond;
  }
  /// The bytes of the storage or array that starts there. Linear in them.
  std::size_t BytesOf(const char* start) const;

  /// True where a block is noted that takes less than its size class does: its
  /// copy is not to be cut from room.
  bool has_unclassed() const { return has_unclassed_; }
  /// True where a block above kInlineMax is the only one that is noted.
  bool is_alone() const { return has_large_ && extents_ == 1; }

  // ---------------------------------------------------------------- waiting

  /// The note of the object that starts there says that it waits now.
  ACRE_INLINE void CountWaiting(const char* start) {
    const std::size_t line = OffsetOf(start) / kLine;
    const std::size_t page = line / kLines;
    waiting_lines_[page] |= static_cast<std::uint8_t>(1u << line % kLines);
    waiting_pages_.Set(page);
    ++waiting_;
  }
  /// How many wait.
  std::size_t waiting() const { return waiting_; }

  /// Calls enter(start, number of the plan) for all that wait, by address; what
  /// comes to wait ahead is met on the same way.
  template <class Enter>
  void EnterWaiting(Enter enter) {
    waiting_pages_.EnterAll([this] { return waiting_ != 0; },
                            [&](std::size_t i) { EnterPage(i, enter); });
  }

  // -------------------------------------------------------------- by address

  /// Nothing is noted any more. The bits of a line are the granules that belong
  /// to blocks. Does nothing a second time. Fails as operator new does.
  void MakeLines();
  /// Of all blocks, when the lines are made.
  std::size_t granules() const { return granules_; }

  /// Calls visit(line, first granule) for each line that has notes.
  template <class Visit>
  void ForEachLine(Visit visit) {
    ForEachUsed([&](NotesOf64, const char* at) { visit(LineAt(at), at); });
  }
  /// Calls visit(start, note) for each extent.
  template <class Visit>
  void ForEachExtent(Visit visit) const {
    ForEachUsed([&](NotesOf64 notes, const char* at) {
      ForEachBit(notes.Starts(), [&](std::size_t granule) {
        visit(at + granule * kGranule, notes[granule]);
      });
    });
  }
  /// Calls visit(start, note, line, granule in the line) for each extent that
  /// is not storage.
  template <class Visit>
  void ForEachApart(Visit visit) const {
    ForEachUsed([&](NotesOf64 notes, const char* at) {
      const Line& line = LineAt(at);
      ForEachBit(notes.StartsApart(), [&](std::size_t granule) {
        visit(at + granule * kGranule, notes[granule], line, granule);
      });
    });
  }
  /// Which granules of the line at an address start extents.
  std::uint64_t StartsAt(const char* at) const { return NotesAt(at).Starts(); }
  /// Calls visit(span<Line*>) for lines in a row that extents hold together,
  /// most often one. All come, in order. Requires: bits as MakeLines made them.
  template <class Visit>
  void ForEachPiece(Visit visit) {
    std::vector<Line*> piece;
    ForEachLine([&](Line& line, const char* at) {
      const bool goes_on = (line.bits & 1) != 0 && !At(at).is_start();
      if (!goes_on && !piece.empty()) {
        visit(std::span<Line*>(piece));
        piece.clear();
      }
      piece.push_back(&line);
    });
    if (!piece.empty()) visit(std::span<Line*>(piece));
  }
  /// Of an address that is copied.
  ACRE_INLINE Line& LineAt(const void* address) const {
    const std::size_t line = OffsetOf(address) / kLine;
    return lines_[line / kLines][line % kLines];
  }
  static std::size_t GranuleInLine(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) / kGranule % 64;
  }

 private:
  static constexpr std::size_t kGranules = kPage / kGranule;
  static constexpr std::size_t kLines = kPage / kLine;

  struct alignas(16) Page {
    std::uint16_t notes[kGranules];
  };
  static_assert(sizeof(Page) == WalkMemory::kPage);

  static const char* At0(const void* address) {
    return static_cast<const char*>(address);
  }
  /// From where the first page begins.
  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(At0(address) - pages_begin_);
  }
  std::size_t PageCount() const {
    return size_ == 0 ? 0 : OffsetOf(begin_ + size_) / kPage + 1;
  }
  /// True where that granule, counted from the start, is the extent's.
  bool IsBehind(const char* start, std::size_t granules) const {
    const char* at = start + granules * kGranule;
    return Holds(at) && At(at).bits() == CopyNote::Behind(granules).bits();
  }
  NotesOf64 NotesAt(const char* at) const {
    const std::size_t granule = OffsetOf(at) / kGranule;
    return NotesOf64(&pages_[granule / kGranules]->notes[granule % kGranules]);
  }
  Page& PageAt(std::size_t index, WalkMemory& memory) {
    Page*& page = pages_[index];
    if (ACRE_UNLIKELY(page == nullptr)) {
      page = static_cast<Page*>(memory.NewZeroPage());
    }
    return *page;
  }

  template <class Visit>
  void ForEachPart(std::size_t first, std::size_t end, WalkMemory& memory,
                   Visit visit);
  /// Calls visit(notes, first granule) for each line that has notes.
  template <class Visit>
  void ForEachUsed(Visit visit) const {
    for (std::size_t i = 0; i < PageCount(); ++i) {
      ForEachBit(used_lines_[i], [&](std::size_t k) {
        visit(NotesOf64(&pages_[i]->notes[k * 64]),
              pages_begin_ + i * kPage + k * kLine);
      });
    }
  }
  /// Calls visit(n) for each bit that is set, the lowest first.
  template <class Visit>
  static ACRE_INLINE void ForEachBit(std::uint64_t bits, Visit visit) {
    for (; bits != 0; bits &= bits - 1) {
      visit(static_cast<std::size_t>(std::countr_zero(bits)));
    }
  }

  template <class Enter>
  void EnterPage(std::size_t index, Enter& enter) {
    std::uint8_t& lines = waiting_lines_[index];
    while (lines != 0) {
      const auto k = static_cast<std::size_t>(std::countr_zero(lines));
      lines &= lines - 1;
      std::uint16_t* notes = &pages_[index]->notes[k * 64];
      const char* at = pages_begin_ + index * kPage + k * kLine;
      ForEachBit(NotesOf64(notes).Waiting(), [&](std::size_t granule) {
        const CopyNote note = CopyNote(notes[granule]).Entered();
        notes[granule] = note.bits();
        --waiting_;
        enter(at + granule * kGranule, note.bits());
      });
    }
  }

  struct Release {
    void operator()(void* memory) const;
  };

  const char* begin_;
  std::size_t size_;         // up to the live end
  const char* pages_begin_;  // a multiple of kLine
  unsigned owner_;
  bool is_mine_;
  // By page: where its notes are, null for none, and its lines; which of those
  // have notes, and which have objects that wait; a bit where some wait.
  Page** pages_ = nullptr;
  Line** lines_ = nullptr;
  std::uint8_t* used_lines_ = nullptr;  // made with the lines
  std::uint8_t* waiting_lines_ = nullptr;
  PendingBits waiting_pages_;
  std::unique_ptr<void, Release> tables_;  // all five
  std::unique_ptr<Line[]> all_lines_;      // of pages with notes, by address
  std::size_t waiting_ = 0;
  std::size_t extents_ = 0;
  std::size_t granules_ = 0;  // made with the lines
  bool has_large_ = false;
  bool has_unclassed_ = false;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_MAP_H_
