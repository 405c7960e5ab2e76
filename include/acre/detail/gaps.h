// SPDX-License-Identifier: MIT
//
// What a registration leaves out: fields in the wrong order, and holes between
// them in which a field could hide. Seen by offsets alone, or, for an
// aggregate, by how many values it takes to fill it.

#ifndef ACRE_DETAIL_GAPS_H_
#define ACRE_DETAIL_GAPS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/layout.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// What is wrong with a registration: a sentence and the field it names.
struct Gap {
  std::string_view offence = {};
  std::string_view field = {};
};

// A field may lie in the tail padding of the one before (`used`: where that
// begins), never inside it.
constexpr Gap FindDisorder(FieldList fields, const std::uint32_t* used) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const FieldLayout& field = fields[i];
    if (field.note == FieldNote::kOpaque || field.size == 0) continue;
    if (field.offset < end) {
      return {"ACRE_LAYOUT lists a field twice, out of order or in a union:",
              field.name};
    }
    if (field.offset % field.align != 0) {
      return {
          "ACRE_LAYOUT lists a misaligned field, packed structs cannot live "
          "in an arena:",
          field.name};
    }
    end = field.offset + std::size_t{used[i]};
  }
  return {};
}

constexpr std::size_t PointerOrLess(std::size_t align) {
  return align < sizeof(void*) ? align : sizeof(void*);
}

// Only natural padding may stand between fields: less than the alignment of
// the field behind it, and less than a pointer; where all is listed only less
// than a pointer: an anonymous struct is aligned as the strictest of its
// members, not as the first. An empty member fills a byte.
constexpr Gap FindGap(FieldList fields, std::size_t size, std::size_t align,
                      bool lists_all) {
  constexpr std::string_view kLeft =
      "ACRE_LAYOUT leaves a field out, or a hole to declare opaque, after";
  std::size_t end = 0;
  std::size_t hole = 0;
  std::string_view before = "{";
  for (const FieldLayout& field : fields) {
    if (field.note == FieldNote::kOpaque) {
      hole += field.size;
      before = field.name;
      continue;
    }
    const std::size_t padding =
        PointerOrLess(lists_all ? sizeof(void*) : field.align);
    if (field.offset > end && field.offset - end >= padding + hole) {
      return {kLeft, before};
    }
    const std::size_t filled = field.size == 0 ? field.align : field.size;
    if (field.offset + filled > end) end = field.offset + filled;
    before = field.name;
    hole = 0;
  }
  const std::size_t padding = PointerOrLess(align);
  if (size > end && size - end >= padding + hole && !(end == 0 && size == 1)) {
    return {kLeft, before};
  }
  return {};
}

// ---- does a list of fields fill an aggregate?

template <class... T>
struct TypeList {};

/// A value of exactly this type, never defined.
template <class T>
T Value();
/// A value of whatever type is wanted.
struct AnyValue {
  template <class T>
  constexpr operator T() const;
};

// As braces elide: the elements of an array, not the array.
template <class T, std::size_t>
struct Repeated {
  using Type = T;
};
template <class T, std::size_t... I>
TypeList<typename Repeated<T, I>::Type...> Elements(std::index_sequence<I...>);
template <class T>
constexpr auto ValuesOf() {
  // Of more no error is worth the time.
  constexpr std::size_t kMost = 64;
  using Element = std::remove_cv_t<std::remove_all_extents_t<T>>;
  if constexpr (!std::is_array_v<T>) {
    return TypeList<std::remove_cv_t<T>>{};
  } else if constexpr (sizeof(T) / sizeof(Element) <= kMost) {
    return decltype(Elements<Element>(
        std::make_index_sequence<sizeof(T) / sizeof(Element)>{})){};
  }
}

template <class... A, class... B>
TypeList<A..., B...> operator+(TypeList<A...>, TypeList<B...>);

// Each value fills one member at most, so that with one left out there is room
// for another.
template <class T, class Values>
inline constexpr bool kFills = false;
template <class T, class... V>
inline constexpr bool kFills<T, TypeList<V...>> = requires {
  T{Value<V>()...};
}
&&!requires { T{Value<V>()..., AnyValue()}; }
&&!requires { T{Value<V>()..., {}}; };

/// True only where T is an aggregate and has no members but those of the types
/// M, in their order, be they in anonymous structs or not.
template <class T, class Fields>
inline constexpr bool kListsAll = false;
template <class T, class... M>
requires(std::is_aggregate_v<T> && sizeof...(M) != 0 &&
         !(std::is_same_v<M, Hole> || ...) &&
         !(std::is_void_v<decltype(ValuesOf<M>())> ||
           ...)) inline constexpr bool kListsAll<T, LayoutFields<M...>> =
    kFills<T, decltype((ValuesOf<M>() + ...))>;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_GAPS_H_
