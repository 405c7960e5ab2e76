// SPDX-License-Identifier: MIT
//
// Guards small arenas that come and go: what one leaves to the next is memory,
// and nothing else. In release builds the next one gets the chunk and the entry
// of the one before.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/arena_ref.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/vector.h"
#include "collecting.h"

namespace small_arena_test {

using acre::Arena;
using acre::ArenaOf;

struct Item {
  std::size_t number = 0;
  Item* next = nullptr;
  char text[24] = {};
};
ACRE_LAYOUT(Item, number, next, text)

/// Fills an arena with items, in a row; all of them have what they were given.
class Row {
 public:
  Row(Arena& arena, std::size_t count, std::size_t first) : first_(first) {
    for (std::size_t i = 0; i < count; ++i) {
      Item* const item = arena.New<Item>(Item{first + i, last_});
      std::memset(item->text, static_cast<int>(first + i), sizeof item->text);
      last_ = item;
      ++count_;
    }
  }
  bool IsIntact() const {
    std::size_t left = count_;
    for (const Item* item = last_; item != nullptr; item = item->next) {
      if (left-- == 0 || item->number != first_ + left) return false;
      for (const char c : item->text) {
        if (c != static_cast<char>(item->number)) return false;
      }
    }
    return left == 0;
  }

 private:
  std::size_t first_;
  std::size_t count_ = 0;
  Item* last_ = nullptr;
};

TEST_CASE("small arenas: any number at a time, in any order, small or grown") {
  std::vector<std::pair<std::unique_ptr<Arena>, std::optional<Row>>> arenas;
  std::size_t made = 0;
  for (int round = 0; round < 3000; ++round) {
    if (arenas.size() < 40 && round % 3 != 0) {
      auto arena = std::make_unique<Arena>();
      // A few have more than the first chunk, some nothing at all.
      const std::size_t count = made % 7 == 0 ? 60 : made % 5;
      Row row(*arena, count, made++);
      arenas.emplace_back(std::move(arena), row);
    } else if (!arenas.empty()) {
      const std::size_t which = made * 7 % arenas.size();
      CHECK(arenas[which].second->IsIntact());
      arenas.erase(arenas.begin() + static_cast<std::ptrdiff_t>(which));
    }
  }
  for (const auto& [arena, row] : arenas) CHECK(row->IsIntact());
}

TEST_CASE("small arenas: the memory of one that has ended is nobody's") {
  const void* block = nullptr;
  {
    Arena arena;
    block = arena.New<Item>();
    CHECK(ArenaOf(block) == &arena);
  }
  CHECK(ArenaOf(block) == nullptr);
  Arena next({.name = "next"});
  const Item* const item = next.New<Item>();
  CHECK(ArenaOf(item) == &next);
  CHECK(item->number == 0);
  CHECK(next.stats().chunks == 1);
  CHECK(next.stats().carved < 100);
  CHECK(next.resets() == 0);
  if (!acre::kChecked) CHECK(item == block);  // it is used again
}

TEST_CASE("small arenas: the next one has other options, and keeps to them") {
  { static_cast<void>(Arena().New<Item>()); }
  Arena limited({.byte_limit = 2000});
  static_cast<void>(limited.New<Item>());
  CHECK(limited.stats().reserved <= 2000);
  CHECK(limited.TryAllocate(4000) == nullptr);
  { static_cast<void>(Arena().New<Item>()); }
  Arena tiny({.byte_limit = 300});
  static_cast<void>(tiny.New<Item>());
  CHECK(tiny.stats().reserved <= 300);
  { static_cast<void>(Arena().New<Item>()); }
  Arena asked({.first_chunk = 8192});
  static_cast<void>(asked.New<Item>());
  CHECK(asked.stats().reserved == 8192);
  { static_cast<void>(Arena().New<Item>()); }
  Arena malloced({.source = &acre::MallocSource::Instance()});
  static_cast<void>(malloced.New<Item>());
  CHECK(malloced.stats().reserved == 65536);
  { static_cast<void>(Arena().New<Item>()); }
  Arena large;
  static_cast<void>(large.Allocate(5000));
  CHECK(large.stats().reserved == 65536);
}

TEST_CASE("small arenas: marks, frames and references end with their arena") {
  for (int i = 0; i < 50; ++i) {
    {
      Arena arena;
      static_cast<void>(arena.New<Item>());
      static_cast<void>(arena.Checkpoint());  // stays open
      static_cast<void>(arena.New<Item>());
    }
    {
      Arena arena;
      Item* const item = arena.New<Item>();
      acre::History history(arena);
      const acre::FrameId frame = history.Capture();
      item->number = 3;
      history.Restore(frame);
      CHECK(item->number == 0);
    }
    {
      Arena arena;
      auto* const ref = arena.New<acre::GcRef<int>>();
      *ref = static_cast<int*>(GC_MALLOC_ATOMIC(sizeof(int)));
    }
    Arena arena;
    Item* const item = arena.New<Item>();
    const acre::Mark mark = arena.Checkpoint();
    static_cast<void>(arena.New<Item>());
    arena.Rewind(mark);
    CHECK(ArenaOf(item) == &arena);
    CHECK(arena.stats().live() > 0);
  }
}

TEST_CASE("small arenas: a weak reference knows that its arena is gone") {
  std::optional<Arena> arena;
  arena.emplace();
  static_cast<void>(arena->New<Item>());
  const acre::WeakArenaRef weak(*arena);
  CHECK(weak.lock() == &*arena);
  arena.reset();
  arena.emplace();  // at the same place, with the same chunk
  static_cast<void>(arena->New<Item>());
  CHECK(weak.lock() == nullptr);
}

TEST_CASE("small arenas: containers and collections among them") {
  for (int i = 0; i < 300; ++i) {
    Arena arena;
    acre::Vector<int> numbers(arena);
    acre::Map<int, int> map(arena);
    for (int n = 0; n < i % 9; ++n) {
      numbers.push_back(n);
      map[n] = n;
    }
    CHECK(numbers.size() == map.size());
    if (i % 40 == 0) acre_test::Collect();
    for (int n = 0; n < i % 9; ++n) {
      CHECK(numbers[static_cast<std::size_t>(n)] == n);
      CHECK(map.at(n) == n);
    }
  }
}

TEST_CASE("small arenas: dead collected ones are taken out around them") {
  for (int i = 0; i < 400; ++i) {
    static_cast<void>(acre::NewCollectedArena()->New<Item>());
    Arena arena;
    const Row row(arena, 5, 1);
    if (i % 50 == 0) acre_test::Collect();
    CHECK(row.IsIntact());
  }
}

TEST_CASE("small arenas: many threads make and end them at once") {
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 8; ++t) {
    threads.emplace_back([t, &wrong] {
      const acre::ThreadRegistration registration;
      for (std::size_t i = 0; i < 3000; ++i) {
        Arena first;
        const Row one(first, i % 12, t * 1000 + i);
        Arena second;
        const Row two(second, i % 5, i);
        if (!one.IsIntact() || !two.IsIntact()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace small_arena_test
