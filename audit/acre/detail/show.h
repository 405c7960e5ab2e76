// SPDX-License-Identifier: MIT
//
// Show: writes any value that may lie in an arena, the way fmt writes values
// inside a range: text quoted and escaped. What the formatters of registered
// structs are made of. The same whichever other headers of fmt are included;
// only for enums and foreign classes is fmt asked. Internal to acre.
//
// Nothing is followed but views of text and of numbers: no cycle, and the
// recursion is as deep as values nest.

#ifndef ACRE_DETAIL_SHOW_H_
#define ACRE_DETAIL_SHOW_H_

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/detail/shape.h"
#include "acre/detail/type_name.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace acre::inline ACRE_ABI::detail {

template <class T>
inline constexpr bool kIsText =
    std::is_same_v<T, String> || std::is_same_v<T, std::string_view>;

template <class Out, class T>
Out Show(Out out, const T& value);

template <class Out>
Out ShowLiteral(Out out, std::string_view text) {
  for (const char c : text) *out++ = c;
  return out;
}

/// `open`, what each(out, item) writes, with commas between, and `close`.
template <class Out, class Range, class Each>
Out ShowAll(Out out, const Range& range, std::string_view open,
            std::string_view close, Each each) {
  out = ShowLiteral(out, open);
  bool is_first = true;
  for (const auto& item : range) {
    if (!is_first) out = ShowLiteral(out, ", ");
    is_first = false;
    out = each(out, item);
  }
  return ShowLiteral(out, close);
}

inline constexpr auto kShowItem = [](auto out, const auto& item) {
  return Show(out, item);
};
inline constexpr auto kShowEntry = [](auto out, const auto& entry) {
  out = Show(out, entry.first);
  out = ShowLiteral(out, ": ");
  return Show(out, entry.second);
};

// ---- what is no class

template <class Out, class T>
Out ShowNumber(Out out, T value) {
  if constexpr (std::is_same_v<T, char>) {
    return fmt::format_to(out, "{:?}", value);
  } else if constexpr (std::is_same_v<T, wchar_t> ||
                       std::is_same_v<T, char8_t> ||
                       std::is_same_v<T, char16_t> ||
                       std::is_same_v<T, char32_t>) {
    return fmt::format_to(out, "{}", static_cast<std::uint32_t>(value));
  } else {
    return fmt::format_to(out, "{}", value);
  }
}

template <class Out, class T>
Out ShowEnum(Out out, T value) {
  if constexpr (fmt::is_formattable<T>::value) {
    return fmt::format_to(out, "{}", value);
  } else {
    return fmt::format_to(out, "{}",
                          +static_cast<std::underlying_type_t<T>>(value));
  }
}

template <class Out, class T>
Out ShowPointer(Out out, [[maybe_unused]] T pointer) {
  if constexpr (std::is_pointer_v<T>) {
    if (pointer != nullptr) {
      return fmt::format_to(out, "{:#x}",
                            reinterpret_cast<std::uintptr_t>(pointer));
    }
  }
  return ShowLiteral(out, "nullptr");
}

/// An array of char is text, up to the first zero.
template <class Out, class T, std::size_t N>
Out ShowArray(Out out, const T (&array)[N]) {
  if constexpr (std::is_same_v<std::remove_cv_t<T>, char>) {
    const std::string_view whole(array, N);
    return fmt::format_to(out, "{:?}", whole.substr(0, whole.find('\0')));
  } else {
    return ShowAll(out, array, "[", "]", kShowItem);
  }
}

// ---- classes

/// Of which nothing is known here: fmt may know; if not, their name.
template <class T>
struct Shown {
  template <class Out>
  static Out To(Out out, const T& value) {
    if constexpr (fmt::is_formattable<T>::value) {
      return fmt::format_to(out, "{}", value);
    } else {
      static_cast<void>(value);
      return fmt::format_to(out, "<{}>", TypeName<T>());
    }
  }
};

template <class T>
struct ShownList {
  template <class Out>
  static Out To(Out out, const T& list) {
    return ShowAll(out, list, "[", "]", kShowItem);
  }
};
template <class T>
struct Shown<Vector<T>> : ShownList<Vector<T>> {};
template <class T, std::size_t N>
struct Shown<std::array<T, N>> : ShownList<std::array<T, N>> {};

template <class K, class H, class E>
struct Shown<Set<K, H, E>> {
  template <class Out>
  static Out To(Out out, const Set<K, H, E>& set) {
    return ShowAll(out, set, "{", "}", kShowItem);
  }
};
template <class K, class V, class H, class E>
struct Shown<Map<K, V, H, E>> {
  template <class Out>
  static Out To(Out out, const Map<K, V, H, E>& map) {
    return ShowAll(out, map, "{", "}", kShowEntry);
  }
};

/// May a view of them be followed? They lead nowhere else.
template <class T>
inline constexpr bool kIsLeaf =
    std::is_arithmetic_v<std::remove_cv_t<T>> || kIsText<std::remove_cv_t<T>>;

