// SPDX-License-Identifier: MIT
//
// Guards Vector's promise: std::vector's interface and guarantees, elements
// moved as bytes, and every removed element's storage back in the arena.

#include "acre/vector.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <iterator>
#include <list>
#include <new>
#include <numeric>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "support/death.h"
#include "test_sources.h"

using acre::String;
using acre::Vector;
using acre_test::CountingSource;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

// A struct that holds handles, as users write them.
struct Item {
  String name;
  Vector<int> marks;
  int rank = 0;
};
ACRE_LAYOUT(Item, name, marks, rank)

struct Node {
  Vector<Node> kids;
  int value = 0;
};
ACRE_LAYOUT(Node, kids, value)

struct alignas(64) Line {
  std::int64_t words[8];
};
ACRE_LAYOUT(Line, words)

struct Point {
  int x;
  int y;
  friend bool operator==(const Point&, const Point&) = default;
};
ACRE_LAYOUT(Point, x, y)

Item MakeItem(acre::Arena& arena, int rank) {
  Item item{String(arena, std::string(kLong) + std::to_string(rank)),
            Vector<int>(arena), rank};
  for (int i = 0; i < rank % 5 + 1; ++i) item.marks.push_back(rank + i);
  return item;
}

bool IsIntact(const Item& item) {
  if (item.name != std::string(kLong) + std::to_string(item.rank)) return false;
  const auto count = static_cast<std::size_t>(item.rank % 5 + 1);
  if (item.marks.size() != count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (item.marks[i] != item.rank + static_cast<int>(i)) return false;
  }
  return true;
}

void Fill(Vector<Item>& items, int count) {
  for (int i = 0; i < count; ++i) {
    items.push_back(MakeItem(*items.arena(), i));
  }
}

template <class T>
std::vector<T> Contents(const Vector<T>& vector) {
  return {vector.begin(), vector.end()};
}

std::vector<int> Ranks(const Vector<Item>& items) {
  std::vector<int> ranks;
  for (const Item& item : items) {
    CHECK(IsIntact(item));
    ranks.push_back(item.rank);
  }
  return ranks;
}

using Ints = std::vector<int>;

}  // namespace

// --------------------------------------------------------------- construction

TEST_CASE("Vector: every constructor yields its contents and its arena") {
  acre::Arena arena;
  const Vector<int> unbound;
  CHECK(unbound.arena() == nullptr);
  CHECK(unbound.empty());

  const Vector<int> bound(arena);
  CHECK(bound.arena() == &arena);
  CHECK(bound.size() == 0);
  CHECK(bound.capacity() == 0);

  const Vector<int> zeros(arena, 5);
  CHECK(Contents(zeros) == Ints{0, 0, 0, 0, 0});

  const Vector<int> listed(arena, {3, 1, 2});
  CHECK(Contents(listed) == Ints{3, 1, 2});

  const std::list<int> list{4, 5, 6};
  const Vector<int> from_list(arena, list.begin(), list.end());
  CHECK(Contents(from_list) == Ints{4, 5, 6});

  std::istringstream numbers("7 8 9 10");
  const Vector<int> streamed(arena, std::istream_iterator<int>(numbers),
                             std::istream_iterator<int>());
  CHECK(Contents(streamed) == Ints{7, 8, 9, 10});
}

TEST_CASE("Vector: construction value-initialises in recycled memory too") {
  acre::Arena arena;
  Vector<int> dirty(arena);
  for (int i = 0; i < 16; ++i) dirty.push_back(-1);
  const int* old = dirty.data();
  dirty.Release();
  Vector<int> clean(arena, 16);
  REQUIRE(clean.data() == old);
  CHECK(Contents(clean) == Ints(16, 0));
}

TEST_CASE("Vector: moving takes the storage and leaves an empty, bound one") {
  acre::Arena arena;
  Vector<int> from(arena, {1, 2, 3});
  const int* data = from.data();
  Vector<int> to(std::move(from));
  CHECK(to.data() == data);
  CHECK(to.size() == 3);
  CHECK(from.empty());  // NOLINT(bugprone-use-after-move)
  CHECK(from.capacity() == 0);
  CHECK(from.arena() == &arena);
  from.push_back(9);
  CHECK(Contents(from) == Ints{9});
  CHECK(Contents(to) == Ints{1, 2, 3});
}

TEST_CASE("Vector: is moved, destroyed and copied as promised") {
  static_assert(std::is_trivially_destructible_v<Vector<int>>);
  static_assert(std::is_nothrow_move_constructible_v<Vector<int>>);
  static_assert(std::is_nothrow_move_assignable_v<Vector<int>>);
  static_assert(!std::is_copy_constructible_v<Vector<int>>);
  static_assert(!std::is_copy_assignable_v<Vector<int>>);
  static_assert(std::is_nothrow_default_constructible_v<Vector<int>>);
  static_assert(sizeof(Vector<int>) == 32);
  static_assert(sizeof(Vector<Line>) == 32);
  CHECK(acre::Element<Vector<Vector<Item>>>);
}

TEST_CASE("Vector: assignment from a list and assign replace the contents") {
  acre::Arena arena;
  Vector<int> v(arena, {9, 9, 9, 9});
  v = {1, 2};
  CHECK(Contents(v) == Ints{1, 2});
  v.assign(3, 7);
  CHECK(Contents(v) == Ints{7, 7, 7});
  const std::array<int, 4> source{4, 3, 2, 1};
  v.assign(source.begin(), source.end());
  CHECK(Contents(v) == Ints{4, 3, 2, 1});
  v.assign(6, v[3]);
  CHECK(Contents(v) == Ints(6, 1));
  v.assign(source.begin(), source.begin());
  CHECK(v.empty());
}

