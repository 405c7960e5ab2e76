// SPDX-License-Identifier: MIT
//
// Comparing and copying memory whatever lies there. Internal to acre.

#ifndef ACRE_LIB_HISTORY_RAW_MEMORY_H_
#define ACRE_LIB_HISTORY_RAW_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "acre/config.h"
#include "core/poison.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

// Pages of an arena hold freed blocks, which AddressSanitizer lets nobody read;
// it knows memcmp and memcpy, and compilers make those of simple loops.
// `bytes` is a multiple of 8, and so are the addresses.

ACRE_READS_FREE_BLOCKS inline bool AreSameRaw(const char* a, const char* b,
                                              std::size_t bytes) {
  if constexpr (!kChecked) return std::memcmp(a, b, bytes) == 0;
  const auto* x = reinterpret_cast<const volatile std::uint64_t*>(a);
  const auto* y = reinterpret_cast<const volatile std::uint64_t*>(b);
  for (std::size_t i = 0; i < bytes / 8; ++i) {
    if (x[i] != y[i]) return false;
  }
  return true;
}

ACRE_READS_FREE_BLOCKS inline void CopyRaw(char* to, const char* from,
                                           std::size_t bytes) {
  if constexpr (!kChecked) {
    std::memcpy(to, from, bytes);
    return;
  }
  auto* x = reinterpret_cast<volatile std::uint64_t*>(to);
  const auto* y = reinterpret_cast<const volatile std::uint64_t*>(from);
  for (std::size_t i = 0; i < bytes / 8; ++i) x[i] = y[i];
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_HISTORY_RAW_MEMORY_H_