template <class T, std::size_t N>
struct Shown<std::span<T, N>> {
  template <class Out>
  static Out To(Out out, std::span<T, N> span) {
    if constexpr (kIsLeaf<T>) {
      return ShowAll(out, span, "[", "]", kShowItem);
    } else {
      out = ShowLiteral(out, "span(");
      out = ShowPointer(out, span.data());
      return fmt::format_to(out, ", {})", span.size());
    }
  }
};

template <class A, class B>
struct Shown<std::pair<A, B>> {
  template <class Out>
  static Out To(Out out, const std::pair<A, B>& pair) {
    out = Show(ShowLiteral(out, "("), pair.first);
    out = Show(ShowLiteral(out, ", "), pair.second);
    return ShowLiteral(out, ")");
  }
};

template <template <class...> class V, class... A>
requires StdTuple<V<A...>>
struct Shown<V<A...>> {
  template <class Out>
  static Out To(Out out, const V<A...>& tuple) {
    out = ShowLiteral(out, "(");
    out = Items(out, tuple, std::index_sequence_for<A...>());
    return ShowLiteral(out, ")");
  }
  template <class Out, std::size_t... I>
  static Out Items(Out out, const V<A...>& tuple, std::index_sequence<I...>) {
    static_cast<void>(tuple);
    ((out = Show(ShowLiteral(out, I == 0 ? "" : ", "), get<I>(tuple))), ...);
    return out;
  }
};

template <StdOptional T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T& value) {
    if (!value.has_value()) return ShowLiteral(out, "none");
    return ShowLiteral(Show(ShowLiteral(out, "optional("), *value), ")");
  }
};

template <template <class...> class V, class... A>
requires StdVariant<V<A...>>
struct Shown<V<A...>> {
  template <class Out>
  static Out To(Out out, const V<A...>& value) {
    out = ShowLiteral(out, "variant(");
    if (value.valueless_by_exception()) {
      out = ShowLiteral(out, "valueless by exception");
    } else {
      out = Active(out, value, std::index_sequence_for<A...>());
    }
    return ShowLiteral(out, ")");
  }
  template <class Out, std::size_t... I>
  static Out Active(Out out, const V<A...>& value, std::index_sequence<I...>) {
    static_cast<void>(
        ((value.index() == I && (out = Show(out, *get_if<I>(&value)), true)) ||
         ...));
    return out;
  }
};

// ---- data of std: by name, through their interface, as in shape.h

template <class T>
concept ShownMonostate = (TypeName<T>() == "std::monostate");
template <class T>
concept ShownComplex = IsStdTemplate(TypeName<T>(), "complex<");
template <class T>
concept ShownBitset = IsStdTemplate(TypeName<T>(), "bitset<");
template <class T>
concept ShownDuration = IsStdTemplate(TypeName<T>(), "chrono::duration<");
template <class T>
concept ShownTimePoint = IsStdTemplate(TypeName<T>(), "chrono::time_point<");

template <ShownMonostate T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T&) {
    return ShowLiteral(out, "monostate");
  }
};

template <ShownComplex T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T& value) {
    return fmt::format_to(out, "({}{:+}i)", value.real(), value.imag());
  }
};

template <ShownBitset T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T& bits) {
    for (std::size_t i = bits.size(); i > 0; --i) {
      *out++ = bits[i - 1] ? '1' : '0';
    }
    return out;
  }
};

/// Of a second: "ms" for a thousandth. Empty: has none.
constexpr std::string_view UnitOf(std::intmax_t num, std::intmax_t den) {
  if (num == 1 && den == 1) return "s";
  if (num == 1 && den == 1000) return "ms";
  if (num == 1 && den == 1000000) return "\u00b5s";
  if (num == 1 && den == 1000000000) return "ns";
  if (den != 1) return "";
  if (num == 60) return "min";
  if (num == 3600) return "h";
  return num == 86400 ? "d" : "";
}

template <ShownDuration T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T& value) {
    constexpr std::intmax_t kNum = T::period::num, kDen = T::period::den;
    constexpr std::string_view kUnit = UnitOf(kNum, kDen);
    out = ShowNumber(out, value.count());
    if constexpr (!kUnit.empty()) return ShowLiteral(out, kUnit);
    if constexpr (kDen == 1) return fmt::format_to(out, "[{}]s", kNum);
    return fmt::format_to(out, "[{}/{}]s", kNum, kDen);
  }
};

/// Since its clock's epoch: which day that is, only the clock may know.
template <ShownTimePoint T>
struct Shown<T> {
  template <class Out>
  static Out To(Out out, const T& value) {
    return Show(out, value.time_since_epoch());
  }
};

template <class Out, class T>
Out Show(Out out, const T& value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return ShowNumber(out, value);
  } else if constexpr (std::is_enum_v<T>) {
    return ShowEnum(out, value);
  } else if constexpr (std::is_pointer_v<T> || std::is_null_pointer_v<T>) {
    return ShowPointer(out, value);
  } else if constexpr (std::is_array_v<T>) {
    return ShowArray(out, value);
  } else if constexpr (kIsText<T>) {
    return fmt::format_to(out, "{:?}", std::string_view(value));
  } else {
    return Shown<T>::To(out, value);
  }
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_SHOW_H_