TEST_CASE("Vector: assign(count, value) takes an element of its own") {
  acre::Arena arena;
  Vector<std::uint64_t> v(arena, {5, 6, 7});
  const std::uint64_t& own = v[2];
  v.assign(std::size_t{100}, own);
  CHECK(Contents(v) == std::vector<std::uint64_t>(100, 7));
}

// --------------------------------------------------------------------- access

TEST_CASE("Vector: element access agrees in all its forms") {
  acre::Arena arena;
  Vector<int> v(arena, {10, 20, 30});
  const Vector<int>& c = v;
  CHECK(v[1] == 20);
  CHECK(c[1] == 20);
  CHECK(v.at(2) == 30);
  CHECK(c.at(2) == 30);
  CHECK(v.front() == 10);
  CHECK(c.front() == 10);
  CHECK(v.back() == 30);
  CHECK(c.back() == 30);
  CHECK(v.data() == &v[0]);
  CHECK(c.data() == &c[0]);
  v.at(0) = 11;
  v[1] = 21;
  v.back() = 31;
  *v.get(1) += 1;
  CHECK(Contents(v) == Ints{11, 22, 31});
  v.front() = 0;
  CHECK(c.front() == 0);
}

TEST_CASE("Vector: at throws out_of_range with index and size") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2});
  const Vector<int>& c = v;
  CHECK_THROWS_AS(v.at(2), std::out_of_range);
  CHECK_THROWS_AS(c.at(2), std::out_of_range);
  CHECK_THROWS_AS(v.at(~std::size_t{0}), std::out_of_range);
  std::string text;
  try {
    c.at(17);
  } catch (const std::out_of_range& error) {
    text = error.what();
  }
  CHECK(text.find("Vector::at") != text.npos);
  CHECK(text.find("17") != text.npos);
  CHECK(text.find("2") != text.npos);
  const Vector<int> empty;
  CHECK_THROWS_AS(empty.at(0), std::out_of_range);
}

TEST_CASE("Vector: get is null out of range") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2});
  const Vector<int>& c = v;
  CHECK(v.get(1) == &v[1]);
  CHECK(c.get(0) == &c[0]);
  CHECK(v.get(2) == nullptr);
  CHECK(c.get(2) == nullptr);
  CHECK(c.get(~std::size_t{0}) == nullptr);
  CHECK(Vector<int>().get(0) == nullptr);
}

TEST_CASE("Vector: checked builds find an index out of range") {
  if constexpr (acre::kChecked) {
    acre::Arena arena;
    Vector<int> v(arena, {1, 2});
    CHECK_DIES(static_cast<void>(v[2]), "acre: ");
    CHECK_DIES(v.clear(); static_cast<void>(v.front()), "acre: ");
    CHECK_DIES(v.clear(); static_cast<void>(v.back()), "acre: ");
  }
}

TEST_CASE("Vector: index_of finds the first, last_index_of the last") {
  acre::Arena arena;
  const Vector<int> v(arena, {4, 2, 4, 3, 4, 2});
  CHECK(v.index_of(4) == 0);
  CHECK(v.last_index_of(4) == 4);
  CHECK(v.index_of(3) == v.last_index_of(3));
  CHECK(v.index_of(5) == Vector<int>::npos);
  CHECK(v.last_index_of(5) == Vector<int>::npos);
  CHECK(Vector<int>().index_of(1) == Vector<int>::npos);
  CHECK(Vector<int>().last_index_of(1) == Vector<int>::npos);

  Vector<String> names(arena);
  names.emplace_back("x");
  names.emplace_back("y");
  CHECK(names.index_of("y") == 1);
  CHECK(names.index_of(std::string_view("x")) == 0);
  CHECK(names.last_index_of(std::string("y")) == 1);
}

// ------------------------------------------------------------------ iterators

TEST_CASE("Vector: is a contiguous sized range with default-made iterators") {
  using V = Vector<Item>;
  static_assert(std::contiguous_iterator<V::iterator>);
  static_assert(std::contiguous_iterator<V::const_iterator>);
  static_assert(std::ranges::contiguous_range<V>);
  static_assert(std::ranges::contiguous_range<const V>);
  static_assert(std::ranges::sized_range<V>);
  static_assert(std::ranges::common_range<V>);
  static_assert(std::convertible_to<V::iterator, V::const_iterator>);
  static_assert(std::default_initializable<V::iterator>);
  static_assert(std::default_initializable<V::const_iterator>);
  static_assert(std::random_access_iterator<V::reverse_iterator>);
  static_assert(std::same_as<V::value_type, Item>);
  static_assert(std::same_as<V::reference, Item&>);
  static_assert(std::same_as<V::const_reference, const Item&>);
  static_assert(std::same_as<V::pointer, Item*>);
  static_assert(std::same_as<V::const_pointer, const Item*>);
  static_assert(std::same_as<V::size_type, std::size_t>);
  static_assert(std::same_as<V::difference_type, std::ptrdiff_t>);
  CHECK(V::iterator{} == V::iterator{});
}

