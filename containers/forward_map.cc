// SPDX-License-Identifier: MIT

#include "acre/detail/forward_map.h"

#include <algorithm>
#include <cstdlib>

namespace acre::inline ACRE_ABI::detail {

ForwardMap::ForwardMap(const char* begin, std::size_t size,
                       const char* live_end)
    : begin_(begin),
      size_(std::min(size, static_cast<std::size_t>(live_end - begin))) {
  // Not a vector: of a large chunk only what is used is to be cleared.
  const std::size_t pages = size_ / kPage + 1;
  auto* memory =
      static_cast<std::uint64_t*>(std::calloc(pages, sizeof(std::uint64_t)));
  if (memory == nullptr) size_ = 0;  // holds nothing: Copier does without
  pages_.reset(memory);
}

void ForwardMap::Release::operator()(std::uint64_t* pages) const {
  std::free(pages);
}

bool ForwardMap::IsFree(const void* begin, std::size_t bytes) const {
  std::size_t granule = OffsetOf(begin) / kGranule;
  const std::size_t end = granule + (bytes + kGranule - 1) / kGranule;
  while (granule < end) {
    const std::uint64_t page = pages_[granule / kCells];
    const std::size_t page_end = (granule / kCells + 1) * kCells;
    const std::size_t stop = std::min(end, page_end);
    if (IsCells(page)) {
      const std::uint64_t* cells = CellsOf(page);
      for (; granule < stop; ++granule) {
        if (cells[granule % kCells] != 0) return false;
      }
    } else if (page != 0) {
      return false;
    }
    granule = stop;
  }
  return true;
}

void ForwardMap::MakeCells(const void* begin, std::size_t bytes,
                           WalkMemory& memory) {
  const std::size_t from = OffsetOf(begin) / kGranule;
  const std::size_t end = from + (bytes + kGranule - 1) / kGranule;
  for (std::size_t granule = from; granule < end;) {
    std::uint64_t& page = pages_[granule / kCells];
    const std::size_t stop = std::min(end, (granule / kCells + 1) * kCells);
    if (stop - granule != kCells && page == 0) {
      page = reinterpret_cast<std::uintptr_t>(memory.NewZeroPage());
    }
    granule = stop;
  }
}

void ForwardMap::Note(const void* begin, std::size_t bytes, ForwardCell first) {
  const std::size_t from = OffsetOf(begin) / kGranule;
  const std::size_t end = from + (bytes + kGranule - 1) / kGranule;
  for (std::size_t granule = from; granule < end;) {
    std::uint64_t& page = pages_[granule / kCells];
    const std::size_t stop = std::min(end, (granule / kCells + 1) * kCells);
    if (stop - granule == kCells) {
      page = first.bits() | 1;  // only a large extent fills a page
      granule = stop;
      continue;
    }
    for (; granule < stop; ++granule) {
      CellsOf(page)[granule % kCells] = first.Nth(granule - from).bits();
    }
  }
}

std::size_t ForwardMap::BytesOf(const char* begin, ForwardCell first) const {
  const std::size_t from = OffsetOf(begin) / kGranule;
  std::size_t count = 1;
  while (count < ForwardCell::kMaxGranules && from + count < size_ / kGranule &&
         Cell(from + count).bits() == first.Nth(count).bits()) {
    ++count;
  }
  return count * kGranule - first.pad();
}

}  // namespace acre::inline ACRE_ABI::detail
