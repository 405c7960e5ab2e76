// SPDX-License-Identifier: MIT
//
// std::reverse_iterator and the concepts of iterators without <iterator>, which
// brings streams and locales: a file with a Vector would take twice as long to
// compile. Both headers below have to define them, for their own interfaces.
// Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_ITERATORS_H_
#define ACRE_CONTAINERS_DETAIL_ITERATORS_H_

#include <compare>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// How many there are: linear where iterators cannot be subtracted.
template <std::forward_iterator I>
std::size_t CountBetween(I first, I last) {
  if constexpr (requires { last - first; }) {
    return static_cast<std::size_t>(last - first);
  } else {
    std::size_t count = 0;
    for (; first != last; ++first) ++count;
    return count;
  }
}

template <class T>
bool EqualItems(const T* a, const T* b, std::size_t count) {
  if constexpr (std::is_integral_v<T> || std::is_pointer_v<T>) {
    return count == 0 || std::memcmp(a, b, count * sizeof(T)) == 0;
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      if (!(a[i] == b[i])) return false;
    }
    return true;
  }
}

/// By <=>, or by < alone.
template <class T>
auto CompareItem(const T& a, const T& b) {
  if constexpr (std::three_way_comparable<T>) {
    return a <=> b;
  } else {
    return a < b   ? std::weak_ordering::less
           : b < a ? std::weak_ordering::greater
                   : std::weak_ordering::equivalent;
  }
}
template <class T>
auto CompareItems(std::span<const T> a, std::span<const T> b)
    -> decltype(CompareItem(a[0], b[0])) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto order = CompareItem(a[i], b[i]);
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_ITERATORS_H_