TEST_CASE("Vector: forward and reverse iteration see the same elements") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2, 3});
  const Vector<int>& c = v;
  CHECK(Ints(v.begin(), v.end()) == Ints{1, 2, 3});
  CHECK(Ints(c.begin(), c.end()) == Ints{1, 2, 3});
  CHECK(Ints(v.cbegin(), v.cend()) == Ints{1, 2, 3});
  CHECK(Ints(v.rbegin(), v.rend()) == Ints{3, 2, 1});
  CHECK(Ints(c.rbegin(), c.rend()) == Ints{3, 2, 1});
  *v.rbegin() = 30;
  *v.begin() = 10;
  CHECK(Contents(v) == Ints{10, 2, 30});
  const Vector<int> empty;
  CHECK(empty.begin() == empty.end());
  CHECK(empty.rbegin() == empty.rend());
}

TEST_CASE("Vector: std algorithms work on numbers") {
  acre::Arena arena;
  Vector<int> v(arena, 100);
  std::iota(v.begin(), v.end(), 0);
  std::ranges::reverse(v);
  std::sort(v.begin(), v.end());
  CHECK(std::is_sorted(v.begin(), v.end()));
  CHECK(*std::ranges::find(v, 42) == 42);
  CHECK(std::accumulate(v.rbegin(), v.rend(), 0) == 4950);
  CHECK(std::ranges::count_if(v, [](int i) { return i % 2 == 0; }) == 50);
  std::ranges::copy(Ints{1, 2, 3}, std::back_inserter(v));
  CHECK(v.size() == 103);
  CHECK(v.back() == 3);
}

TEST_CASE("Vector: sort, stable_sort, rotate keep structs with containers") {
  acre::Arena arena;
  Vector<Item> items(arena);
  Fill(items, 60);
  const std::size_t live = arena.stats().live();
  const auto by_hash = [](const Item& a, const Item& b) {
    return a.rank * 37 % 61 < b.rank * 37 % 61;
  };
  std::sort(items.begin(), items.end(), by_hash);
  CHECK(std::is_sorted(items.begin(), items.end(), by_hash));
  std::rotate(items.begin(), items.begin() + 17, items.end());
  std::ranges::stable_sort(items, {}, &Item::rank);
  std::ranges::reverse(items);
  std::swap(items[0], items[59]);
  std::swap(items[0], items[59]);
  std::ranges::sort(items, std::ranges::less{}, &Item::rank);
  std::vector<int> expected(60);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(Ranks(items) == expected);
  CHECK(arena.stats().live() == live);
  CHECK(std::ranges::find(items, 33, &Item::rank) - items.begin() == 33);
}

TEST_CASE("Vector: remove_if and erase release what the removed held") {
  acre::Arena arena;
  Vector<Item> items(arena);
  items.reserve(40);
  const std::size_t before = arena.stats().live();
  Fill(items, 40);
  const auto odd = [](const Item& item) { return item.rank % 2 == 1; };
  items.erase(std::remove_if(items.begin(), items.end(), odd), items.end());
  CHECK(items.size() == 20);
  Ranks(items);
  // The same twenty, built from nothing, occupy as much.
  const std::size_t half = arena.stats().live() - before;
  acre::Arena other;
  Vector<Item> same(other);
  same.reserve(40);
  const std::size_t other_before = other.stats().live();
  for (int i = 0; i < 40; i += 2) same.push_back(MakeItem(other, i));
  CHECK(half == other.stats().live() - other_before);
  const auto all = [](const Item&) { return true; };
  items.erase(std::remove_if(items.begin(), items.end(), all), items.end());
  CHECK(items.empty());
  CHECK(arena.stats().live() == before);
}

// ------------------------------------------------------------------- capacity

TEST_CASE("Vector: reserve, capacity and size follow std's rules") {
  acre::Arena arena;
  Vector<int> v(arena);
  v.reserve(100);
  CHECK(v.capacity() >= 100);
  CHECK(v.empty());
  const int* data = v.data();
  const std::size_t capacity = v.capacity();
  for (std::size_t i = 0; i < capacity; ++i) v.push_back(static_cast<int>(i));
  CHECK(v.data() == data);
  CHECK(v.capacity() == capacity);
  v.reserve(10);
  CHECK(v.capacity() == capacity);
  v.clear();
  CHECK(v.empty());
  CHECK(v.capacity() == capacity);
  CHECK(v.data() == data);
}

