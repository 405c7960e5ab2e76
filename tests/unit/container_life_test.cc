// SPDX-License-Identifier: MIT
//
// Guards containers at the edges of their life: assigned from inside
// themselves, assigned or used after a Reset, made of texts that need storage,
// recursive by value.

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <unordered_set>
#include <utility>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace container_life_test {

struct Node {
  int id = 0;
  acre::Vector<Node> kids = {};
};
ACRE_LAYOUT(Node, id, kids)

struct Tree {
  acre::Map<int, Tree> kids;
  int id = 0;
};
ACRE_LAYOUT(Tree, kids, id)

struct Named {
  acre::String name;
  int count = 0;
};
ACRE_LAYOUT(Named, name, count)

const std::string kLong = "a text of more than twenty-three characters";

TEST_CASE("Vector: takes the place of the element that holds its source") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  Node* node = arena.New<Node>(1);
  node->kids.emplace_back(2);
  node->kids[0].kids.emplace_back(3);
  node->kids[0].kids.emplace_back(4);
  node->kids = std::move(node->kids[0].kids);
  REQUIRE(node->kids.size() == 2);
  CHECK(node->kids[0].id == 3);
  CHECK(node->kids[1].id == 4);
  arena.Free(node);
  CHECK(arena.stats().live() == before);
}

TEST_CASE("Map: takes the place of the element that holds its source") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  Tree* tree = arena.New<Tree>();
  tree->kids[1].kids[2].id = 5;
  tree->kids = std::move(tree->kids[1].kids);
  REQUIRE(tree->kids.size() == 1);
  CHECK(tree->kids.at(2).id == 5);
  arena.Free(tree);
  CHECK(arena.stats().live() == before);
}

TEST_CASE("assignment after Reset leaves what came after it alone") {
  acre::Arena arena;
  acre::Vector<int> numbers(arena);
  numbers = {1, 2, 3};
  acre::String text(arena, kLong);
  acre::Map<int, int> map(arena);
  map[1] = 1;
  arena.Reset();
  const auto others = arena.NewArray<int>(400);
  numbers = {9, 9, 9};
  text = kLong;
  map.clear();
  map[2] = 2;
  for (const int other : others) CHECK(other == 0);
  CHECK(numbers == acre::Vector<int>(arena, {9, 9, 9}));
  CHECK(text == kLong);
  CHECK(map.size() == 1);
  text.clear();
  arena.Reset();
  numbers.clear();
  text.clear();
  CHECK(numbers.empty());
  CHECK(text.empty());
}

TEST_CASE("checked: containers used after Reset are found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  acre::Vector<int> numbers(arena, {1, 2, 3});
  acre::String text(arena, kLong);
  acre::Map<int, int> map(arena, {{1, 1}});
  acre::Set<int> set(arena, {1});
  arena.Reset();
  const char* message = "given up by a Reset";
  CHECK_DIES(numbers[0] = 3, message);
  CHECK_DIES(numbers.push_back(3), message);
  CHECK_DIES(static_cast<void>(numbers.begin()), message);
  CHECK_DIES(text[0] = 'x', message);
  CHECK_DIES(static_cast<void>(text.view()), message);
  CHECK_DIES(map[5] = 7, message);
  CHECK_DIES(static_cast<void>(map.find(1)), message);
  CHECK_DIES(static_cast<void>(map.begin()), message);
  CHECK_DIES(map.erase(1), message);
  CHECK_DIES(set.insert(2), message);
}

TEST_CASE("String: from whatever converts to a string_view, in place") {
  acre::Arena arena;
  acre::Vector<acre::String> texts(arena);
  texts.push_back(kLong);
  texts.insert(texts.begin(), kLong);
  texts.insert(texts.begin(), kLong.c_str());
  texts.emplace_back(kLong);
  REQUIRE(texts.size() == 4);
  for (const acre::String& text : texts) CHECK(text == kLong);
  CHECK(arena.New<Named>(kLong, 3)->name == kLong);
  acre::Vector<Named> named(arena);
  CHECK(named.emplace_back(kLong, 3).name == kLong);
}

TEST_CASE("lists of texts: the elements are made in the arena") {
  acre::Arena arena;
  const char* text = kLong.c_str();
  acre::Set<acre::String> set(arena, {text, "short"});
  CHECK(set.contains(kLong));
  set.insert({"one", text, "two"});
  CHECK(set.size() == 4);
  acre::Vector<acre::String> texts(arena, {text, "b"});
  CHECK(texts[0] == kLong);
  texts = {"c", text, "e"};
  CHECK(texts.size() == 3);
  CHECK(texts[1] == kLong);
}

TEST_CASE("std's interfaces: lists, ranges, counts") {
  acre::Arena arena;
  acre::Vector<int> sevens(arena, 5, 7);
  CHECK(sevens == acre::Vector<int>(arena, {7, 7, 7, 7, 7}));
  CHECK(erase(sevens, 7) == 5);
  acre::Vector<int> some(arena, {1, 2, 3});
  CHECK(*some.crbegin() == 3);
  acre::Map<int, int> map(arena, {{1, 2}, {3, 4}});
  map.insert({{5, 6}, {7, 8}});
  CHECK(map.size() == 4);
  map.erase(map.begin(), map.end());
  CHECK(map.empty());
  acre::Set<int> set(arena, {1, 2});
  set.insert({3, 4});
  CHECK(set.size() == 4);
  set.erase(set.begin(), set.end());
  CHECK(set.empty());
}

TEST_CASE("String: streams, hash, references, ends") {
  acre::Arena arena;
  acre::String text(arena, "abc");
  std::ostringstream out;
  out << text;
  CHECK(out.str() == "abc");
  text.front() = 'x';
  text.back() = 'z';
  text.at(1) = 'y';
  CHECK(text == "xyz");
  CHECK(*text.rbegin() == 'z');
  CHECK(text.starts_with("xy"));
  CHECK(text.ends_with("yz"));
  CHECK(text == std::string("xyz"));
  CHECK(std::string("xyy") < text);
  CHECK(std::hash<acre::String>()(text) ==
        std::hash<std::string_view>()("xyz"));
}

}  // namespace container_life_test
