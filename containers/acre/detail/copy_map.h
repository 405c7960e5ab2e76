// SPDX-License-Identifier: MIT
//
// CopyMap: what of one chunk is copied, and where to. An extent is what is
// copied as one piece: an object, an array, the storage of a container. It
// starts at a granule and owns the granules of its block: of its size class.
//
//   chunk:  | page 8192 | page | page | ...
//   page:   a note for each granule; a line for 64 granules
//
//   note, from its highest bit on:
//     00 | waits 1 | number of the plan 13    starts an object
//     01 | is storage 1 | number 9 | pad 4    starts storage, or an array
//     1 | distance 15                         granules behind such a start
//     1 | 0                                   added by the size class
//     0                                       nobody's
//
// `pad` says how many bytes of the last granule are not the extent's. An object
// that waits is still to be entered. Lines are made when all is noted; what
// they say is up to who places the copies. They lie close together: a copy
// looks into them at random, and that they take few pages of the machine's
// halves its time. Notes are made where something is copied; all takes a
// seventh of the memory that is copied from. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_COPY_MAP_H_
#define ACRE_CONTAINERS_DETAIL_COPY_MAP_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk_memory.h"

namespace acre::inline ACRE_ABI::detail {

static_assert(std::endian::native == std::endian::little,
              "acre: notes are looked at by four, the first one lowest");

/// What is known of a granule. The default: nothing.
class CopyNote {
 public:
  enum class Kind : std::uint8_t { kObject, kArray, kStorage };
  static constexpr unsigned kMaxObject = 0x1fff;  // numbers of plans
  static constexpr unsigned kMaxOther = 511;
  static constexpr std::size_t kMaxDistance = 0x7fff;  // or more than that

  CopyNote() = default;
  explicit CopyNote(std::uint16_t bits) : bits_(bits) {}
  /// Starts an object that does not wait.
  static CopyNote Object(unsigned number) { return CopyNote(Bits(number)); }
  /// Starts storage or an array.
  static CopyNote Other(Kind kind, unsigned number, std::size_t bytes) {
    const unsigned storage = kind == Kind::kStorage ? kWaits : 0;
    return CopyNote(Bits(kOther | storage | number << 4 |
                         (kGranule - 1 - (bytes + kGranule - 1) % kGranule)));
  }
  /// `distance` granules behind the start; 0: added by the size class.
  static CopyNote Behind(std::size_t distance) {
    return CopyNote(Bits(kBehind | std::min(distance, kMaxDistance)));
  }

  /// The first four granules of an extent, the start left out.
  static constexpr std::uint64_t FourBehind() { return 0x8003800280010000u; }

  std::uint16_t bits() const { return bits_; }
  explicit operator bool() const { return bits_ != 0; }
  /// True where an extent has bytes: not where its class added a granule.
  bool is_in_extent() const { return bits_ != 0 && bits_ != kBehind; }
  bool is_start() const { return bits_ - 1u < kBehind - 1u; }
  bool is_object() const { return (bits_ & (kBehind | kOther)) == 0; }
  Kind kind() const {
    if ((bits_ & kOther) == 0) return Kind::kObject;
    return (bits_ & kWaits) != 0 ? Kind::kStorage : Kind::kArray;
  }
  unsigned number() const {
    return is_object() ? bits_ & kMaxObject : bits_ >> 4 & kMaxOther;
  }
  std::size_t pad() const { return bits_ & (kGranule - 1); }
  std::size_t distance() const { return bits_ & kMaxDistance; }

  /// True at the start of an object of that plan.
  bool StartsObject(unsigned number) const {
    return (bits_ & ~kWaits) == number;
  }
  /// Of an object: one that waits, or does not any more.
  CopyNote Waiting() const { return CopyNote(Bits(bits_ | kWaits)); }
  CopyNote Entered() const { return CopyNote(Bits(bits_ & ~kWaits)); }