TEST_CASE("Vector: grows geometrically, so that appending is linear") {
  acre::Arena arena;
  Vector<int> v(arena);
  std::size_t growths = 0;
  std::size_t capacity = 0;
  for (int i = 0; i < 100'000; ++i) {
    v.push_back(i);
    if (v.capacity() != capacity) ++growths;
    capacity = v.capacity();
    REQUIRE(v.size() <= capacity);
  }
  CHECK(growths <= 17);
  for (int i = 0; i < 100'000; ++i) REQUIRE(v[static_cast<unsigned>(i)] == i);
}

TEST_CASE("Vector: sizes beyond max_size are a length_error, nothing lost") {
  acre::Arena arena({.byte_limit = 1 << 20});
  Vector<int> v(arena, {1, 2});
  CHECK(v.max_size() <= 0xFFFF'FFFFu);
  CHECK(v.max_size() >= 0x7FFF'FFFFu);
  CHECK_THROWS_AS(v.reserve(v.max_size() + 1), std::length_error);
  CHECK_THROWS_AS(v.resize(v.max_size() + 1), std::length_error);
  CHECK_THROWS_AS(v.resize(~std::size_t{0}, 7), std::length_error);
  CHECK(Contents(v) == Ints{1, 2});
  struct Huge {
    char bytes[1 << 20];
  };
  CHECK(Vector<Huge>::max_size() < SIZE_MAX / sizeof(Huge));
}

TEST_CASE("Vector: a count that overflows the size is a length_error") {
  acre::Arena arena({.byte_limit = 1 << 20});
  Vector<int> v(arena, {1, 2});
  CHECK_THROWS_AS(v.insert(v.end(), ~std::size_t{0}, 7), std::length_error);
  CHECK(Contents(v) == Ints{1, 2});
}

TEST_CASE("Vector: out of memory throws bad_alloc and loses nothing") {
  acre::Arena arena({.byte_limit = 256 << 10});
  Vector<int> v(arena, {1, 2, 3});
  CHECK_THROWS_AS(v.reserve(1 << 20), std::bad_alloc);
  CHECK_THROWS_AS(v.resize(1 << 20), std::bad_alloc);
  CHECK_THROWS_AS(v.insert(v.begin(), 1 << 20, 7), std::bad_alloc);
  CHECK(Contents(v) == Ints{1, 2, 3});
  CHECK_THROWS_AS(for (;;) v.push_back(static_cast<int>(v.size()) + 1),
                  std::bad_alloc);
  REQUIRE(v.size() > 1000);
  for (std::size_t i = 0; i < v.size(); ++i) {
    REQUIRE(v[i] == static_cast<int>(i) + 1);
  }
}

TEST_CASE("Vector: shrink_to_fit gives back what size does not need") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  Vector<int> v(arena);
  v.reserve(10'000);
  v = {1, 2, 3, 4};
  const std::size_t wide = arena.stats().live();
  v.shrink_to_fit();
  CHECK(Contents(v) == Ints{1, 2, 3, 4});
  CHECK(v.capacity() >= 4);
  CHECK(v.capacity() < 100);
  CHECK(arena.stats().live() < wide);
  v.push_back(5);
  CHECK(Contents(v) == Ints{1, 2, 3, 4, 5});
  v.clear();
  v.shrink_to_fit();
  CHECK(v.capacity() == 0);
  CHECK(v.data() == nullptr);
  CHECK(arena.stats().live() == before);
  v.shrink_to_fit();
  v.push_back(6);
  CHECK(Contents(v) == Ints{6});
  Vector<int>().shrink_to_fit();
}

TEST_CASE("Vector: shrink_to_fit keeps the elements' own containers") {
  acre::Arena arena;
  Vector<Item> items(arena);
  items.reserve(200);
  Fill(items, 5);
  items.shrink_to_fit();
  CHECK(Ranks(items) == Ints{0, 1, 2, 3, 4});
}

TEST_CASE("Vector: grows in place at the end of a chunk") {
  acre::Arena arena({.first_chunk = 1 << 20});
  Vector<int> v(arena);
  v.push_back(0);
  const int* data = v.data();
  for (int i = 1; i < 10'000; ++i) v.push_back(i);
  CHECK(v.data() == data);
  CHECK(arena.stats().freed == 0);
  static_cast<void>(arena.New<int>(7));
  for (int i = 10'000; i < 20'000; ++i) v.push_back(i);
  CHECK(v.data() != data);
  for (int i = 0; i < 20'000; ++i) REQUIRE(v[static_cast<unsigned>(i)] == i);
}

TEST_CASE("Vector: growth returns the old storage for reuse") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  Vector<int> v(arena);
  std::vector<const void*> past;
  for (int i = 0; i < 5'000; ++i) {
    static_cast<void>(arena.New<int>(i));  // so that nothing grows in place
    if (past.empty() || past.back() != v.data()) past.push_back(v.data());
    v.push_back(i);
  }
  REQUIRE(past.size() > 6);
  const std::size_t blocks = 5'000 * 16;
  const std::size_t storage = arena.stats().live() - before - blocks;
  CHECK(storage >= v.capacity() * sizeof(int));
  CHECK(storage < v.capacity() * sizeof(int) * 5 / 4 + 64);
  CHECK(arena.stats().freed > 0);
  // An old block is what the next request of its size gets.
  Vector<int> other(arena);
  other.push_back(1);
  CHECK(std::find(past.begin(), past.end(), other.data()) != past.end());
  v.Release();
  other.Release();
  CHECK(arena.stats().live() == before + blocks);
}

TEST_CASE("Vector: over-aligned elements are aligned through every growth") {
  acre::Arena arena;
  Vector<Line> v(arena);
  for (int i = 0; i < 300; ++i) {
    if (i % 7 == 0) static_cast<void>(arena.New<int>(i));
    v.push_back(Line{{i, i + 1}});
    REQUIRE(reinterpret_cast<std::uintptr_t>(v.data()) % 64 == 0);
  }
  v.erase(v.begin() + 10, v.begin() + 20);
  v.insert(v.begin() + 5, Line{{-1}});
  v.shrink_to_fit();
  REQUIRE(reinterpret_cast<std::uintptr_t>(v.data()) % 64 == 0);
  CHECK(v[5].words[0] == -1);
  CHECK(v[11].words[0] == 20);
  CHECK(v.back().words[1] == 300);
  v.Release();
  Vector<Line> again(arena, 3);
  CHECK(reinterpret_cast<std::uintptr_t>(again.data()) % 64 == 0);
}

// ------------------------------------------------------------------ modifiers

TEST_CASE("Vector: push_back and emplace_back return and hold the element") {
  acre::Arena arena;
  Vector<Point> v(arena);
  const Point p{1, 2};
  v.push_back(p);
  v.push_back({3, 4});
  Point& made = v.emplace_back(5, 6);
  CHECK(&made == &v.back());
  made.x = 50;
  Point& zero = v.emplace_back();
  CHECK(zero == Point{0, 0});
  CHECK(Contents(v) == std::vector<Point>{{1, 2}, {3, 4}, {50, 6}, {0, 0}});
}

TEST_CASE("Vector: push_back takes an element of its own, at every size") {
  acre::Arena arena;
  Vector<int> v(arena, {7});
  for (int i = 0; i < 1'000; ++i) {
    if (i % 3 == 0) static_cast<void>(arena.New<int>(i));
    v.push_back(v[0]);
    v.emplace_back(v.back());
  }
  CHECK(Contents(v) == Ints(2'001, 7));
}

TEST_CASE("Vector: insert and emplace take an element of their own") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2, 3});
  for (int i = 0; i < 200; ++i) {
    if (i % 2 == 0) static_cast<void>(arena.New<int>(i));
    const int last = v.back();
    v.insert(v.begin(), v.back());
    REQUIRE(v.front() == last);
    const int second = v[1];
    v.emplace(v.begin(), v[1]);
    REQUIRE(v.front() == second);
    const int middle = v[v.size() / 2];
    v.insert(v.begin() + 1, std::size_t{2}, v[v.size() / 2]);
    REQUIRE(v[1] == middle);
    REQUIRE(v[2] == middle);
  }
  CHECK(v.size() == 803);
}

TEST_CASE("Vector: moving an element of its own to the end keeps its text") {
  acre::Arena arena;
  Vector<String> v(arena);
  v.push_back(String(arena, kLong));
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(arena.New<int>(i));
    const std::size_t from = v.size() - 1;
    v.push_back(std::move(v[from]));
    REQUIRE(v.back() == kLong);
    REQUIRE(v[from].empty());
  }
}

TEST_CASE("Vector: emplace_back of long text works at every size") {
  acre::Arena arena;
  Vector<String> v(arena);
  for (int i = 0; i < 100; ++i) {
    v.emplace_back(std::string(kLong) + std::to_string(i));
  }
  for (std::size_t i = 0; i < 100; ++i) {
    REQUIRE(v[i] == std::string(kLong) + std::to_string(i));
    REQUIRE(v[i].arena() == &arena);
  }
}

TEST_CASE("Vector: emplace of long text works at every place") {
  acre::Arena arena;
  Vector<String> v(arena);
  for (int i = 0; i < 50; ++i) {
    v.emplace(v.begin() + i / 2, std::string(kLong) + std::to_string(i));
    REQUIRE(v[static_cast<std::size_t>(i / 2)] ==
            std::string(kLong) + std::to_string(i));
  }
  CHECK(v.size() == 50);
}

TEST_CASE("Vector: emplace_back of an aggregate with long text works") {
  acre::Arena arena;
  Vector<Item> v(arena);
  for (int i = 0; i < 20; ++i) v.emplace_back(kLong, Vector<int>(), i);
  for (const Item& item : v) REQUIRE(item.name == kLong);
}

TEST_CASE("Vector: push_back_unique of long text works") {
  acre::Arena arena;
  Vector<String> v(arena);
  CHECK(v.push_back_unique(std::string_view(kLong)));
  CHECK_FALSE(v.push_back_unique(std::string_view(kLong)));
  CHECK(v.size() == 1);
}

TEST_CASE("Vector: a range of std::string becomes Strings of the arena") {
  acre::Arena arena;
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) {
    texts.push_back(std::string(static_cast<std::size_t>(i), 'x'));
  }
  const Vector<String> v(arena, texts.begin(), texts.end());
  REQUIRE(v.size() == 40);
  for (std::size_t i = 0; i < 40; ++i) REQUIRE(v[i] == texts[i]);
}

TEST_CASE("Vector: push_back_unique adds only what is not there") {
  acre::Arena arena;
  Vector<int> v(arena);
  CHECK(v.push_back_unique(1));
  CHECK(v.push_back_unique(2));
  CHECK_FALSE(v.push_back_unique(1));
  CHECK_FALSE(v.push_back_unique(v[1]));
  CHECK(Contents(v) == Ints{1, 2});
}

TEST_CASE("Vector: insert places values and returns where") {
  acre::Arena arena;
  Vector<int> v(arena);
  auto at = v.insert(v.end(), 5);
  CHECK(at == v.begin());
  const int four = 4;
  at = v.insert(v.cbegin(), four);
  CHECK(*at == 4);
  at = v.insert(v.begin() + 1, 3, 9);
  CHECK(at == v.begin() + 1);
  CHECK(Contents(v) == Ints{4, 9, 9, 9, 5});
  at = v.insert(v.begin() + 4, {6, 7});
  CHECK(at == v.begin() + 4);
  const std::list<int> list{1, 2};
  at = v.insert(v.begin(), list.begin(), list.end());
  CHECK(at == v.begin());
  CHECK(Contents(v) == Ints{1, 2, 4, 9, 9, 9, 6, 7, 5});
  at = v.insert(v.begin() + 2, list.begin(), list.begin());
  CHECK(at == v.begin() + 2);
  at = v.insert(v.begin() + 2, 0, 1);
  CHECK(at == v.begin() + 2);
  CHECK(v.size() == 9);
  std::istringstream numbers("70 80");
  at = v.insert(v.begin() + 1, std::istream_iterator<int>(numbers),
                std::istream_iterator<int>());
  CHECK(at == v.begin() + 1);
  CHECK(Contents(v) == Ints{1, 70, 80, 2, 4, 9, 9, 9, 6, 7, 5});
  at = v.emplace(v.end(), 33);
  CHECK(*at == 33);
  CHECK(at + 1 == v.end());
}

TEST_CASE("Vector: insert and erase in the middle keep structs intact") {
  acre::Arena arena;
  Vector<Item> v(arena);
  Fill(v, 6);
  v.insert(v.begin() + 3, MakeItem(arena, 100));
  v.emplace(v.begin(), MakeItem(arena, 200));
  CHECK(Ranks(v) == Ints{200, 0, 1, 2, 100, 3, 4, 5});
  auto at = v.erase(v.begin() + 4);
  CHECK(at->rank == 3);
  at = v.erase(v.begin(), v.begin() + 2);
  CHECK(at == v.begin());
  CHECK(Ranks(v) == Ints{1, 2, 3, 4, 5});
  at = v.erase(v.end() - 1);
  CHECK(at == v.end());
}

TEST_CASE("Vector: removing gives back exactly what the removed held") {
  acre::Arena arena;
  Vector<Item> v(arena);
  v.reserve(16);
  Fill(v, 4);
  const std::size_t before = arena.stats().live();
  const auto add_four = [&] {
    for (int i = 4; i < 8; ++i) v.push_back(MakeItem(arena, i));
    REQUIRE(arena.stats().live() > before);
  };
  const auto is_added = [](const Item& item) { return item.rank >= 4; };
  add_four();

  SUBCASE("erase of one") {
    for (int i = 0; i < 4; ++i) v.erase(v.begin() + 4);
  }
  SUBCASE("erase of a range") { v.erase(v.begin() + 4, v.end()); }
  SUBCASE("pop_back") {
    for (int i = 0; i < 4; ++i) v.pop_back();
  }
  SUBCASE("resize") { v.resize(4); }
  SUBCASE("erase_if") { CHECK(v.erase_if(is_added) == 4); }
  SUBCASE("free erase_if") { CHECK(erase_if(v, is_added) == 4); }
  SUBCASE("erase in front of others") {
    std::rotate(v.begin(), v.begin() + 4, v.end());
    v.erase(v.begin(), v.begin() + 4);
  }
  SUBCASE("overwriting with moved-from values") {
    for (std::size_t i = 4; i < 8; ++i) v[i] = Item{};
    v.resize(4);
  }
  CHECK(arena.stats().live() == before);
  CHECK(Ranks(v) == Ints{0, 1, 2, 3});
  add_four();
  CHECK(Ranks(v) == Ints{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("Vector: clear, assign and Release give back everything below") {
  acre::Arena arena;
  const std::size_t nothing = arena.stats().live();
  Vector<Vector<Vector<int>>> v(arena);
  const auto fill = [&] {
    for (int i = 0; i < 5; ++i) {
      Vector<Vector<int>>& rows = v.emplace_back();
      for (int j = 0; j < 5; ++j) {
        Vector<int>& row = rows.emplace_back();
        for (int k = 0; k < 40; ++k) row.push_back(i * 100 + j * 10 + k);
      }
    }
  };
  v.reserve(5);
  const std::size_t empty = arena.stats().live();
  fill();
  REQUIRE(arena.stats().live() > empty);
  v.clear();
  CHECK(arena.stats().live() == empty);
  fill();
  Vector<Vector<Vector<int>>> moved(arena);
  moved = std::move(v);
  moved = Vector<Vector<Vector<int>>>(arena);
  CHECK(arena.stats().live() == nothing);
  fill();
  v.Release();
  CHECK(arena.stats().live() == nothing);
  CHECK(v.arena() == &arena);
  v.Release();
  fill();
  CHECK(v[4][4][39] == 479);
}

TEST_CASE("Vector: erase and clear on an empty one do nothing") {
  Vector<int> v;
  CHECK(v.erase(v.begin(), v.end()) == v.end());
  CHECK(v.erase(std::remove(v.begin(), v.end(), 1), v.end()) == v.end());
  v.clear();
  CHECK(v.erase_if([](int) { return true; }) == 0);
  CHECK(v.erase_value(3) == 0);
  v.resize(0);
  v.Release();
  CHECK(v.empty());
  const Ints none;
  CHECK(v.insert(v.begin(), none.begin(), none.end()) == v.begin());
  CHECK(v.arena() == nullptr);
}

TEST_CASE("Vector: erase_if and erase_value stop at the limit, stably") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2, 1, 3, 1, 4, 1});
  CHECK(v.erase_value(1, 2) == 2);
  CHECK(Contents(v) == Ints{2, 3, 1, 4, 1});
  CHECK(v.erase_value(1) == 2);
  CHECK(Contents(v) == Ints{2, 3, 4});
  CHECK(v.erase_value(9) == 0);
  CHECK(v.erase_if([](int i) { return i > 2; }, 1) == 1);
  CHECK(Contents(v) == Ints{2, 4});
  CHECK(v.erase_if([](int) { return true; }, 0) == 0);
  CHECK(v.size() == 2);
  Vector<String> names(arena);
  for (const char* name : {"a", "b", "a"}) names.emplace_back(name);
  CHECK(names.erase_value("a") == 2);
  CHECK(names.size() == 1);
}

TEST_CASE("Vector: erase_if asks each element once, in order") {
  acre::Arena arena;
  Vector<int> v(arena, {5, 6, 7, 8});
  Ints asked;
  v.erase_if([&](const int& i) {
    asked.push_back(i);
    return i % 2 == 0;
  });
  CHECK(asked == Ints{5, 6, 7, 8});
  CHECK(Contents(v) == Ints{5, 7});
}

TEST_CASE("Vector: erase_value takes an element of its own") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2, 1, 3, 2});
  CHECK(v.erase_value(v[0]) == 2);
  CHECK(Contents(v) == Ints{2, 3, 2});
}

