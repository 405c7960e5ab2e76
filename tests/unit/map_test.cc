// SPDX-License-Identifier: MIT
//
// Guards Map's promise: std::unordered_map's interface over one table in an
// arena, lookup without temporaries, and no table lost or kept.

#include "acre/map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <new>
#include <optional>
#include <random>
#include <ranges>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"

namespace map_test {

using acre::Map;
using acre::String;
using acre::Vector;
using namespace std::string_view_literals;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

std::string LongKey(int i) { return kLong + std::to_string(i); }

struct alignas(64) Line {
  std::int64_t words[8];
};
ACRE_LAYOUT(Line, words)

template <class M>
auto SortedKeys(const M& map) {
  std::vector<std::remove_const_t<typename M::key_type>> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

using Ints = std::vector<int>;

}  // namespace

// ------------------------------------------------------- construction, access

TEST_CASE("Map: has the types and iterators of a std map") {
  using M = Map<String, int>;
  static_assert(sizeof(M) == 56);
  static_assert(std::is_trivially_destructible_v<M>);
  static_assert(std::is_nothrow_move_constructible_v<M>);
  static_assert(std::is_nothrow_move_assignable_v<M>);
  static_assert(!std::is_copy_constructible_v<M>);
  static_assert(!std::is_copy_assignable_v<M>);
  static_assert(std::same_as<M::value_type, std::pair<const String, int>>);
  static_assert(std::same_as<M::key_type, String>);
  static_assert(std::same_as<M::mapped_type, int>);
  static_assert(std::forward_iterator<M::iterator>);
  static_assert(std::forward_iterator<M::const_iterator>);
  static_assert(std::default_initializable<M::iterator>);
  static_assert(std::convertible_to<M::iterator, M::const_iterator>);
  static_assert(!std::convertible_to<M::const_iterator, M::iterator>);
  static_assert(std::ranges::forward_range<M>);
  static_assert(std::ranges::forward_range<const M>);
  static_assert(std::ranges::sized_range<M>);
  static_assert(std::ranges::common_range<M>);
  static_assert(std::same_as<std::iter_reference_t<M::const_iterator>,
                             const M::value_type&>);
  CHECK(M::iterator() == M::iterator());
  CHECK(acre::Element<M>);
}

TEST_CASE("Map: an empty one answers every question") {
  const Map<int, int> unbound;
  CHECK(unbound.arena() == nullptr);
  acre::Arena arena;
  Map<int, int> map(arena);
  CHECK(map.arena() == &arena);
  CHECK(map.empty());
  CHECK(map.size() == 0);
  CHECK(map.begin() == map.end());
  CHECK(map.cbegin() == map.cend());
  CHECK(map.find(1) == map.end());
  CHECK_FALSE(map.contains(1));
  CHECK(map.count(1) == 0);
  CHECK(map.get(1) == nullptr);
  CHECK(map.erase(1) == 0);
  CHECK(map.erase_if([](const auto&) { return true; }) == 0);
  CHECK_THROWS_AS(map.at(1), std::out_of_range);
  map.clear();
  map.Release();
  CHECK(arena.stats().carved == 0);
  CHECK(map.max_size() > 1'000'000'000);
}

TEST_CASE("Map: operator[], at, get, find, count and contains agree") {
  acre::Arena arena;
  Map<int, int> map(arena);
  map[3] = 30;
  map[4];
  CHECK(map[4] == 0);
  map[4] += 40;
  const Map<int, int>& c = map;
  CHECK(map.size() == 2);
  CHECK_FALSE(map.empty());
  CHECK(map.at(3) == 30);
  CHECK(c.at(4) == 40);
  map.at(3) = 31;
  CHECK(*map.get(3) == 31);
  *map.get(3) = 32;
  CHECK(*c.get(3) == 32);
  CHECK(c.get(5) == nullptr);
  CHECK(map.find(3)->second == 32);
  CHECK(c.find(3)->first == 3);
  CHECK(c.find(5) == c.end());
  CHECK(map.find(3) == c.find(3));
  CHECK(c.count(3) == 1);
  CHECK(c.count(5) == 0);
  CHECK(c.contains(4));
  CHECK_FALSE(c.contains(5));
  CHECK_THROWS_AS(c.at(5), std::out_of_range);
}

TEST_CASE("Map: is made from a list, the first of equal keys wins") {
  acre::Arena arena;
  const Map<int, int> map(arena, {{1, 10}, {2, 20}, {1, 99}});
  CHECK(map.size() == 2);
  CHECK(map.at(1) == 10);
  CHECK(map.at(2) == 20);
  const Map<String, int> names(arena, {{"a", 1}, {"b", 2}});
  CHECK(names.at("b") == 2);
}

TEST_CASE("Map: a list of long keys makes keys of the arena") {
  acre::Arena arena;
  const std::pair<std::string, int> pairs[] = {{LongKey(1), 1},
                                               {LongKey(2), 2}};
  Map<String, int> map(arena);
  map.insert(std::begin(pairs), std::end(pairs));
  CHECK(map.size() == 2);
  CHECK(map.at(LongKey(2)) == 2);
  for (const auto& [key, value] : map) CHECK(arena.Owns(key.data()));
}

TEST_CASE("Map: every way of inserting reports where, and whether it did") {
  acre::Arena arena;
  Map<int, String> map(arena);
  const auto [it, made] = map.try_emplace(1, "one");
  CHECK(made);
  CHECK(it->first == 1);
  CHECK(it->second == "one");
  const auto [again, made_again] = map.try_emplace(1, "uno");
  CHECK_FALSE(made_again);
  CHECK(again == it);
  CHECK(again->second == "one");
  CHECK(map.emplace(2, "two").second);
  CHECK_FALSE(map.emplace(2, "deux").second);
  CHECK(map.insert({3, "three"}).second);
  CHECK_FALSE(map.insert({3, "trois"}).second);
  CHECK(map.at(3) == "three");
  CHECK(map.insert_or_assign(4, "four").second);
  const auto [four, made_four] = map.insert_or_assign(4, "quattro");
  CHECK_FALSE(made_four);
  CHECK(four->second == "quattro");
  CHECK(map.size() == 4);
  Map<int, int> plain(arena);
  const std::pair<const int, int> value(5, 50);
  CHECK(plain.insert(value).second);
  CHECK_FALSE(plain.insert(value).second);
  const std::array<std::pair<int, int>, 3> more{{{5, 0}, {6, 60}, {7, 70}}};
  plain.insert(more.begin(), more.end());
  CHECK(SortedKeys(plain) == Ints{5, 6, 7});
  CHECK(plain.at(5) == 50);
}

TEST_CASE("Map: try_emplace does not take its arguments where the key is") {
  acre::Arena arena;
  Map<int, Vector<int>> map(arena);
  Vector<int> first(arena, {1});
  Vector<int> second(arena, {2, 3});
  CHECK(map.try_emplace(1, std::move(first)).second);
  CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
  CHECK_FALSE(map.try_emplace(1, std::move(second)).second);
  CHECK(second.size() == 2);  // NOLINT(bugprone-use-after-move)
  CHECK(map.at(1).size() == 1);
  Map<String, int> names(arena);
  String key(arena, kLong);
  CHECK(names.try_emplace(std::string_view(kLong), 1).second);
  CHECK_FALSE(names.try_emplace(std::move(key), 2).second);
  CHECK(key == kLong);  // NOLINT(bugprone-use-after-move)
  CHECK_FALSE(names.insert_or_assign(std::move(key), 3).second);
  CHECK(key == kLong);  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Map: a String key that is moved in keeps its storage") {
  acre::Arena arena;
  Map<String, int> map(arena);
  String key(arena, kLong);
  const char* data = key.data();
  map[std::move(key)] = 1;
  CHECK(map.begin()->first.data() == data);
  CHECK(key.empty());  // NOLINT(bugprone-use-after-move)
}

TEST_CASE("Map: arguments may refer to elements, when it grows too") {
  acre::Arena arena;
  Map<int, std::int64_t> map(arena);
  map[0] = 77;
  for (int i = 1; i < 3'000; ++i) {
    map.try_emplace(i, map.at(0));
    REQUIRE(map.at(i) == 77);
  }
  Map<int, int> assigned(arena);
  assigned[0] = 78;
  for (int i = 1; i < 3'000; ++i) {
    assigned.insert_or_assign(i, assigned.at(i - 1));
    REQUIRE(assigned.at(i) == 78);
  }
}

TEST_CASE("Map: a key may refer to an element, when it grows too") {
  acre::Arena arena;
  Map<int, int> next(arena);
  next[0] = 1;
  for (int i = 0; i < 3'000; ++i) {
    const int& key = next.at(i);
    next.try_emplace(key, i + 2);
    REQUIRE(next.get(i + 1) != nullptr);
    REQUIRE(next.at(i + 1) == i + 2);
  }
  Map<String, String> names(arena);
  names.try_emplace("0", LongKey(1));
  for (int i = 1; i < 300; ++i) {
    const String& key = names.at(i == 1 ? "0" : LongKey(i - 1));
    names.try_emplace(key.view(), LongKey(i + 1));
    REQUIRE(names.contains(LongKey(i)));
  }
}

TEST_CASE("Map: erasing by a key of its own is safe") {
  acre::Arena arena;
  Map<String, int> map(arena);
  for (int i = 0; i < 50; ++i) map[LongKey(i)] = i;
  while (!map.empty()) CHECK(map.erase(map.begin()->first) == 1);
  CHECK(map.begin() == map.end());
}

// --------------------------------------------------------------------- lookup

TEST_CASE("Map: String keys are found by every kind of text, unconverted") {
  acre::Arena arena;
  Map<String, int> map(arena);
  map["short"] = 1;
  map[kLong] = 2;
  map[std::string("std")] = 3;
  map["view"sv] = 4;
  map[String(arena, LongKey(5))] = 5;
  const std::size_t carved = arena.stats().carved;
  const Map<String, int>& c = map;
  const std::string std_text = kLong;
  CHECK(c.at(kLong) == 2);
  CHECK(c.at(std_text) == 2);
  CHECK(c.at(std::string_view(kLong)) == 2);
  CHECK(c.at(String(arena, "short")) == 1);
  CHECK(c.at("short"sv) == 1);
  CHECK(c.contains("std"));
  CHECK(c.count("view") == 1);
  CHECK(*map.get(LongKey(5)) == 5);
  CHECK(map.find("no") == map.end());
  CHECK(map[kLong] == 2);
  CHECK_FALSE(map.try_emplace(std_text, 9).second);
  CHECK(map.erase(std::string_view(kLong)) == 1);
  CHECK(map.erase(std_text) == 0);
  CHECK(map.size() == 4);
  // Nothing was copied into the arena, and a copy on the stack would have been
  // refused.
  CHECK(arena.stats().carved == carved);
}

namespace {

int g_temporaries = 0;

/// A key whose conversion from int is expensive, and counted.
struct Name {
  Name(int n) : number(n) { ++g_temporaries; }  // NOLINT
  friend bool operator==(const Name& a, const Name& b) {
    return a.number == b.number;
  }
  friend bool operator==(const Name& a, int b) { return a.number == b; }
  int number;
};
ACRE_LAYOUT(Name, number)

struct NameHash {
  std::uint64_t operator()(const Name& name) const {
    return acre::Hash<int>()(name.number);
  }
};
struct TransparentNameHash : NameHash {
  using is_transparent = void;
  using NameHash::operator();
  std::uint64_t operator()(int number) const {
    return acre::Hash<int>()(number);
  }
};

}  // namespace

TEST_CASE("Map: transparent lookup makes no key, other lookup makes one") {
  acre::Arena arena;
  Map<Name, int, TransparentNameHash> map(arena);
  for (int i = 0; i < 10; ++i) map.try_emplace(i, i);
  g_temporaries = 0;
  CHECK(map.contains(5));
  CHECK(map.at(6) == 6);
  CHECK(map.get(99) == nullptr);
  CHECK_FALSE(map.try_emplace(7, 0).second);
  CHECK(map.erase(7) == 1);
  CHECK(g_temporaries == 0);
  Map<Name, int, NameHash> other(arena);
  for (int i = 0; i < 10; ++i) other.try_emplace(i, i);
  g_temporaries = 0;
  CHECK(other.contains(5));
  CHECK(g_temporaries == 1);
}

// ------------------------------------------------------------------ iteration

TEST_CASE("Map: iteration sees each element once, several times over") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int n = 0; n < 300; ++n) {
    Ints expected(static_cast<std::size_t>(n));
    for (int i = 0; i < n; ++i) expected[static_cast<std::size_t>(i)] = i;
    REQUIRE(SortedKeys(map) == expected);
    REQUIRE(std::distance(map.begin(), map.end()) == n);
    map[n] = n;
  }
  auto it = map.begin();
  const auto copy = it;
  CHECK(it++ == copy);
  CHECK(it != copy);
  auto other = copy;
  CHECK(++other == it);
  CHECK(&*other == &*it);
  for (auto& [key, value] : map) value = -key;
  for (const auto& [key, value] : std::as_const(map)) REQUIRE(value == -key);
  const auto found = std::ranges::find_if(
      map, [](const auto& element) { return element.second == -42; });
  CHECK(found == map.find(42));
  CHECK(std::ranges::distance(map) == 300);
}

