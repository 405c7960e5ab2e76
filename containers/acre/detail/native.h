// SPDX-License-Identifier: MIT
//
// Native<T>: what a std type becomes in an arena, and how. Templates of std are
// recognised by name, strings aside, so that none of their headers is needed
// here. Internal to acre.
//
// Convert(copier, from, to): `to` is a default-constructed, bound object in
// the arena. Elements inside the std type are placed: their bytes are copied
// now, and what they reach is copied when the StdCopy runs.

#ifndef ACRE_CONTAINERS_DETAIL_NATIVE_H_
#define ACRE_CONTAINERS_DETAIL_NATIVE_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/std_copy.h"
#include "acre/detail/type_name.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace acre::inline ACRE_ABI::detail {

/// An element stays what it is. Anything else has to be one of those below.
template <class T>
struct Native {
  using Type = T;
  static void Convert(StdCopy& copier, const T& from, T* to) {
    copier.Place(LayoutOf<T>(), &from, 1, to);
  }
};

template <class T>
using NativeType = typename Native<std::remove_const_t<T>>::Type;

constexpr bool IsOneOf(std::string_view name,
                       std::initializer_list<std::string_view> templates) {
  for (const std::string_view wanted : templates) {
    if (IsStdTemplate(name, wanted)) return true;
  }
  return false;
}

// A name begins alike for a class, for pointers to it and for arrays of it.
template <class T>
concept StdString =
    kIsStdString<T> && std::is_convertible_v<const T&, std::string_view>;
template <class T>
concept StdSequence = std::is_class_v<T> &&
    IsOneOf(TypeName<T>(), {"vector<", "deque<", "list<", "forward_list<"}) &&
    !std::is_same_v<typename T::value_type, bool>;
template <class T>
concept StdMap = std::is_class_v<T> &&
    IsOneOf(TypeName<T>(), {"map<", "unordered_map<"});
template <class T>
concept StdSet = std::is_class_v<T> &&
    IsOneOf(TypeName<T>(), {"set<", "unordered_set<"});

template <StdString T>
struct Native<T> {
  using Type = String;
  static void Convert(StdCopy&, const T& from, String* to) {
    to->assign(std::string_view(from));
  }
};

template <StdSequence T>
struct Native<T> {
  using Item = typename T::value_type;
  using Type = Vector<NativeType<Item>>;
  static void Convert(StdCopy& copier, const T& from, Type* to) {
    std::size_t count = 0;
    for (auto it = from.begin(); it != from.end(); ++it) ++count;
    to->reserve(count);
    if constexpr (Element<Item> && requires { from.data(); }) {
      // One piece: pointers from element to element stay inside it.
      to->resize(count);
      copier.Place(LayoutOf<Item>(), from.data(), count, to->data());
    } else {
      for (const Item& item : from) {
        Native<Item>::Convert(copier, item, &to->emplace_back());
      }
    }
  }
};

/// A source may tell keys apart that its copy, which compares with ==, cannot:
/// merging them would lose an entry.
inline void RequireNewKey(const TypeLayout& table, bool is_new) {
  ACRE_CHECK(is_new,
             "DeepCopy: two keys of the source are equal by ==, with which "
             "%.*s compares; it cannot hold both",
             static_cast<int>(table.name.size()), table.name.data());
}

/// `to` is a copy already, for the table to find its place by: what its
/// containers got for that goes back.
template <class Key>
void PlaceKey(StdCopy& copier, const Key& key, Key* to) {
  ReleaseIn(*to);
  copier.Place(LayoutOf<Key>(), &key, 1, to);
}

template <StdMap T>
struct Native<T> {
  using Key = typename T::key_type;
  using Value = typename T::mapped_type;
  using Type = Map<NativeType<Key>, NativeType<Value>>;
  static void Convert(StdCopy& copier, const T& from, Type* to) {
    to->reserve(from.size());  // values stay where they are made
    for (const auto& [key, value] : from) {
      const auto [at, is_new] = to->try_emplace(key);
      RequireNewKey(LayoutOf<Type>(), is_new);
      auto* slot = &*at;
      if constexpr (Element<Key>) {
        PlaceKey(copier, key, const_cast<Key*>(&slot->first));
      }
      Native<Value>::Convert(copier, value, &slot->second);
    }
    copier.RehashLater(LayoutOf<Type>(), to);
  }
};

template <StdSet T>
struct Native<T> {
  using Key = typename T::key_type;
  using Type = Set<NativeType<Key>>;
  static void Convert(StdCopy& copier, const T& from, Type* to) {
    to->reserve(from.size());
    for (const Key& key : from) {
      const auto [at, is_new] = to->insert(key);
      RequireNewKey(LayoutOf<Type>(), is_new);
      if constexpr (Element<Key>) {
        PlaceKey(copier, key, const_cast<Key*>(&*at));
      }
    }
    copier.RehashLater(LayoutOf<Type>(), to);
  }
};

// optional<X>, of anything that is no element itself
template <template <class> class O, class X>
requires(StdOptional<O<X>> && !Element<O<X>>) struct Native<O<X>> {
  using Type = O<NativeType<X>>;
  static void Convert(StdCopy& copier, const O<X>& from, Type* to) {
    if (!from.has_value()) return;
    Native<X>::Convert(copier, *from, &to->emplace());
    BindIn(*to, &copier.arena());
  }
};

template <class A, class B>
requires(!Element<std::pair<A, B>>) struct Native<std::pair<A, B>> {
  using Type = std::pair<NativeType<A>, NativeType<B>>;
  static void Convert(StdCopy& copier, const std::pair<A, B>& from, Type* to) {
    Native<std::remove_const_t<A>>::Convert(copier, from.first, &to->first);
    Native<std::remove_const_t<B>>::Convert(copier, from.second, &to->second);
  }
};

template <class X, std::size_t N>
requires(!Element<std::array<X, N>>) struct Native<std::array<X, N>> {
  using Type = std::array<NativeType<X>, N>;
  static void Convert(StdCopy& copier, const std::array<X, N>& from, Type* to) {
    for (std::size_t i = 0; i < N; ++i) {
      Native<X>::Convert(copier, from[i], &(*to)[i]);
    }
  }
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_NATIVE_H_
