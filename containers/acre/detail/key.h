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

/// As std: what is no key is looked up as it is where hasher and equality both
/// say that they take it.
template <class H, class E>
concept Transparent = requires {
  typename H::is_transparent;
  typename E::is_transparent;
};
template <class Q, class K, class H, class E>
concept AskedAsIs = std::is_convertible_v<const Q*, const K*> ||
    (Transparent<H, E>&& std::is_invocable_v<H, const Q&>);

/// What a look-up takes beside keys. What converts to a key needs no function
/// of its own, unless the key has containers: those want an arena, which a
/// temporary of the caller has not.
template <class Q, class K, class H, class E>
concept LooksUp = AskedAsIs<Q, K, H, E> ||
    (kHandlesIn<K>&& std::is_convertible_v<const Q&, K>);

/// A pair to insert, or what converts to one.
template <class P, class Pair>
concept PairLike = requires(P&& pair) {
  pair.first;
  pair.second;
}
|| std::is_convertible_v<P, Pair>;

/// The parts of a pair, to be moved where it is an rvalue; references in it are
/// what std::get makes of them.
template <std::size_t I, class P>
decltype(auto) PartOf(P&& pair) {
  if constexpr (requires { get<I>(std::forward<P>(pair)); }) {
    return get<I>(std::forward<P>(pair));
  } else if constexpr (I == 0) {
    return (std::forward<P>(pair).first);
  } else {
    return (std::forward<P>(pair).second);
  }
}

/// std::apply, without <tuple>.
template <class Tuple, class F>
auto Apply(Tuple&& tuple, const F& f) {
  using Size = std::tuple_size<std::remove_reference_t<Tuple>>;
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return f(get<I>(std::forward<Tuple>(tuple))...);
  }
  (std::make_index_sequence<Size::value>{});
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

/// A key that is not in a table yet, if ever. One with containers is made in
/// the arena; what they hold then is given back, unless it was moved from.
template <class K, bool = kHandlesIn<K>>
class MadeKey {
 public:
  template <class... Args>
  explicit MadeKey(Arena*, Args&&... args)
      : key_(Make<K>(std::forward<Args>(args)...)) {}
  K& operator*() { return key_; }

 private:
  K key_;
};
template <class K>
class MadeKey<K, true> {
 public:
  template <class... Args>
  explicit MadeKey(Arena* arena, Args&&... args) : arena_(arena) {
    if constexpr (!std::is_constructible_v<K, Args...> &&
                  std::is_constructible_v<K, Arena&, Args...>) {
      key_ = arena->New<K>(*arena, std::forward<Args>(args)...);
    } else {
      key_ = arena->New<K>(std::forward<Args>(args)...);
    }
  }
  MadeKey(const MadeKey&) = delete;
  MadeKey& operator=(const MadeKey&) = delete;
  ~MadeKey() { arena_->Free(key_); }
  K& operator*() { return *key_; }

 private:
  Arena* const arena_;
  K* key_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_KEY_H_
