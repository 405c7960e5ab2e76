// SPDX-License-Identifier: MIT
//
// ConstructAt: parentheses where the type has such a constructor, braces for
// aggregates (clang 14 has no parenthesised aggregate initialisation).
// Internal to acre.

#ifndef ACRE_DETAIL_CONSTRUCT_H_
#define ACRE_DETAIL_CONSTRUCT_H_

#include <new>
#include <type_traits>
#include <utility>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

template <class T, class... Args>
constexpr bool IsNothrowConstructible() {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return std::is_nothrow_constructible_v<T, Args...>;
  } else {
    return false;
  }
}

// Leaving fields of an aggregate to their defaults is what callers mean.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wmissing-braces"
template <class T, class... Args>
ACRE_INLINE T* ConstructAt(void* at, Args&&... args) {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return ::new (at) T(std::forward<Args>(args)...);
  } else {
    return ::new (at) T{std::forward<Args>(args)...};
  }
}

template <class T, class... Args>
ACRE_INLINE T Make(Args&&... args) {
  if constexpr (std::is_constructible_v<T, Args...>) {
    return T(std::forward<Args>(args)...);
  } else {
    return T{std::forward<Args>(args)...};
  }
}
#pragma GCC diagnostic pop

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_CONSTRUCT_H_
