// SPDX-License-Identifier: MIT
//
// Every sanitizer hook of acre. Effective in checked builds where the program
// runs under AddressSanitizer, whether libacre was compiled for it or not;
// nothing elsewhere.

#ifndef ACRE_LIB_CORE_POISON_H_
#define ACRE_LIB_CORE_POISON_H_

#include <cstddef>
#include <cstring>

#include "acre/config.h"
#include "acre/detail/fill.h"

#if defined(__SANITIZE_ADDRESS__)
#define ACRE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ACRE_ASAN 1
#endif
#endif
#if !defined(ACRE_ASAN)
#define ACRE_ASAN 0
#endif

#if ACRE_ASAN
#include <sanitizer/asan_interface.h>
#elif ACRE_CHECKED
// Null in a program without the runtime of AddressSanitizer.
// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming)
extern "C" __attribute__((weak)) void __asan_poison_memory_region(
    const volatile void* p, std::size_t n);
extern "C" __attribute__((weak)) void __asan_unpoison_memory_region(
    const volatile void* p, std::size_t n);
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)
#endif

/// For code that reads or writes the links inside free blocks.
#define ACRE_READS_FREE_BLOCKS __attribute__((no_sanitize("address")))

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// No access is valid until Unpoison.
inline void Poison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t n) {
#if ACRE_CHECKED && ACRE_ASAN
  __asan_poison_memory_region(p, n);
#elif ACRE_CHECKED
  if (__asan_poison_memory_region != nullptr) __asan_poison_memory_region(p, n);
#endif
}

/// False where both do nothing.
inline bool PoisonsMemory() {
#if ACRE_CHECKED && ACRE_ASAN
  return true;
#elif ACRE_CHECKED
  return __asan_poison_memory_region != nullptr;
#else
  return false;
#endif
}

inline void Unpoison([[maybe_unused]] void* p, [[maybe_unused]] std::size_t n) {
#if ACRE_CHECKED && ACRE_ASAN
  __asan_unpoison_memory_region(p, n);
#elif ACRE_CHECKED
  if (__asan_unpoison_memory_region != nullptr) {
    __asan_unpoison_memory_region(p, n);
  }
#endif
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_POISON_H_