TEST_CASE("Vector: resize adds zeros or copies and removes from the end") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2, 3});
  v.resize(5);
  CHECK(Contents(v) == Ints{1, 2, 3, 0, 0});
  v.resize(2);
  CHECK(Contents(v) == Ints{1, 2});
  v.resize(4);
  CHECK(Contents(v) == Ints{1, 2, 0, 0});
  v.resize(6, 9);
  CHECK(Contents(v) == Ints{1, 2, 0, 0, 9, 9});
  v.resize(1, 9);
  CHECK(Contents(v) == Ints{1});
  v.resize(200, v[0]);
  CHECK(Contents(v) == Ints(200, 1));

  Vector<Item> items(arena);
  items.resize(3);
  items[2].marks.push_back(4);
  CHECK(items[2].marks.arena() == &arena);
  CHECK(items[0].name.empty());
}

TEST_CASE("Vector: swap exchanges contents and arenas") {
  acre::Arena a;
  acre::Arena b;
  Vector<int> x(a, {1, 2});
  Vector<int> y(b, {3});
  x.swap(y);
  CHECK(Contents(x) == Ints{3});
  CHECK(x.arena() == &b);
  swap(x, y);
  CHECK(Contents(x) == Ints{1, 2});
  CHECK(x.arena() == &a);
  CHECK(Contents(y) == Ints{3});
  x.swap(x);
  CHECK(Contents(x) == Ints{1, 2});
}

