// SPDX-License-Identifier: MIT
//
// Guards <acre/checksum.h>: what counts as state, and what does not.

#include "acre/checksum.h"

#include <doctest/doctest.h>

#include <array>
#include <complex>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"

namespace checksum_test {

using acre::Arena;
using acre::Checksum;

struct Point {
  char tag;  // padding follows
  std::int32_t x;
};
ACRE_LAYOUT(Point, tag, x)

struct Thing {
  std::int32_t health = 100;
  Thing* target = nullptr;
  acre::String name;
  std::int32_t drawn = 0;
};
ACRE_LAYOUT(Thing, health, target, name, transient(drawn))

struct World {
  acre::Map<acre::String, Thing*> players;
  acre::Map<std::uint32_t, std::uint32_t> scores;
  acre::Set<std::int64_t> seen;
  acre::Vector<Thing> things;
  std::span<Thing> some;
  std::string_view motto;
  std::optional<Point> spawn;
  std::variant<std::monostate, int, acre::String> note;
  std::tuple<Point, Thing*> pair;
  std::array<Point, 3> corners = {};
  Thing* first = nullptr;
  void* window = nullptr;
  std::pair<int, double> last = {};
  bool is_over = false;
};
ACRE_LAYOUT(World, players, scores, seen, things, some, motto, spawn, note,
            pair, corners, first, borrowed(window), last, is_over)

struct Scored {
  acre::Vector<Thing*> players;
  acre::Map<Thing*, int> scores;
  acre::Set<Thing*> seen;
  acre::Map<Thing*, int> only;
};
ACRE_LAYOUT(Scored, players, scores, seen, only)

struct Precise {
  long double one;
  std::complex<long double> two;
};
ACRE_LAYOUT(Precise, one, two)

Thing* NewThing(Arena& arena, const char* name) {
  auto* thing = arena.New<Thing>();
  thing->name = name;
  return thing;
}

/// `mood`: fills memory first, so that padding and addresses differ.
World* NewWorld(Arena& arena, int mood) {
  for (int i = 0; i < mood; ++i) {
    auto* block = static_cast<char*>(arena.Allocate(4096));
    std::memset(block, mood, 4096);
    arena.Free(block, 4096);
    static_cast<void>(arena.Allocate(static_cast<std::size_t>(48 * i)));
  }
  World* world = arena.New<World>();
  if (mood % 2 == 0) {
    world->scores.reserve(1000);
    for (std::uint32_t i = 500; i < 900; ++i) world->scores[i] = i;
    for (std::uint32_t i = 500; i < 900; ++i) world->scores.erase(i);
  }
  const char* names[] = {"Ann", "Bob", "Cy, whose name is longer than others"};
  for (int i = 0; i < 3; ++i) {
    const char* name = names[mood % 2 == 0 ? i : 2 - i];
    world->players[name] = NewThing(arena, name);
  }
  world->players["Ann"]->target = world->players["Bob"];
  world->players["Bob"]->target = world->players["Ann"];
  for (std::uint32_t i = 0; i < 50; ++i) {
    const std::uint32_t k = mood % 2 == 0 ? i : 49 - i;
    world->scores[k] = k * 3;
    world->seen.insert(k * 5);
  }
  if (mood % 2 != 0) world->things.reserve(100);
  for (int i = 0; i < 9; ++i) {
    world->things.emplace_back();
    world->things.back().health = i;
  }
  world->some = std::span(world->things).subspan(2, 3);
  world->first = &world->things[4];
  auto* motto = static_cast<char*>(arena.Allocate(5));
  std::memcpy(motto, "onward", 5);
  world->motto = {motto, 5};
  world->window = world;
  return world;
}

TEST_CASE("Checksum: the same wherever and however a state came about") {
  Arena arena;
  const World* world = NewWorld(arena, 0);
  const std::uint64_t sum = Checksum(arena, *world);
  CHECK(Checksum(arena, *world) == sum);
  for (int mood = 1; mood < 9; ++mood) {
    Arena other;
    World* same = NewWorld(other, mood);
    CHECK(Checksum(other, *same) == sum);
    same->things.shrink_to_fit();
    same->some = std::span(same->things).subspan(2, 3);
    same->first = &same->things[4];
    same->window = nullptr;
    for (Thing& thing : same->things) thing.drawn = 7;
    CHECK(Checksum(other, *same) == sum);
    Arena copies;
    CHECK(Checksum(copies, *acre::DeepCopy(copies, *same)) == sum);
  }
}

TEST_CASE("Checksum: every change counts, and back again") {
  Arena arena;
  World* world = NewWorld(arena, 1);
  std::set<std::uint64_t> sums{Checksum(arena, *world)};
  const std::uint64_t before = *sums.begin();
  const auto differs = [&](auto change, auto undo) {
    change();
    const bool is_new = sums.insert(Checksum(arena, *world)).second;
    undo();
    return is_new && Checksum(arena, *world) == before;
  };
  CHECK(differs([&] { world->things[7].health = 99; },
                [&] { world->things[7].health = 7; }));
  CHECK(differs([&] { world->players["Ann"]->name = "Anne"; },
                [&] { world->players["Ann"]->name = "Ann"; }));
  CHECK(
      differs([&] { world->players["Ann"]->target = nullptr; },
              [&] { world->players["Ann"]->target = world->players["Bob"]; }));
  CHECK(
      differs([&] { world->players["Ann"]->target = world->players["Ann"]; },
              [&] { world->players["Ann"]->target = world->players["Bob"]; }));
  CHECK(differs([&] { world->first = &world->things[5]; },
                [&] { world->first = &world->things[4]; }));
  // One that looks like things[4], and is not.
  Thing* alike = NewThing(arena, "");
  alike->health = 4;
  CHECK(differs([&] { world->first = alike; },
                [&] { world->first = &world->things[4]; }));
  CHECK(differs([&] { world->some = world->some.first(2); },
                [&] { world->some = std::span(world->things).subspan(2, 3); }));
  CHECK(differs([&] { world->some = std::span(world->things).subspan(3, 3); },
                [&] { world->some = std::span(world->things).subspan(2, 3); }));
  CHECK(differs([&] { world->scores[3] = 1; }, [&] { world->scores[3] = 9; }));
  CHECK(differs([&] { world->scores[99] = 0; },
                [&] { world->scores.erase(99); }));
  CHECK(differs([&] { world->seen.insert(1); }, [&] { world->seen.erase(1); }));
  CHECK(differs(
      [&] {
        world->spawn = Point{'a', 0};
      },
      [&] { world->spawn.reset(); }));
  CHECK(differs(
      [&] {
        world->spawn = Point{'a', 1};
      },
      [&] { world->spawn.reset(); }));
  CHECK(differs([&] { world->note = 0; }, [&] { world->note = {}; }));
  CHECK(differs([&] { world->note = 1; }, [&] { world->note = {}; }));
  CHECK(differs([&] { world->note = acre::String(arena, "no"); },
                [&] { world->note = {}; }));
  CHECK(differs([&] { std::get<0>(world->pair).x = 1; },
                [&] { std::get<0>(world->pair).x = 0; }));
  CHECK(differs([&] { std::get<1>(world->pair) = world->first; },
                [&] { std::get<1>(world->pair) = nullptr; }));
  CHECK(differs([&] { world->corners[2].tag = 'z'; },
                [&] { world->corners[2].tag = '\0'; }));
  CHECK(differs([&] { world->last.second = -0.0; },
                [&] { world->last.second = 0.0; }));
  CHECK(
      differs([&] { world->is_over = true; }, [&] { world->is_over = false; }));
  CHECK(differs([&] { world->motto = world->motto.substr(1); },
                [&] {
                  world->motto = {world->motto.data() - 1, 5};
                }));
  CHECK(differs(
      [&] {
        world->things.emplace_back();
        world->some = std::span(world->things).subspan(2, 3);
        world->first = &world->things[4];
      },
      [&] { world->things.pop_back(); }));
}

TEST_CASE("Checksum: sharing, and objects that lie in others") {
  Arena arena;
  auto* nodes = arena.New<acre::Vector<Thing*>>();
  Thing* one = NewThing(arena, "same");
  Thing* two = NewThing(arena, "same");
  nodes->push_back(one);
  nodes->push_back(two);
  const std::uint64_t apart = Checksum(arena, *nodes);
  (*nodes)[1] = one;
  const std::uint64_t shared = Checksum(arena, *nodes);
  CHECK(apart != shared);
  (*nodes)[0] = (*nodes)[1] = two;
  CHECK(Checksum(arena, *nodes) == shared);
  one->target = one;
  two->target = one;
  (*nodes)[0] = one;
  const std::uint64_t cycle = Checksum(arena, *nodes);
  one->target = two;
  two->target = one;
  CHECK(Checksum(arena, *nodes) != cycle);
}

TEST_CASE("Checksum: table order, where it is asked for") {
  Arena first;
  Arena second;
  auto* up = first.New<acre::Map<int, int>>();
  auto* down = second.New<acre::Map<int, int>>();
  up->reserve(100);
  for (int i = 0; i < 20; ++i) {
    (*up)[i] = i;
    (*down)[19 - i] = 19 - i;
  }
  CHECK(Checksum(first, *up) == Checksum(second, *down));
  CHECK(Checksum(first, *up, {.table_order = true}) !=
        Checksum(second, *down, {.table_order = true}));
  CHECK(Checksum(first, *up, {.table_order = true}) ==
        Checksum(first, *up, {.table_order = true}));
}

TEST_CASE(
    "Checksum: keys that are pointers, pairs and containers of their own") {
  struct Made {
    Arena arena;
    acre::Map<Thing*, int>* by_thing;
    acre::Set<std::pair<int, int>>* pairs;
  };
  const auto make = [](Made& made, bool is_reverse) {
    made.by_thing = made.arena.New<acre::Map<Thing*, int>>();
    made.pairs = made.arena.New<acre::Set<std::pair<int, int>>>();
    for (int i = 0; i < 40; ++i) {
      const int k = is_reverse ? 39 - i : i;
      Thing* thing = NewThing(made.arena, "thing");
      thing->health = k;
      (*made.by_thing)[thing] = k;
      made.pairs->insert({k, -k});
    }
  };
  Made first;
  Made second;
  make(first, false);
  make(second, true);
  CHECK(Checksum(first.arena, *first.by_thing) ==
        Checksum(second.arena, *second.by_thing));
  CHECK(Checksum(first.arena, *first.pairs) ==
        Checksum(second.arena, *second.pairs));
  first.pairs->erase({3, -3});
  first.pairs->insert({3, -4});
  CHECK(Checksum(first.arena, *first.pairs) !=
        Checksum(second.arena, *second.pairs));
}

TEST_CASE("Checksum: keys that are pointers to objects that are alike") {
  // By where else pointers lead to them; else by what belongs to them.
  struct Made {
    Arena arena;
    Scored* root;
  };
  const auto make = [](Made& made, bool is_reverse) {
    made.root = made.arena.New<Scored>();
    for (int i = 0; i < 100; ++i) {
      made.root->players.push_back(NewThing(made.arena, "alike"));
    }
    for (int i = 0; i < 100; ++i) {
      const int k = is_reverse ? 99 - i : i;
      made.root->scores[made.root->players[static_cast<std::size_t>(k)]] = k;
      made.root->seen.insert(made.root->players[static_cast<std::size_t>(k)]);
      made.root->only[NewThing(made.arena, "nowhere else")] = k;
    }
  };
  Made first;
  Made second;
  make(first, false);
  make(second, true);
  const std::uint64_t sum = Checksum(first.arena, *first.root);
  CHECK(Checksum(second.arena, *second.root) == sum);
  Arena copies;
  const Scored* copy = acre::DeepCopy(copies, *first.root);
  CHECK(Checksum(copies, *copy) == sum);
  second.root->scores[second.root->players[3]] = 4;
  CHECK(Checksum(second.arena, *second.root) != sum);
}

TEST_CASE("Checksum: numbers with padding inside") {
  Arena arena;
  std::uint64_t sums[2];
  for (int i = 0; i < 2; ++i) {
    auto* block = arena.Allocate(sizeof(Precise), alignof(Precise));
    std::memset(block, i == 0 ? 0 : 0xCD, sizeof(Precise));
    auto* precise = ::new (block) Precise;
    precise->one = 1.5L;
    precise->two = {1.5L, 2.5L};
    sums[i] = Checksum(arena, *precise);
  }
  CHECK(sums[0] == sums[1]);
}

struct List {
  std::uint64_t value = 0;
  List* next = nullptr;
};
ACRE_LAYOUT(List, value, next)

struct Tree {
  acre::Vector<Tree> kids;
};
ACRE_LAYOUT(Tree, kids)

TEST_CASE("Checksum: depth takes no stack") {
  Arena arena;
  List* head = nullptr;
  for (std::uint64_t i = 0; i < acre_test::Scaled(1'000'000u, 100'000u); ++i) {
    head = arena.New<List>(i, head);
  }
  const std::uint64_t sum = Checksum(arena, *head);
  head->next->next->value ^= 1;
  CHECK(Checksum(arena, *head) != sum);
  auto* tree = arena.New<Tree>();
  for (Tree* at = tree; head != nullptr; head = head->next) {
    at = &at->kids.emplace_back();
  }
  CHECK(Checksum(arena, *tree) == Checksum(arena, *tree));
}

TEST_CASE("Checksum: what lies outside of all arenas counts as a place") {
  static List outside{5, nullptr};
  static List other{6, nullptr};
  Arena arena;
  auto* pointers = arena.New<acre::Vector<List*>>();
  pointers->push_back(&outside);
  pointers->push_back(&other);
  const std::uint64_t sum = Checksum(arena, *pointers);
  outside.value = 7;
  CHECK(Checksum(arena, *pointers) == sum);
  (*pointers)[1] = &outside;
  CHECK(Checksum(arena, *pointers) != sum);
}

}  // namespace checksum_test
