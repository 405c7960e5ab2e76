// SPDX-License-Identifier: MIT
//
// Types of every kind that JSON has a form for, for its tests.

#ifndef ACRE_TESTS_UNIT_JSON_TYPES_H_
#define ACRE_TESTS_UNIT_JSON_TYPES_H_

#include <acre/from_json.h>
#include <acre/json.h>
#include <acre/to_json.h>
#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"

namespace json_test {

using acre::Arena;
using acre::FromJson;
using acre::Json;
using acre::JsonOr;
using acre::Map;
using acre::Set;
using acre::String;
using acre::ToJson;
using acre::Vector;
using acre_test::Scaled;

enum class Color : std::uint8_t { kRed, kGreen, kBlue };
ACRE_ENUM(Color, kRed, enum_name(kGreen, "green"), kBlue)
enum class Bare : std::int8_t { kOne = 1, kMinus = -1 };

struct Item {
  std::int32_t id = 7;
  String name;
};
ACRE_LAYOUT(Item, json_name(id, "the id"), name)

struct Shape {
  double area = 0;
};
ACRE_LAYOUT(Shape, area)
struct Circle : Shape {
  double radius = 1;
};
ACRE_LAYOUT(Circle, base(Shape), radius)

/// Something of everything.
struct All {
  bool flag = false;
  std::int8_t i8 = 0;
  std::uint8_t u8 = 0;
  std::int16_t i16 = 0;
  std::uint16_t u16 = 0;
  std::int32_t i32 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  float real = 0;
  double wide = 0;
  char letters[6] = {};
  Color color = Color::kRed;
  Bare bare = Bare::kOne;
  String text;
  std::string_view view;
  Vector<Item> items;
  Vector<Vector<std::int32_t>> rows;
  std::span<double> span;
  std::array<std::int32_t, 3> three{};
  Map<String, Item> by_name;
  Map<std::int32_t, String> by_number;
  Map<Color, std::int32_t> by_color;
  Map<double, String> by_real;
  Set<String> names;
  std::pair<std::int32_t, String> pair;
  std::tuple<bool, double, String> tuple;
  std::optional<Item> maybe;
  std::variant<std::monostate, Item, std::int32_t, String> choice;
  std::chrono::milliseconds delay{0};
  Circle circle;
  const void* secret = nullptr;
  Json any;
};
ACRE_LAYOUT(All, flag, i8, u8, i16, u16, i32, u32, i64, u64, real, wide,
            letters, color, bare, text, view, items, rows, span, three, by_name,
            by_number, by_color, by_real, names, pair, tuple, maybe, choice,
            delay, circle, json_skip(borrowed(secret)), any)

/// A row of a table.
struct Row {
  const char* name;
  std::int32_t value;
};
inline constexpr Row kRows[] = {{"low", 1}, {"high", 2}};
inline std::string_view NameOf(const Row& row) { return row.name; }
inline const Row* FindRow(std::string_view name) {
  for (const Row& row : kRows) {
    if (name == row.name) return &row;
  }
  return nullptr;
}
ACRE_LAYOUT(Row, borrowed(name), value)
ACRE_JSON_BY_NAME(Row, NameOf, FindRow)

struct Chosen {
  const Row* row = nullptr;
  const Row* other = nullptr;
  Map<std::int32_t, const Row*> more;
};
ACRE_LAYOUT(Chosen, borrowed(row), borrowed(other), reviewed(more, "static"))

struct Node {
  std::int32_t id = 0;
  Node* next = nullptr;
  Vector<Node> kids;
  Map<String, Node*> named;
};
ACRE_LAYOUT(Node, id, next, kids, named)

struct Links {
  Vector<Item> items;
  Item* first = nullptr;
  Vector<Item*> picked;
  Map<Item*, std::int32_t> scores;
  Set<Item*> chosen;
  Map<double, Item> by_real;
  Item* keyed = nullptr;
  Set<double> reals;
  const double* real = nullptr;
  Circle circle;
  Shape* shape = nullptr;
  std::optional<Item> maybe;
  Item* inside = nullptr;
  std::variant<std::int32_t, Item> choice;
  Item* chosen_one = nullptr;
  std::tuple<std::int32_t, Item> tuple;
  Item* second = nullptr;
  const char* label = nullptr;
};
ACRE_LAYOUT(Links, items, first, picked, scores, chosen, by_real, keyed, reals,
            real, circle, shape, maybe, inside, choice, chosen_one, tuple,
            second, json_name(borrowed(label), "label"))

inline std::string Text(const JsonOr<std::string>& text) {
  return text ? *text : "error: " + text.error().text();
}

template <class T>
std::string ErrorOf(std::string_view text, const acre::JsonRules& rules = {}) {
  Arena arena;
  const JsonOr<T*> read = FromJson<T>(arena, text, rules);
  // Nothing stays, whatever was wrong.
  if (!read) CHECK(arena.stats().live() == 0);
  return read ? "fine" : read.error().text();
}

inline void Fill(All& all, Arena& arena) {
  all.flag = true;
  all.i8 = -128;
  all.u8 = 255;
  all.i16 = -32768;
  all.u16 = 65535;
  all.i32 = std::numeric_limits<std::int32_t>::min();
  all.u32 = std::numeric_limits<std::uint32_t>::max();
  all.i64 = std::numeric_limits<std::int64_t>::min();
  all.u64 = std::numeric_limits<std::uint64_t>::max();
  all.real = 0.1F;
  all.wide = 0.1;
  std::memcpy(all.letters, "abcdef", 6);
  all.color = Color::kGreen;
  all.bare = Bare::kMinus;
  all.text = "say \"hi\" \n with Umlauts: \xC3\xA4, and more than 23 bytes";
  const std::span<char> characters = arena.NewArray<char>(4);
  std::memcpy(characters.data(), "view", 4);
  all.view = {characters.data(), 4};
  for (int i = 0; i < 3; ++i) {
    Item& item = all.items.emplace_back();
    item.id = i;
    item.name = "item with a rather long name " + std::to_string(i);
    all.rows.emplace_back().assign({i, i + 1});
    all.by_number[-i] = "n" + std::to_string(i);
    all.by_real[i / 4.0] = "r";
    all.by_name["key " + std::to_string(i)].id = 100 + i;
  }
  all.span = arena.NewArray<double>(2);
  all.span[1] = -1e300;
  all.three = {1, 2, 3};
  all.by_color[Color::kBlue] = 5;
  all.names.insert("one");
  all.names.insert("a name that does not fit into a String itself");
  all.pair.first = 4;
  all.pair.second = "four";
  std::get<2>(all.tuple) = "three";
  all.maybe.emplace().id = 77;
  all.choice.emplace<3>("chosen");
  all.delay = std::chrono::milliseconds(1500);
  all.circle.area = 2;
  all.circle.radius = 3;
  all.any["x"].push_back(1);
  all.any["y"] = "a text of the document, longer than fifteen";
}

}  // namespace json_test

#endif  // ACRE_TESTS_UNIT_JSON_TYPES_H_
