// SPDX-License-Identifier: MIT
//
// Guards who owns what: storage has one owner, goes when the owner is
// assigned, erased or freed, and stays with the arena that gave it.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace ownership_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Unit {
  String name;
  Vector<int> orders;
  Map<String, Vector<int>> memory;
  Set<String> friends;
  Unit* leader = nullptr;
};
ACRE_LAYOUT(Unit, name, orders, memory, friends, leader)

void Fill(Unit& unit) {
  unit.name = kLong;
  for (int i = 0; i < 50; ++i) unit.orders.push_back(i);
  for (int i = 0; i < 30; ++i) {
    unit.memory[kLong + std::to_string(i)].push_back(i);
    unit.friends.insert(kLong + std::to_string(i));
  }
}

struct Maybe {
  std::optional<Vector<int>> optional;
  std::variant<int, Vector<int>> variant;
};
ACRE_LAYOUT(Maybe, optional, variant)

Vector<int> Numbers(Arena& arena) { return Vector<int>(arena, 100); }
String Text(Arena& arena) { return String(arena, kLong); }
Set<int> Some(Arena& arena) { return Set<int>(arena, {1, 2, 3}); }
Map<int, int> Pairs(Arena& arena) {
  return Map<int, int>(arena, {{1, 2}, {3, 4}});
}

/// What `make` leaves in an arena of its own.
template <class Make>
std::size_t Cost(Make make) {
  Arena arena;
  make(arena);
  return arena.stats().live();
}

/// Move assignment within an arena: one goes, the other stays.
template <class C>
void CheckAssign(C (*make)(Arena&)) {
  const std::size_t one = Cost([&](Arena& arena) { make(arena); });
  REQUIRE(one > 0);
  Arena arena;
  C target = make(arena);
  C source = make(arena);
  REQUIRE(arena.stats().live() == 2 * one);
  target = std::move(source);
  CHECK(arena.stats().live() == one);
  CHECK(source.empty());  // NOLINT(bugprone-use-after-move)
  CHECK_FALSE(target.empty());
  target = C(arena);
  CHECK(arena.stats().live() == 0);
  target = make(arena);
  CHECK(arena.stats().live() == one);
}

/// Move assignment between arenas, of handles that lie in none.
template <class C>
void CheckAssignAcross(C (*make)(Arena&)) {
  Arena a;
  Arena b;
  C target = make(a);
  const std::size_t one = b.stats().live();
  target = make(b);
  CHECK(one == 0);
  CHECK(a.stats().live() == 0);
  CHECK(b.stats().live() > 0);
  CHECK(target.arena() == &b);
  target.Release();
  CHECK(b.stats().live() == 0);
}

}  // namespace

TEST_CASE("Ownership: move assignment releases the target's storage") {
  CheckAssign<Vector<int>>(Numbers);
  CheckAssign<String>(Text);
  CheckAssign<Set<int>>(Some);
  CheckAssign<Map<int, int>>(Pairs);
}

TEST_CASE("Ownership: move assignment takes the source's storage and arena") {
  CheckAssignAcross<Vector<int>>(Numbers);
  CheckAssignAcross<String>(Text);
  CheckAssignAcross<Set<int>>(Some);
  CheckAssignAcross<Map<int, int>>(Pairs);
}

TEST_CASE("Ownership: checked builds refuse a foreign arena's storage") {
  if constexpr (acre::kChecked) {
    Arena a({.name = "here"});
    Arena b({.name = "there"});
    auto* unit = a.New<Unit>();
    const char* const kWhy =
        "lies in arena 'here' at 0x[0-9a-f]+ and cannot take storage of arena "
        "'there' at 0x[0-9a-f]+; use Clone or DeepCopy";
    CHECK_DIES(unit->orders = Numbers(b), kWhy);
    CHECK_DIES(unit->name = Text(b), kWhy);
    CHECK_DIES(
        {
          Vector<int> of_b(b);
          of_b.resize(16);
          auto* in_a =
              ::new (a.Allocate(sizeof of_b)) Vector<int>(std::move(of_b));
          in_a->push_back(1);
        },
        kWhy);
    CHECK_DIES(unit->friends.insert("x"); Set<String> s(b); s.insert(kLong);
               unit->friends = std::move(s), kWhy);
    CHECK_DIES((unit->memory =
                    [&] {
                      Map<String, Vector<int>> m(b);
                      m["x"];
                      return m;
                    }()),
               kWhy);
    CHECK_DIES(Vector<Vector<int>> v(a); v.emplace_back();
               v[0] = Numbers(b), kWhy);
    CHECK_DIES((Map<int, Vector<int>>(a)[1] = Numbers(b)), kWhy);
  }
}

