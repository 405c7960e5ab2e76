// SPDX-License-Identifier: MIT
//
// Guards that a container reached by value inside an arena belongs to that
// arena, however it got there, and that one without an arena says so.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace binding_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Bag {
  String label;
  Vector<int> items;
  Map<int, int> counts;
  Set<int> seen;
};
ACRE_LAYOUT(Bag, label, items, counts, seen)

// Every way of holding by value at once.
struct Deep {
  std::pair<int, std::optional<std::array<Bag, 2>>> nested;
  std::tuple<char, Bag> tuple;
  std::variant<int, Bag> variant;
  Bag array[3];
  Bag* other = nullptr;
};
ACRE_LAYOUT(Deep, nested, tuple, variant, array, other)

void CheckUnbound(const Bag& bag) {
  CHECK(bag.label.arena() == nullptr);
  CHECK(bag.items.arena() == nullptr);
  CHECK(bag.counts.arena() == nullptr);
  CHECK(bag.seen.arena() == nullptr);
}

void CheckBound(const Bag& bag, const Arena& arena) {
  CHECK(bag.label.arena() == &arena);
  CHECK(bag.items.arena() == &arena);
  CHECK(bag.counts.arena() == &arena);
  CHECK(bag.seen.arena() == &arena);
}

/// Each grows, and its storage is the arena's.
void CheckGrows(Bag& bag, const Arena& arena) {
  bag.label = kLong;
  bag.items.push_back(1);
  bag.counts[2] = 3;
  bag.seen.insert(4);
  CheckBound(bag, arena);
  CHECK(arena.Owns(bag.label.data()));
  CHECK(arena.Owns(bag.items.data()));
  CHECK(arena.Owns(&*bag.counts.begin()));
  CHECK(arena.Owns(&*bag.seen.begin()));
}

}  // namespace

TEST_CASE("Binding: a default-made container has no arena, a given one has") {
  Arena arena;
  CheckUnbound(Bag());
  CHECK(Vector<int>(arena).arena() == &arena);
  CHECK(Map<int, int>(arena).arena() == &arena);
  CHECK(Set<int>(arena).arena() == &arena);
  CHECK(String(arena).arena() == &arena);
}

TEST_CASE("Binding: New binds what the struct holds by value") {
  Arena arena;
  Bag* made = arena.New<Bag>();
  CheckBound(*made, arena);
  CheckGrows(*made, arena);
  Bag* filled = arena.New<Bag>("label", Vector<int>(arena, {1, 2}));
  CheckBound(*filled, arena);
  CHECK(filled->items.size() == 2);
  Bag* tried = arena.TryNew<Bag>();
  CheckBound(*tried, arena);
  auto* alone = arena.New<Vector<int>>();
  CHECK(alone->arena() == &arena);
  alone->push_back(1);
}

TEST_CASE("Binding: NewArray binds every element") {
  Arena arena;
  for (Bag& bag : arena.NewArray<Bag>(5)) {
    CheckBound(bag, arena);
    CheckGrows(bag, arena);
  }
  for (Bag& bag : arena.TryNewArray<Bag>(2)) CheckBound(bag, arena);
}

TEST_CASE("Binding: reaches through pairs, optionals, arrays and variants") {
  Arena arena;
  Bag elsewhere;
  auto* deep = arena.New<Deep>();
  CHECK_FALSE(deep->nested.second.has_value());
  CheckBound(std::get<1>(deep->tuple), arena);
  for (Bag& bag : deep->array) CheckGrows(bag, arena);
  CheckGrows(std::get<1>(deep->tuple), arena);

  Deep filled;
  filled.nested.second.emplace();
  filled.variant.emplace<1>();
  filled.other = &elsewhere;
  auto* second = arena.New<Deep>(std::move(filled));
  for (Bag& bag : *second->nested.second) {
    CheckBound(bag, arena);
    CheckGrows(bag, arena);
  }
  CheckBound(std::get<1>(second->variant), arena);
  CheckGrows(std::get<1>(second->variant), arena);
  CheckUnbound(elsewhere);
}

TEST_CASE("Binding: what is engaged later finds the arena it lies in") {
  Arena arena;
  auto* deep = arena.New<Deep>();
  deep->nested.second.emplace();
  deep->variant.emplace<1>();
  for (Bag& bag : *deep->nested.second) {
    CheckUnbound(bag);
    CheckGrows(bag, arena);
  }
  CheckGrows(std::get<1>(deep->variant), arena);
}

