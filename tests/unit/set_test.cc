// SPDX-License-Identifier: MIT
//
// Guards Set's promise: std::unordered_set's interface over one table in an
// arena, constant elements, lookup without temporaries.

#include "acre/set.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <new>
#include <random>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/string.h"

namespace set_test {

using acre::Set;
using acre::String;
using namespace std::string_view_literals;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

std::string LongKey(int i) { return kLong + std::to_string(i); }

using Ints = std::vector<int>;

Ints Sorted(const Set<int>& set) {
  Ints keys(set.begin(), set.end());
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

TEST_CASE("Set: has the types and iterators of a std set") {
  using S = Set<String>;
  static_assert(sizeof(S) == 56);
  static_assert(std::is_trivially_destructible_v<S>);
  static_assert(std::is_nothrow_move_constructible_v<S>);
  static_assert(std::is_nothrow_move_assignable_v<S>);
  static_assert(!std::is_copy_constructible_v<S>);
  static_assert(std::same_as<S::value_type, String>);
  static_assert(std::same_as<S::key_type, String>);
  static_assert(std::forward_iterator<S::iterator>);
  static_assert(std::default_initializable<S::iterator>);
  static_assert(std::ranges::forward_range<const S>);
  static_assert(std::ranges::sized_range<S>);
  static_assert(std::ranges::common_range<S>);
  static_assert(
      std::same_as<std::iter_reference_t<S::iterator>, const String&>);
  CHECK(S::iterator() == S::iterator());
  CHECK(acre::Element<S>);
}

TEST_CASE("Set: an empty one answers every question") {
  const Set<int> unbound;
  CHECK(unbound.arena() == nullptr);
  acre::Arena arena;
  Set<int> set(arena);
  CHECK(set.arena() == &arena);
  CHECK(set.empty());
  CHECK(set.begin() == set.end());
  CHECK(set.cbegin() == set.cend());
  CHECK(set.find(1) == set.end());
  CHECK(set.get(1) == nullptr);
  CHECK(set.count(1) == 0);
  CHECK_FALSE(set.contains(1));
  CHECK(set.erase(1) == 0);
  set.clear();
  set.Release();
  CHECK(arena.stats().carved == 0);
  CHECK(set.max_size() > 1'000'000'000);
}

TEST_CASE("Set: insert, emplace and lookup agree") {
  acre::Arena arena;
  Set<int> set(arena, {3, 1, 3, 2});
  CHECK(Sorted(set) == Ints{1, 2, 3});
  const auto [it, made] = set.insert(4);
  CHECK(made);
  CHECK(*it == 4);
  const int four = 4;
  const auto [same, again] = set.insert(four);
  CHECK_FALSE(again);
  CHECK(same == it);
  CHECK(set.emplace(5).second);
  CHECK_FALSE(set.emplace(5).second);
  const Ints more{5, 6, 7};
  set.insert(more.begin(), more.end());
  CHECK(set.size() == 7);
  const Set<int>& c = set;
  CHECK(c.contains(6));
  CHECK(c.count(7) == 1);
  CHECK(*c.get(7) == 7);
  CHECK(c.get(8) == nullptr);
  CHECK(*c.find(1) == 1);
  CHECK(c.find(8) == c.end());
  CHECK(set.erase(1) == 1);
  CHECK(set.erase(1) == 0);
  CHECK(Sorted(set) == Ints{2, 3, 4, 5, 6, 7});
}

TEST_CASE("Set: String keys are found by every kind of text, unconverted") {
  acre::Arena arena;
  Set<String> set(arena);
  CHECK(set.insert(kLong).second);
  CHECK(set.insert("short").second);
  CHECK(set.insert(std::string("std")).second);
  CHECK(set.insert("view"sv).second);
  const std::size_t carved = arena.stats().carved;
  CHECK_FALSE(set.insert(std::string(kLong)).second);
  CHECK_FALSE(set.insert(std::string_view(kLong)).second);
  CHECK(set.contains(kLong));
  CHECK(set.contains(std::string(kLong)));
  CHECK(set.contains(std::string_view(kLong)));
  CHECK(set.contains(String("short")));
  CHECK(*set.get("std") == "std");
  CHECK(set.erase(std::string_view(kLong)) == 1);
  CHECK(set.size() == 3);
  CHECK(arena.stats().carved == carved);
}

TEST_CASE("Set: emplace takes a long text") {
  acre::Arena arena;
  Set<String> set(arena);
  CHECK(set.emplace(kLong).second);
  CHECK_FALSE(set.emplace(std::string_view(kLong)).second);
  CHECK(set.size() == 1);
}

TEST_CASE("Set: a String that is moved in keeps its storage") {
  acre::Arena arena;
  Set<String> set(arena);
  String key(arena, kLong);
  const char* data = key.data();
  CHECK(set.insert(std::move(key)).second);
  CHECK(set.begin()->data() == data);
  CHECK(key.empty());  // NOLINT(bugprone-use-after-move)
  String other(arena, kLong);
  CHECK_FALSE(set.insert(std::move(other)).second);
  CHECK(other == kLong);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Set: removing gives back exactly what the keys held") {
  acre::Arena arena;
  Set<String> set(arena);
  set.reserve(200);
  set.insert("kept");
  const std::size_t before = arena.stats().live();
  for (int i = 0; i < 100; ++i) set.insert(LongKey(i));
  REQUIRE(arena.stats().live() > before);
  const auto is_added = [](const String& key) { return key != "kept"; };
  SUBCASE("erase by key") {
    for (int i = 0; i < 100; ++i) CHECK(set.erase(LongKey(i)) == 1);
  }
  SUBCASE("erase by iterator") {
    for (auto it = set.begin(); it != set.end();) {
      it = is_added(*it) ? set.erase(it) : std::next(it);
    }
  }
  SUBCASE("erase_if") {
    CHECK(set.erase_if(is_added, 40) == 40);
    CHECK(set.size() == 61);
    CHECK(set.erase_if(is_added) == 60);
  }
  SUBCASE("free erase_if") { CHECK(erase_if(set, is_added) == 100); }
  CHECK(arena.stats().live() == before);
  CHECK(set.size() == 1);
  set.clear();
  CHECK(set.empty());
  CHECK(arena.stats().live() == before);
  set.Release();
  CHECK(arena.stats().live() == 0);
  set.insert(LongKey(1));
  CHECK(set.contains(LongKey(1)));
}

TEST_CASE("Set: erasing keeps iterators to other elements valid") {
  acre::Arena arena;
  Set<int> set(arena);
  for (int i = 0; i < 60; ++i) set.insert(i);
  const Ints order(set.begin(), set.end());
  for (std::size_t i = 0; i + 2 < order.size(); i += 3) {
    const auto it = set.find(order[i]);
    set.erase(order[i + 1]);
    REQUIRE(*it == order[i]);
    REQUIRE(it == set.find(order[i]));
    REQUIRE(*std::next(it) == order[i + 2]);
  }
}

TEST_CASE("Set: after reserve nothing moves until that many are in") {
  acre::Arena arena;
  Set<int> set(arena);
  set.reserve(5'000);
  const std::size_t carved = arena.stats().carved;
  set.insert(0);
  const int* first = set.get(0);
  for (int i = 1; i < 5'000; ++i) set.insert(i);
  CHECK(set.get(0) == first);
  CHECK(arena.stats().carved == carved);
}

TEST_CASE("Set: reserve beyond max_size is a length_error that names it") {
  acre::Arena arena;
  Set<int> set(arena);
  std::string text;
  try {
    set.reserve(set.max_size() + 1);
  } catch (const std::length_error& error) {
    text = error.what();
  }
  CHECK(text.find("Set") != std::string::npos);
}

TEST_CASE("Set: a grown set leaves no garbage") {
  acre::Arena arena;
  Set<std::int64_t> set(arena);
  std::size_t reserved = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20'000; ++i) set.insert(i);
    if (round == 1) reserved = arena.stats().reserved;
    if (round > 1) CHECK(arena.stats().reserved == reserved);
    set.Release();
    CHECK(arena.stats().live() == 0);
  }
}

TEST_CASE("Set: moving, swapping and comparing work as for a std set") {
  acre::Arena arena;
  Set<int> a(arena, {1, 2, 3});
  Set<int> b(arena);
  b.reserve(1'000);
  for (const int i : {3, 2, 1}) b.insert(i);
  CHECK(a == b);
  b.insert(4);
  CHECK(a != b);
  b.erase(1);
  CHECK(a != b);
  Set<int> moved(std::move(a));
  CHECK(a.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(a.arena() == &arena);
  CHECK(Sorted(moved) == Ints{1, 2, 3});
  moved.swap(b);
  CHECK(Sorted(moved) == Ints{2, 3, 4});
  swap(moved, b);
  CHECK(Sorted(moved) == Ints{1, 2, 3});
  b = std::move(moved);
  CHECK(Sorted(b) == Ints{1, 2, 3});
  b = Set<int>(arena);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Set: pairs, pointers and enums are keys") {
  acre::Arena arena;
  Set<std::pair<int, int>> cells(arena);
  CHECK(cells.insert({1, 2}).second);
  CHECK_FALSE(cells.emplace(1, 2).second);
  CHECK(cells.contains({1, 2}));
  CHECK_FALSE(cells.contains({2, 1}));
  Set<int*> pointers(arena);
  int* target = arena.New<int>(1);
  pointers.insert(target);
  CHECK(pointers.contains(target));
  const int* same = target;
  CHECK(std::ranges::find(pointers, same) != pointers.end());
  enum class Kind : std::uint8_t { kA, kB };
  Set<Kind> kinds(arena, {Kind::kA});
  CHECK(kinds.contains(Kind::kA));
  CHECK_FALSE(kinds.contains(Kind::kB));
}

namespace {

struct EightOnly {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const { return acre::Hash<int>()(key % 8); }
};

template <class H>
void RunHistory(unsigned seed) {
  std::mt19937 random(seed);
  acre::Arena arena;
  Set<int, H> set(arena);
  std::unordered_set<int> model;
  for (int step = 0; step < 4'000; ++step) {
    const int key = static_cast<int>(random() % 400);
    const bool grows = step / 500 % 2 == 0;
    if (random() % 3 == (grows ? 0 : 1)) {
      REQUIRE(set.erase(key) == model.erase(key));
    } else if (random() % 2 == 0 || grows) {
      REQUIRE(set.insert(key).second == model.insert(key).second);
    } else if (const auto it = set.find(key); it != set.end()) {
      set.erase(it);
      REQUIRE(model.erase(key) == 1);
    }
    const int other = static_cast<int>(random() % 400);
    REQUIRE(set.contains(other) == model.contains(other));
    REQUIRE(set.size() == model.size());
    if (step % 200 == 0) {
      REQUIRE(std::unordered_set<int>(set.begin(), set.end()) == model);
    }
  }
}

}  // namespace

TEST_CASE("Set: any history leaves what std::unordered_set has") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    RunHistory<acre::Hash<int>>(seed);
    RunHistory<EightOnly>(seed);
    RunHistory<acre::UntrustedHash<int>>(seed);
  }
}

TEST_CASE("Set: lists are assigned, an empty one clears") {
  acre::Arena arena;
  Set<int> numbers(arena, {1, 2});
  numbers = {2, 3, 3};
  CHECK(numbers == Set<int>(arena, {3, 2}));
  numbers = {};
  CHECK(numbers.empty());
  Set<String> texts(arena);
  texts = {kLong, "b"};
  CHECK(texts == Set<String>(arena, {"b", kLong}));
  CHECK(texts.find(kLong)->arena() == &arena);
}

TEST_CASE("Set: made of a range, and filled by std::inserter") {
  acre::Arena arena;
  const std::vector<std::string> source{"a", kLong, "a"};
  const Set<String> texts(arena, source.begin(), source.end());
  CHECK(texts.size() == 2);
  CHECK(texts.contains(kLong));
  Set<String> copy(arena, {"c"});
  std::copy(texts.begin(), texts.end(), std::inserter(copy, copy.begin()));
  CHECK(copy == Set<String>(arena, {"a", "c", kLong}));
  const Ints odd{1, 3};
  const Ints few{2, 3};
  Set<int> all(arena);
  std::ranges::set_union(odd, few, std::inserter(all, all.begin()));
  CHECK(all == Set<int>(arena, {1, 2, 3}));
}

}  // namespace set_test
