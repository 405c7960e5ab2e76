// SPDX-License-Identifier: MIT
//
// NestedRows: how a walk goes into containers in containers: at once, while
// they nest a few deep, and later where the stack might not do. Internal to
// acre.

#ifndef ACRE_DETAIL_NESTED_ROWS_H_
#define ACRE_DETAIL_NESTED_ROWS_H_

#include <cstddef>
#include <vector>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Row: elements, and what a walk has to know of them; cheap to copy.
template <class Row>
class NestedRows {
 public:
  static constexpr std::size_t kMaxDepth = 16;

  /// Calls walk(row), or keeps the row. `walk` may come here again.
  template <class Walk>
  ACRE_INLINE void WalkOrKeep(const Row& row, Walk walk) {
    if (ACRE_UNLIKELY(depth_ == kMaxDepth)) return Keep(row);
    ++depth_;
    walk(row);
    --depth_;
  }
  void Keep(const Row& row) { kept_.push_back(row); }

  bool empty() const { return kept_.empty(); }
  /// The row that was kept last.
  Row Pop() {
    const Row row = kept_.back();
    kept_.pop_back();
    return row;
  }

 private:
  std::vector<Row> kept_;
  std::size_t depth_ = 0;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_NESTED_ROWS_H_