TEST_CASE("Map: iteration goes on from a found element to the end") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 200; ++i) map[i] = i;
  Ints order;
  for (const auto& [key, value] : map) order.push_back(key);
  for (std::size_t i = 0; i < order.size(); ++i) {
    Ints rest;
    for (auto it = map.find(order[i]); it != map.end(); ++it) {
      rest.push_back(it->first);
    }
    const auto first = order.begin() + static_cast<std::ptrdiff_t>(i);
    REQUIRE(rest == Ints(first, order.end()));
    const auto [at, made] = map.try_emplace(order[i], 0);
    REQUIRE(at == map.find(order[i]));
  }
}

TEST_CASE("Map: erasing while iterating visits every element once") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 1'000; ++i) map[i] = i;
  std::set<int> seen;
  for (auto it = map.begin(); it != map.end();) {
    CHECK(seen.insert(it->first).second);
    if (it->first % 3 == 0) {
      it = map.erase(it);
    } else {
      ++it;
    }
  }
  CHECK(seen.size() == 1'000);
  CHECK(map.size() == 666);
  auto last = map.cbegin();
  while (!map.empty()) last = map.erase(map.cbegin());
  CHECK(last == map.cend());
}

TEST_CASE("Map: erasing keeps iterators to other elements valid") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 100; ++i) map[i] = i;
  Ints order;
  for (const auto& [key, value] : map) order.push_back(key);
  std::vector<Map<int, int>::iterator> kept;
  for (const int key : order) kept.push_back(map.find(key));
  for (std::size_t i = 1; i < order.size(); i += 2) map.erase(order[i]);
  for (std::size_t i = 0; i < order.size(); i += 2) {
    REQUIRE(kept[i]->first == order[i]);
    REQUIRE(kept[i] == map.find(order[i]));
    const auto next = std::next(kept[i]);
    if (i + 2 < order.size()) {
      REQUIRE(next != map.end());
      REQUIRE(next->first == order[i + 2]);
    } else {
      REQUIRE(next == map.end());
    }
  }
}

