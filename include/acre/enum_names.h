// SPDX-License-Identifier: MIT
//
// ACRE_ENUM: the names of an enumeration, once, for texts such as JSON.
//
//   enum class Color : std::uint8_t { kRed, kGreen };
//   ACRE_ENUM(Color, kRed, kGreen)
//   acre::EnumName(Color::kGreen);                   // "kGreen"
//   acre::EnumValue<Color>("kRed");                  // Color::kRed
//
// Stands in the namespace of the type, after it. A name of another spelling:
// enum_name(kRed, "red"). Up to 340 names; those left out have none. Of several
// with one value the first is its name, all are read.
//
// Complexity: linear in the names. Threads: constant data.

#ifndef ACRE_ENUM_NAMES_H_
#define ACRE_ENUM_NAMES_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <type_traits>

#include "acre/config.h"
#include "acre/layout.h"

namespace acre::inline ACRE_ABI {

namespace detail {

/// A name as the macro writes it; the value's bits, with its sign.
struct Enumerator {
  const char* name;
  long long value;
};

template <std::size_t N>
struct Enumerators {
  Enumerator names[N];
};

template <std::size_t N>
consteval Enumerators<N> ListEnumerators(const Enumerator (&names)[N]) {
  Enumerators<N> list{};
  for (std::size_t i = 0; i < N; ++i) list.names[i] = names[i];
  return list;
}

template <class E>
concept HasEnumNames = std::is_enum_v<E> && requires {
  acre_enum(static_cast<LayoutTag<E>*>(nullptr));
};

template <class E>
inline constexpr auto kEnumerators =
    acre_enum(static_cast<LayoutTag<E>*>(nullptr));

}  // namespace detail

/// An enumeration that has an ACRE_ENUM.
template <class E>
concept NamedEnum = detail::HasEnumNames<E>;

/// The name of a value; empty where it has none.
template <NamedEnum E>
constexpr std::string_view EnumName(E value) {
  for (const detail::Enumerator& each : detail::kEnumerators<E>.names) {
    if (each.value == static_cast<long long>(value)) return each.name;
  }
  return {};
}

/// The value of a name; nothing where there is none such.
template <NamedEnum E>
constexpr std::optional<E> EnumValue(std::string_view name) {
  for (const detail::Enumerator& each : detail::kEnumerators<E>.names) {
    if (name == each.name) return static_cast<E>(each.value);
  }
  return std::nullopt;
}

}  // namespace acre::inline ACRE_ABI

#define ACRE_PROBE_enum_name(...) 0, 1
#define ACRE_NOTE_enum_name(e, text) \
  { text, static_cast<long long>(AcreT::e) }
#define ACRE_ENUMERATOR_0(e) \
  { #e, static_cast < long long>(AcreT::e) }
#define ACRE_ENUMERATOR_1(note) ACRE_CAT2_(ACRE_NOTE_, note)
#define ACRE_ENUMERATOR_(x) ACRE_CAT_(ACRE_ENUMERATOR_, ACRE_IS_NOTE_(x))(x)

// clang-format off
#define ACRE_ENUM(E, ...)                                                     \
  [[maybe_unused]] constexpr auto acre_enum(::acre::LayoutTag<E>*) {          \
    using AcreT [[maybe_unused]] = E;                                         \
    static_assert(::std::is_enum_v<AcreT>, "ACRE_ENUM is for enumerations");  \
    return ::acre::detail::ListEnumerators(                                   \
        {ACRE_FOR_EACH_(ACRE_ENUMERATOR_, __VA_ARGS__)});                     \
  }
// clang-format on

#endif  // ACRE_ENUM_NAMES_H_
