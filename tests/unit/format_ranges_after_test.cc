// SPDX-License-Identifier: MIT
//
// Guards that <fmt/ranges.h>, included last, makes no formatter ambiguous and
// changes nothing of what is written.

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 at -O3 sees an overflow in fmt's own parser of formats.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "acre/arena.h"
#include "acre/format.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

// Not sorted in: the order of the two is what this file is about.
#include <fmt/ranges.h>

namespace format_ranges_after_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

TEST_CASE(
    "Format before fmt/ranges.h: vectors, sets and maps, nested and empty") {
  Arena arena;
  Vector<int> numbers(arena, {1, 2, 3});
  CHECK(fmt::format("{}", numbers) == "[1, 2, 3]");
  CHECK(fmt::format("<{}>", Vector<int>(arena)) == "<[]>");
  CHECK(fmt::format("{}", Set<int>(arena, {7})) == "{7}");
  CHECK(fmt::format("{}", Set<int>(arena)) == "{}");
  Map<String, Vector<int>> map(arena);
  CHECK(fmt::format("{}", map) == "{}");
  map["a"].push_back(1);
  map["a"].push_back(2);
  CHECK(fmt::format("{}", map) == "{\"a\": [1, 2]}");
  Vector<Vector<int>> nested(arena);
  nested.emplace_back().push_back(4);
  nested.emplace_back();
  CHECK(fmt::format("{}", nested) == "[[4], []]");
  Vector<double> real(arena, {0.5, 2});
  CHECK(fmt::format("{} and {}", real, numbers) == "[0.5, 2] and [1, 2, 3]");
}

TEST_CASE(
    "Format before fmt/ranges.h: several entries come in the order of "
    "iteration") {
  Arena arena;
  Map<int, String> map(arena);
  Set<int> set(arena);
  for (int i = 0; i < 20; ++i) {
    map[i] = "v";
    set.insert(i);
  }
  std::string pairs;
  for (const auto& [key, value] : map) {
    pairs += (pairs.empty() ? "" : ", ") + std::to_string(key) + ": \"v\"";
  }
  CHECK(fmt::format("{}", map) == "{" + pairs + "}");
  std::string keys;
  for (const int key : set) {
    keys += (keys.empty() ? "" : ", ") + std::to_string(key);
  }
  CHECK(fmt::format("{}", set) == "{" + keys + "}");
}

TEST_CASE("Format before fmt/ranges.h: a String takes what a string takes") {
  Arena arena;
  const String text(arena, "abc");
  CHECK(fmt::format("{}", text) == "abc");
  CHECK(fmt::format("{:>6}|", text) == "   abc|");
  CHECK(fmt::format("{:*<6}|", text) == "abc***|");
  CHECK(fmt::format("{:.2}", text) == "ab");
  CHECK(fmt::format("[{}]", String(arena)) == "[]");
}

TEST_CASE("Format before fmt/ranges.h: text inside a container is quoted") {
  Arena arena;
  Vector<String> texts(arena);
  texts.emplace_back() = "a b";
  texts.emplace_back();
  CHECK(fmt::format("{}", texts) == "[\"a b\", \"\"]");
  Vector<std::string_view> views(arena, {"x", "y"});
  CHECK(fmt::format("{}", views) == "[\"x\", \"y\"]");
  Set<String> set(arena);
  set.insert("k");
  CHECK(fmt::format("{}", set) == "{\"k\"}");
  Map<String, String> map(arena);
  map["k"] = "v";
  CHECK(fmt::format("{}", map) == "{\"k\": \"v\"}");
}

TEST_CASE("Format before fmt/ranges.h: the same as for std containers") {
  Arena arena;
  const std::vector<std::string> source{"a", "b c"};
  Vector<String> texts(arena);
  for (const std::string& text : source) texts.emplace_back() = text;
  CHECK(fmt::format("{}", texts) == fmt::format("{}", source));
  const std::vector<std::vector<int>> numbers{{1, 2}, {}};
  Vector<Vector<int>> nested(arena);
  nested.emplace_back() = {1, 2};
  nested.emplace_back();
  CHECK(fmt::format("{}", nested) == fmt::format("{}", numbers));
  const std::map<std::string, int> ages{{"Ann", 7}};
  Map<String, int> map(arena);
  map["Ann"] = 7;
  CHECK(fmt::format("{}", map) == fmt::format("{}", ages));
  const std::set<int> ids{3};
  CHECK(fmt::format("{}", Set<int>(arena, {3})) == fmt::format("{}", ids));
}

TEST_CASE(
    "Format before fmt/ranges.h: acre containers inside std ones, and the "
    "reverse") {
  Arena arena;
  std::vector<String> outer;
  outer.emplace_back(arena, "x");
  CHECK(fmt::format("{}", outer).find("x") != std::string::npos);
  const Vector<int> inner(arena, {1, 2});
  CHECK(fmt::format("{}", std::tuple<const Vector<int>&, int>(inner, 3)) ==
        "([1, 2], 3)");
}

}  // namespace format_ranges_after_test
