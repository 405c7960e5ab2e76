// SPDX-License-Identifier: MIT
//
// The storage of a Json, and what layouts say of it. Internal to acre.

#ifndef ACRE_CONTAINERS_JSON_JSON_STORAGE_H_
#define ACRE_CONTAINERS_JSON_JSON_STORAGE_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/element.h"
#include "acre/json.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Of the index of an object: the place of a member and one more; zero: none.
using IndexSlot = std::uint32_t;

/// Of the index of an object with room for so many names and values.
inline std::size_t SlotsFor(std::size_t capacity) {
  return std::bit_ceil(2 * capacity);
}

inline const TypeLayout& ByteLayout() { return LayoutOf<char>(); }
inline const TypeLayout& SlotLayout() { return LayoutOf<IndexSlot>(); }
inline const TypeLayout& JsonLayout() { return LayoutOf<Json>(); }

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_JSON_JSON_STORAGE_H_
