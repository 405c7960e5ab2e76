// SPDX-License-Identifier: MIT
//
// LiveStamps: the stamps that are live in an arena beside its current one and
// those of its open marks. There are some only where frames were captured: from
// each on blocks get another stamp, so that handles outside of the arena, made
// after a frame, are not taken for live when that is restored.
//
//   stamps:   1 2 3 | 4 5 | 6 7 8 ...     Restore went back to 3, where 6 began
//   live:     1-3     -     6-8
//
// Frames share the row of spans; each keeps how much of it it had. Internal to
// acre.

#ifndef ACRE_LIB_CORE_LIVE_STAMPS_H_
#define ACRE_LIB_CORE_LIVE_STAMPS_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

struct StampSpan {
  std::uint64_t first;
  std::uint64_t last;  // of the last span of a LiveStamps: see there
};

struct StampRow {
  std::size_t users;
  std::size_t count;
  StampSpan* spans() { return reinterpret_cast<StampSpan*>(this + 1); }
  const StampSpan* spans() const {
    return reinterpret_cast<const StampSpan*>(this + 1);
  }
};

/// The first `count` spans of a row, of which the last ends at `last`. A plain
/// value: whoever keeps a copy calls Share, and Drop in the end.
struct LiveStamps {
  StampRow* row = nullptr;  // null where count is 0
  std::size_t count = 0;
  std::uint64_t last = 0;

  bool Contains(std::uint64_t stamp) const;
  /// The first that is `from` or more; `otherwise` where there is none below
  /// that.
  std::uint64_t FirstFrom(std::uint64_t from, std::uint64_t otherwise) const;
  /// Requires: above all others. Past 256 spans the two oldest become one, and
  /// what is between them live again. False where memory ran out.
  [[nodiscard]] bool Add(std::uint64_t stamp);
  /// Takes out `from` and all above; false where there was none.
  bool CutFrom(std::uint64_t from);
  void Share() {
    if (row != nullptr) ++row->users;
  }
  void Drop();
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_LIVE_STAMPS_H_
