// SPDX-License-Identifier: MIT

#include "copy/copy_map.h"

#include <cstdlib>

#include "acre/detail/count_bits.h"

namespace acre::inline ACRE_ABI::detail {

CopyMap::CopyMap(const char* begin, std::size_t size, const char* live_end,
                 unsigned owner, bool is_mine)
    : begin_(begin),
      size_(std::min(size, static_cast<std::size_t>(live_end - begin))),
      pages_begin_(begin - reinterpret_cast<std::uintptr_t>(begin) % kLine),
      owner_(owner),
      is_mine_(is_mine) {
  if (!is_mine) return;
  // Not vectors: of a large chunk only what is used is to be cleared.
  const std::size_t pages = OffsetOf(begin_ + size_) / kPage + 1;
  const std::size_t words = PendingBits::WordsOf(pages);
  tables_.reset(std::calloc(pages * (2 * sizeof(void*) + 2) + words * 8, 1));
  if (tables_ == nullptr) {
    size_ = 0;  // holds nothing: Copier does without
    return;
  }
  pages_ = static_cast<Page**>(tables_.get());
  lines_ = reinterpret_cast<Line**>(pages_ + pages);
  auto* pending = reinterpret_cast<std::uint64_t*>(lines_ + pages);
  waiting_pages_ = PendingBits(pending, pages);
  used_lines_ = reinterpret_cast<std::uint8_t*>(pending + words);
  waiting_lines_ = used_lines_ + pages;
}

void CopyMap::Release::operator()(void* memory) const { std::free(memory); }

/// Calls visit(notes) for the notes of granules in each page.
template <class Visit>
void CopyMap::ForEachPart(std::size_t first, std::size_t end,
                          WalkMemory& memory, Visit visit) {
  while (first < end) {
    const std::size_t nth = first % kGranules;
    const std::size_t count = std::min(end - first, kGranules - nth);
    visit(std::span(&PageAt(first / kGranules, memory).notes[nth], count));
    first += count;
  }
}

bool CopyMap::Note(const char* start, CopyNote note, std::size_t bytes,
                   std::size_t block_bytes, WalkMemory& memory) {
  if (block_bytes > size_ - static_cast<std::size_t>(start - begin_)) {
    return false;
  }
  const std::size_t first = OffsetOf(start) / kGranule;
  const std::size_t end = first + block_bytes / kGranule;
  unsigned taken = 0;
  ForEachPart(first, end, memory, [&](std::span<std::uint16_t> notes) {
    for (const std::uint16_t each : notes) taken |= each;
  });
  if (taken != 0) return false;
  const std::size_t granules = (bytes + kGranule - 1) / kGranule;
  std::size_t behind = 0;
  ForEachPart(first, end, memory, [&](std::span<std::uint16_t> notes) {
    for (std::uint16_t& each : notes) {
      each = CopyNote::Behind(behind < granules ? behind : 0).bits();
      ++behind;
    }
  });
  pages_[first / kGranules]->notes[first % kGranules] = note.bits();
  ++extents_;
  if (block_bytes > kInlineMax) {
    has_large_ = true;
    has_unclassed_ =
        has_unclassed_ || block_bytes < BlockFor(bytes, kGranule).bytes;
  }
  return true;
}

void CopyMap::MakeLines() {
  if (all_lines_ != nullptr) return;
  std::size_t count = 0;
  for (std::size_t i = 0; i < PageCount(); ++i) count += pages_[i] != nullptr;
  all_lines_.reset(new Line[count * kLines]);
  Line* next = all_lines_.get();
  for (std::size_t i = 0; i < PageCount(); ++i) {
    if (pages_[i] == nullptr) continue;
    lines_[i] = next;
    for (std::size_t k = 0; k < kLines; ++k, ++next) {
      next->bits = NotesOf64(&pages_[i]->notes[k * 64]).Owned();
      if (next->bits != 0) {
        used_lines_[i] |= static_cast<std::uint8_t>(1u << k);
        granules_ += CountBits(next->bits);
      }
    }
  }
}

std::size_t CopyMap::BytesOf(const char* start) const {
  std::size_t granules = 1;
  while (IsBehind(start, granules)) ++granules;
  return granules * kGranule - At(start).pad();
}

}  // namespace acre::inline ACRE_ABI::detail
