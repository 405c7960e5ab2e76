// SPDX-License-Identifier: MIT
//
// ToJson: the text of anything that has a layout.
//
//   acre::JsonOr<std::string> text = acre::ToJson(world, {.indent = 2});
//   if (acre::JsonError error = acre::WriteJson(world, std::cout)) ...
//
// | in C++                                   | in JSON                        |
// |------------------------------------------|--------------------------------|
// | bool, integers, float, double            | true, 42, 0.1; whole floating  |
// |                                          | ones "1.0"                     |
// | enumerations                             | "kRed" by ACRE_ENUM, or 0      |
// | String, string_view, const char*, char[N]| "text"                         |
// | Vector, Set, span, array, T[N], pair,    | [1, 2, 3]                      |
// | tuple                                    |                                |
// | Map, keyed by texts, integers,           | {"key": value}                 |
// | enumerations                             |                                |
// | Map, keyed by others                     | [[key, value], ...]            |
// | optional, null pointers, monostate       | the value, or null             |
// | variant                                  | {"Circle": {"radius": 1.0}};   |
// |                                          | {"1": ...} where two           |
// |                                          | alternatives have one name     |
// | chrono's durations and points            | their counts                   |
// | registered structs                       | {"field": value}, bases' fields|
// |                                          | among their own                |
// | T*                                       | the object; where there is     |
// |                                          | another way to it,             |
// |                                          | {"$ref": "/things/3"}          |
//
// Pointers: an object that lies in another one (in a Vector, say) stands there;
// all pointers to it are references. One that stands alone stands at the first
// pointer to it. References are JSON Pointers (RFC 6901), so that FromJson
// (<acre/from_json.h>) builds the same graph, cycles included. Not told apart:
// views that overlap (each is a list of its own), arrays behind a T*, pointers
// to keys of Maps; a pointer to what is null (T**, Json*) comes back as null.
// To what has an ACRE_JSON_BY_NAME (<acre/json_by_name.h>): its name.
// Fields: `opaque` and `json_skip` ones are left out; `borrowed` ones too, but
// for those that have a json_name, or point to what has names. Const ones are
// written, and passed over when they are read. Every `char` that stands alone
// is a number. Alternatives that are no structs are tagged bool, int32, uint64,
// double, text, list, set, tuple, map, optional or any; class templates by
// their names without arguments.
//
// Complexity: linear; with pointers three walks, and a table of what they point
// to. Without pointers nothing is allocated but the text. Threads: as the
// value. Errors: NaN and infinities, texts that are no UTF-8 (both as JsonStyle
// has it), a sink that takes no more, what nests deeper than
// JsonStyle::max_depth, an object that only its own inside points to.

#ifndef ACRE_TO_JSON_H_
#define ACRE_TO_JSON_H_

#include <cstdio>
#include <string>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/json_error.h"
#include "acre/json_writer.h"

namespace acre::inline ACRE_ABI {

namespace detail {
JsonError WriteJsonValue(JsonWriter& json, GetJsonType type,
                         const void* object);
JsonOr<std::string> JsonTextOf(const JsonStyle& style, GetJsonType type,
                               const void* object);
}  // namespace detail

/// The text of `value`.
template <class T>
JsonOr<std::string> ToJson(const T& value, const JsonStyle& style = {}) {
  return detail::JsonTextOf(style, &detail::JsonTypeOf<T>, &value);
}

/// Writes it as the next value of `json`: one of many, a line each, say. After
/// an error what has been written is part of a text.
template <class T>
JsonError WriteJson(const T& value, JsonWriter& json) {
  return detail::WriteJsonValue(json, &detail::JsonTypeOf<T>, &value);
}

/// Appends it to a string, a stream or a file (*stdout), or whatever SinkFor
/// takes.
template <class T, class Out>
requires(!std::is_same_v<Out, JsonWriter> && requires(Out & out) {
  JsonWriter(out, JsonStyle());
}) JsonError WriteJson(const T& value, Out& out, const JsonStyle& style = {}) {
  JsonWriter json(out, style);
  JsonError error = WriteJson(value, json);
  json.Flush();
  bool is_written = json.error() != JsonWriteError::kSink;
  if constexpr (std::is_same_v<Out, std::FILE>) {
    is_written = std::fflush(&out) == 0 && is_written;
  }
  if (!error && !is_written) {
    error.what = "not all of the text could be written";
  }
  return error;
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_TO_JSON_H_
