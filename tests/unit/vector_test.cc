// SPDX-License-Identifier: MIT
//
// Guards Vector's promise: std::vector's construction, access and capacity,
// over storage that grows in place and goes back for reuse.

#include "acre/vector.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
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

namespace vector_test {

using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

// A struct that holds handles, as users write them.
struct Item {
  String name;
  Vector<int> marks;
  int rank = 0;
};
ACRE_LAYOUT(Item, name, marks, rank)

struct alignas(64) Line {
  std::int64_t words[8];
};
ACRE_LAYOUT(Line, words)

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
  const Vector<double> nan(arena,
                           {1, std::numeric_limits<double>::quiet_NaN()});
  CHECK(nan != nan);
  CHECK((nan <=> nan) == std::partial_ordering::unordered);
  CHECK(nan < Vector<double>(arena, {2}));
}

struct OnlyLess {
  int value;
  friend bool operator<(const OnlyLess& a, const OnlyLess& b) {
    return a.value < b.value;
  }
};
ACRE_LAYOUT(OnlyLess, value)

TEST_CASE("Vector: elements that have < alone compare weakly") {
  acre::Arena arena;
  const Vector<OnlyLess> a(arena, {OnlyLess{1}, OnlyLess{2}});
  const Vector<OnlyLess> b(arena, {OnlyLess{1}, OnlyLess{3}});
  static_assert(std::is_same_v<decltype(a <=> b), std::weak_ordering>);
  CHECK(a < b);
  CHECK((a <=> a) == std::weak_ordering::equivalent);
  CHECK(Vector<OnlyLess>(arena, {OnlyLess{1}}) < a);
}

}  // namespace vector_test
