// SPDX-License-Identifier: MIT
//
// AuditedPages: which pages of an arena are audited in release builds. A hash
// of their address and the arena's number tells, so that nothing has to be
// kept; of small arenas that have the same page one after the other, one in n
// is. (Fibonacci hashing: Knuth, The Art of Computer Programming 3, 6.4.)

#ifndef ACRE_LIB_PAGES_AUDITED_PAGES_H_
#define ACRE_LIB_PAGES_AUDITED_PAGES_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Pages, of which one in `one_in` is audited.
struct AuditedPages {
  static constexpr unsigned kShift = 12;
  std::uint32_t one_in = 0;  // 0: none
  std::uint32_t number = 0;

  bool Has(std::uintptr_t page) const {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15u;
    constexpr std::uint64_t kOther = 0xD1B54A32D192ED03u;  // odd, as well
    return one_in != 0 &&
           ((page * kGolden + number * kOther) >> 32) * one_in >> 32 == 0;
  }
  static std::uintptr_t PageOf(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) >> kShift;
  }
  /// To the end of the page around an address.
  static std::size_t BytesFrom(const void* address) {
    constexpr std::size_t kBytes = std::size_t{1} << kShift;
    return kBytes - (reinterpret_cast<std::uintptr_t>(address) & (kBytes - 1));
  }
  /// True where a block lies in one, at least in part. Linear in its pages.
  bool HasAny(const void* block, std::size_t bytes) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    const std::uintptr_t last =
        (begin + (bytes != 0 ? bytes - 1 : 0)) >> kShift;
    for (std::uintptr_t page = begin >> kShift; page <= last; ++page) {
      if (Has(page)) return true;
    }
    return false;
  }
  /// The same of a block of at most a page.
  bool HasEither(const void* block, std::size_t bytes) const {
    const auto begin = reinterpret_cast<std::uintptr_t>(block);
    const std::uintptr_t last = (begin + bytes - 1) >> kShift;
    return Has(last) || (begin >> kShift != last && Has(begin >> kShift));
  }
  /// Where inline code that stands at `at` has to stop, `limit` at the latest.
  char* StopFrom(char* at, char* limit) const {
    for (; at < limit; at += BytesFrom(at)) {
      if (Has(PageOf(at))) return at;
    }
    return limit;
  }
  /// The next audited part of [*from, to), within a page. False: none.
  bool NextPart(const char** from, const char* to, const char** end) const {
    *from = StopFrom(const_cast<char*>(*from), const_cast<char*>(to));
    if (*from >= to) return false;
    const auto rest = static_cast<std::size_t>(to - *from);
    const std::size_t bytes = BytesFrom(*from);
    *end = *from + (bytes < rest ? bytes : rest);
    return true;
  }
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_PAGES_AUDITED_PAGES_H_
