// SPDX-License-Identifier: MIT
//
// The slow look at a text: where it breaks the grammar, where a value stands.
// Only after something went wrong.

#ifndef ACRE_JSON_TEXT_H_
#define ACRE_JSON_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "acre/config.h"
#include "acre/json_error.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// A step down into a text: the how many-th member or element, from 0.
struct JsonLevel {
  enum class Form : std::uint8_t {
    kIndex,   // shown as [3]
    kField,   // as .name
    kKey,     // as ["name"]
    kNumber,  // as [7]: the key of a Map of integers
  };
  std::size_t ordinal = 0;
  Form form = Form::kIndex;
};

/// Fills in line and column of an offset.
void SetPlace(JsonError& error, std::string_view text, std::size_t offset);

/// The first offence against RFC 8259, or nesting beyond max_depth; with its
/// path. Numbers beyond the range of double are one.
JsonError FindOffence(std::string_view text, unsigned max_depth);

/// A value in a text that has no offence.
struct JsonPlace {
  std::size_t offset = 0;
  std::string path;
  std::string found;  // the value, in a few words
};
/// Where those steps lead to; to the last one's name where `names_it`.
JsonPlace FindPlace(std::string_view text, const std::vector<JsonLevel>& levels,
                    bool names_it);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_TEXT_H_
