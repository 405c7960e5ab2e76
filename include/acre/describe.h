// SPDX-License-Identifier: MIT
//
// Adapter for Boost.Describe (Boost 1.77 or later): types described with
// BOOST_DESCRIBE_STRUCT or BOOST_DESCRIBE_CLASS are registered by including
// this header. An ACRE_LAYOUT of the type takes precedence. Include it
// wherever the type is used in an arena, or nowhere: translation units that
// disagree about a registration violate the one-definition rule.
//
//   struct Player { int hp; Player* target; };
//   BOOST_DESCRIBE_STRUCT(Player, (), (hp, target))
//   arena.New<Player>();
//
// Base classes and private members are included; they must be described.
// Describe has no notes: use ACRE_LAYOUT for owned,
// borrowed, reviewed and bit-fields.

#ifndef ACRE_DESCRIBE_H_
#define ACRE_DESCRIBE_H_

#include <algorithm>
#include <array>
#include <boost/describe.hpp>
#include <boost/mp11.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/type_name.h"
#include "acre/layout.h"

// g++ 12 takes the address of an immediate function in a pack and refuses it;
// clang 14 crashes on the same function where it is not immediate.
#if defined(__clang__)
#define ACRE_DESCRIBE_EVAL consteval
#else
#define ACRE_DESCRIBE_EVAL constexpr
#endif

namespace acre::inline ACRE_ABI {
namespace detail {

template <class M, class T>
M MemberType(M T::*);

template <class D>
using DescribedType = decltype(MemberType(D::pointer));

template <class T, class D>
ACRE_DESCRIBE_EVAL ListedField DescribedMember() {
  return {D::name, OffsetOf<T>(
                       [](const T& object) -> const void* {
                         return &(object.*D::pointer);
                       },
                       alignof(DescribedType<D>))};
}

template <class Base>
inline constexpr auto kBaseName = [] {
  std::array<char, TypeName<Base>().size() + 1> name{};
  std::ranges::copy(TypeName<Base>(), name.begin());
  return name;
}();

template <class T, class D>
ACRE_DESCRIBE_EVAL ListedField DescribedBase() {
  using Base = typename D::type;
  return {kBaseName<Base>.data(), BaseOffset<T, Base>()};
}

/// Describe lists members by access, a layout lists them by offset: the index
/// of each member in that order.
template <class T, template <class...> class L, class... M>
ACRE_DESCRIBE_EVAL auto OrderOf(L<M...>) {
  const std::array<std::size_t, sizeof...(M)> offsets{
      DescribedMember<T, M>().offset...};
  std::array<std::size_t, sizeof...(M)> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return offsets[a] < offsets[b];
  });
  return order;
}

template <class T, class Members, template <class...> class L, class... B,
          std::size_t... I>
ACRE_DESCRIBE_EVAL auto DescribedFields(L<B...>, std::index_sequence<I...>) {
  [[maybe_unused]] constexpr auto kOrder = OrderOf<T>(Members());
  return LayoutFields<
      typename B::type...,
      DescribedType<boost::mp11::mp_at_c<Members, kOrder[I]>>...>{
      {DescribedBase<T, B>()...,
       DescribedMember<T, boost::mp11::mp_at_c<Members, kOrder[I]>>()...}};
}

}  // namespace detail

template <class T>
requires boost::describe::has_describe_bases<T>::value &&
    boost::describe::has_describe_members<T>::value &&
    (!std::is_union_v<T>)ACRE_DESCRIBE_EVAL auto acre_layout(LayoutTag<T>*) {
  static_assert(detail::kEnds<T>);
  using boost::describe::mod_any_access;
  using Members = boost::describe::describe_members<T, mod_any_access>;
  return detail::DescribedFields<T, Members>(
      boost::describe::describe_bases<T, mod_any_access>(),
      std::make_index_sequence<boost::mp11::mp_size<Members>::value>());
}

}  // namespace acre::inline ACRE_ABI

#undef ACRE_DESCRIBE_EVAL

#endif  // ACRE_DESCRIBE_H_
