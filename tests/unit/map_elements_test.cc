// SPDX-License-Identifier: MIT
//
// Guards what a Map does with the containers in its keys and values, with bad
// hashes and with constructors that throw.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace map_elements_test {

using acre::Map;
using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

std::string LongKey(int i) { return kLong + std::to_string(i); }

struct Level {
  Vector<int> things;
  Map<int, Level> below;
  int depth = 0;
};
ACRE_LAYOUT(Level, things, below, depth)

}  // namespace

// -------------------------------------------------------- what elements hold

TEST_CASE("Map: keys of every accepted kind work") {
  acre::Arena arena;
  enum class Kind : std::uint8_t { kA, kB };
  Map<Kind, int> kinds(arena);
  kinds[Kind::kB] = 2;
  CHECK(kinds.at(Kind::kB) == 2);
  Map<double, int> doubles(arena);
  doubles[0.0] = 1;
  CHECK(doubles.at(-0.0) == 1);
  Map<std::pair<int, String>, int> pairs(arena);
  pairs[std::pair<int, String>(1, "one")] = 1;
  pairs[std::pair<int, String>(1, String(arena, kLong))] = 2;
  CHECK(pairs.at(std::pair<int, String>(1, String(arena, kLong))) == 2);
  CHECK(pairs.begin()->first.second.arena() == &arena);
  Map<std::string_view, int> views(arena);
  views["borrowed"] = 1;
  CHECK(views.at(std::string("borrowed")) == 1);
  Map<int*, int> pointers(arena);
  int* key = arena.New<int>(1);
  pointers[key] = 5;
  CHECK(pointers.at(key) == 5);
  CHECK_FALSE(pointers.contains(nullptr));
}

TEST_CASE("Map: operator[] binds the containers of the value") {
  acre::Arena arena;
  Map<String, Level> map(arena);
  map["a"].things.push_back(1);
  map["a"].below[5].things.push_back(2);
  map["a"].below[5].below[6].depth = 3;
  CHECK(map.at("a").things.arena() == &arena);
  CHECK(map.at("a").below.at(5).things[0] == 2);
  CHECK(map.at("a").below.at(5).below.at(6).depth == 3);
  CHECK(map.try_emplace("b").first->second.things.arena() == &arena);
  Map<int, std::optional<Vector<int>>> optional(arena);
  optional[1].emplace();
  optional[1]->push_back(5);
  CHECK(optional.at(1)->at(0) == 5);
}

