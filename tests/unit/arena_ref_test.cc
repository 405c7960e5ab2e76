// SPDX-License-Identifier: MIT
//
// Guards references from outside: an ArenaRef knows whether a Reset or Rewind
// has passed its object, a WeakArenaRef whether its arena is gone.

#include "acre/arena_ref.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "acre/arena.h"
#include "acre/element.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/vector.h"
#include "support/death.h"
#include "support/scaled.h"
#include "unit/collecting.h"

namespace arena_ref_test {

using acre::Arena;
using acre::ArenaRef;
using acre::Mark;
using acre::RefTo;
using acre::WeakArenaRef;

// ---------------------------------------------------------------- ArenaRef

TEST_CASE("ArenaRef: names the arena that holds the object") {
  Arena arena;
  int* number = arena.New<int>(6);
  const ArenaRef<int> ref = RefTo(number);
  CHECK(ref.base == &arena);
  CHECK(ref.IsLive());
  CHECK(*ref == 6);
  CHECK(ref.get() == number);
  CHECK(static_cast<bool>(ref));
  CHECK(ref == RefTo(number));
  static_assert(sizeof ref == 3 * sizeof(void*));
  static_assert(std::is_trivially_copyable_v<ArenaRef<int>>);
}

TEST_CASE("ArenaRef: of what lies in no arena, and of nothing") {
  int local = 5;
  const ArenaRef<int> outside = RefTo(&local);
  CHECK(outside.base == nullptr);
  CHECK(outside.IsLive());
  CHECK(*outside == 5);
  const ArenaRef<int> nothing;
  CHECK_FALSE(static_cast<bool>(nothing));
  CHECK_FALSE(nothing.IsLive());
  CHECK(nothing.get() == nullptr);
  CHECK(RefTo(static_cast<int*>(nullptr)) == nothing);
  CHECK_DIES(*nothing = 1, "an ArenaRef to nothing is used");
}

TEST_CASE("ArenaRef: to a part of an object, to an element of a Vector") {
  struct Pair {
    int a = 1, b = 2;
  };
  Arena arena;
  acre::Vector<int> numbers(arena, {7, 8, 9});
  const ArenaRef<int> part = RefTo(&numbers[1]);
  CHECK(*part == 8);
  arena.Reset();
  CHECK_FALSE(part.IsLive());
}

TEST_CASE("ArenaRef: a Reset ends it, also where the block is used again") {
  Arena arena({.name = "level"});
  int* number = arena.New<int>(1);
  const ArenaRef<int> old = RefTo(number);
  arena.Reset();
  CHECK_FALSE(old.IsLive());
  CHECK(old.get() == nullptr);
  CHECK(static_cast<bool>(old));
  int* again = arena.New<int>(2);
  CHECK(again == number);
  CHECK_FALSE(old.IsLive());
  CHECK(RefTo(again).IsLive());
  CHECK(RefTo(again) != old);
  CHECK_DIES(*old = 1,
             "ArenaRef to .* was given up by a Reset or Rewind of "
             "arena 'level'");
}

TEST_CASE("ArenaRef: checked builds refuse what is not live") {
  if (!acre::kChecked) return;
  Arena arena({.name = "level"});
  int* freed = arena.New<int>(1);
  arena.Free(freed);
  CHECK_DIES(RefTo(freed), "RefTo: .* of arena 'level'");
  int* passed = arena.New<int>(1);
  arena.Reset();
  CHECK_DIES(RefTo(passed), "RefTo: .* of arena 'level'");
}

TEST_CASE("ArenaRef: converts as pointers do, and is no element") {
  struct Base {
    int a = 1;
  };
  struct Derived : Base {
    int b = 2;
  };
  Derived object;
  const ArenaRef<Derived> ref = RefTo(&object);
  const ArenaRef<const Derived> constant = ref;
  const ArenaRef<Base> base = ref;
  CHECK(constant->b == 2);
  CHECK(base->a == 1);
  static_assert(!std::is_convertible_v<ArenaRef<Base>, ArenaRef<Derived>>);
  static_assert(!acre::Element<ArenaRef<int>>);
}

TEST_CASE("ArenaRef: Rewind ends what is younger than the mark, not the rest") {
  Arena arena;
  int* before = arena.New<int>(1);
  const ArenaRef<int> taken_before = RefTo(before);
  const Mark mark = arena.Checkpoint();
  int* inside = arena.New<int>(2);
  const ArenaRef<int> younger = RefTo(inside);
  // Of the object, not of the moment at which the reference is taken.
  const ArenaRef<int> taken_inside = RefTo(before);
  CHECK(taken_inside == taken_before);
  CHECK(younger.IsLive());
  arena.Rewind(mark);
  CHECK(taken_before.IsLive());
  CHECK(taken_inside.IsLive());
  CHECK_FALSE(younger.IsLive());
  arena.New<int>(3);
  CHECK_FALSE(younger.IsLive());
  CHECK(*taken_inside == 1);
}

TEST_CASE("ArenaRef: many marks, objects of each, rewound to any") {
  for (const int kept : {0, 1, 7, 99, 100}) {
    Arena arena;
    std::vector<int*> objects{arena.New<int>(0)};
    std::vector<Mark> marks;
    for (int i = 1; i <= 100; ++i) {
      marks.push_back(arena.Checkpoint());
      objects.push_back(arena.New<int>(i));
      if (i % 9 == 0) static_cast<void>(arena.Allocate(70000));  // new chunks
    }
    std::vector<ArenaRef<int>> refs;
    for (int* object : objects) refs.push_back(RefTo(object));
    for (const auto& ref : refs) CHECK(ref.IsLive());
    if (kept < 100) arena.Rewind(marks[static_cast<std::size_t>(kept)]);
    for (int i = 0; i <= 100; ++i) {
      CAPTURE(i);
      CHECK(refs[static_cast<std::size_t>(i)].IsLive() == (i <= kept));
    }
    arena.Reset();
    for (const auto& ref : refs) CHECK_FALSE(ref.IsLive());
  }
}

TEST_CASE("ArenaRef: checked builds notice that the arena has ended") {
  if (!acre::kChecked) return;
  std::optional<Arena> arena(std::in_place,
                             acre::ArenaOptions{.name = "short"});
  const ArenaRef<int> ref = RefTo(arena->New<int>(1));
  arena.reset();
  CHECK_FALSE(ref.IsLive());
  CHECK_DIES(*ref = 1, "ArenaRef to .* its arena 'short' has ended");
  arena.emplace(acre::ArenaOptions{.name = "next"});  // at the same address
  CHECK(RefTo(arena->New<int>(1)).IsLive());
  CHECK_FALSE(ref.IsLive());
}

TEST_CASE("ArenaRef: in scanned memory it keeps a collected arena alive") {
  auto** cell = static_cast<ArenaRef<int>**>(
      GC_malloc_uncollectable(sizeof(ArenaRef<int>*)));
  [&]() __attribute__((noinline)) {
    Arena* arena = acre::NewCollectedArena();
    *cell = ::new (GC_malloc(sizeof(ArenaRef<int>)))
        ArenaRef<int>(RefTo(arena->New<int>(12)));
  }
  ();
  acre_test::Collect(3);
  CHECK(**(*cell) == 12);
  GC_FREE(cell);
}

// ------------------------------------------------------------ WeakArenaRef

namespace {

__attribute__((noinline)) void MakeDropped(WeakArenaRef* refs, int count) {
  for (int i = 0; i < count; ++i) {
    Arena* arena = acre::NewCollectedArena();
    arena->New<int>(i);
    refs[i] = WeakArenaRef(*arena);
  }
}
__attribute__((noinline)) int CountAlive(const WeakArenaRef* refs, int count) {
  int alive = 0;
  for (int i = 0; i < count; ++i) alive += refs[i].lock() != nullptr;
  return alive;
}

}  // namespace

TEST_CASE("WeakArenaRef: an explicit arena, until it ends") {
  const WeakArenaRef nothing;
  CHECK(nothing.lock() == nullptr);
  std::optional<Arena> arena(std::in_place);
  const WeakArenaRef early(*arena);  // it has no chunk yet
  arena->New<int>(1);
  const WeakArenaRef late(*arena);
  CHECK(early.lock() == &*arena);
  CHECK(early == late);
  CHECK(early != nothing);
  arena->Reset(acre::ResetMode::kRelease);
  CHECK(early.lock() == &*arena);
  arena.reset();
  CHECK(early.lock() == nullptr);
  // The next one, at the same address, takes the same place in the registry.
  arena.emplace();
  const WeakArenaRef next(*arena);
  CHECK(next.lock() == &*arena);
  CHECK(early.lock() == nullptr);
  CHECK(early != next);
}

TEST_CASE(
    "WeakArenaRef: many arenas, one after the other, none taken for "
    "another") {
  std::vector<WeakArenaRef> refs;
  for (int i = 0; i < 300; ++i) {
    Arena arena;
    arena.New<int>(i);
    refs.emplace_back(arena);
    CHECK(refs.back().lock() == &arena);
    for (std::size_t k = 0; k + 1 < refs.size(); ++k) {
      REQUIRE(refs[k].lock() == nullptr);
    }
  }
}

TEST_CASE("WeakArenaRef: does not keep a collected arena, knows when it goes") {
  constexpr int kArenas = 100;
  auto refs = std::make_unique<WeakArenaRef[]>(kArenas);
  MakeDropped(refs.get(), kArenas);
  acre_test::Collect(3);
  // Stale words on the stack, and one of libgc's own, may keep some.
  CHECK(CountAlive(refs.get(), kArenas) <= 3);

  Arena* kept = acre::NewCollectedArena();
  const WeakArenaRef ref(*kept);
  kept->New<int>(1);
  acre_test::Collect(3);
  CHECK(ref.lock() == kept);
  *kept->New<int>() = 2;
}

TEST_CASE("WeakArenaRef: an element, in arenas and containers") {
  static_assert(sizeof(WeakArenaRef) == 2 * sizeof(void*));
  static_assert(std::is_trivially_copyable_v<WeakArenaRef>);
  static_assert(acre::Element<WeakArenaRef>);
  Arena arena;
  Arena other;
  acre::Vector<WeakArenaRef> refs(arena);
  refs.emplace_back(other);
  refs.emplace_back();
  CHECK(refs[0].lock() == &other);
  CHECK(refs[1].lock() == nullptr);
}

TEST_CASE("WeakArenaRef: locked in one thread while another collects") {
  // What is handed out is alive: its contents are what they were made to be.
  std::atomic<bool> is_done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> found{0};
  constexpr std::size_t kPlaces = 8;
  struct Place {
    std::atomic<std::uint64_t> words[2] = {};
  };
  auto places = std::make_unique<Place[]>(kPlaces);
  acre_test::NeedCollector();
  std::thread reader([&] {
    const acre::ThreadRegistration here;
    for (std::size_t i = 0; !is_done.load(); i = (i + 1) % kPlaces) {
      WeakArenaRef ref;
      std::uint64_t words[2];
      for (int k = 0; k < 2; ++k) words[k] = places[i].words[k].load();
      if (words[0] == 0 || words[0] != places[i].words[0].load()) continue;
      std::memcpy(static_cast<void*>(&ref), words, sizeof ref);
      Arena* const arena = ref.lock();
      if (arena == nullptr) continue;
      found.fetch_add(1);
      if (std::strcmp(arena->name(), "alive") != 0) wrong.fetch_add(1);
    }
  });
  // A busy machine may not run the reader for a while.
  constexpr int kRounds = acre_test::Scaled(3000, 300);
  const auto goes_on = [&](int round) {
    return round < kRounds || (found.load() == 0 && round < 100 * kRounds);
  };
  for (int round = 0; goes_on(round); ++round) {
    [&]() __attribute__((noinline)) {
      Arena* arena = acre::NewCollectedArena({.name = "alive"});
      arena->New<int>(round);
      const WeakArenaRef ref(*arena);
      std::uint64_t words[2];
      std::memcpy(words, static_cast<const void*>(&ref), sizeof ref);
      Place& place = places[static_cast<std::size_t>(round) % kPlaces];
      place.words[0].store(0);
      place.words[1].store(words[1]);
      place.words[0].store(words[0]);
    }
    ();
    if (round % 20 == 0) GC_gcollect();
  }
  is_done.store(true);
  reader.join();
  CHECK(wrong.load() == 0);
  CHECK(found.load() > 0);
}

TEST_CASE("WeakArenaRef: in the child of a fork") {
  Arena* arena = acre::NewCollectedArena();
  const WeakArenaRef ref(*arena);
  const acre_test::Death death = acre_test::RunInChild([&] {
    if (ref.lock() != arena) std::abort();
  });
  INFO(death.text);
  CHECK_FALSE(death.died);
}

}  // namespace arena_ref_test
