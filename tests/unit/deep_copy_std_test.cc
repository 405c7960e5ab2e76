// SPDX-License-Identifier: MIT
//
// Guards deep copy of std sources: each becomes acre's counterpart, with its
// contents, and what its elements point to comes along, shared as before.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <deque>
#include <forward_list>
#include <list>
#include <map>
#include <memory>
#include <memory_resource>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/failure.h"
#include "acre/hash.h"
#include "acre/layout.h"

namespace deep_copy_std_test {

using acre::Arena;
using acre::DeepCopy;
using acre::Map;
using acre::NativeOf;
using acre::Set;
using acre::String;
using acre::Vector;

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Node {
  Node* next = nullptr;
  int value = 0;
};
ACRE_LAYOUT(Node, owned(next), value)

struct Unit {
  Vector<int> orders;
  Node* target = nullptr;
};
ACRE_LAYOUT(Unit, orders, target)

/// Equal by == where `id` is; std's containers here compare both.
struct Versioned {
  int id = 0;
  int version = 0;
  bool operator==(const Versioned& other) const { return id == other.id; }
};
ACRE_LAYOUT(Versioned, id, version)

struct ByBoth {
  bool operator()(const Versioned& a, const Versioned& b) const {
    return std::pair(a.id, a.version) < std::pair(b.id, b.version);
  }
};

template <class From, class To>
constexpr bool kBecomes = std::is_same_v<NativeOf<From>, To>;

static_assert(kBecomes<int, int>);
static_assert(kBecomes<Node, Node>);
static_assert(kBecomes<std::string, String>);
static_assert(kBecomes<const std::string, String>);
static_assert(kBecomes<std::vector<std::string>, Vector<String>>);
static_assert(kBecomes<std::deque<int>, Vector<int>>);
static_assert(kBecomes<std::list<int>, Vector<int>>);
static_assert(kBecomes<std::forward_list<int>, Vector<int>>);
static_assert(kBecomes<std::map<std::string, std::vector<std::string>>,
                       Map<String, Vector<String>>>);
static_assert(kBecomes<std::unordered_map<int, std::string>, Map<int, String>>);
static_assert(kBecomes<std::set<std::string>, Set<String>>);
static_assert(kBecomes<std::unordered_set<int>, Set<int>>);
static_assert(kBecomes<std::optional<std::string>, std::optional<String>>);
static_assert(kBecomes<std::optional<int>, std::optional<int>>);
static_assert(kBecomes<std::pair<std::string, int>, std::pair<String, int>>);
static_assert(kBecomes<std::array<std::string, 2>, std::array<String, 2>>);

/// Thrown by the misuse handler, with what it was told.
struct Refused {
  std::string message;
};

/// What DeepCopy says where it refuses `source`; nothing of it may remain.
template <class T>
std::string Refusal(const T& source) {
  Arena arena;
  const auto previous = acre::SetMisuseHandler(
      [](const char* message) { throw Refused{message}; });
  std::string text;
  try {
    DeepCopy(arena, source);
  } catch (const Refused& refused) {
    text = refused.message;
  }
  acre::SetMisuseHandler(previous);
  CHECK(arena.stats().live() == 0);
  return text;
}

/// Everything in the copy is clean, and goes with it.
template <class T>
void CheckFreed(Arena& arena, T* copy) {
  CHECK(acre::Audit(arena, *copy).clean());
  arena.Free(copy);
  CHECK(arena.stats().live() == 0);
}

}  // namespace deep_copy_std_test

template <>
struct acre::Hash<deep_copy_std_test::Versioned> {
  std::size_t operator()(const deep_copy_std_test::Versioned& key) const {
    return static_cast<std::size_t>(key.id);
  }
};

