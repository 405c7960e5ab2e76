// SPDX-License-Identifier: MIT
//
// What checked builds write where no object is, so that reading it shows.
// Internal to acre.

#ifndef ACRE_DETAIL_FILL_H_
#define ACRE_DETAIL_FILL_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

inline constexpr int kFreshByte = 0xAC;  // raw memory never written
inline constexpr int kFreedByte = 0xDE;  // given up: Free, Reset, erase

/// Release builds: nothing.
inline void Fill([[maybe_unused]] void* p, [[maybe_unused]] int byte,
                 [[maybe_unused]] std::size_t bytes) {
  if constexpr (kChecked) std::memset(p, byte, bytes);
}

/// A word of such memory. No address: bits 47 to 63 of those are alike.
inline bool IsFillWord(const void* word) {
  constexpr std::uint64_t kEach = 0x0101010101010101u;
  const auto bits = reinterpret_cast<std::uintptr_t>(word);
  return bits == kEach * kFreedByte || bits == kEach * kFreshByte;
}

/// True for an object all of whose bytes are fill.
inline bool IsFilled(const void* object, std::size_t bytes) {
  const auto* p = static_cast<const unsigned char*>(object);
  if (bytes == 0 || (p[0] != kFreedByte && p[0] != kFreshByte)) return false;
  return std::memcmp(p, p + 1, bytes - 1) == 0;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_FILL_H_
