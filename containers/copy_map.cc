// SPDX-License-Identifier: MIT

#include "acre/detail/copy_map.h"

#include <cstdlib>

namespace acre::inline ACRE_ABI::detail {
namespace {

/// The highest bits of four lanes of 16, one behind the other.
std::uint64_t OneOf16(std::uint64_t lanes) {
  return (lanes >> 15) * 0x0001000200040008u >> 48 & 15;
}

}  // namespace

CopyMap::CopyMap(const char* begin, std::size_t size, const char* live_end)
    : begin_(begin),
      size_(std::min(size, static_cast<std::size_t>(live_end - begin))) {
  // Not vectors: of a large chunk only what is used is to be cleared.
  const std::size_t pages = size_ / kPage + 1;
  const std::size_t words = pages / 64 + 1;
  tables_.reset(std::calloc(pages * (2 * sizeof(void*) + 2) + words * 8, 1));
  if (tables_ == nullptr) {
    size_ = 0;  // holds nothing: Copier does without
    return;
  }
  pages_ = static_cast<Page**>(tables_.get());
  lines_ = reinterpret_cast<Line**>(pages_ + pages);
  waiting_pages_ = reinterpret_cast<std::uint64_t*>(lines_ + pages);
  used_lines_ = reinterpret_cast<std::uint8_t*>(waiting_pages_ + words);
  waiting_lines_ = used_lines_ + pages;
}

void CopyMap::Release::operator()(void* memory) const { std::free(memory); }

CopyMap::Page& CopyMap::MakePage(std::size_t index, WalkMemory& memory) {
  Page*& page = pages_[index];
  if (page == nullptr) page = static_cast<Page*>(memory.NewZeroPage());
  return *page;
}

bool CopyMap::NoteSlow(const char* begin, CopyNote note, std::size_t bytes,
                       std::size_t block_bytes, WalkMemory& memory) {
  if (block_bytes > size_ - OffsetOf(begin)) return false;
  const std::size_t first = OffsetOf(begin) / kGranule;
  const std::size_t granules = (bytes + kGranule - 1) / kGranule;
  const std::size_t end = first + block_bytes / kGranule;
  for (std::size_t i = first; i < end; ++i) {
    const Page& page = MakePage(i / kGranules, memory);
    if (page.notes[i % kGranules] != 0) return false;
  }
  ++extents_;
  has_large_ = has_large_ || block_bytes > kInlineMax;
  for (std::size_t i = first; i < end; ++i) {
    const std::size_t distance = i - first < granules ? i - first : 0;
    pages_[i / kGranules]->notes[i % kGranules] =
        (i == first ? note : CopyNote::Behind(distance)).bits();
    used_lines_[i / kGranules] |=
        static_cast<std::uint8_t>(1u << i % kGranules / 64);
  }
  return true;
}

void CopyMap::MakeLines() {
  std::size_t count = 0;
  for (std::size_t i = 0; i < PageCount(); ++i) count += pages_[i] != nullptr;
  all_lines_.reset(new Line[count * kLines]);
  Line* next = all_lines_.get();
  for (std::size_t i = 0; i < PageCount(); ++i) {
    if (pages_[i] == nullptr) continue;
    lines_[i] = next;
    next += kLines;
  }
}

/// `pick`: of four notes, which of the highest bits count.
std::uint64_t CopyMap::BitsAt(const char* at,
                              std::uint64_t (*pick)(std::uint64_t)) const {
  const std::size_t granule = OffsetOf(at) / kGranule;
  const Page& page = *pages_[granule / kGranules];
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 64; i += 4) {
    bits |= OneOf16(pick(Four(page, granule % kGranules + i))) << i;
  }
  return bits;
}

std::uint64_t CopyMap::OwnedAt(const char* at) const {
  return BitsAt(at, &CopyNote::AnyIn);
}

std::uint64_t CopyMap::StartsAt(const char* at) const {
  return BitsAt(at, &CopyNote::StartsIn);
}

std::size_t CopyMap::BytesOf(const char* start) const {
  std::size_t granules = 1;
  while (IsBehind(start, granules)) ++granules;
  return granules * kGranule - At(start).pad();
}

}  // namespace acre::inline ACRE_ABI::detail
