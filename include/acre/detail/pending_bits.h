// SPDX-License-Identifier: MIT
//
// PendingBits: which of many places have something to be entered, a bit each.
// A walk by address goes from one to the next without a look at those between:
// two lists in a large chunk, in no order, took time with the square of its
// size before. Internal to acre.

#ifndef ACRE_DETAIL_PENDING_BITS_H_
#define ACRE_DETAIL_PENDING_BITS_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

class PendingBits {
 public:
  /// Words that `places` bits take.
  static constexpr std::size_t WordsOf(std::size_t places) {
    return places / 64 + 1;
  }

  PendingBits() = default;
  /// `words`: WordsOf(places) zeros. Borrowed.
  PendingBits(std::uint64_t* words, std::size_t places)
      : words_(words), count_(WordsOf(places)) {}

  ACRE_INLINE void Set(std::size_t place) {
    words_[place / 64] |= std::uint64_t{1} << place % 64;
    first_ = std::min(first_, place / 64);
  }

  /// While something is pending, calls enter(place) for each that is set, in
  /// order, and clears it before. What is set meanwhile, there or ahead, is met
  /// on the same way.
  template <class IsPending, class Enter>
  void EnterAll(IsPending is_pending, Enter enter) {
    for (std::size_t i = std::exchange(first_, kNone);
         is_pending() && i < count_; ++i) {
      std::uint64_t ahead = ~std::uint64_t{0};
      while ((words_[i] & ahead) != 0) {
        const auto nth =
            static_cast<unsigned>(std::countr_zero(words_[i] & ahead));
        words_[i] &= ~(std::uint64_t{1} << nth);
        ahead = ~std::uint64_t{0} << nth;
        enter(i * 64 + nth);
      }
      // What came to be set behind.
      if (words_[i] != 0) first_ = std::min(first_, i);
    }
  }

 private:
  static constexpr std::size_t kNone = SIZE_MAX;

  std::uint64_t* words_ = nullptr;
  std::size_t count_ = 0;
  std::size_t first_ = kNone;  // no word of those before it has a bit
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_PENDING_BITS_H_