TEST_CASE("Ownership: checked builds refuse a swap across arenas") {
  if constexpr (acre::kChecked) {
    Arena a({.name = "here"});
    Arena b({.name = "there"});
    auto* x = a.New<Unit>();
    auto* y = b.New<Unit>();
    Fill(*x);
    Fill(*y);
    CHECK_DIES(x->orders.swap(y->orders), "arena '(here|there)'");
    CHECK_DIES(x->name.swap(y->name), "arena '(here|there)'");
    CHECK_DIES(x->memory.swap(y->memory), "arena '(here|there)'");
    CHECK_DIES(x->friends.swap(y->friends), "arena '(here|there)'");
  }
}

TEST_CASE("Ownership: checked builds refuse growth in a foreign arena") {
  if constexpr (acre::kChecked) {
    Arena a({.name = "here"});
    Arena b({.name = "there"});
    auto* unit = a.New<Unit>();
    CHECK_DIES(unit->orders = Vector<int>(b);
               unit->orders.push_back(1), "arena 'here'.*arena 'there'");
    CHECK_DIES(unit->friends = Set<String>(b);
               unit->friends.insert("x"), "arena 'here'.*arena 'there'");
  }
}

TEST_CASE("Ownership: an empty String of another arena leaves the binding") {
  Arena a;
  Arena b;
  auto* unit = a.New<Unit>();
  unit->name = String(b);
  CHECK(unit->name.arena() == &a);
  unit->name = String(b, "short");
  unit->name += kLong;
  CHECK(a.Owns(unit->name.data()));
}

TEST_CASE("Ownership: Free releases what the object holds by value") {
  Arena arena;
  auto* unit = arena.New<Unit>();
  Fill(*unit);
  arena.Free(unit);
  CHECK(arena.stats().live() == 0);
  const auto units = arena.NewArray<Unit>(4);
  for (Unit& one : units) Fill(one);
  arena.Free(units);
  CHECK(arena.stats().live() == 0);
  auto* maybe = arena.New<Maybe>();
  maybe->optional.emplace().push_back(1);
  maybe->variant.emplace<1>().push_back(1);
  arena.Free(maybe);
  CHECK(arena.stats().live() == 0);
  auto* vector = arena.New<Vector<Unit>>();
  Fill(vector->emplace_back());
  arena.Free(vector);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Ownership: Free does not follow pointers") {
  Arena arena;
  auto* leader = arena.New<Unit>();
  Fill(*leader);
  const std::size_t leader_only = arena.stats().live();
  auto* unit = arena.New<Unit>();
  Fill(*unit);
  unit->leader = leader;
  auto* crew = arena.New<Vector<Unit*>>();
  crew->push_back(leader);
  arena.Free(crew);
  arena.Free(unit);
  CHECK(arena.stats().live() == leader_only);
  CHECK(leader->orders[49] == 49);
  CHECK(leader->memory.at(std::string(kLong) + "29")[0] == 29);
  Vector<Unit*> pointers(arena);
  pointers.push_back(leader);
  pointers.clear();
  pointers.push_back(leader);
  pointers.Release();
  CHECK(arena.stats().live() == leader_only);
}

TEST_CASE("Ownership: Free of a struct whose containers moved away is right") {
  Arena arena;
  auto* unit = arena.New<Unit>();
  Fill(*unit);
  Vector<int> orders(std::move(unit->orders));
  String name(std::move(unit->name));
  arena.Free(unit);
  CHECK(orders.size() == 50);
  CHECK(orders[49] == 49);
  CHECK(name == kLong);
  orders.Release();
  name.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Ownership: leaving an optional or variant keeps the storage") {
  Arena arena;
  auto* maybe = arena.New<Maybe>();
  const std::size_t before = arena.stats().live();
  SUBCASE("optional::reset") {
    maybe->optional.emplace().resize(100);
    const std::size_t held = arena.stats().live();
    maybe->optional.reset();
    CHECK(arena.stats().live() == held);
  }
  SUBCASE("a switch of the variant") {
    maybe->variant.emplace<1>().resize(100);
    const std::size_t held = arena.stats().live();
    maybe->variant = 5;
    CHECK(arena.stats().live() == held);
  }
  CHECK(arena.stats().live() > before);
}