TEST_CASE("Binding: a container made by hand in the arena finds it") {
  Arena arena;
  Arena other;
  static_cast<void>(other.New<int>(1));
  CheckGrows(*::new (arena.Allocate(sizeof(Bag))) Bag, arena);
  const auto large = arena.NewArray<std::byte>(3 << 20);
  CheckGrows(*::new (large.data() + (2 << 20)) Bag, arena);
}

TEST_CASE("Binding: Vector binds elements however they are added") {
  Arena arena;
  Vector<Bag> bags(arena);
  for (int i = 0; i < 10; ++i) CheckBound(bags.emplace_back(), arena);
  bags.push_back(Bag());
  CheckBound(bags.back(), arena);
  CheckBound(*bags.emplace(bags.begin()), arena);
  CheckBound(*bags.insert(bags.begin() + 1, Bag()), arena);
  bags.resize(20);
  for (Bag& bag : bags) {
    CheckBound(bag, arena);
    CheckGrows(bag, arena);
  }
}

TEST_CASE("Binding: Map and Set bind keys and values") {
  Arena arena;
  Map<String, Bag> map(arena);
  CheckGrows(map["subscript"], arena);
  CheckGrows(map.try_emplace("emplaced").first->second, arena);
  CheckGrows(map.insert_or_assign("assigned", Bag()).first->second, arena);
  for (const auto& [key, bag] : map) {
    CHECK(key.arena() == &arena);
    CheckBound(bag, arena);
  }
  Set<String> set(arena);
  set.insert("short");
  CHECK(set.begin()->arena() == &arena);
}

TEST_CASE("Binding: nested containers bind level by level") {
  Arena arena;
  Map<int, Vector<Map<String, Vector<int>>>> deep(arena);
  deep[1].emplace_back()[kLong].push_back(5);
  CHECK(deep.at(1)[0].at(kLong).arena() == &arena);
  CHECK(deep.at(1)[0].begin()->first.arena() == &arena);
}

TEST_CASE("Binding: an assigned element is bound or finds its arena") {
  Arena arena;
  Vector<Bag> bags(arena);
  bags.resize(2);
  bags[0] = Bag();
  CheckGrows(bags[0], arena);
  Map<int, Bag> map(arena);
  map[1] = Bag();
  CheckGrows(map.at(1), arena);
  auto* bag = arena.New<Bag>();
  *bag = Bag();
  CheckGrows(*bag, arena);
}

TEST_CASE("Binding: assigning an unbound container keeps the binding") {
  Arena arena;
  Vector<int> vector(arena, {1});
  vector = Vector<int>();
  CHECK(vector.arena() == &arena);
  vector.push_back(2);
  Map<int, int> map(arena, {{1, 2}});
  map = Map<int, int>();
  CHECK(map.arena() == &arena);
  map[1] = 1;
  Set<int> set(arena, {1});
  set = Set<int>();
  CHECK(set.arena() == &arena);
  set.insert(1);
  String string(arena, kLong);
  string = String();
  CHECK(string.arena() == &arena);
  string = kLong;
}

TEST_CASE("Binding: growth without any arena is refused, and says why") {
  const char* const kVector =
      "acre: Vector at 0x[0-9a-f]+ has no arena: it lies in none, and none was "
      "given to its constructor";
  CHECK_DIES(Vector<int> v; v.push_back(1), kVector);
  CHECK_DIES(Vector<int> v; v.reserve(1), kVector);
  CHECK_DIES(Vector<int> v; v.resize(1), kVector);
  CHECK_DIES(Vector<int> v; v.insert(v.begin(), 1), kVector);
  CHECK_DIES(static Vector<int> v; v.push_back(1), kVector);
  CHECK_DIES((Map<int, int>()[1] = 1), "acre: Map at 0x[0-9a-f]+ has no arena");
  CHECK_DIES((Map<int, int>().reserve(1)), "Map at 0x[0-9a-f]+ has no arena");
  CHECK_DIES(Set<int>().insert(1), "acre: Set at 0x[0-9a-f]+ has no arena");
}

TEST_CASE("Binding: a New that is refused leaves other arenas' storage alone") {
  if constexpr (acre::kChecked) {
    Arena a({.name = "first"});
    Arena b({.name = "second"});
    CHECK_DIES(static_cast<void>(b.New<Bag>("x", Vector<int>(a, {1}))),
               "lies in arena 'second' at 0x[0-9a-f]+ but its storage is of "
               "arena 'first' at 0x[0-9a-f]+");
    CHECK_DIES(Vector<Bag> bags(b); bags.emplace_back("x", Vector<int>(a, {1})),
                                    "arena 'second'.*arena 'first'");
    CHECK_DIES((Map<int, Vector<int>>(b).try_emplace(1, Vector<int>(a, {1}))),
               "arena 'second'.*arena 'first'");
  }
}

}  // namespace binding_test
