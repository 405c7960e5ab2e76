// SPDX-License-Identifier: MIT
//
// Paths of findings: from an address inside an object to the names of the
// fields around it. Only findings pay for this.

#ifndef ACRE_AUDIT_PATH_H_
#define ACRE_AUDIT_PATH_H_

#include <cstddef>
#include <string>

#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
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

/// A text in quotes, what is not printable as \xNN; cut behind `longest` bytes.
std::string Quoted(ElementRun run, std::size_t longest);

/// A type's name without acre's inline namespace, spelled the same by both
/// compilers.
std::string TypeText(std::string_view name);

/// What a block of that type is called.
std::string BlockTypeText(const TypeLayout* type, bool is_storage);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_PATH_H_
