// SPDX-License-Identifier: MIT
//
// CopyBytes: what one extent of a copy takes. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_COPY_BYTES_H_
#define ACRE_CONTAINERS_COPY_COPY_BYTES_H_

#include <cstddef>
#include <cstring>

#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/detail/text.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Between blocks of arenas. Whole granules where nobody watches: both blocks
/// have what is behind the last byte.
ACRE_INLINE void CopyBytes(char* to, const char* from, std::size_t bytes) {
  constexpr std::size_t kMost = 256;  // a call of memcpy is faster then
#if defined(__SANITIZE_ADDRESS__)
  constexpr bool kWhole = false;
#else
  constexpr bool kWhole = !kChecked;
#endif
  if (!kWhole || bytes > kMost) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (std::size_t i = 0; i < bytes; i += kGranule) {
    const auto granule = Load<Sixteen>(from + i);
    std::memcpy(to + i, &granule, kGranule);
  }
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_COPY_BYTES_H_
