// SPDX-License-Identifier: MIT
//
// Powers of ten to 128 bits, for writing and reading doubles. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_POWERS_OF_TEN_H_
#define ACRE_CONTAINERS_DETAIL_POWERS_OF_TEN_H_

#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// The first 128 bits of a number, cut; the first of them is set.
struct Power {
  std::uint64_t high;
  std::uint64_t low;
};

/// Of 10^k, what doubles need.
inline constexpr int kLeastPower = -292;
inline constexpr int kMostPower = 324;

/// The power 10^k at index k: from kLeastPower to kMostPower.
extern const Power* const powers_of_ten;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_POWERS_OF_TEN_H_
