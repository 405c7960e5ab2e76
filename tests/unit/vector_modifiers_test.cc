// SPDX-License-Identifier: MIT
//
// Guards Vector's modifiers: std::vector's results, arguments that are
// elements, and the storage of every removed element back in the arena.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <list>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace vector_modifiers_test {

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

struct Node {
  Vector<Node> kids;
  int value = 0;
};
ACRE_LAYOUT(Node, kids, value)

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

// Short parts are kept aside while others move past them, long ones swapped:
// every pair of lengths around the limit, which is 256 bytes.
TEST_CASE("Vector: a range inserted anywhere is where std puts it") {
  using Odd = std::array<int, 3>;  // the limit is no multiple of its size
  acre::Arena arena;
  for (const int before : {0, 1, 20, 21, 22, 43, 64, 300}) {
    for (const int more : {0, 1, 21, 22, 42, 63, 64, 65, 300, 1001}) {
      for (const int at : {0, before / 3, before}) {
        Vector<Odd> ours(arena);
        std::vector<Odd> theirs;
        for (int i = 0; i < before; ++i) {
          ours.push_back({i, -i, 0});
          theirs.push_back({i, -i, 0});
        }
        std::vector<Odd> range;
        for (int i = 0; i < more; ++i) range.push_back({i, i, 1});
        const auto mine =
            ours.insert(ours.begin() + at, range.begin(), range.end());
        theirs.insert(theirs.begin() + at, range.begin(), range.end());
        CHECK(mine == ours.begin() + at);
        CHECK(
            std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end()));
        ours.Release();
      }
    }
  }
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

TEST_CASE("Vector: lists of texts, wherever a list of elements goes") {
  acre::Arena arena;
  acre::Arena other;
  Vector<String> texts(arena);
  texts.assign({"a", kLong});
  CHECK(texts == Vector<String>(other, {"a", kLong}));
  auto at = texts.insert(texts.begin() + 1, {kLong, "b"});
  CHECK(at == texts.begin() + 1);
  CHECK(texts == Vector<String>(other, {"a", kLong, "b", kLong}));
  at = texts.insert(texts.end(), {std::string(kLong), std::string("c")});
  CHECK(*at == kLong);
  CHECK(texts.back() == "c");
  texts.insert(texts.begin(), {"one"});
  CHECK(texts.size() == 7);
  for (const String& text : texts) CHECK(text.arena() == &arena);
  texts.assign({std::string_view("only")});
  CHECK(texts == Vector<String>(other, {"only"}));
  texts.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Vector: a number of equal texts") {
  acre::Arena arena;
  Vector<String> texts(arena, 2, kLong);
  CHECK(texts == Vector<String>(arena, {kLong, kLong}));
  texts.assign(3, "x");
  CHECK(texts == Vector<String>(arena, {"x", "x", "x"}));
  texts.resize(4, std::string(kLong));
  CHECK(texts.back() == kLong);
  texts.resize(1, kLong);
  CHECK(texts == Vector<String>(arena, {"x"}));
}

TEST_CASE("Vector: a braced struct is one element, not a list") {
  acre::Arena arena;
  Vector<Point> points(arena);
  points.insert(points.end(), {1, 2});
  REQUIRE(points.size() == 1);
  CHECK(points[0] == Point{1, 2});
  points.insert(points.begin(), {{3, 4}, {5, 6}});
  CHECK(points == Vector<Point>(arena, {{3, 4}, {5, 6}, {1, 2}}));
  points.assign(2, {7, 8});
  CHECK(points == Vector<Point>(arena, {{7, 8}, {7, 8}}));
  Vector<double> numbers(arena, 2, 1);
  numbers.insert(numbers.end(), {2, 3});
  numbers.assign(2, 4);
  CHECK(numbers == Vector<double>(arena, {4, 4}));
}

}  // namespace vector_modifiers_test