  /// The highest bits of those of four notes that start an extent, and of those
  /// that start an object that waits.
  static std::uint64_t StartsIn(std::uint64_t four) {
    return ((four & kLow) + kLow) & ~four & kHigh;
  }
  static std::uint64_t WaitingIn(std::uint64_t four) {
    const std::uint64_t other =
        (four & kEach * (kBehind | kOther | kWaits)) ^ kEach * kWaits;
    return ~(((other & kLow) + kLow) | other) & kHigh;
  }
  /// Of those that are not nothing.
  static std::uint64_t AnyIn(std::uint64_t four) {
    return (((four & kLow) + kLow) | four) & kHigh;
  }

 private:
  static constexpr unsigned kBehind = 0x8000;
  static constexpr unsigned kOther = 0x4000;
  static constexpr unsigned kWaits = 0x2000;  // or is storage
  static constexpr std::uint64_t kEach = 0x0001000100010001u;
  static constexpr std::uint64_t kLow = 0x7fff * kEach;
  static constexpr std::uint64_t kHigh = ~kLow;

  static std::uint16_t Bits(std::size_t bits) {
    return static_cast<std::uint16_t>(bits);
  }

  std::uint16_t bits_ = 0;
};

class CopyMap {
 public:
  /// Of 64 granules; see CopyPlacement.
  struct Line {
    std::uint64_t bits;  // a granule each
    std::uint64_t base;
  };
  static constexpr std::size_t kLine = 64 * kGranule;
  static constexpr std::size_t kPage = 8 * kLine;

  /// `live_end`: nothing from there on is handed out.
  CopyMap(const char* begin, std::size_t size, const char* live_end);

  bool Holds(const void* address) const {
    return OffsetOf(address) < size_;  // one comparison for both ends
  }
  const char* begin() const { return begin_; }

  /// Of the granule around an address.
  CopyNote At(const void* address) const {
    const std::size_t granule = OffsetOf(address) / kGranule;
    const Page* page = pages_[granule / kGranules];
    return page != nullptr ? CopyNote(page->notes[granule % kGranules])
                           : CopyNote();
  }
  /// Asks for the memory that At will read.
  void Prefetch(const void* address) const {
    const std::size_t granule = OffsetOf(address) / kGranule;
    const Page* page = pages_[granule / kGranules];
    if (page != nullptr) __builtin_prefetch(&page->notes[granule % kGranules]);
  }

  /// Notes an extent that starts there, of `bytes` bytes in a block of
  /// `block_bytes`. False, and nothing done, where a granule of that belongs to
  /// another, or is not handed out. Fails as operator new does.
  ACRE_INLINE bool Note(const char* begin, CopyNote note, std::size_t bytes,
                        std::size_t block_bytes, WalkMemory& memory) {
    const std::size_t offset = OffsetOf(begin);
    const std::size_t first = offset / kGranule % kGranules;
    const std::size_t count = block_bytes / kGranule;
    Page* page = pages_[offset / kPage];
    if (ACRE_UNLIKELY(page == nullptr || first + count > kGranules ||
                      block_bytes > kSmallMax ||
                      block_bytes > size_ - offset)) {
      return NoteSlow(begin, note, bytes, block_bytes, memory);
    }
    std::uint16_t* notes = &page->notes[first];
    if (count <= 4 && first + 4 <= kGranules) {
      // Most objects: one word.
      const std::uint64_t mask = ~std::uint64_t{0} >> (64 - 16 * count);
      std::uint64_t four;
      std::memcpy(&four, notes, sizeof four);
      if ((four & mask) != 0) return false;
      four |= (CopyNote::FourBehind() & mask) | note.bits();
      std::memcpy(notes, &four, sizeof four);
    } else {
      unsigned taken = 0;
      for (std::size_t i = 0; i < count; ++i) taken |= notes[i];
      if (taken != 0) return false;
      // No class of these sizes adds a granule.
      notes[0] = note.bits();
      for (std::size_t i = 1; i < count; ++i) {
        notes[i] = CopyNote::Behind(i).bits();
      }
    }
    ++extents_;
    const unsigned lines = 2u << (first + count - 1) / 64;
    used_lines_[offset / kPage] |=
        static_cast<std::uint8_t>(lines - (1u << first / 64));
    return true;
  }

