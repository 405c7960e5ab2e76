// SPDX-License-Identifier: MIT
//
// A JSON value whose every part lies in an arena, and its text.

#ifndef HTTP_SERVER_JSON_H_
#define HTTP_SERVER_JSON_H_

#include <acre/map.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <cstdint>
#include <string>

namespace web {

enum class JsonKind : std::uint8_t { kNull, kNumber, kText, kList, kObject };

struct Json {
  JsonKind kind = JsonKind::kNull;
  double number = 0;
  acre::String text;
  acre::Vector<Json> items;
  acre::Map<acre::String, Json*> fields;
};
ACRE_LAYOUT(Json, kind, number, text, items, fields)

/// Appends the text of `value` to `out`.
void Write(const Json& value, std::string& out);

}  // namespace web

#endif  // HTTP_SERVER_JSON_H_
