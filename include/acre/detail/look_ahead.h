// SPDX-License-Identifier: MIT
//
// LookAhead: a short queue between asking for memory and using it. Graphs lie
// scattered: a walk that prefetches what it will look at kDistance steps later
// waits a fraction of the time. Internal to acre.

#ifndef ACRE_DETAIL_LOOK_AHEAD_H_
#define ACRE_DETAIL_LOOK_AHEAD_H_

#include <cstddef>
#include <utility>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

template <class T>
class LookAhead {
 public:
  static constexpr std::size_t kDistance = 16;

  /// Puts `item` in and returns the one that has waited longest; T() while the
  /// queue fills.
  T Exchange(const T& item) {
    is_drained_ = false;
    return Replace(item);
  }

  /// The one that will come out after half the queue has.
  const T& Middle() const {
    return items_[(next_ + kDistance / 2) % kDistance];
  }

  /// Calls finish(T) for all that wait, the oldest first; for T() too.
  template <class Finish>
  void Drain(Finish finish) {
    if (std::exchange(is_drained_, true)) return;
    for (std::size_t i = 0; i < kDistance; ++i) finish(Replace(T()));
  }

 private:
  T Replace(const T& item) {
    const T oldest = items_[next_];
    items_[next_] = item;
    next_ = (next_ + 1) % kDistance;
    return oldest;
  }

  T items_[kDistance] = {};
  std::size_t next_ = 0;    // the oldest
  bool is_drained_ = true;  // nothing was put in since
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_LOOK_AHEAD_H_