  /// The start of the extent around an address, whose note that is.
  const char* StartOf(const char* address, CopyNote note) const {
    const std::size_t offset = OffsetOf(address);
    const char* start = address - offset % kGranule;
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
  /// True where the extent that starts there ends in the granule before that of
  /// an address, or at it.
  bool EndsAt(const char* start, const char* end) const {
    const auto bytes = static_cast<std::size_t>(end - start);
    return IsIn(start, end - 1) &&
           !IsBehind(start, (bytes + kGranule - 1) / kGranule);
  }
  /// The bytes of the storage or array that starts there. Linear in them.
  std::size_t BytesOf(const char* start) const;

  /// True where a block above kInlineMax is noted.
  bool has_large() const { return has_large_; }
  /// True where that is the only one.
  bool is_alone() const { return has_large_ && extents_ == 1; }

  // ---------------------------------------------------------------- waiting

  /// The object that starts there waits. Requires: it does not.
  void LetWait(const char* start) {
    const std::size_t granule = OffsetOf(start) / kGranule;
    const std::size_t page = granule / kGranules;
    std::uint16_t& note = pages_[page]->notes[granule % kGranules];
    note = CopyNote(note).Waiting().bits();
    waiting_lines_[page] |=
        static_cast<std::uint8_t>(1u << granule % kGranules / 64);
    waiting_pages_[page / 64] |= std::uint64_t{1} << page % 64;
    first_waiting_ = std::min(first_waiting_, page / 64);
    ++waiting_;
  }
  /// How many wait.
  std::size_t waiting() const { return waiting_; }

  /// Calls enter(start, note) for all that wait, by address; what comes to wait
  /// ahead is met on the same way.
  template <class Enter>
  void EnterWaiting(Enter enter) {
    for (std::size_t i = std::exchange(first_waiting_, kNone);
         waiting_ != 0 && i < PageCount() / 64 + 1; ++i) {
      std::uint64_t ahead = ~std::uint64_t{0};
      while ((waiting_pages_[i] & ahead) != 0) {
        const auto nth =
            static_cast<unsigned>(std::countr_zero(waiting_pages_[i] & ahead));
        waiting_pages_[i] &= ~(std::uint64_t{1} << nth);
        ahead = nth == 63 ? 0 : ~std::uint64_t{0} << (nth + 1);
        EnterPage(i * 64 + nth, enter);
      }
      // What came to wait behind.
      if (waiting_pages_[i] != 0) first_waiting_ = std::min(first_waiting_, i);
    }
  }

  // -------------------------------------------------------------- by address

  /// Calls visit(start, note) for each extent.
  template <class Visit>
  void ForEachExtent(Visit visit) const {
    ForEachUsed([&](const Page& page, std::size_t k, const char* at) {
      for (std::size_t i = 0; i < 64; i += 4) {
        const std::uint64_t starts = CopyNote::StartsIn(Four(page, k * 64 + i));
        ForEachLane(starts, [&](unsigned lane) {
          visit(at + (i + lane) * kGranule,
                CopyNote(page.notes[k * 64 + i + lane]));
        });
      }
    });
  }

  /// Nothing is noted any more. Fails as operator new does.
  void MakeLines();
  /// Calls visit(line, first granule) for each line that has notes.
  template <class Visit>
  void ForEachLine(Visit visit) {
    ForEachUsed([&](const Page&, std::size_t, const char* at) {
      visit(LineAt(at), at);
    });
  }
  /// Which granules of the line at an address belong to blocks, and which start
  /// extents.
  std::uint64_t OwnedAt(const char* at) const;
  std::uint64_t StartsAt(const char* at) const;
  /// Calls visit(span<Line*>) for lines in a row that extents hold together,
  /// most often one. All come, in order. Requires: bits as OwnedAt.
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
    const std::size_t offset = OffsetOf(address);
    return lines_[offset / kPage][offset % kPage / kLine];
  }
  std::size_t GranuleInLine(const void* address) const {
    return OffsetOf(address) / kGranule % 64;
  }

