// SPDX-License-Identifier: MIT
//
// Makes and reads Json values from within: for those who know how long an array
// or object will be, and where its arena is.

#ifndef ACRE_JSON_MAKER_H_
#define ACRE_JSON_MAKER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/json.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class JsonMaker {
 public:
  /// Bytes of the storage for so many elements, or members.
  static std::size_t ArrayBytes(std::size_t count) {
    return (count + 1) * sizeof(Json);
  }
  static std::size_t ObjectBytes(std::size_t count) {
    return (2 * count + 1) * sizeof(Json);
  }

  static void SetInteger(Json& json, bool is_negative, std::uint64_t bits) {
    json = Json(
        is_negative || bits <= INT64_MAX ? Json::Tag::kInt : Json::Tag::kUint,
        bits);
  }
  static void SetText(Json& json, Arena& arena, std::string_view text) {
    json.SetText(&arena, text);
  }
  /// `count` nulls; the first one.
  static Json* SetArray(Json& json, Arena& arena, std::size_t count) {
    json.set_tag(Json::Tag::kArray);
    if (count == 0) return nullptr;
    json.Grow(arena, count);
    json.set_count(count);
    return json.items();
  }
  /// Room for so many members.
  static void SetObject(Json& json, Arena& arena, std::size_t count) {
    json.set_tag(Json::Tag::kObject);
    if (count != 0) json.Grow(arena, count);
  }
  /// A new member, or null where there is one of that name. Requires: room.
  static Json* AddMember(Json& json, Arena& arena, std::string_view name) {
    if (json.IndexOf(name) != json.count()) return nullptr;
    return &json.Append(arena, name);
  }
  static std::string_view TextOf(const Json& json) { return json.text(); }
  static std::int64_t IntegerOf(const Json& json) {
    return static_cast<std::int64_t>(json.payload());
  }
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_MAKER_H_
