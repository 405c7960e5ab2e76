// SPDX-License-Identifier: MIT
//
// LookAhead: a short queue between asking for memory and using it. Graphs lie
// scattered: a walk that prefetches what it will look at kDistance steps later
// waits a fraction of the time. Internal to acre.

#ifndef ACRE_DETAIL_LOOK_AHEAD_H_
#define ACRE_DETAIL_LOOK_AHEAD_H_

#include <cstddef>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

template <class T>
class LookAhead {
 public:
  static constexpr std::size_t kDistance = 16;

  /// Puts `item` in and returns the one that has waited longest; T() while the
  /// queue fills.
  ACRE_INLINE T Exchange(const T& item) {
    T& place = items_[count_++ % kDistance];
    const T oldest = place;
    place = item;
    return oldest;
  }

  /// The one that will come out after half the queue has.
  const T& Middle() const {
    return items_[(count_ + kDistance / 2) % kDistance];
  }

  /// Calls finish(T) for all that wait, the oldest first; for T() too.
  template <class Finish>
  void Drain(Finish finish) {
    if (count_ == drained_) return;
    drained_ = count_ + kDistance;
    for (std::size_t i = 0; i < kDistance; ++i) finish(Exchange(T()));
  }

 private:
  T items_[kDistance] = {};
  std::size_t count_ = 0;    // of exchanges
  std::size_t drained_ = 0;  // that count where only T() is in
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_LOOK_AHEAD_H_