TEST_CASE("Map: an iterator meets what is left ahead of it, once") {
  std::mt19937 random(11);
  const auto below = [&](std::size_t n) { return random() % n; };
  for (const std::size_t size : {1, 2, 13, 27, 60, 200, 3'000}) {
    acre::Arena arena;
    Map<int, int> map(arena);
    Map<int, int> other(arena);  // its erasures concern nobody else
    for (int i = 0; i < static_cast<int>(size); ++i) other[i] = map[i] = i;
    std::vector<int> order;  // of iteration; erasing does not change it
    for (const auto& [key, value] : map) order.push_back(key);
    std::set<int> alive(order.begin(), order.end());
    std::size_t at = 0;
    for (auto it = map.begin(); it != map.end(); ++at) {
      while (alive.count(order[at]) == 0) ++at;
      REQUIRE(it->first == order[at]);
      // Behind, where it is and ahead, by key and by iterator.
      for (std::size_t i = below(4); i > 0; --i) {
        const int key = order[below(size)];
        if (key == it->first) continue;
        if (below(2) == 0) {
          map.erase(key);
        } else if (const auto found = map.find(key); found != map.end()) {
          map.erase(found);
        }
        alive.erase(key);
      }
      if (below(3) == 0) other.erase(order[at]);
      if (below(5) == 0) it = map.find(order[at]);
      if (below(3) == 0) {
        alive.erase(it->first);
        it = map.erase(it);
      } else {
        ++it;
      }
    }
    while (at < size && alive.count(order[at]) == 0) ++at;
    CHECK(at == size);
    CHECK(map.size() == alive.size());
  }
}

TEST_CASE("Map: iterators go with the table when a map is moved or swapped") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 500; ++i) map[i] = i;
  auto it = map.begin();
  std::optional<Map<int, int>> moved(std::move(map));
  Map<int, int> last(arena);
  std::size_t count = 0;
  for (; it != last.end(); ++it, ++count) {
    if (count == 100) last.swap(*moved);
    if (count == 200) moved.reset();
    if (count > 200)
      last.erase(std::next(it) == last.end() ? -1 : std::next(it)->first);
  }
  CHECK(count == 201 + 150);
  CHECK(last.size() == 201 + 150);
}

