// SPDX-License-Identifier: MIT

#include "core/live_stamps.h"

#include <algorithm>
#include <cstdlib>

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kMostSpans = 256;

/// The first of `count` spans that begins above the stamp.
const StampSpan* Above(const StampRow* row, std::size_t count,
                       std::uint64_t stamp) {
  return std::upper_bound(
      row->spans(), row->spans() + count, stamp,
      [](std::uint64_t s, const StampSpan& span) { return s < span.first; });
}

}  // namespace

bool LiveStamps::Contains(std::uint64_t stamp) const {
  if (count == 0 || stamp > last) return false;
  const StampSpan* const above = Above(row, count, stamp);
  if (above == row->spans()) return false;
  return above == row->spans() + count || stamp <= (above - 1)->last;
}

std::uint64_t LiveStamps::FirstFrom(std::uint64_t from,
                                    std::uint64_t otherwise) const {
  if (count == 0 || from > last) return otherwise;
  if (Contains(from)) return from;
  const StampSpan* const above = Above(row, count, from);
  if (above == row->spans() + count) return otherwise;
  return std::min(above->first, otherwise);
}

bool LiveStamps::Add(std::uint64_t stamp) {
  if (count != 0 && last + 1 == stamp) {
    last = stamp;
    return true;
  }
  // Kept by nobody else, it could be made longer; but that is rare: a frame has
  // just been restored, and has it.
  const std::size_t merged = count == kMostSpans ? 1 : 0;
  const std::size_t new_count = count - merged + 1;
  void* memory = std::malloc(sizeof(StampRow) + new_count * sizeof(StampSpan));
  if (memory == nullptr) return false;
  auto* fresh = static_cast<StampRow*>(memory);
  fresh->users = 1;
  fresh->count = new_count;
  if (count != 0) {
    std::copy(row->spans() + merged, row->spans() + count, fresh->spans());
    fresh->spans()[count - merged - 1].last = last;
    fresh->spans()[0].first = row->spans()[0].first;
  }
  fresh->spans()[new_count - 1] = {stamp, stamp};
  Drop();
  row = fresh;
  count = new_count;
  last = stamp;
  return true;
}

bool LiveStamps::CutFrom(std::uint64_t from) {
  if (count == 0 || last < from) return false;
  const auto left =
      static_cast<std::size_t>(Above(row, count, from) - row->spans());
  // That one begins at `from`, or before it.
  const bool goes = left != 0 && row->spans()[left - 1].first == from;
  const std::size_t kept = goes ? left - 1 : left;
  if (kept == 0) {
    Drop();
    return true;
  }
  last = std::min(from - 1, kept == count ? last : row->spans()[kept - 1].last);
  count = kept;
  return true;
}

void LiveStamps::Drop() {
  if (row != nullptr && --row->users == 0) std::free(row);
  row = nullptr;
  count = 0;
  last = 0;
}

}  // namespace acre::inline ACRE_ABI::detail
