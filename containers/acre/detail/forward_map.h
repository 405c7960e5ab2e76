// SPDX-License-Identifier: MIT
//
// ForwardMap: where the copies of what lies in one chunk are. A cell a granule,
// made for those pages that something is copied from.
//
//   chunk:  | page 4096 | page | page | ...
//   pages:  | cells     |  0   | cell | ...   `cell`: one extent fills the page
//   cells:  | granule 16 | granule | ...
//
//   cell of a small extent: copy / 16 | number of its plan | granule in it |
//   pad
//                                  44 |                 10 |             6 | 4
//   cell of a large one:    1 + its index in a list the caller keeps  |  0
//                                                                  44 | 20
//   0: nothing is copied from there
//
// An extent is what is copied as one piece: an object, an array, the storage of
// a container. It starts at a granule and owns all granules that it touches;
// `pad` says how many bytes of the last one are not its own. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_FORWARD_MAP_H_
#define ACRE_CONTAINERS_DETAIL_FORWARD_MAP_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/detail/walk_memory.h"

namespace acre::inline ACRE_ABI::detail {

/// What a cell says. The default: nothing.
class ForwardCell {
 public:
  static constexpr std::size_t kMaxGranules = 64;  // of a small extent
  static constexpr unsigned kMaxNumber = 1023;

  ForwardCell() = default;
  explicit ForwardCell(std::uint64_t bits) : bits_(bits) {}
  /// The first granule of a small extent. `copy` is a granule's address.
  ForwardCell(const void* copy, unsigned number, std::size_t bytes)
      : bits_(reinterpret_cast<std::uintptr_t>(copy) << 16 |
              std::uint64_t{number} << 10 |
              (kGranule - 1 - (bytes + kGranule - 1) % kGranule)) {}
  static ForwardCell Large(std::size_t index) {
    return ForwardCell((std::uint64_t{index} + 1) << 20);
  }

  std::uint64_t bits() const { return bits_; }
  explicit operator bool() const { return bits_ != 0; }
  bool is_large() const { return number() == 0; }
  std::size_t index() const { return (bits_ >> 20) - 1; }
  char* copy() const { return reinterpret_cast<char*>(bits_ >> 20 << 4); }
  unsigned number() const {
    return static_cast<unsigned>(bits_ >> 10 & kMaxNumber);
  }
  std::size_t granule() const { return bits_ >> 4 & (kMaxGranules - 1); }
  std::size_t pad() const { return bits_ & (kGranule - 1); }

  /// Of the n-th granule of this extent, of whose first one this is.
  ForwardCell Nth(std::size_t n) const {
    return is_large() ? *this : ForwardCell(bits_ + (std::uint64_t{n} << 4));
  }
  /// True for the first granule of a small extent of that plan.
  bool StartsSmall(unsigned number) const {
    return (bits_ >> 4 & 0xffff) == std::uint64_t{number} << 6;
  }

 private:
  std::uint64_t bits_ = 0;
};

class ForwardMap {
 public:
  /// `live_end`: nothing from there on is handed out.
  ForwardMap(const char* begin, std::size_t size, const char* live_end);

  bool Holds(const void* address) const {
    return OffsetOf(address) < size_;  // one comparison for both ends
  }
  const char* begin() const { return begin_; }
  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_);
  }

  /// Of the granule around an address.
  ForwardCell At(const void* address) const {
    return Cell(OffsetOf(address) / kGranule);
  }
  /// Asks for the memory that At will read.
  void Prefetch(const void* address) const {
    const std::size_t granule = OffsetOf(address) / kGranule;
    const std::uint64_t page = pages_[granule / kCells];
    if (IsCells(page)) __builtin_prefetch(&CellsOf(page)[granule % kCells]);
  }

  /// The cells of an extent where they lie in one page that has some; else
  /// null: ask IsFree and Note.
  std::uint64_t* CellsIfNear(const void* begin, std::size_t granules) const {
    const std::size_t granule = OffsetOf(begin) / kGranule;
    const std::uint64_t page = pages_[granule / kCells];
    const std::size_t first = granule % kCells;
    return IsCells(page) && first + granules <= kCells ? CellsOf(page) + first
                                                       : nullptr;
  }
  /// True where nothing is copied from any granule of an extent.
  bool IsFree(const void* begin, std::size_t bytes) const;
  /// Makes the cells that Note needs. Fails as operator new does.
  void MakeCells(const void* begin, std::size_t bytes, WalkMemory& memory);
  /// Notes a free extent.
  void Note(const void* begin, std::size_t bytes, ForwardCell first);

  /// The start of the small extent whose cell that is, and its bytes.
  const char* BeginOf(const void* address, ForwardCell cell) const {
    const std::size_t granule = OffsetOf(address) / kGranule - cell.granule();
    return begin_ + granule * kGranule;
  }
  std::size_t BytesOf(const char* begin, ForwardCell first) const;

  /// Calls visit(begin, bytes, first cell) for each small extent.
  template <class Visit>
  void ForEachSmall(Visit visit) const {
    const std::size_t pages = pages_ == nullptr ? 0 : size_ / kPage + 1;
    for (std::size_t i = 0; i < pages; ++i) {
      if (!IsCells(pages_[i])) continue;
      for (std::size_t k = 0; k < kCells; ++k) {
        const ForwardCell cell(CellsOf(pages_[i])[k]);
        if (!cell || cell.is_large() || cell.granule() != 0) continue;
        const char* begin = begin_ + (i * kCells + k) * kGranule;
        visit(begin, BytesOf(begin, cell), cell);
      }
    }
  }

 private:
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kCells = kPage / kGranule;
  static_assert(kCells * sizeof(std::uint64_t) == WalkMemory::kPage);

  // A page is 0, the address of its cells, or a large cell with the lowest bit
  // set.
  static bool IsCells(std::uint64_t page) {
    return page != 0 && (page & 1) == 0;
  }
  static std::uint64_t* CellsOf(std::uint64_t page) {
    return reinterpret_cast<std::uint64_t*>(page);
  }
  ForwardCell Cell(std::size_t granule) const {
    const std::uint64_t page = pages_[granule / kCells];
    if (IsCells(page)) return ForwardCell(CellsOf(page)[granule % kCells]);
    return ForwardCell(page & ~std::uint64_t{1});
  }

  struct Release {
    void operator()(std::uint64_t* pages) const;
  };

  const char* begin_;
  std::size_t size_;  // up to the live end
  std::unique_ptr<std::uint64_t[], Release> pages_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_FORWARD_MAP_H_