TEST_CASE("Vector: self-move keeps the contents") {
  acre::Arena arena;
  Vector<int> v(arena, {1, 2});
  Vector<int>& same = v;
  v = std::move(same);
  CHECK(Contents(v) == Ints{1, 2});
}

// ----------------------------------------------------------------- comparison

TEST_CASE("Vector: compares lexicographically, nested too") {
  acre::Arena arena;
  const Vector<int> a(arena, {1, 2});
  const Vector<int> b(arena, {1, 2});
  const Vector<int> c(arena, {1, 3});
  const Vector<int> d(arena, {1});
  CHECK(a == b);
  CHECK(a != c);
  CHECK(a != d);
  CHECK(a < c);
  CHECK(d < a);
  CHECK(c > a);
  CHECK(a <= b);
  CHECK((a <=> b) == std::strong_ordering::equal);
  CHECK(Vector<int>() == Vector<int>());
  CHECK(Vector<int>() < d);
  Vector<Vector<int>> x(arena);
  Vector<Vector<int>> y(arena);
  x.emplace_back().push_back(1);
  y.emplace_back().push_back(2);
  CHECK(x < y);
  CHECK(x != y);
  y[0][0] = 1;
  CHECK(x == y);
  Vector<String> s(arena);
  Vector<String> t(arena);
  s.emplace_back("ann");
  t.emplace_back("bob");
  CHECK(s < t);
}

