// SPDX-License-Identifier: MIT
//
// Makes and reads Json values from within: for those who know how long an array
// or object will be, and where its arena is.

#ifndef ACRE_JSON_MAKER_H_
#define ACRE_JSON_MAKER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
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

  // Of a null: nothing is released.
  static void SetBool(Json& json, bool value) {
    Set(json, Json::Tag::kBool, static_cast<std::uint64_t>(value));
  }
  static void SetDouble(Json& json, double value) {
    Set(json, Json::Tag::kDouble, std::bit_cast<std::uint64_t>(value));
  }
  static void SetInteger(Json& json, bool is_negative, std::uint64_t bits) {
    Set(json,
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
    if (json.header()->tag() == Json::Tag::kHeader ||
        name.size() > Json::kShort) {
      if (json.IndexOf(name) != json.count()) return nullptr;
      return &json.Append(arena, name);
    }
    // Few members, a short name: it is compared as it will lie there.
    Json* const slot = json.items() + 2 * std::size_t{json.count()};
    slot->SetText(nullptr, name);
    const std::uint64_t low = slot->payload();
    const std::uint64_t high = HighOf(*slot);
    for (const Json* each = json.items(); each != slot; each += 2) {
      if (each->payload() == low && HighOf(*each) == high) {
        slot->Forget();
        return nullptr;
      }
    }
    json.set_count(json.count() + std::size_t{1});
    return slot + 1;
  }
  static std::string_view TextOf(const Json& json) { return json.text(); }
  static std::int64_t IntegerOf(const Json& json) {
    return static_cast<std::int64_t>(json.payload());
  }

 private:
  static void Set(Json& json, Json::Tag tag, std::uint64_t payload) {
    json.set_payload(payload);
    json.set_tag(tag);
  }
  static std::uint64_t HighOf(const Json& json) {
    std::uint64_t word;
    std::memcpy(&word, json.bytes_ + 8, sizeof word);
    return word;
  }
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_MAKER_H_
