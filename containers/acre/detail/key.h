// SPDX-License-Identifier: MIT
//
// Keys of Map and Set: what may be looked up, and how a key is made from it.
// Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_KEY_H_
#define ACRE_CONTAINERS_DETAIL_KEY_H_

#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/detail/handle.h"
#include "acre/element.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

/// A key or value in a list. Strings are given as texts: one that a list held
/// could neither be copied from it nor find its arena.
template <class T>
using Listed =
    std::conditional_t<std::is_same_v<std::remove_const_t<T>, String>,
                       std::string_view, std::remove_const_t<T>>;

template <class H, class K, class Q>
concept LooksUp = std::is_convertible_v<const Q&, const K&> ||(requires {
  typename H::is_transparent;
} && std::is_invocable_v<H, const Q&>);

/// Without transparent lookup a key is converted once, not per comparison.
template <class H, class K, class Q>
decltype(auto) AsKey(const Q& key) {
  if constexpr (requires { typename H::is_transparent; }) {
    return (key);
  } else {
    using As = std::conditional_t<std::is_same_v<Q, K>, const K&, K>;
    return static_cast<As>(key);
  }
}

/// Constructs a key where it will live, so that a long String finds its arena,
/// and binds it.
template <class K, class Q>
void MakeKey(void* at, [[maybe_unused]] Arena& arena, Q&& key) {
  // An rvalue K is moved; anything else, an lvalue K too, is made anew.
  constexpr bool kIsKey = std::is_same_v<Q, K>;
  if constexpr (!kIsKey && std::is_constructible_v<K, Arena&, Q>) {
    ::new (at) K(arena, std::forward<Q>(key));
  } else {
    ConstructAt<K>(at, std::forward<Q>(key));
    BindIn(*static_cast<K*>(at), &arena);
  }
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_KEY_H_