namespace deep_copy_std_test {

TEST_CASE("DeepCopy of std: strings, short and long") {
  Arena arena;
  for (const std::string& text :
       {std::string(), std::string("x"), std::string(kLong)}) {
    String* copy = DeepCopy(arena, text);
    CHECK(*copy == text);
    CHECK(copy->arena() == &arena);
    CheckFreed(arena, copy);
  }
}

TEST_CASE("DeepCopy of std: a vector of strings") {
  Arena arena;
  std::vector<std::string> source{"a", kLong, ""};
  Vector<String>* copy = DeepCopy(arena, source);
  source.clear();
  REQUIRE(copy->size() == 3);
  CHECK((*copy)[0] == "a");
  CHECK((*copy)[1] == kLong);
  CHECK((*copy)[2].empty());
  copy->emplace_back().assign(kLong);
  CHECK(copy->back() == kLong);
  CheckFreed(arena, copy);
}

TEST_CASE("DeepCopy of std: texts and containers of another allocator") {
  Arena arena;
  std::pmr::map<int, std::pmr::vector<std::pmr::string>> source;
  source[1].emplace_back(kLong);
  source[1].emplace_back("b");
  auto* copy = DeepCopy(arena, source);
  static_assert(
      std::is_same_v<decltype(copy), acre::Map<int, Vector<String>>*>);
  REQUIRE(copy->at(1).size() == 2);
  CHECK(copy->at(1)[0] == kLong);
  CHECK(copy->at(1)[1] == "b");
  CheckFreed(arena, copy);
}

TEST_CASE("DeepCopy of std: a map of strings to vectors of strings") {
  Arena arena;
  std::map<std::string, std::vector<std::string>> source;
  for (int i = 0; i < 100; ++i) {
    source[std::to_string(i)].assign(static_cast<std::size_t>(i % 4), kLong);
  }
  source[kLong] = {"end"};
  Map<String, Vector<String>>* copy = DeepCopy(arena, source);
  REQUIRE(copy->size() == source.size());
  for (const auto& [key, values] : source) {
    const Vector<String>* twin = copy->get(key);
    REQUIRE(twin != nullptr);
    REQUIRE(twin->size() == values.size());
    for (const String& value : *twin) CHECK(value == values.front());
  }
  (*copy)["new"].emplace_back().assign(kLong);
  CHECK(copy->size() == 102);
  CheckFreed(arena, copy);
}

TEST_CASE("DeepCopy of std: hash maps, sets, deques and lists") {
  Arena arena;
  const std::unordered_map<int, std::string> hashed{{1, "one"}, {2, kLong}};
  Map<int, String>* map = DeepCopy(arena, hashed);
  REQUIRE(map->size() == 2);
  CHECK(map->at(1) == "one");
  CHECK(map->at(2) == kLong);
  CheckFreed(arena, map);

  const std::set<std::string> ordered{"a", kLong};
  Set<String>* set = DeepCopy(arena, ordered);
  CHECK(set->size() == 2);
  CHECK(set->contains("a"));
  CHECK(set->contains(kLong));
  CheckFreed(arena, set);

  Set<int>* numbers = DeepCopy(arena, std::unordered_set<int>{3, 4});
  CHECK(numbers->size() == 2);
  CHECK(numbers->contains(4));
  CheckFreed(arena, numbers);

  Vector<int>* deque = DeepCopy(arena, std::deque<int>{1, 2, 3});
  CHECK(*deque == Vector<int>(arena, {1, 2, 3}));
  Vector<String>* list = DeepCopy(arena, std::list<std::string>{"x", kLong});
  REQUIRE(list->size() == 2);
  CHECK(list->back() == kLong);
  Vector<int>* forward = DeepCopy(arena, std::forward_list<int>{5, 6});
  REQUIRE(forward->size() == 2);
  CHECK(forward->back() == 6);
}

TEST_CASE("DeepCopy of std: empty containers") {
  Arena arena;
  Vector<int>* vector = DeepCopy(arena, std::vector<int>());
  CHECK(vector->empty());
  vector->push_back(1);
  CheckFreed(arena, vector);
  Map<String, int>* map = DeepCopy(arena, std::map<std::string, int>());
  CHECK(map->empty());
  (*map)["a"] = 1;
  CheckFreed(arena, map);
  Set<int>* set = DeepCopy(arena, std::set<int>());
  CHECK(set->empty());
  CheckFreed(arena, set);
}

TEST_CASE("DeepCopy of std: optionals, pairs and arrays") {
  Arena arena;
  using Texts = std::vector<std::string>;
  std::optional<String>* none = DeepCopy(arena, std::optional<std::string>());
  CHECK_FALSE(none->has_value());
  CheckFreed(arena, none);

  auto* some = DeepCopy(arena, std::optional<Texts>(Texts{"a", kLong}));
  REQUIRE(some->has_value());
  CHECK((*some)->back() == kLong);
  (*some)->emplace_back();  // bound
  CHECK((*some)->size() == 3);
  (*some)->Release();
  CheckFreed(arena, some);

  auto* pair = DeepCopy(arena, std::pair<std::string, Texts>(kLong, {"b"}));
  CHECK(pair->first == kLong);
  CHECK(pair->second.front() == "b");
  CheckFreed(arena, pair);

  auto* array = DeepCopy(arena, std::array<std::string, 2>{"c", kLong});
  CHECK((*array)[0] == "c");
  CHECK((*array)[1] == kLong);
  CheckFreed(arena, array);
}

TEST_CASE("DeepCopy of std: pointers in a vector stay shared") {
  const auto shared = std::make_unique<Node>();
  const auto head = std::make_unique<Node>(Node{shared.get(), 1});
  shared->value = 2;
  shared->next = head.get();
  const std::vector<Node*> source{head.get(), shared.get(), nullptr,
                                  head.get()};
  Arena arena;
  const Vector<Node*>& copy = *DeepCopy(arena, source);
  REQUIRE(copy.size() == 4);
  REQUIRE(copy[0] != head.get());
  REQUIRE(arena.Owns(copy[0]));
  REQUIRE(arena.Owns(copy[1]));
  CHECK(copy[0] == copy[3]);
  CHECK(copy[0]->next == copy[1]);
  CHECK(copy[1]->next == copy[0]);
  CHECK(copy[2] == nullptr);
  CHECK(copy[1]->value == 2);
  CHECK(shared->next == head.get());
  CHECK(acre::Audit(arena, copy).clean());
}

TEST_CASE("DeepCopy of std: pointers between the elements of a vector") {
  std::vector<Node> source(10);
  for (std::size_t i = 0; i < 10; ++i) {
    source[i] = {&source[(i + 1) % 10], static_cast<int>(i)};
  }
  Arena arena;
  Vector<Node>* copy = DeepCopy(arena, source);
  REQUIRE(copy->size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK((*copy)[i].next == &(*copy)[(i + 1) % 10]);
    CHECK((*copy)[i].value == static_cast<int>(i));
  }
  CheckFreed(arena, copy);
}

TEST_CASE("DeepCopy of std: pointers to the elements of lists and maps") {
  std::pair<std::list<Node>, std::vector<Node*>> list;
  for (int i = 0; i < 5; ++i) {
    list.second.push_back(&list.first.emplace_back(Node{nullptr, i}));
  }
  list.first.front().next = &list.first.back();
  Arena arena;
  auto& copy = *DeepCopy(arena, list);
  REQUIRE(copy.first.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) CHECK(copy.second[i] == &copy.first[i]);
  CHECK(copy.first[0].next == &copy.first[4]);

  std::map<std::string, Node> map;
  map["a"] = {&map["b"], 1};
  map["b"] = {&map["a"], 2};
  auto& twin = *DeepCopy(arena, map);
  CHECK(twin.at("a").next == &twin.at("b"));
  CHECK(twin.at("b").next == &twin.at("a"));
  CHECK(twin.at("b").value == 2);
}

TEST_CASE("DeepCopy of std: maps and sets keyed by pointers") {
  std::vector<Node> nodes(50);
  std::pair<std::map<Node*, int>, std::unordered_set<Node*>> source;
  for (int i = 0; i < 50; ++i) {
    nodes[static_cast<std::size_t>(i)].value = i;
    source.first[&nodes[static_cast<std::size_t>(i)]] = i;
    source.second.insert(&nodes[static_cast<std::size_t>(i)]);
  }
  Arena arena;
  auto& copy = *DeepCopy(arena, source);
  REQUIRE(copy.first.size() == 50);
  REQUIRE(copy.second.size() == 50);
  for (const auto& [node, value] : copy.first) {
    REQUIRE(arena.Owns(node));
    CHECK(node->value == value);
    CHECK(copy.first.at(node) == value);
    CHECK(copy.second.contains(node));
  }
  CHECK_FALSE(copy.first.contains(&nodes[0]));
}

TEST_CASE("DeepCopy of std: elements with containers of another arena") {
  Arena from;
  Node node{nullptr, 6};
  std::vector<Unit> source(3);
  for (Unit& unit : source) {
    unit.orders = Vector<int>(from, {1, 2, 3});
    unit.target = &node;
  }
  Arena to;
  Vector<Unit>& copy = *DeepCopy(to, source);
  for (const Unit& unit : copy) {
    CHECK(unit.orders == Vector<int>(from, {1, 2, 3}));
    CHECK(unit.orders.arena() == &to);
    CHECK(unit.target == copy[0].target);
    CHECK(unit.target->value == 6);
  }
  CHECK(copy[0].orders.data() != copy[1].orders.data());
  CHECK(acre::Audit(to, copy).clean());
  source[0].orders.push_back(4);
  copy[0].orders.push_back(5);
  CHECK(source[0].orders.back() == 4);
}

TEST_CASE("DeepCopy of std: where memory runs out nothing remains") {
  std::map<std::string, std::vector<std::string>> source;
  for (int i = 0; i < 20; ++i) source[kLong + std::to_string(i)] = {kLong, "b"};
  int failures = 0;
  for (std::size_t limit = 128;; limit += 128) {
    REQUIRE(limit < (std::size_t{1} << 20));
    Arena to({.source = &acre::MallocSource::Instance(),
              .first_chunk = 128,
              .byte_limit = limit});
    try {
      const auto& copy = *DeepCopy(to, source);
      CHECK(copy.size() == 20);
      break;
    } catch (const std::bad_alloc&) {
      ++failures;
      REQUIRE(to.stats().live() == 0);
    }
  }
  CHECK(failures > 5);
}

TEST_CASE("DeepCopy of std: a failure leaves the source's containers alone") {
  Arena from;
  Node node;
  std::vector<Unit> source(3);
  for (Unit& unit : source) {
    unit.orders = Vector<int>(from, {1, 2, 3});
    unit.target = &node;
  }
  const std::size_t live = from.stats().live();
  int failures = 0;
  for (std::size_t limit = 64;; limit += 32) {
    REQUIRE(limit < 8192);
    Arena to({.source = &acre::MallocSource::Instance(),
              .first_chunk = 64,
              .byte_limit = limit});
    try {
      DeepCopy(to, source);
      break;
    } catch (const std::bad_alloc&) {
      ++failures;
      REQUIRE(to.stats().live() == 0);
      REQUIRE(from.stats().live() == live);
    }
  }
  CHECK(failures > 2);
  CHECK(from.stats().live() == live);
}

TEST_CASE("DeepCopy of std: maps and sets of arena strings give all back") {
  Arena from;
  std::map<acre::String, int> map;
  map.emplace(acre::String(from, "a key that does not fit into its handle"), 1);
  map.emplace(acre::String(from, "another that does not fit into its handle"),
              2);
  std::set<acre::String> set;
  set.emplace(from, "a key that does not fit into its handle");
  Arena to;
  auto* map_copy = acre::DeepCopy(to, map);
  auto* set_copy = acre::DeepCopy(to, set);
  CHECK(map_copy->at("another that does not fit into its handle") == 2);
  CHECK(set_copy->contains("a key that does not fit into its handle"));
  to.Free(map_copy);
  to.Free(set_copy);
  CHECK(to.stats().live() == 0);
}

TEST_CASE("DeepCopy of std: keys equal by == are refused, not merged") {
  using Texts = std::vector<std::string>;
  std::map<Versioned, Texts, ByBoth> map{{{1, 1}, {kLong, "b"}}};
  std::set<Versioned, ByBoth> set{{1, 1}, {2, 1}};
  Arena arena;
  CHECK(DeepCopy(arena, map)->at({1, 0}).size() == 2);
  CHECK(DeepCopy(arena, set)->size() == 2);

  map[{1, 2}] = {kLong};
  set.insert({2, 2});
  const std::string of_map = Refusal(map);
  CHECK(of_map.find("two keys of the source are equal by ==") < of_map.size());
  CHECK(of_map.find("Map<deep_copy_std_test::Versioned") < of_map.size());
  const std::string of_set = Refusal(set);
  CHECK(of_set.find("Set<deep_copy_std_test::Versioned") < of_set.size());
  CHECK_FALSE(Refusal(std::pair(Texts{kLong}, map)).empty());
}

}  // namespace deep_copy_std_test