TEST_CASE("Map: the same history gives the same order") {
  const auto build = [](acre::Arena& arena, Map<String, int>& map) {
    for (int i = 0; i < 800; ++i) {
      map[LongKey(i * 37 % 1000)] = i;
      if (i % 5 == 0) map.erase(LongKey(i * 11 % 1000));
      if (i % 3 == 0) static_cast<void>(arena.New<int>(i));
    }
  };
  acre::Arena a;
  acre::Arena b;
  static_cast<void>(b.Allocate(4711));
  Map<String, int> x(a);
  Map<String, int> y(b);
  build(a, x);
  build(b, y);
  CHECK(std::ranges::equal(
      x, y, {}, [](const auto& e) -> std::string_view { return e.first; },
      [](const auto& e) -> std::string_view { return e.first; }));
}

// ------------------------------------------------------------------- capacity

TEST_CASE("Map: after reserve nothing moves until that many are in") {
  for (const int count : {1, 26, 27, 100, 1'000, 53'760, 60'000}) {
    CAPTURE(count);
    acre::Arena arena;
    Map<int, int> map(arena);
    map.reserve(static_cast<std::size_t>(count));
    const std::size_t carved = arena.stats().carved;
    map[0] = 0;
    const auto* element = &*map.begin();
    for (int i = 1; i < count; ++i) map[i] = i;
    CHECK(arena.stats().carved == carved);
    CHECK(&*map.find(0) == element);
    map.reserve(static_cast<std::size_t>(count / 2));
    CHECK(arena.stats().carved == carved);
  }
}

TEST_CASE("Map: reserve beyond max_size is a length_error, nothing lost") {
  acre::Arena arena({.byte_limit = 1 << 20});
  Map<int, int> map(arena, {{1, 2}});
  CHECK_THROWS_AS(map.reserve(map.max_size() + 1), std::length_error);
  CHECK_THROWS_AS(map.reserve(~std::size_t{0}), std::length_error);
  CHECK_THROWS_AS(map.reserve(1 << 24), std::bad_alloc);
  CHECK(map.at(1) == 2);
}

TEST_CASE("Map: out of memory throws bad_alloc and loses nothing") {
  acre::Arena arena({.byte_limit = 256 << 10});
  Map<int, int> map(arena);
  CHECK_THROWS_AS(for (;;) map[static_cast<int>(map.size())] = 7,
                  std::bad_alloc);
  const int count = static_cast<int>(map.size());
  REQUIRE(count > 1'000);
  for (int i = 0; i < count; ++i) REQUIRE(map.at(i) == 7);
  CHECK_FALSE(map.contains(count));
  CHECK(std::distance(map.begin(), map.end()) == count);
}

TEST_CASE("Map: clear keeps the table, Release gives it back") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 1'000; ++i) map[i] = i;
  const std::size_t live = arena.stats().live();
  const std::size_t carved = arena.stats().carved;
  map.clear();
  CHECK(map.empty());
  CHECK(map.begin() == map.end());
  CHECK_FALSE(map.contains(5));
  CHECK(arena.stats().live() == live);
  for (int i = 0; i < 1'000; ++i) map[i + 5'000] = i;
  CHECK(arena.stats().carved == carved);
  CHECK(arena.stats().live() == live);
  map.Release();
  CHECK(arena.stats().live() == 0);
  CHECK(map.arena() == &arena);
  map.Release();
  map[1] = 2;
  CHECK(map.at(1) == 2);
}

TEST_CASE("Map: a grown map leaves no garbage") {
  acre::Arena arena;
  Map<int, std::int64_t> map(arena);
  std::size_t reserved = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 20'000; ++i) map[i] = i;
    // All but the last table wait on freelists.
    const std::size_t table = arena.stats().live();
    CHECK(table < 20'000 * 16 * 3);
    if (round == 1) reserved = arena.stats().reserved;
    if (round > 1) CHECK(arena.stats().reserved == reserved);
    map.Release();
    CHECK(arena.stats().live() == 0);
  }
}

TEST_CASE("Map: churn at a constant size does not grow the table") {
  acre::Arena arena;
  Map<int, int> map(arena);
  for (int i = 0; i < 1'000; ++i) map[i] = i;
  for (int i = 1'000; i < 50'000; ++i) {
    map[i] = i;
    REQUIRE(map.erase(i - 1'000) == 1);
  }
  CHECK(map.size() == 1'000);
  const std::size_t churned = arena.stats().live();
  Map<int, int> fresh(arena);
  for (const auto& [key, value] : map) fresh[key] = value;
  CHECK(churned <= 2 * (arena.stats().live() - churned));
  for (int i = 49'000; i < 50'000; ++i) REQUIRE(map.at(i) == i);
}

TEST_CASE("Map: very many elements are all found, and nothing else") {
  acre::Arena arena;
  Map<std::int64_t, std::int64_t> map(arena);
  constexpr std::int64_t kCount = acre_test::Scaled(1'000'000, 250'000);
  for (std::int64_t i = 0; i < kCount; ++i) map[i * 7] = i;
  CHECK(map.size() == kCount);
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < kCount; ++i) {
    const std::int64_t* value = map.get(i * 7);
    wrong += value == nullptr || *value != i;
    wrong += map.contains(i * 7 + 1);
  }
  CHECK(wrong == 0);
  std::int64_t sum = 0;
  for (const auto& [key, value] : map) sum += value;
  CHECK(sum == kCount * (kCount - 1) / 2);
  for (std::int64_t i = 0; i < kCount; i += 2) wrong += map.erase(i * 7) != 1;
  CHECK(wrong == 0);
  CHECK(map.size() == kCount / 2);
}

TEST_CASE("Map: over-aligned values are aligned through every growth") {
  acre::Arena arena;
  Map<int, Line> map(arena);
  for (int i = 0; i < 500; ++i) {
    map[i].words[0] = i;
    if (i % 9 == 0) static_cast<void>(arena.New<int>(i));
  }
  for (const auto& [key, line] : map) {
    REQUIRE(reinterpret_cast<std::uintptr_t>(&line) % 64 == 0);
    REQUIRE(line.words[0] == key);
  }
  map.Release();
}

}  // namespace map_test
