// SPDX-License-Identifier: MIT
//
// PageBytes: how long a page of this system is. 4 KiB on x86; 16 or 64 KiB on
// many arm64 and ppc64 kernels, which refuse addresses that are no multiples of
// that. Internal to acre.

#ifndef ACRE_LIB_SOURCES_PAGE_H_
#define ACRE_LIB_SOURCES_PAGE_H_

#include <unistd.h>

#include <cstddef>

#include "acre/config.h"
#include "acre/detail/size_class.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// A power of two, kMaxAlignment at least.
inline std::size_t PageBytes() noexcept {
  static const std::size_t bytes = [] {
    const long told = ::sysconf(_SC_PAGESIZE);
    // Shorter pages are taken four or eight together.
    return told > static_cast<long>(kMaxAlignment)
               ? static_cast<std::size_t>(told)
               : kMaxAlignment;
  }();
  return bytes;
}

/// `bytes` in whole pages, one at least.
inline std::size_t WholePages(std::size_t bytes) noexcept {
  return RoundUp(bytes != 0 ? bytes : 1, PageBytes());
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_SOURCES_PAGE_H_