TEST_CASE("Ownership: assigning an empty container first gives it back") {
  Arena arena;
  auto* maybe = arena.New<Maybe>();
  const std::size_t before = arena.stats().live();
  maybe->optional.emplace().resize(100);
  maybe->optional = Vector<int>(arena);
  CHECK(arena.stats().live() == before);
  maybe->optional.reset();
  maybe->variant.emplace<1>().resize(100);
  maybe->variant = Vector<int>(arena);
  CHECK(arena.stats().live() == before);
  maybe->variant = 5;
  CHECK(arena.stats().live() == before);
}

TEST_CASE("Ownership: remove_if and erase release the tail") {
  Arena arena;
  Vector<Vector<int>> rows(arena);
  rows.reserve(20);
  const std::size_t before = arena.stats().live();
  for (int i = 0; i < 20; ++i) rows.push_back(Vector<int>(arena, 30));
  for (std::size_t i = 0; i < 20; ++i) rows[i][0] = static_cast<int>(i);
  const std::size_t full = arena.stats().live();
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [](const Vector<int>& r) { return r[0] % 4 == 1; }),
             rows.end());
  CHECK(rows.size() == 15);
  CHECK(arena.stats().live() == full - (full - before) / 4);
  for (const Vector<int>& row : rows) CHECK(row.size() == 30);
  for (const Vector<int>& row : rows) CHECK(row[0] % 4 != 1);
  rows.erase(rows.begin(), rows.end());
  CHECK(arena.stats().live() == before);
}

TEST_CASE("Ownership: swap and std::swap exchange, and release nothing") {
  Arena arena;
  auto* a = arena.New<Unit>();
  auto* b = arena.New<Unit>();
  Fill(*a);
  b->name = "b";
  const std::size_t live = arena.stats().live();
  std::swap(*a, *b);
  CHECK(arena.stats().live() == live);
  CHECK(a->name == "b");
  CHECK(a->orders.empty());
  CHECK(b->orders.size() == 50);
  CHECK(b->memory.size() == 30);
  using std::swap;
  swap(a->memory, b->memory);
  swap(a->friends, b->friends);
  swap(a->orders, b->orders);
  swap(a->name, b->name);
  CHECK(arena.stats().live() == live);
  CHECK(a->friends.size() == 30);
  arena.Free(a);
  arena.Free(b);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Ownership: a struct of containers moves as a whole") {
  Arena arena;
  auto* target = arena.New<Unit>();
  Fill(*target);
  const std::size_t one = arena.stats().live();
  Unit source;
  source.orders = Numbers(arena);
  *target = std::move(source);
  CHECK(arena.stats().live() < one);
  CHECK(target->orders.size() == 100);
  CHECK(target->memory.empty());
  CHECK(target->memory.arena() == &arena);
  arena.Free(target);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Ownership: an erased element of a Vector may be moved out first") {
  Arena arena;
  Vector<Vector<int>> rows(arena);
  for (int i = 0; i < 5; ++i) rows.push_back(Vector<int>(arena, {i, i}));
  Vector<int> taken(std::move(rows[2]));
  rows.erase(rows.begin() + 2);
  CHECK(taken[1] == 2);
  CHECK(rows.size() == 4);
  CHECK(rows[2][0] == 3);
  taken.Release();
  rows.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Ownership: a storage in use is never handed out again") {
  Arena arena;
  Vector<int> first(arena, {1, 2, 3});
  Vector<int> second;
  second = std::move(first);
  first.Release();
  Vector<int> third(arena, {9, 9, 9});
  CHECK(third.data() != second.data());
  CHECK(second[2] == 3);
}

TEST_CASE("Ownership: a struct in an arena with containers is no plain data") {
  static_assert(acre::LayoutOf<Unit>().has_handles);
  static_assert(acre::LayoutOf<Maybe>().has_handles);
  static_assert(!acre::LayoutOf<int>().has_handles);
  static_assert(!acre::LayoutOf<Unit*>().has_handles);
  CHECK(acre::Element<Unit>);
}

}  // namespace ownership_test
