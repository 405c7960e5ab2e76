// SPDX-License-Identifier: MIT
//
// ACRE_JSON_BY_NAME: pointers to that type stand in JSON as names: to rows of a
// static table, to assets that somebody else keeps.
//
//   std::string_view NameOf(const Texture& texture);
//   const Texture* FindTexture(std::string_view name);    // null: none such
//   ACRE_JSON_BY_NAME(Texture, NameOf, FindTexture)
//
// Stands in the namespace of the type, before ToJson and FromJson are used with
// anything that points to it. `borrowed` fields, which are left out otherwise,
// are written and read then.

#ifndef ACRE_JSON_BY_NAME_H_
#define ACRE_JSON_BY_NAME_H_

#include <string_view>

#include "acre/config.h"
#include "acre/layout.h"

namespace acre::inline ACRE_ABI {

/// How a type has names. Threads: as the functions.
template <class T>
struct JsonByName {
  std::string_view (*name)(const T& object);
  const T* (*find)(std::string_view name);
};

namespace detail {

template <class T>
concept HasJsonName = requires {
  acre_json_by_name(static_cast<LayoutTag<T>*>(nullptr));
};

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

#define ACRE_JSON_BY_NAME(T, name, find)                              \
  [[maybe_unused]] constexpr ::acre::JsonByName<T> acre_json_by_name( \
      ::acre::LayoutTag<T>*) {                                        \
    return {name, find};                                              \
  }

#endif  // ACRE_JSON_BY_NAME_H_
