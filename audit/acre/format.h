// SPDX-License-Identifier: MIT
//
// fmt formatters for String, Vector, Set and Map (fmt 9 to 11), written as
// <fmt/ranges.h> writes std's: [1, 2], {1, 2}, {"a": 1}. That header may be
// included or not, before or after: acre's types are taken out of its reach.
//
//   fmt::print("{} has {}\n", player.name, player.items);

#ifndef ACRE_FORMAT_H_
#define ACRE_FORMAT_H_

#include <fmt/format.h>

#include <string_view>
#include <type_traits>

#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace acre::inline ACRE_ABI::detail {

/// Text inside a container is quoted.
template <class T>
inline constexpr bool kIsText =
    std::is_convertible_v<const T&, std::string_view>;

template <class Out, class T>
Out FormatItem(Out out, const T& item) {
  if constexpr (kIsText<T>) {
    return fmt::format_to(out, "\"{}\"", std::string_view(item));
  } else {
    return fmt::format_to(out, "{}", item);
  }
}

struct FormatEmptySpec {
  constexpr auto parse(fmt::format_parse_context& context) {
    return context.begin();
  }
};

/// Writes `open`, the items with commas between them, and `close`.
template <class Out, class Range, class Item>
Out FormatAll(Out out, const Range& range, char open, char close, Item item) {
  *out++ = open;
  bool first = true;
  for (const auto& value : range) {
    if (!first) out = fmt::format_to(out, ", ");
    out = item(out, value);
    first = false;
  }
  *out++ = close;
  return out;
}

}  // namespace acre::inline ACRE_ABI::detail

// Declared by <fmt/ranges.h>, which asks it before formatting a range.
FMT_BEGIN_NAMESPACE
template <typename T, typename Char>
struct is_range;
template <typename T, typename Char>
struct is_range<acre::Vector<T>, Char> : std::false_type {};
template <typename K, typename H, typename E, typename Char>
struct is_range<acre::Set<K, H, E>, Char> : std::false_type {};
template <typename K, typename V, typename H, typename E, typename Char>
struct is_range<acre::Map<K, V, H, E>, Char> : std::false_type {};
template <typename Char>
struct is_range<acre::String, Char> : std::false_type {};
FMT_END_NAMESPACE

/// Takes every specification of a string.
template <>
struct fmt::formatter<acre::String> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const acre::String& text, Context& context) const {
    return fmt::formatter<std::string_view>::format(text.view(), context);
  }
};

template <class T>
struct fmt::formatter<acre::Vector<T>> : acre::detail::FormatEmptySpec {
  template <class Context>
  auto format(const acre::Vector<T>& vector, Context& context) const {
    return acre::detail::FormatAll(context.out(), vector, '[', ']',
                                   [](auto out, const T& item) {
                                     return acre::detail::FormatItem(out, item);
                                   });
  }
};

template <class K, class H, class E>
struct fmt::formatter<acre::Set<K, H, E>> : acre::detail::FormatEmptySpec {
  template <class Context>
  auto format(const acre::Set<K, H, E>& set, Context& context) const {
    return acre::detail::FormatAll(context.out(), set, '{', '}',
                                   [](auto out, const K& item) {
                                     return acre::detail::FormatItem(out, item);
                                   });
  }
};

template <class K, class V, class H, class E>
struct fmt::formatter<acre::Map<K, V, H, E>> : acre::detail::FormatEmptySpec {
  template <class Context>
  auto format(const acre::Map<K, V, H, E>& map, Context& context) const {
    return acre::detail::FormatAll(
        context.out(), map, '{', '}', [](auto out, const auto& entry) {
          out = acre::detail::FormatItem(out, entry.first);
          out = fmt::format_to(out, ": ");
          return acre::detail::FormatItem(out, entry.second);
        });
  }
};

#endif  // ACRE_FORMAT_H_
