// SPDX-License-Identifier: MIT
//
// UTF-8: how names and keys, which may hold any bytes, become valid text.
// Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_UTF8_H_
#define ACRE_CONTAINERS_DETAIL_UTF8_H_

#include <cstddef>
#include <string_view>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// The length of the character that `text` starts with; 0 where it starts with
/// none: text is empty, or its first byte is no part of a valid sequence.
std::size_t CharacterLength(std::string_view text) noexcept;

/// Calls visit(std::string_view) with each valid character, and
/// visit_byte(unsigned char) with each byte that belongs to none.
template <class Visit, class VisitByte>
void ForEachCharacter(std::string_view text, Visit visit,
                      VisitByte visit_byte) {
  while (!text.empty()) {
    const std::size_t length = CharacterLength(text);
    if (length == 0) {
      visit_byte(static_cast<unsigned char>(text[0]));
    } else {
      visit(text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_UTF8_H_