TEST_CASE("Map: removing gives back exactly what key and value held") {
  acre::Arena arena;
  Map<String, Vector<Vector<int>>> map(arena);
  map.reserve(200);
  map[LongKey(-1)].emplace_back().push_back(1);
  const std::size_t before = arena.stats().live();
  for (int i = 0; i < 100; ++i) {
    auto& rows = map[LongKey(i)];
    rows.emplace_back().resize(40);
    rows.emplace_back().resize(3);
  }
  REQUIRE(arena.stats().live() > before);
  const auto is_added = [](const auto& element) {
    return element.second.size() == 2;
  };
  SUBCASE("erase by key") {
    for (int i = 0; i < 100; ++i) CHECK(map.erase(LongKey(i)) == 1);
  }
  SUBCASE("erase by iterator") {
    for (int i = 0; i < 100; ++i) map.erase(map.find(LongKey(i)));
  }
  SUBCASE("erase_if") { CHECK(map.erase_if(is_added) == 100); }
  SUBCASE("free erase_if") { CHECK(erase_if(map, is_added) == 100); }
  SUBCASE("erase_if up to a limit") {
    CHECK(map.erase_if(is_added, 30) == 30);
    CHECK(map.size() == 71);
    CHECK(map.erase_if(is_added, 0) == 0);
    CHECK(map.erase_if(is_added, 1'000) == 70);
  }
  CHECK(arena.stats().live() == before);
  CHECK(map.size() == 1);
  CHECK(map.at(LongKey(-1))[0][0] == 1);
}

TEST_CASE("Map: overwriting, clearing and Release give back what was held") {
  acre::Arena arena;
  Map<String, Vector<int>> map(arena);
  map.reserve(100);
  const std::size_t empty = arena.stats().live();
  const auto fill = [&](std::size_t size) {
    for (int i = 0; i < 50; ++i) {
      map.insert_or_assign(LongKey(i), Vector<int>(arena, size));
    }
  };
  fill(10);
  const std::size_t full = arena.stats().live();
  fill(10);
  CHECK(arena.stats().live() == full);
  for (auto& [key, value] : map) value = Vector<int>(arena, 10);
  CHECK(arena.stats().live() == full);
  map.clear();
  CHECK(arena.stats().live() == empty);
  fill(3);
  Map<String, Vector<int>> other(arena);
  other["x"].push_back(1);
  other = std::move(map);
  CHECK(other.size() == 50);
  CHECK(map.empty());  // NOLINT(bugprone-use-after-move)
  other = Map<String, Vector<int>>(arena);
  CHECK(arena.stats().live() == 0);
  map["again"].push_back(1);
  map.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Map: lists of pairs of texts make Strings in place") {
  acre::Arena arena;
  Map<String, String> map(arena, {{"a", kLong}, {kLong, "b"}});
  CHECK(map.at("a") == kLong);
  CHECK(map.at(kLong) == "b");
  CHECK(map.begin()->second.arena() == &arena);
  map = {{"c", "d"}};
  map.insert({{"c", "kept"}, {"e", kLong}});
  CHECK(map == Map<String, String>(arena, {{"e", kLong}, {"c", "d"}}));
  const Map<String, int> numbers(arena, {{kLong, 1}, {"b", 2}});
  CHECK(numbers.at(kLong) == 1);
  const Map<int, String> names(arena, {{1, kLong}});
  CHECK(names.at(1) == kLong);
}

TEST_CASE("Map: a list is assigned, an empty one clears") {
  acre::Arena arena;
  Map<int, int> map(arena, {{1, 10}, {2, 20}});
  map = {{3, 30}, {4, 40}};
  CHECK(map == Map<int, int>(arena, {{4, 40}, {3, 30}}));
  map = {};
  CHECK(map.empty());
  CHECK(map.arena() == &arena);
  arena.Reset();
  map = {{5, 50}};
  CHECK(map.at(5) == 50);
}

TEST_CASE("Map: made of a range, and filled by std::inserter") {
  acre::Arena arena;
  const std::vector<std::pair<std::string, int>> pairs{{kLong, 1}, {"b", 2}};
  Map<String, int> map(arena, pairs.begin(), pairs.end());
  CHECK(map.at(kLong) == 1);
  CHECK(map.size() == 2);
  Map<String, int> copy(arena);
  std::copy(map.begin(), map.end(), std::inserter(copy, copy.begin()));
  CHECK(copy == map);
  std::transform(pairs.begin(), pairs.end(), std::inserter(copy, copy.end()),
                 [](const auto& pair) {
                   return std::pair<const String, int>(pair.first.substr(0, 1),
                                                       3);
                 });
  CHECK(copy.size() == 3);
  CHECK(copy.at("a") == 3);
  CHECK(copy.at("b") == 2);
}

TEST_CASE("Map: moving takes the table and leaves an empty, bound one") {
  acre::Arena arena;
  Map<int, int> from(arena, {{1, 10}});
  const auto* element = &*from.begin();
  Map<int, int> to(std::move(from));
  CHECK(&*to.begin() == element);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(from.arena() == &arena);
  from[2] = 20;
  CHECK(to.size() == 1);
  from.swap(to);
  CHECK(from.at(1) == 10);
  swap(from, to);
  CHECK(from.at(2) == 20);
  Map<int, int>& same = to;
  to = std::move(same);
  CHECK(to.at(1) == 10);
}

TEST_CASE("Map: equality does not depend on order") {
  acre::Arena arena;
  Map<int, String> a(arena);
  Map<int, String> b(arena);
  for (int i = 0; i < 100; ++i) a[i] = std::string_view("same");
  b.reserve(5'000);
  for (int i = 99; i >= 0; --i) b[i] = std::string_view("same");
  CHECK(a == b);
  b[7] = "other";
  CHECK(a != b);
  b[7] = "same";
  b[100];
  CHECK(a != b);
  b.erase(7);
  CHECK(a != b);
  CHECK(Map<int, int>() == Map<int, int>());
}

// --------------------------------------------------------------------- hashes

namespace {

struct Constant {
  using is_avalanching = void;
  std::uint64_t operator()(int) const { return 0xABCD; }
};

}  // namespace

TEST_CASE("Map: keys that all hash alike are kept apart") {
  acre::Arena arena;
  Map<int, int, Constant> map(arena);
  for (int i = 0; i < 600; ++i) map[i] = i;
  for (int i = 0; i < 600; ++i) REQUIRE(map.at(i) == i);
  for (int i = 0; i < 600; i += 2) REQUIRE(map.erase(i) == 1);
  for (int i = 0; i < 600; ++i) REQUIRE(map.contains(i) == (i % 2 == 1));
  CHECK(map.size() == 300);
  CHECK(std::distance(map.begin(), map.end()) == 300);
}

TEST_CASE("Map: std::hash serves as a hash") {
  acre::Arena arena;
  Map<std::uint64_t, int, std::hash<std::uint64_t>> map(arena);
  for (int i = 0; i < 5'000; ++i) {
    map[static_cast<std::uint64_t>(i) << 32] = i;
  }
  for (int i = 0; i < 5'000; ++i) {
    REQUIRE(map.at(static_cast<std::uint64_t>(i) << 32) == i);
  }
}

// ----------------------------------------------------------------- exceptions

namespace {

struct Thrower {
  Thrower() { throw std::runtime_error("constructor"); }
  explicit Thrower(int n) : number(n) {
    if (n < 0) throw std::runtime_error("constructor");
  }
  int number;
};
ACRE_LAYOUT(Thrower, number)

}  // namespace

TEST_CASE("Map: a value whose constructor throws leaves it as it was") {
  acre::Arena arena;
  Map<String, Thrower> map(arena);
  for (int i = 0; i < 60; ++i) {
    CHECK_THROWS_AS(map[LongKey(i)], std::runtime_error);
    CHECK_THROWS_AS(map.try_emplace(LongKey(i), -1), std::runtime_error);
    const std::size_t live = arena.stats().live();
    CHECK_THROWS_AS(map.try_emplace(LongKey(i), -1), std::runtime_error);
    CHECK(arena.stats().live() == live);
    CHECK(map.size() == static_cast<std::size_t>(i));
    CHECK_FALSE(map.contains(LongKey(i)));
    CHECK(map.try_emplace(LongKey(i), i).second);
  }
  for (int i = 0; i < 60; ++i) REQUIRE(map.at(LongKey(i)).number == i);
  map.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Map: a hash that throws as a value is assigned loses nothing") {
  static int calls_left = 0;
  struct ThrowingHash {
    std::uint64_t operator()(int key) const {
      if (calls_left != 0 && --calls_left == 0)
        throw std::runtime_error("hash");
      return acre::Hash<int>()(key);
    }
  };
  acre::Arena arena;
  Map<int, String, ThrowingHash> map(arena);
  map.try_emplace(1, "x");
  const std::size_t live = arena.stats().live();
  for (int call = 1; call <= 2; ++call) {
    calls_left = call;
    CHECK_THROWS_AS(map.insert_or_assign(1, LongKey(1)), std::runtime_error);
    calls_left = 0;
    CHECK(arena.stats().live() == live);
    CHECK(map.at(1) == "x");
  }
  map.insert_or_assign(1, LongKey(1));
  CHECK(map.at(1) == LongKey(1));
  map.Release();
  CHECK(arena.stats().live() == 0);
}

}  // namespace map_elements_test
