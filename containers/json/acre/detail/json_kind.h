// SPDX-License-Identifier: MIT
//
// JsonKind: which of the forms of JSON a type has. Internal to acre.

#ifndef ACRE_JSON_DETAIL_JSON_KIND_H_
#define ACRE_JSON_DETAIL_JSON_KIND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/shape.h"
#include "acre/detail/type_name.h"
#include "acre/enum_names.h"
#include "acre/fields.h"
#include "acre/fwd.h"
#include "acre/json_by_name.h"
#include "acre/string.h"

namespace acre::inline ACRE_ABI {

class Json;

namespace detail {

enum class JsonKind : std::uint8_t {
  kNull,  // std::monostate, std::nullptr_t
  kBool,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kFloat,
  kDouble,
  kEnum,      // with names
  kText,      // String
  kTextView,  // std::string_view
  kCText,     // const char*
  kChars,     // char[N], std::array<char, N>: up to a zero
  kList,      // Vector
  kView,      // std::span
  kArray,     // T[N], std::array
  kSet,
  kTuple,  // std::pair, std::tuple
  kMap,
  kStruct,
  kOptional,
  kVariant,
  kPointer,
  kAny,    // Json
  kNamed,  // a pointer to what has names
  kNone    // JSON has no form for it
};

template <class T>
concept JsonChrono = std::is_class_v<T> &&
    (IsStdTemplate(TypeName<T>(), "chrono::duration<") ||
     IsStdTemplate(TypeName<T>(), "chrono::time_point<"));
template <class T>
inline constexpr bool kIsPairOrTuple = std::is_class_v<T>&& StdTuple<T>;
template <class A, class B>
inline constexpr bool kIsPairOrTuple<std::pair<A, B>> = true;
template <class T>
inline constexpr bool kIsMonostate =
    std::is_class_v<T>&& NameInStd(TypeName<T>()) == "monostate";

template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<Vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class K, class V, class H, class E>
struct IsMap<Map<K, V, H, E>> : std::true_type {};
template <class T>
struct IsSet : std::false_type {};
template <class T, class H, class E>
struct IsSet<Set<T, H, E>> : std::true_type {};
template <class T>
struct IsSpan : std::false_type {};
template <class T, std::size_t N>
struct IsSpan<std::span<T, N>> : std::true_type {
  static constexpr bool kIsDynamic = N == static_cast<std::size_t>(-1);
};
template <class T>
struct ArrayOf {
  static constexpr bool kIs = false;
};
template <class T, std::size_t N>
struct ArrayOf<T[N]> {
  static constexpr bool kIs = true;
  static constexpr std::size_t kCount = N;
  using Item = T;
};
template <class T, std::size_t N>
struct ArrayOf<std::array<T, N>> : ArrayOf<T[N == 0 ? 1 : N]> {
  static constexpr std::size_t kCount = N;
};

template <std::size_t kSize, bool kIsSigned>
constexpr JsonKind IntegerKind() {
  constexpr JsonKind kSigned[] = {JsonKind::kInt8, JsonKind::kInt16,
                                  JsonKind::kInt32, JsonKind::kInt64};
  constexpr JsonKind kUnsigned[] = {JsonKind::kUint8, JsonKind::kUint16,
                                    JsonKind::kUint32, JsonKind::kUint64};
  constexpr std::size_t kLog = kSize == 1   ? 0
                               : kSize == 2 ? 1
                               : kSize == 4 ? 2
                                            : 3;
  return kIsSigned ? kSigned[kLog] : kUnsigned[kLog];
}

template <class T>
consteval JsonKind KindOf() {
  if constexpr (std::is_null_pointer_v<T> || kIsMonostate<T>) {
    return JsonKind::kNull;
  } else if constexpr (std::is_same_v<T, bool>) {
    return JsonKind::kBool;
  } else if constexpr (std::is_integral_v<T> && sizeof(T) <= 8) {
    return IntegerKind<sizeof(T), std::is_signed_v<T>>();
  } else if constexpr (std::is_same_v<T, float>) {
    return JsonKind::kFloat;
  } else if constexpr (std::is_same_v<T, double>) {
    return JsonKind::kDouble;
  } else if constexpr (HasEnumNames<T>) {
    return JsonKind::kEnum;
  } else if constexpr (std::is_enum_v<T>) {
    return KindOf<std::underlying_type_t<T>>();
  } else if constexpr (std::is_same_v<T, String>) {
    return JsonKind::kText;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    return JsonKind::kTextView;
  } else if constexpr (std::is_same_v<T, Json>) {
    return JsonKind::kAny;
  } else if constexpr (std::is_same_v<T, const char*> ||
                       std::is_same_v<T, char*>) {
    return JsonKind::kCText;
  } else if constexpr (JsonChrono<T>) {
    return KindOf<typename T::rep>();
  } else if constexpr (ArrayOf<T>::kIs) {
    return std::is_same_v<std::remove_cv_t<typename ArrayOf<T>::Item>, char>
               ? JsonKind::kChars
               : JsonKind::kArray;
  } else if constexpr (IsSpan<T>::value) {
    return IsSpan<T>::kIsDynamic ? JsonKind::kView : JsonKind::kNone;
  } else if constexpr (IsVector<T>::value) {
    return JsonKind::kList;
  } else if constexpr (IsMap<T>::value) {
    return JsonKind::kMap;
  } else if constexpr (IsSet<T>::value) {
    return JsonKind::kSet;
  } else if constexpr (kIsPairOrTuple<T>) {
    return JsonKind::kTuple;
  } else if constexpr (std::is_class_v<T> && StdOptional<T>) {
    return JsonKind::kOptional;
  } else if constexpr (std::is_class_v<T> && StdVariant<T>) {
    return JsonKind::kVariant;
  } else if constexpr (std::is_pointer_v<T>) {
    using Target = std::remove_pointer_t<T>;
    if constexpr (HasJsonName<std::remove_cv_t<Target>>) {
      return JsonKind::kNamed;
    } else {
      return std::is_object_v<Target> ? JsonKind::kPointer : JsonKind::kNone;
    }
  } else {
    return kHasFields<T> ? JsonKind::kStruct : JsonKind::kNone;
  }
}

template <class T>
inline constexpr bool kHasJsonForm =
    KindOf<std::remove_cv_t<T>>() != JsonKind::kNone;

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_JSON_DETAIL_JSON_KIND_H_