// -------------------------------------------------------------------- nesting

TEST_CASE("Vector: a struct may hold a Vector of itself") {
  acre::Arena arena;
  Node* root = arena.New<Node>();
  for (int i = 0; i < 10; ++i) {
    Node& kid = root->kids.emplace_back();
    kid.value = i;
    for (int j = 0; j < 10; ++j) {
      kid.kids.emplace_back().value = i * 10 + j;
    }
  }
  int sum = 0;
  for (const Node& kid : root->kids) {
    CHECK(kid.kids.arena() == &arena);
    for (const Node& leaf : kid.kids) sum += leaf.value;
  }
  CHECK(sum == 4950);
  Node adopted;
  adopted = std::move(root->kids[3]);
  root->kids.erase(root->kids.begin(), root->kids.begin() + 9);
  CHECK(root->kids.size() == 1);
  CHECK(root->kids[0].kids[9].value == 99);
  root->kids.push_back(std::move(adopted));
  CHECK(root->kids[1].kids[5].value == 35);
  arena.Free(root);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Vector: three levels grow independently") {
  acre::Arena arena;
  Vector<Vector<Vector<int>>> cube(arena);
  for (int i = 0; i < 6; ++i) {
    cube.emplace_back();
    for (std::size_t j = 0; j < cube.size(); ++j) {
      cube[j].emplace_back();
      for (auto& row : cube[j]) row.push_back(i);
    }
  }
  for (std::size_t i = 0; i < 6; ++i) {
    REQUIRE(cube[i].size() == 6 - i);
    for (std::size_t j = 0; j < cube[i].size(); ++j) {
      REQUIRE(cube[i][j].size() == 6 - i - j);
      REQUIRE(cube[i][j].back() == 5);
      REQUIRE(cube[i][j].front() == static_cast<int>(i + j));
    }
  }
}

// ----------------------------------------------------------------- exceptions

namespace {

// Throws in the construction with that number, counted from 1; 0: never.
int g_throw_at = 0;
int g_constructed = 0;

void CountConstruction() {
  if (++g_constructed == g_throw_at) throw std::runtime_error("construction");
}

// An element whose constructors may throw and which holds storage.
struct Touchy {
  Touchy() { CountConstruction(); }
  Touchy(acre::Arena& arena, int number) {
    CountConstruction();
    text = String(arena, kLong);
    value = number;
  }
  Touchy(const Touchy& other) {
    CountConstruction();
    if (other.text.arena() != nullptr) {
      text = String(*other.text.arena(), other.text.view());
    }
    value = other.value;
  }
  Touchy& operator=(Touchy&& other) noexcept = default;

