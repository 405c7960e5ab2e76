// SPDX-License-Identifier: MIT

#include "acre/detail/chunk_marks.h"

#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI::detail {

ChunkMarks* MarkedChunks::Search(const void* address) {
  const Location where = Locate(address);
  if (where.arena == nullptr) return nullptr;
  if (only_ != nullptr && where.arena != only_) return nullptr;
  ChunkMarks*& marks = by_begin_[where.chunk_begin];
  if (marks == nullptr) {
    all_.push_back(std::make_unique<ChunkMarks>(
        where.chunk_begin,
        static_cast<std::size_t>(where.chunk_end - where.chunk_begin),
        where.live_end));
    marks = all_.back().get();
  }
  if (!marks->Holds(address)) return nullptr;  // in the header
  cache_[reinterpret_cast<std::uintptr_t>(address) >> kCacheShift &
         (kCacheSize - 1)] = marks;
  return marks;
}

}  // namespace acre::inline ACRE_ABI::detail
