// SPDX-License-Identifier: MIT
//
// fmt formatters (fmt 9 to 11) for String, Vector, Set, Map and for structs
// with an ACRE_LAYOUT.
//
//   fmt::print("{} has {}\n", player.name, player.items);
//   fmt::print("{}\n", player);  // {name: "Ann", items: ["a lantern"], hp: 7}
//
// Containers are written as this version of fmt writes std's, and take the
// same specifications: {:n} leaves the brackets out, {::.2f} is for the
// elements; a Map, other than std's, takes the latter for its values.
//
// Structs: text quoted and escaped, fields of bases among their own, opaque
// holes left out. A pointer is its address or nullptr, a span of anything but
// numbers and text its address and size: neither is followed, so that cycles
// end. optional(1) or none, variant(1); an enum is what fmt makes of it, or its
// number; a class that fmt does not know is <its name>. Any other formatter of
// the struct wins: your own, that of a range. Recursion is as deep as values
// nest.

#ifndef ACRE_FORMAT_H_
#define ACRE_FORMAT_H_

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstddef>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "acre/detail/show.h"
#include "acre/detail/show_struct.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

// acre's types are out of reach of what <fmt/ranges.h> does for any range.
FMT_BEGIN_NAMESPACE
template <typename T, typename Char>
struct is_range<acre::Vector<T>, Char> : std::false_type {};
template <typename K, typename H, typename E, typename Char>
struct is_range<acre::Set<K, H, E>, Char> : std::false_type {};
template <typename K, typename V, typename H, typename E, typename Char>
struct is_range<acre::Map<K, V, H, E>, Char> : std::false_type {};
template <typename Char>
struct is_range<acre::String, Char> : std::false_type {};
FMT_END_NAMESPACE

namespace acre::inline ACRE_ABI::detail {

/// Does fmt write it inside of ranges? What only some of its versions know, and
/// only with more of its headers, is written by Show: the same everywhere.
template <class T>
inline constexpr bool kByFmt = fmt::is_formattable<T>::value;
template <class T>
inline constexpr bool kByFmt<T*> = false;
template <>
inline constexpr bool kByFmt<std::nullptr_t> = false;
template <StdOptional T>
inline constexpr bool kByFmt<T> = false;
template <template <class...> class V, class... A>
requires StdVariant<V<A...>>
inline constexpr bool kByFmt<V<A...>> = false;
template <class A, class B>
inline constexpr bool kByFmt<std::pair<A, B>> =
    kByFmt<std::remove_cv_t<A>>&& kByFmt<std::remove_cv_t<B>>;
template <class... A>
inline constexpr bool kByFmt<std::tuple<A...>> = (kByFmt<std::remove_cv_t<A>> &&
                                                  ... && true);
template <class T, std::size_t N>
inline constexpr bool kByFmt<std::array<T, N>> = kByFmt<std::remove_cv_t<T>>;
// Those of structs could lead in a circle.
template <class T, std::size_t N>
inline constexpr bool kByFmt<std::span<T, N>> = kIsLeaf<T>;

/// What Show writes takes no specification, but containers may be without
/// brackets.
class ShownBrackets {
 public:
  constexpr ShownBrackets(std::string_view open, std::string_view close)
      : open_(open), close_(close) {}
  constexpr auto parse(fmt::format_parse_context& context) {
    auto it = context.begin();
    if (it != context.end() && *it == 'n') {
      open_ = close_ = {};
      ++it;
    }
    return it;
  }

 protected:
  std::string_view open_, close_;
};

template <class T, bool IsByFmt = kByFmt<T>>
struct VectorFormatter : fmt::range_formatter<T, char> {};
template <class T>
struct VectorFormatter<T, false> : ShownBrackets {
  constexpr VectorFormatter() : ShownBrackets("[", "]") {}
  template <class Context>
  auto format(const Vector<T>& vector, Context& context) const {
    return ShowAll(context.out(), vector, open_, close_, kShowItem);
  }
};

template <class K, bool IsByFmt = kByFmt<K>>
struct SetFormatter : fmt::range_formatter<K, char> {
  constexpr SetFormatter() { this->set_brackets({"{", 1}, {"}", 1}); }
};
template <class K>
struct SetFormatter<K, false> : ShownBrackets {
  constexpr SetFormatter() : ShownBrackets("{", "}") {}
  template <class Set, class Context>
  auto format(const Set& set, Context& context) const {
    return ShowAll(context.out(), set, open_, close_, kShowItem);
  }
};

/// Enums may be written as numbers, without a formatter to give a specification
/// to.
template <class V>
inline constexpr bool kTakesSpec =
    kByFmt<V>&& std::is_default_constructible_v<fmt::formatter<V>>;

template <class K, class V, bool IsByFmt = kByFmt<K>&& kTakesSpec<V>>
class MapFormatter {
 public:
  constexpr MapFormatter() {
    pairs_.set_brackets({"{", 1}, {"}", 1});
    pairs_.underlying().set_brackets({}, {});
    pairs_.underlying().set_separator({": ", 2});
  }

  constexpr auto parse(fmt::format_parse_context& context) {
    const auto end = context.end();
    auto it = context.begin();
    const bool has_brackets = it == end || *it != 'n';
    if (!has_brackets) ++it;
    if (it == end || *it != ':' || it + 1 == end || it[1] == '}') {
      return pairs_.parse(context);
    }
    context.advance_to(it + 1);
    has_brackets_ = has_brackets;
    has_value_spec_ = true;
    return value_.parse(context);
  }

  template <class Map, class Context>
  auto format(const Map& map, Context& context) const {
    if (!has_value_spec_) return pairs_.format(map, context);
    auto entry = [&](auto out, const auto& entry) {
      out = ShowLiteral(Show(out, entry.first), ": ");
      context.advance_to(out);
      return value_.format(entry.second, context);
    };
    return ShowAll(context.out(), map, has_brackets_ ? "{" : "",
                   has_brackets_ ? "}" : "", entry);
  }

 private:
  fmt::range_formatter<std::pair<const K, V>, char> pairs_;
  fmt::formatter<V> value_;
  bool has_brackets_ = true;
  bool has_value_spec_ = false;
};
template <class K, class V>
struct MapFormatter<K, V, false> : ShownBrackets {
  constexpr MapFormatter() : ShownBrackets("{", "}") {}
  template <class Map, class Context>
  auto format(const Map& map, Context& context) const {
    return ShowAll(context.out(), map, open_, close_, kShowEntry);
  }
};

}  // namespace acre::inline ACRE_ABI::detail

/// Takes every specification of a string.
template <>
struct fmt::formatter<acre::String> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const acre::String& text, Context& context) const {
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};

template <class T>
struct fmt::formatter<acre::Vector<T>> : acre::detail::VectorFormatter<T> {};

template <class K, class H, class E>
struct fmt::formatter<acre::Set<K, H, E>> : acre::detail::SetFormatter<K> {};

template <class K, class V, class H, class E>
struct fmt::formatter<acre::Map<K, V, H, E>>
    : acre::detail::MapFormatter<K, V> {};

/// As general as the primary template, so that any other formatter for T, a
/// template with conditions too, is the better match.
template <class T, class Char, class Enable>
requires(acre::detail::kHasFields<T>&& std::is_same_v<
         Char, char>) struct fmt::formatter<T, Char, Enable> {
  constexpr auto parse(fmt::format_parse_context& context) {
    return context.begin();
  }
  template <class Context>
  auto format(const T& object, Context& context) const {
    return acre::detail::ShowStruct(context.out(), object);
  }
};

#endif  // ACRE_FORMAT_H_
