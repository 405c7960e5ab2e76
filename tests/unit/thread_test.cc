// SPDX-License-Identifier: MIT
//
// Guards the thread rules: registration with the collector, one thread at a
// time, and the hand-over between threads.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "collecting.h"
#include "support/death.h"

namespace thread_test {

TEST_CASE("threads: an unregistered one is told so before it allocates") {
  if constexpr (!acre::kChecked) return;
  acre_test::NeedCollector();
  CHECK_DIES(std::thread([] {
               acre::Arena arena;
               static_cast<void>(arena.Allocate(10));
             }).join(),
             "not registered with the collector; put a ThreadRegistration");
  CHECK_DIES(std::thread([] { acre::NewCollectedArena(); }).join(),
             "not registered with the collector");
}

TEST_CASE("ThreadRegistration: a registered thread allocates and collects") {
  acre_test::NeedCollector();
  std::size_t wrong = 0;
  std::thread([&] {
    const acre::ThreadRegistration registration;
    acre::Arena* arena = acre::NewCollectedArena({.max_chunk = 65536});
    std::vector<unsigned char*> blocks;
    for (int i = 0; i < 100; ++i) {
      blocks.push_back(static_cast<unsigned char*>(arena->Allocate(20000)));
      std::memset(blocks.back(), i, 20000);
      if (i % 10 == 0) GC_gcollect();
    }
    for (int i = 0; i < 100; ++i) {
      for (int k = 0; k < 20000; ++k) wrong += blocks[i][k] != i;
      wrong += !arena->Owns(blocks[i]);
    }
  }).join();
  CHECK(wrong == 0);
}

TEST_CASE("ThreadRegistration: its thread's stack keeps an arena alive") {
  acre_test::NeedCollector();
  static int dead;
  dead = 0;
  std::thread([] {
    const acre::ThreadRegistration registration;
    acre::Arena* arena = acre::NewCollectedArena();
    GC_register_finalizer_no_order(
        arena, [](void*, void*) { ++dead; }, nullptr, nullptr, nullptr);
    volatile char* interior = static_cast<char*>(arena->Allocate(5000)) + 99;
    arena = nullptr;
    *interior = 42;
    acre_test::Collect(5);
    CHECK(*interior == 42);
    CHECK(dead == 0);
  }).join();
}

TEST_CASE("ThreadRegistration: does nothing in a registered thread") {
  acre_test::NeedCollector();
  {
    const acre::ThreadRegistration outer;
    const acre::ThreadRegistration inner;
  }
  acre::Arena arena;  // this thread is still registered
  CHECK(arena.TryAllocate(10) != nullptr);
  std::thread([] {
    const acre::ThreadRegistration outer;
    { const acre::ThreadRegistration inner; }
    acre::Arena another;
    CHECK(another.TryAllocate(10) != nullptr);
  }).join();
}

TEST_CASE("threads: a malloc arena needs no registration") {
  std::thread([] {
    acre::Arena arena({.source = &acre::MallocSource::Instance()});
    CHECK(arena.TryAllocate(1000) != nullptr);
  }).join();
}

TEST_CASE("threads: a second user of an arena is refused in checked builds") {
  if constexpr (!acre::kChecked) return;
  acre::MallocSource source;
  acre::Arena arena({.name = "single", .source = &source});
  void* block = arena.Allocate(16);
  const acre::Mark mark = arena.Checkpoint();
  const auto in_thread = [](auto body) { std::thread(body).join(); };
  const char* pattern = "arena 'single' is used by a second thread";
  CHECK_DIES(in_thread([&] { static_cast<void>(arena.Allocate(1)); }), pattern);
  CHECK_DIES(in_thread([&] { arena.Free(block, 16); }), pattern);
  CHECK_DIES(in_thread([&] { arena.Reset(); }), pattern);
  CHECK_DIES(in_thread([&] { static_cast<void>(arena.Checkpoint()); }),
             pattern);
  CHECK_DIES(in_thread([&] { arena.Rewind(mark); }), pattern);
  CHECK_DIES(in_thread([&] { arena.TryGrow(block, 16, 32); }), pattern);
}

TEST_CASE("HandOver: the next thread becomes the user") {
  acre::MallocSource source;
  acre::Arena arena({.source = &source});
  int* number = arena.New<int>(1);
  arena.HandOver();
  std::thread([&] {
    arena.Free(number);
    number = arena.New<int>(2);
    arena.HandOver();
  }).join();
  CHECK(*number == 2);
  arena.Free(number);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("HandOver: the thread that gave it away is refused") {
  if constexpr (!acre::kChecked) return;
  acre::MallocSource source;
  acre::Arena arena({.source = &source});
  static_cast<void>(arena.Allocate(1));
  arena.HandOver();
  std::thread([&] { static_cast<void>(arena.Allocate(1)); }).join();
  CHECK_DIES(static_cast<void>(arena.Allocate(1)), "used by a second thread");
}

TEST_CASE("threads: any thread may ask Owns and ArenaOf") {
  acre::MallocSource source;
  acre::Arena arena({.source = &source});
  const void* block = arena.Allocate(100);
  std::thread([&] {
    CHECK(arena.Owns(block));
    CHECK(acre::ArenaOf(block) == &arena);
  }).join();
}

TEST_CASE("threads: arenas of several threads share the collected source") {
  acre_test::NeedCollector();
  std::vector<std::thread> threads;
  std::size_t wrong[3] = {};
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([t, &wrong] {
      const acre::ThreadRegistration registration;
      for (int round = 0; round < 30; ++round) {
        acre::Arena arena;
        std::vector<unsigned char*> blocks;
        for (int i = 0; i < 50; ++i) {
          blocks.push_back(static_cast<unsigned char*>(arena.Allocate(5000)));
          std::memset(blocks.back(), t * 50 + i, 5000);
        }
        if (round % 10 == t) GC_gcollect();
        for (int i = 0; i < 50; ++i) {
          for (int k = 0; k < 5000; ++k) {
            wrong[t] += blocks[i][k] != t * 50 + i;
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong[0] + wrong[1] + wrong[2] == 0);
}

}  // namespace thread_test