 private:
  static constexpr std::size_t kGranules = kPage / kGranule;
  static constexpr std::size_t kLines = kPage / kLine;
  static constexpr std::size_t kNone = SIZE_MAX;

  struct Page {
    std::uint16_t notes[kGranules];
  };
  static_assert(sizeof(Page) == WalkMemory::kPage);

  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_);
  }
  std::size_t PageCount() const { return size_ == 0 ? 0 : size_ / kPage + 1; }
  /// True where that granule, counted from the start, is the extent's.
  bool IsBehind(const char* start, std::size_t granules) const {
    const char* at = start + granules * kGranule;
    return Holds(at) && At(at).bits() == CopyNote::Behind(granules).bits();
  }
  std::uint64_t BitsAt(const char* at,
                       std::uint64_t (*pick)(std::uint64_t)) const;
  Page& MakePage(std::size_t index, WalkMemory& memory);
  bool NoteSlow(const char* begin, CopyNote note, std::size_t bytes,
                std::size_t block_bytes, WalkMemory& memory);

  /// Calls visit(page, number of the line in it, first granule).
  template <class Visit>
  void ForEachUsed(Visit visit) const {
    for (std::size_t i = 0; i < PageCount(); ++i) {
      for (unsigned left = used_lines_[i]; left != 0; left &= left - 1) {
        const auto k = static_cast<std::size_t>(std::countr_zero(left));
        visit(*pages_[i], k, begin_ + i * kPage + k * kLine);
      }
    }
  }
  static std::uint64_t Four(const Page& page, std::size_t granule) {
    std::uint64_t four;
    std::memcpy(&four, &page.notes[granule], sizeof four);
    return four;
  }
  /// Calls visit(lane) for each of the highest bits that are set.
  template <class Visit>
  static ACRE_INLINE void ForEachLane(std::uint64_t bits, Visit visit) {
    for (; bits != 0; bits &= bits - 1) {
      visit(static_cast<unsigned>(std::countr_zero(bits)) / 16);
    }
  }

  template <class Enter>
  void EnterPage(std::size_t index, Enter& enter) {
    Page& page = *pages_[index];
    std::uint8_t& lines = waiting_lines_[index];
    while (lines != 0) {
      const auto k = static_cast<std::size_t>(std::countr_zero(lines));
      lines &= lines - 1;
      for (std::size_t i = k * 64; i < (k + 1) * 64; i += 4) {
        ForEachLane(CopyNote::WaitingIn(Four(page, i)), [&](unsigned lane) {
          const CopyNote note = CopyNote(page.notes[i + lane]).Entered();
          page.notes[i + lane] = note.bits();
          --waiting_;
          enter(begin_ + index * kPage + (i + lane) * kGranule, note);
        });
      }
    }
  }

  struct Release {
    void operator()(void* memory) const;
  };

  const char* begin_;
  std::size_t size_;  // up to the live end
  // By page: where its notes are, null for none, and its lines; which of those
  // have notes, and which have objects that wait; a bit where some wait.
  Page** pages_ = nullptr;
  Line** lines_ = nullptr;
  std::uint8_t* used_lines_ = nullptr;
  std::uint8_t* waiting_lines_ = nullptr;
  std::uint64_t* waiting_pages_ = nullptr;
  std::unique_ptr<void, Release> tables_;  // all five
  std::unique_ptr<Line[]> all_lines_;      // of pages with notes, by address
  std::size_t first_waiting_ = kNone;  // no word of those before it has a bit
  std::size_t waiting_ = 0;
  std::size_t extents_ = 0;
  bool has_large_ = false;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_COPY_MAP_H_
