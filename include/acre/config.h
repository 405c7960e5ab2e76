// SPDX-License-Identifier: MIT
//
// Build configuration: what is compiled in, and how hot and cold code is
// marked. Everything else includes this first.
//
// ACRE_CHECKED is 1 in checked builds (Meson option `checked`). The inline
// namespace keeps checked and release objects apart: mixing them does not
// link, instead of corrupting memory.

#ifndef ACRE_CONFIG_H_
#define ACRE_CONFIG_H_

#include "acre/version.h"

// Records of chunks, lives and copies have their bits where addresses of 64
// bits leave them.
#if __SIZEOF_POINTER__ != 8
#error "acre needs 64-bit addresses: this machine, or -m32 or -mx32, has others"
#endif

#if !defined(ACRE_CHECKED)
#define ACRE_CHECKED 0
#endif

#if ACRE_CHECKED
#define ACRE_ABI checked_v1
#else
#define ACRE_ABI release_v1
#endif

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define ACRE_EXCEPTIONS 1
#else
#define ACRE_EXCEPTIONS 0
#endif

#define ACRE_INLINE inline __attribute__((always_inline))
#define ACRE_COLD __attribute__((cold, noinline))
#define ACRE_LIKELY(x) __builtin_expect(!!(x), 1)
#define ACRE_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define ACRE_ASSUME(x) ((x) ? static_cast<void>(0) : __builtin_unreachable())
/// From here on the compiler knows nothing of the variable `x` but its value.
#define ACRE_FORGET(x) __asm__("" : "+r"(x))

namespace acre::inline ACRE_ABI {

/// True in checked builds: block maps, fill bytes and use-after-free checks
/// are compiled in. See the README, "Checked builds".
inline constexpr bool kChecked = ACRE_CHECKED != 0;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_CONFIG_H_
