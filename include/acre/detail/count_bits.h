// SPDX-License-Identifier: MIT
//
// CountBits: std::popcount without the call that it is where the target is any
// x86-64. Internal to acre.

#ifndef ACRE_DETAIL_COUNT_BITS_H_
#define ACRE_DETAIL_COUNT_BITS_H_

#include <bit>
#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// By pairs, nibbles and bytes.
constexpr unsigned CountBitsByParts(std::uint64_t bits) {
  bits -= bits >> 1 & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
  return static_cast<unsigned>(bits * 0x0101010101010101u >> 56);
}

#if defined(__x86_64__) && !defined(__POPCNT__)

// False until it is initialised: counting works before that, too.
inline const bool has_popcnt = __builtin_cpu_supports("popcnt") != 0;

ACRE_INLINE unsigned CountBits(std::uint64_t bits) {
  if (ACRE_UNLIKELY(!has_popcnt)) return CountBitsByParts(bits);
  __asm__("popcntq %0, %0" : "+r"(bits) : : "cc");
  return static_cast<unsigned>(bits);
}

#else

ACRE_INLINE unsigned CountBits(std::uint64_t bits) {
  return static_cast<unsigned>(std::popcount(bits));
}

#endif

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_COUNT_BITS_H_