  String text;
  int value = -1;
};
ACRE_LAYOUT(Touchy, text, value)

Ints Values(const Vector<Touchy>& v) {
  Ints values;
  for (const Touchy& t : v) values.push_back(t.value);
  return values;
}

// No storage has two owners, nothing is torn.
void CheckSound(const Vector<Touchy>& v) {
  REQUIRE(v.size() <= v.capacity());
  std::vector<const char*> owners;
  for (const Touchy& t : v) {
    REQUIRE((t.value == -1 ? t.text.empty() : t.text == kLong));
    if (!t.text.empty()) owners.push_back(t.text.data());
  }
  std::sort(owners.begin(), owners.end());
  CHECK(std::adjacent_find(owners.begin(), owners.end()) == owners.end());
}

// Runs `change` on {0 .. count-1}, failing each construction in turn, and
// `after` on what a failure leaves, until it succeeds.
template <class Change, class After>
void FailEach(int count, bool has_room, Change change, After after) {
  int failures = 0;
  bool completed = false;
  for (int n = 1; !completed; ++n) {
    acre::Arena arena;
    Vector<Touchy> v(arena);
    g_throw_at = 0;
    if (has_room) v.reserve(64);
    for (int i = 0; i < count; ++i) v.emplace_back(arena, i);
    if (!has_room) v.shrink_to_fit();
    const Touchy extra(arena, 77);
    g_constructed = 0;
    g_throw_at = n;
    try {
      change(v, extra);
      completed = true;
    } catch (const std::runtime_error&) {
      ++failures;
      CheckSound(v);
      after(v);
    }
    g_throw_at = 0;
    v.emplace_back(arena, 5);
    CheckSound(v);
    v.Release();
    CHECK(v.empty());
  }
  CHECK(failures > 0);
}

}  // namespace

TEST_CASE("Vector: a throwing constructor leaves appending without effect") {
  for (const bool has_room : {true, false}) {
    CAPTURE(has_room);
    const auto unchanged = [](const Vector<Touchy>& v) {
      CHECK(Values(v) == Ints{0, 1, 2, 3});
    };
    FailEach(
        4, has_room, [](auto& v, const Touchy& extra) { v.push_back(extra); },
        unchanged);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy&) { v.emplace_back(*v.arena(), 9); },
        unchanged);
    FailEach(
        4, has_room, [](auto& v, const Touchy&) { v.emplace_back(); },
        unchanged);
  }
}

TEST_CASE("Vector: a throwing constructor leaves insertion sound") {
  for (const bool has_room : {true, false}) {
    CAPTURE(has_room);
    const auto keeps_old = [](const Vector<Touchy>& v) {
      const Ints values = Values(v);
      CHECK(std::count(values.begin(), values.end(), -1) == 0);
      for (int i = 0; i < 4; ++i) {
        CHECK(std::count(values.begin(), values.end(), i) == 1);
      }
    };
    FailEach(
        4, has_room,
        [](auto& v, const Touchy& extra) { v.insert(v.begin() + 1, extra); },
        keeps_old);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy&) { v.emplace(v.begin(), *v.arena(), 9); },
        keeps_old);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy& extra) {
          v.insert(v.begin() + 2, std::size_t{3}, extra);
        },
        keeps_old);
  }
}

TEST_CASE("Vector: a range whose copying throws leaves a prefix at the end") {
  FailEach(
      3, true,
      [](auto& v, const Touchy& extra) {
        const int n = std::exchange(g_throw_at, 0);
        Vector<Touchy> source(*v.arena());
        for (int i = 0; i < 4; ++i) source.push_back(extra);
        g_constructed = 0;
        g_throw_at = n;
        const Touchy* first = source.data();
        v.insert(v.begin() + 1, first, first + 4);
      },
      [](const Vector<Touchy>& v) {
        Ints values = Values(v);
        Ints expected{0, 1, 2};
        expected.resize(v.size(), 77);
        // Once all are copied, moving them to their place may throw as well.
        if (v.size() == 7) std::sort(values.begin(), values.end());
        CHECK(values == expected);
      });
}

TEST_CASE("Vector: a throwing constructor leaves resize and assign sound") {
  const auto starts_with_old = [](const Vector<Touchy>& v) {
    REQUIRE(v.size() >= 2);
    CHECK(v[0].value == 0);
    CHECK(v[1].value == 1);
  };
  FailEach(
      2, false, [](auto& v, const Touchy&) { v.resize(9); }, starts_with_old);
  FailEach(
      2, false, [](auto& v, const Touchy& extra) { v.resize(9, extra); },
      starts_with_old);
  FailEach(
      2, true,
      [](auto& v, const Touchy& extra) { v.assign(std::size_t{5}, extra); },
      [](const Vector<Touchy>&) {});
}

TEST_CASE("Vector: a predicate that throws leaves no storage with two owners") {
  for (int at = 0; at < 6; ++at) {
    CAPTURE(at);
    acre::Arena arena;
    Vector<Touchy> v(arena);
    for (int i = 0; i < 6; ++i) v.emplace_back(arena, i);
    int calls = 0;
    CHECK_THROWS_AS(v.erase_if([&](const Touchy& t) {
      if (calls++ == at) throw std::runtime_error("predicate");
      return t.value % 2 == 0;
    }),
                    std::runtime_error);
    CheckSound(v);
    v.Release();
    CHECK(arena.stats().live() == 0);
  }
}
