// SPDX-License-Identifier: MIT
//
// Paths, as messages tell them: from an address inside an object to the names
// of the fields around it. Only who has something to tell pays for this.
// Internal to acre.

#ifndef ACRE_DETAIL_PATH_H_
#define ACRE_DETAIL_PATH_H_

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// The way from `object` of that type down to the part at `address`:
/// ".pos[2]", ".target", "" for the object itself. Where the object must not be
/// read, since another thread uses it, the way ends at the first optional or
/// variant.
std::string PathInside(const TypeLayout& type, const void* object,
                       const void* address, bool may_read = true);

/// A key as it appears between brackets: "MAP07" in quotes, 42, #3 for the
/// third element where the key has no text.
std::string KeyText(const TypeLayout& type, const void* key,
                    std::size_t ordinal);

/// The way from a Map or Set into one of its elements: `["MAP07"]`, or `{3}`
/// to a key, and on from there, as `within` says from the element.
struct EntryWay {
  std::string element;
  std::string field;
};
EntryWay WayIntoEntry(const TypeLayout& element, const void* entry,
                      std::size_t ordinal, std::string within);

/// One behind the other. (g++ 12 warns of `"[" + std::to_string(i)` at -O3.)
std::string Joined(std::initializer_list<std::string_view> parts);

/// A text in quotes, what is not printable as \xNN; cut behind `longest` bytes.
std::string Quoted(ElementRun run, std::size_t longest);

/// A type's name without acre's inline namespace, spelled the same by both
/// compilers.
std::string TypeText(std::string_view name);

/// What a block of that type is called.
std::string BlockTypeText(const TypeLayout* type, bool is_storage);

}  // namespace acre::inline ACRE_ABI::detail
#endif  // ACRE_DETAIL_PATH_H_
