// SPDX-License-Identifier: MIT
//
// JSON Pointers (RFC 6901), a segment at a time.

#ifndef ACRE_JSON_POINTER_H_
#define ACRE_JSON_POINTER_H_

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Takes the first part off a path that begins with a slash, with ~0 and ~1
/// replaced; `room` holds it.
inline std::string_view NextSegment(std::string_view& path, std::string& room) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  if (segment.find('~') == std::string_view::npos) return segment;
  room.clear();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '~' || i + 1 == segment.size()) {
      room += segment[i];
    } else {
      room += segment[++i] == '1' ? '/' : '~';
    }
  }
  return room;
}

/// The index that a segment is; false where it is none.
inline bool ReadIndex(std::string_view segment, std::size_t* index) {
  const char* const end = segment.data() + segment.size();
  const auto [to, result] = std::from_chars(segment.data(), end, *index);
  return result == std::errc() && to == end &&
         (segment.size() == 1 || segment[0] != '0');
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_POINTER_H_
