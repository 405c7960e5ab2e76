// SPDX-License-Identifier: MIT
//
// Guards that a container whose storage a Reset or Rewind has taken may be
// assigned and released, gives nothing back twice, and is refused growth.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace staleness_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

constexpr std::string_view kLong =
    "a text that is too long to stay in the handle";

// One interface for all four, so that each promise is tested on each.

struct OfVector {
  using C = Vector<int>;
  static constexpr const char* kName = "Vector";
  static void Fill(C& c) {
    c.reserve(20);
    for (int i = 0; i < 20; ++i) c.push_back(i);
  }
  static void Grow(C& c) { c.reserve(c.capacity() + 1); }
  static bool IsFull(const C& c) {
    return c.size() == 20 && c[0] == 0 && c[19] == 19;
  }
  static const void* Storage(const C& c) { return c.data(); }
};

struct OfString {
  using C = String;
  static constexpr const char* kName = "String";
  static void Fill(C& c) { c = kLong; }
  static void Grow(C& c) { c.reserve(c.capacity() + 1); }
  static bool IsFull(const C& c) { return c == kLong; }
  static const void* Storage(const C& c) { return c.data(); }
};

struct OfMap {
  using C = Map<int, int>;
  static constexpr const char* kName = "Map";
  static void Fill(C& c) {
    for (int i = 0; i < 20; ++i) c[i] = i;
  }
  static void Grow(C& c) { c.reserve(1'000); }
  static bool IsFull(const C& c) {
    return c.size() == 20 && c.at(0) == 0 && c.at(19) == 19;
  }
  static const void* Storage(const C& c) { return &*c.find(0); }
};

struct OfSet {
  using C = Set<int>;
  static constexpr const char* kName = "Set";
  static void Fill(C& c) {
    for (int i = 0; i < 20; ++i) c.insert(i);
  }
  static void Grow(C& c) { c.reserve(1'000); }
  static bool IsFull(const C& c) {
    return c.size() == 20 && c.contains(0) && c.contains(19);
  }
  static const void* Storage(const C& c) { return &*c.find(0); }
};

template <class Of>
typename Of::C Full(Arena& arena) {
  typename Of::C container(arena);
  Of::Fill(container);
  return container;
}

/// `container` and two others, filled now, do not share storage.
template <class Of>
void CheckAlone(Arena& arena, typename Of::C& container) {
  auto second = Full<Of>(arena);
  auto third = Full<Of>(arena);
  CHECK(Of::Storage(container) != Of::Storage(second));
  CHECK(Of::Storage(container) != Of::Storage(third));
  CHECK(Of::Storage(second) != Of::Storage(third));
  CHECK(Of::IsFull(container));
  CHECK(Of::IsFull(second));
  CHECK(Of::IsFull(third));
}

struct World {
  Vector<int> items;
  Map<String, Vector<int>> index;
  String title;
};
ACRE_LAYOUT(World, items, index, title)

}  // namespace

TEST_CASE_TEMPLATE("Staleness: a frame loop may assign after Reset", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  auto container = Full<Of>(arena);
  for (int frame = 0; frame < 5; ++frame) {
    arena.Reset();
    container = typename Of::C(arena);
    Of::Fill(container);
    CheckAlone<Of>(arena, container);
  }
}

TEST_CASE_TEMPLATE("Staleness: assigning a full one after Reset is the same",
                   Of, OfVector, OfString, OfMap, OfSet) {
  for (const auto mode : {acre::ResetMode::kKeep, acre::ResetMode::kClear,
                          acre::ResetMode::kRelease}) {
    Arena arena;
    auto container = Full<Of>(arena);
    arena.Reset(mode);
    container = Full<Of>(arena);
    CheckAlone<Of>(arena, container);
  }
}

TEST_CASE_TEMPLATE("Staleness: Release after Reset or Rewind does nothing", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  static_cast<void>(arena.New<int>(1));
  auto before_reset = Full<Of>(arena);
  arena.Reset();
  auto live = Full<Of>(arena);
  const auto after_reset = arena.stats();
  before_reset.Release();
  CHECK(before_reset.empty());
  CHECK(before_reset.arena() == &arena);
  CHECK(arena.stats().freed == after_reset.freed);
  CHECK(arena.stats().live() == after_reset.live());

  const auto mark = arena.Checkpoint();
  auto inside = Full<Of>(arena);
  arena.Rewind(mark);
  auto other = Full<Of>(arena);
  const auto after_rewind = arena.stats();
  inside.Release();
  CHECK(inside.empty());
  CHECK(arena.stats().freed == after_rewind.freed);
  CHECK(Of::IsFull(live));
  CHECK(Of::IsFull(other));
  Of::Fill(inside);
  CheckAlone<Of>(arena, inside);
}

TEST_CASE_TEMPLATE("Staleness: the new owner of an address is left alone", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  auto stale = Full<Of>(arena);
  const void* address = Of::Storage(stale);
  arena.Reset();
  auto owner = Full<Of>(arena);
  REQUIRE(Of::Storage(owner) == address);
  stale = typename Of::C(arena);
  CheckAlone<Of>(arena, owner);
  Of::Fill(stale);
  CheckAlone<Of>(arena, stale);
  CHECK(Of::IsFull(owner));
}

TEST_CASE_TEMPLATE("Staleness: moving a stale container keeps it stale", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  auto stale = Full<Of>(arena);
  arena.Reset();
  auto owner = Full<Of>(arena);
  const std::size_t freed = arena.stats().freed;  // while it grew
  auto moved = std::move(stale);
  typename Of::C assigned(arena);
  assigned = std::move(moved);
  assigned.Release();
  CHECK(arena.stats().freed == freed);
  CheckAlone<Of>(arena, owner);
}

TEST_CASE_TEMPLATE("Staleness: growth of a stale container is refused", Of,
                   OfVector, OfString, OfMap, OfSet) {
  const std::string why =
      std::string("acre: ") + Of::kName +
      ": its storage was given up by a Reset or Rewind of arena 'frame'; "
      "assign a new container instead";
  Arena arena({.name = "frame"});
  auto container = Full<Of>(arena);
  const auto mark = arena.Checkpoint();
  auto inside = Full<Of>(arena);
  arena.Rewind(mark);
  CHECK_DIES(Of::Grow(inside), why);
  arena.Reset();
  CHECK_DIES(Of::Grow(container), why);
  const auto reused = Full<Of>(arena);
  CHECK_DIES(Of::Grow(container), why);
  CHECK(Of::IsFull(reused));
}

TEST_CASE_TEMPLATE("Staleness: checked builds refuse growth across a mark", Of,
                   OfVector, OfString, OfMap, OfSet) {
  if constexpr (acre::kChecked) {
    const std::string why = std::string("acre: ") + Of::kName +
                            ": it is older than the open mark of arena 'level' "
                            "and must not grow before the mark is closed";
    Arena arena({.name = "level"});
    auto outer = Full<Of>(arena);
    const auto first = arena.Checkpoint();
    CHECK_DIES(Of::Grow(outer), why);
    auto middle = Full<Of>(arena);
    const auto second = arena.Checkpoint();
    CHECK_DIES(Of::Grow(outer), why);
    CHECK_DIES(Of::Grow(middle), why);
    auto inner = Full<Of>(arena);
    Of::Grow(inner);
    arena.Rewind(second);
    Of::Grow(middle);
    CHECK(Of::IsFull(middle));
    CHECK_DIES(Of::Grow(outer), why);
    arena.Rewind(first);
    Of::Grow(outer);
    CHECK(Of::IsFull(outer));
  }
}

TEST_CASE("Staleness: checked builds refuse the first growth across a mark") {
  if constexpr (acre::kChecked) {
    const char* const kWhy = "older than the open mark of arena 'level'";
    Arena arena({.name = "level"});
    auto* world = arena.New<World>();
    const auto mark = arena.Checkpoint();
    CHECK_DIES(world->items.push_back(1), kWhy);
    CHECK_DIES(
        {
          // The storage is of this side of the mark, the container is not.
          Vector<int> young(arena);
          young.resize(young.capacity() + 16);
          world->items = std::move(young);
          world->items.push_back(1);
        },
        kWhy);
    CHECK_DIES(world->index["x"], kWhy);
    CHECK_DIES(world->title = kLong, kWhy);
    auto* younger = arena.New<World>();
    younger->items.push_back(1);
    younger->title = kLong;
    arena.Rewind(mark);
    world->items.push_back(1);
    CHECK(world->items.size() == 1);
  }
}

TEST_CASE_TEMPLATE("Staleness: an older container lives through marks", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  auto outer = Full<Of>(arena);
  const void* storage = Of::Storage(outer);
  for (int frame = 0; frame < 10; ++frame) {
    const auto mark = arena.Checkpoint();
    std::vector<typename Of::C> inside;
    for (int i = 0; i < 50; ++i) inside.push_back(Full<Of>(arena));
    for (const auto& one : inside) REQUIRE(Of::IsFull(one));
    arena.Rewind(mark);
    REQUIRE(Of::IsFull(outer));
    REQUIRE(Of::Storage(outer) == storage);
  }
  CheckAlone<Of>(arena, outer);
  Of::Grow(outer);
  CHECK(Of::IsFull(outer));
}

TEST_CASE_TEMPLATE("Staleness: an older container may be released in a mark",
                   Of, OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  const std::size_t before = arena.stats().live();
  auto outer = Full<Of>(arena);
  const void* storage = Of::Storage(outer);
  const auto mark = arena.Checkpoint();
  outer.Release();
  // What is older than the mark is not handed out while it is open.
  auto inside = Full<Of>(arena);
  CHECK(Of::Storage(inside) != storage);
  arena.Rewind(mark);
  CHECK(arena.stats().live() == before);
  auto again = Full<Of>(arena);
  CHECK(Of::Storage(again) == storage);
  CheckAlone<Of>(arena, again);
}

TEST_CASE_TEMPLATE("Staleness: each of nested marks takes its own", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  auto zero = Full<Of>(arena);
  const auto first = arena.Checkpoint();
  auto one = Full<Of>(arena);
  const auto second = arena.Checkpoint();
  auto two = Full<Of>(arena);
  const auto third = arena.Checkpoint();
  auto three = Full<Of>(arena);
  arena.Rewind(third);
  CHECK(Of::IsFull(two));
  two.Release();  // of the open mark: really given back
  CHECK(arena.stats().freed > 0);
  three.Release();
  auto two_again = Full<Of>(arena);
  arena.Rewind(second);
  const std::size_t live = arena.stats().live();
  two_again.Release();
  CHECK(arena.stats().live() == live);
  CHECK(Of::IsFull(one));
  CHECK(Of::IsFull(zero));
  arena.Rewind(first);
  const std::size_t outer_live = arena.stats().live();
  one.Release();
  CHECK(arena.stats().live() == outer_live);
  CHECK(Of::IsFull(zero));
  zero.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE_TEMPLATE("Staleness: a rewind past two marks takes both", Of,
                   OfVector, OfString, OfMap, OfSet) {
  Arena arena;
  const auto first = arena.Checkpoint();
  auto one = Full<Of>(arena);
  static_cast<void>(arena.Checkpoint());
  auto two = Full<Of>(arena);
  arena.Rewind(first);
  auto live = Full<Of>(arena);
  const auto stats = arena.stats();
  one.Release();
  two.Release();
  CHECK(arena.stats().freed == stats.freed);
  CheckAlone<Of>(arena, live);
}

TEST_CASE("Stamps: name the stretch between marks and Resets, none twice") {
  Arena arena;
  std::vector<std::uint64_t> stamps{arena.stamp()};
  const std::uint64_t base = arena.stamp();
  const auto first = arena.Checkpoint();
  const std::uint64_t in_first = arena.stamp();
  stamps.push_back(in_first);
  const auto second = arena.Checkpoint();
  const std::uint64_t in_second = arena.stamp();
  stamps.push_back(in_second);
  CHECK(arena.IsLive(base));
  CHECK(arena.IsLive(in_first));
  CHECK(arena.IsLive(in_second));
  arena.Rewind(second);
  CHECK(arena.stamp() == in_first);
  CHECK(arena.IsLive(in_first));
  CHECK_FALSE(arena.IsLive(in_second));
  const auto third = arena.Checkpoint();
  stamps.push_back(arena.stamp());
  CHECK_FALSE(arena.IsLive(in_second));
  arena.Rewind(third);
  arena.Rewind(first);
  CHECK(arena.stamp() == base);
  CHECK(arena.IsLive(base));
  CHECK_FALSE(arena.IsLive(in_first));
  arena.Reset();
  CHECK_FALSE(arena.IsLive(base));
  stamps.push_back(arena.stamp());
  static_cast<void>(arena.Checkpoint());
  stamps.push_back(arena.stamp());
  arena.Reset();
  stamps.push_back(arena.stamp());
  for (std::size_t i = 0; i + 1 < stamps.size(); ++i) {
    CHECK_FALSE(arena.IsLive(stamps[i]));
  }
  std::sort(stamps.begin(), stamps.end());
  CHECK(std::adjacent_find(stamps.begin(), stamps.end()) == stamps.end());
}

TEST_CASE("Staleness: containers in containers vanish with Rewind") {
  Arena arena;
  auto* world = arena.New<World>();
  for (int i = 0; i < 100; ++i) world->items.push_back(i);
  for (int i = 0; i < 50; ++i) {
    world->index[std::string(kLong) + std::to_string(i)].push_back(i);
  }
  world->title = kLong;
  const auto before = arena.stats();
  for (int frame = 0; frame < 10; ++frame) {
    const auto mark = arena.Checkpoint();
    Map<String, Vector<Vector<String>>> scratch(arena);
    for (int i = 0; i < 200; ++i) {
      auto& rows = scratch[std::string(kLong) + std::to_string(i % 40)];
      rows.emplace_back().push_back(String(arena, kLong));
    }
    CHECK(scratch.size() == 40);
    arena.Rewind(mark);
    CHECK(arena.stats().live() == before.live());
    CHECK(arena.stats().carved == before.carved);
  }
  CHECK(world->items.size() == 100);
  CHECK(world->items[99] == 99);
  CHECK(world->title == kLong);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(world->index.at(std::string(kLong) + std::to_string(i))[0] == i);
  }
  arena.Free(world);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Staleness: elements of a stale container are not looked at") {
  Arena arena;
  Vector<Vector<int>> rows(arena);
  for (int i = 0; i < 10; ++i) rows.emplace_back().resize(20);
  Map<String, Vector<int>> map(arena);
  map[kLong].resize(30);
  arena.Reset(acre::ResetMode::kRelease);
  // Whatever lies at their old addresses now, releasing must not touch it.
  rows.Release();
  map.Release();
  Vector<Vector<int>> fresh(arena);
  fresh.emplace_back().resize(20);
  CHECK(arena.stats().freed == 0);
  rows = std::move(fresh);
  CHECK(rows[0].size() == 20);
}

}  // namespace staleness_test
