// SPDX-License-Identifier: MIT
//
// Guards that dropped collected arenas end: that nothing of acre's in scanned
// memory holds what it was never told to hold. Each test lets one arena go by:
// libgc has a static word of its own that may name any address.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstring>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"

namespace dropped_arenas_test {

using acre_test::ClobberStack;
using acre_test::Collect;
using acre_test::Hidden;

void Count(void*, void* count) { ++*static_cast<int*>(count); }

/// An arena that nobody holds any more. The chunk and the arena, unseen.
struct Dropped {
  Hidden arena;
  Hidden block;
};

__attribute__((noinline)) Dropped Drop(const acre::ArenaOptions& options,
                                       int* ended) {
  acre::Arena* arena = acre::NewCollectedArena(options);
  GC_register_finalizer_no_order(arena, Count, ended, nullptr, nullptr);
  auto* numbers = arena->New<acre::Vector<int>>();
  for (int i = 0; i < 30000; ++i) numbers->push_back(i);
  return {Hidden(arena), Hidden(numbers->data())};
}

/// Leaves both addresses, and that of the chunk, all over the dead stack.
__attribute__((noinline)) void FillStack(const Dropped& dropped, int depth) {
  const void* frame[512];
  for (std::size_t i = 0; i < 512; ++i) {
    frame[i] = i % 2 == 0 ? dropped.arena.reveal() : dropped.block.reveal();
  }
  asm volatile("" : : "r"(frame) : "memory");
  if (depth != 0) FillStack(dropped, depth - 1);
  asm volatile("" : : "r"(frame) : "memory");
}

/// Leaves them in freed objects of every small size. (libgc clears what it
/// hands out again; what is not to be scanned it hands out as it is.)
__attribute__((noinline)) void FillHeap(const Dropped& dropped) {
  for (std::size_t words = 2; words <= 256; words += 2) {
    void* objects[8];
    for (void*& object : objects) {
      object =
          words % 4 == 0 ? GC_malloc(words * 8) : GC_malloc_atomic(words * 8);
      auto** at = static_cast<void**>(object);
      for (std::size_t i = 0; i < words; ++i) {
        at[i] = i % 2 == 0 ? dropped.arena.reveal() : dropped.block.reveal();
      }
    }
    for (void* object : objects) GC_free(object);
  }
}

__attribute__((noinline)) acre::Arena* MakeOnDirt(const Dropped& dropped) {
  FillHeap(dropped);
  FillStack(dropped, 20);
  return acre::NewCollectedArena({.name = "second"});
}

/// Everything that puts something of acre's into scanned memory.
__attribute__((noinline)) void UseOnDirt(const Dropped& dropped,
                                         acre::Arena& arena) {
  FillStack(dropped, 20);
  auto* map = arena.New<acre::Map<acre::String, int>>();
  FillStack(dropped, 20);
  for (int i = 0; i < 3000; ++i)
    (*map)["a key longer than what fits inside"] = i;
  FillStack(dropped, 20);
  void* large = arena.Allocate(std::size_t{1} << 20);
  FillStack(dropped, 20);
  arena.Free(large, std::size_t{1} << 20);
  FillStack(dropped, 20);
  const acre::Mark mark = arena.Checkpoint();
  arena.Rewind(mark);
  FillStack(dropped, 20);
  arena.Reset(acre::ResetMode::kRelease);
  FillStack(dropped, 20);
  static_cast<void>(arena.New<int>(1));
  FillStack(dropped, 20);
  acre::OnCollected(arena, [](void*) {});
}

__attribute__((noinline)) void Chain(int count, int* ended) {
  for (int i = 0; i < count; ++i) {
    const Dropped dropped = Drop({.name = "chained"}, ended);
    FillStack(dropped, 4);
  }
}

int g_farewells = 0;

void SayFarewell(void* data) {
  // It may do whatever a program does.
  acre::Arena* other = acre::NewCollectedArena();
  static_cast<void>(other->New<int>(1));
  if (*static_cast<int*>(data) == 42) ++g_farewells;
}

__attribute__((noinline)) std::vector<Hidden> DropWithFarewells(int count) {
  std::vector<Hidden> blocks;
  for (int i = 0; i < count; ++i) {
    acre::Arena* arena = acre::NewCollectedArena();
    auto* data = static_cast<int*>(GC_malloc_atomic(sizeof(int)));
    *data = 42;  // held by OnCollected alone
    acre::OnCollected(*arena, &SayFarewell, data);
    acre::OnCollected(*arena, &SayFarewell, data);
    blocks.emplace_back(arena->NewArray<long>(2000).data());
  }
  return blocks;
}

TEST_CASE("DroppedArenas: what a stack and a heap held before holds nothing") {
  acre_test::NeedCollector();
  static int ended;  // arenas that a word keeps count it up in a later test
  ended = 0;
  std::vector<Hidden> kept;  // the arenas made on dirt, kept by `holders`
  constexpr int kRounds = 6;
  auto** holders =
      static_cast<void**>(GC_malloc_uncollectable(kRounds * sizeof(void*)));
  for (int i = 0; i < kRounds; ++i) {
    const Dropped dropped = Drop({.name = "first"}, &ended);
    acre::Arena* second = MakeOnDirt(dropped);
    UseOnDirt(dropped, *second);
    holders[i] = second;
  }
  Collect(4);
  CHECK(ended >= kRounds - 1);
  GC_free(holders);
}

TEST_CASE("DroppedArenas: no chain of dead arenas") {
  acre_test::NeedCollector();
  static int ended;  // arenas that a word keeps count it up in a later test
  ended = 0;
  Chain(40, &ended);
  Collect(4);
  CHECK(ended >= 39);
}

TEST_CASE("DroppedArenas: each ends at the next collection") {
  acre_test::NeedCollector();
  static int ended;  // arenas that a word keeps count it up in a later test
  ended = 0;
  int made = 0;
  for (int i = 0; i < 8; ++i) {
    static_cast<void>(Drop({.name = "dropped"}, &ended));
    ++made;
    Collect(2);
    CHECK(ended >= made - 1);
  }
}

TEST_CASE("OnCollected: runs once for each, when the arena is gone") {
  acre_test::NeedCollector();
  g_farewells = 0;
  constexpr int kArenas = 20;
  const std::vector<Hidden> blocks = DropWithFarewells(kArenas);
  Collect(4);
  int gone = 0;
  for (const Hidden& block : blocks) {
    gone += acre::ArenaOf(block.reveal()) == nullptr ? 1 : 0;
  }
  CHECK(gone >= kArenas - 1);
  CHECK(g_farewells == 2 * gone);
  Collect(3);
  CHECK(g_farewells <= 2 * kArenas);
}

TEST_CASE("OnCollected: not before, while somebody holds the arena") {
  acre_test::NeedCollector();
  static int ran;
  ran = 0;
  auto** holder = static_cast<void**>(GC_malloc_uncollectable(sizeof(void*)));
  [&]() __attribute__((noinline)) {
    acre::Arena* arena = acre::NewCollectedArena();
    acre::OnCollected(*arena, [](void*) { ++ran; });
    *holder = arena->New<int>(1);
  }
  ();
  Collect(3);
  CHECK(ran == 0);
  GC_free(holder);
}

}  // namespace dropped_arenas_test
