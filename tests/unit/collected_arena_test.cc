// SPDX-License-Identifier: MIT
//
// Guards collected arenas: one pointer into any chunk keeps the whole arena,
// dropping the last one frees it, and a dead arena owns nothing any more.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "collecting.h"
#include "support/death.h"
#include "support/scaled.h"

namespace collected_arena_test {

using acre_test::ClobberStack;
using acre_test::Collect;
using acre_test::Hidden;

constexpr std::size_t kBlocks = 64;
constexpr std::size_t kBlockBytes = 40000;  // one a chunk

/// On the collected heap: the only thing that points into the arena.
struct Holder {
  char* interior;
};

/// What the test knows of an arena, unseen by the collector.
struct Record {
  Hidden arena;
  Hidden blocks[kBlocks];
  int finalized = 0;
};

void CountDeath(void*, void* count) { ++*static_cast<int*>(count); }

__attribute__((noinline)) void Build(Record& record, Holder* holder,
                                     bool with_finalizer = true) {
  acre::Arena* arena =
      acre::NewCollectedArena({.name = "built", .max_chunk = 65536});
  if (with_finalizer) {
    GC_register_finalizer_no_order(arena, CountDeath, &record.finalized,
                                   nullptr, nullptr);
  }
  record.arena = Hidden(arena);
  for (std::size_t i = 0; i < kBlocks; ++i) {
    void* block = arena->Allocate(kBlockBytes);
    std::memset(block, static_cast<int>('A' + i % 26), kBlockBytes);
    record.blocks[i] = Hidden(block);
    if (i == 37 && holder != nullptr) {
      holder->interior = static_cast<char*>(block) + 23456;
    }
  }
}

__attribute__((noinline)) std::size_t WrongBytes(const Record& record) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const auto* bytes = static_cast<const char*>(record.blocks[i].reveal());
    for (std::size_t k = 0; k < kBlockBytes; ++k) {
      wrong += bytes[k] != static_cast<char>('A' + i % 26);
    }
  }
  return wrong;
}

__attribute__((noinline)) bool IsFound(const Record& record) {
  return acre::ArenaOf(record.blocks[0].reveal()) != nullptr;
}

/// Allocates until a request lies where a block of `record` was; writes there.
__attribute__((noinline)) void* TakeOver(const Record& record) {
  for (int i = 0; i < 4000; ++i) {
    auto* taken = static_cast<char*>(GC_malloc_atomic(30000));
    std::memset(taken, 0x2F, 30000);
    for (const Hidden& block : record.blocks) {
      const auto* old = static_cast<char*>(block.reveal());
      if (taken >= old && taken < old + kBlockBytes) return taken;
    }
  }
  return nullptr;
}

/// For forked children, which cannot report to the test framework.
void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not true: %s\n", what);
  std::abort();
}
#define CHILD_CHECK(...) Require(__VA_ARGS__, #__VA_ARGS__)

/// The compiler must not think that nobody reads what it holds.
Holder* NewHolder() {
  acre_test::NeedCollector();
  auto* holder = static_cast<Holder*>(GC_malloc(sizeof(Holder)));
  asm volatile("" : "+r"(holder) : : "memory");
  return holder;
}

TEST_CASE("collected: an interior pointer in a heap object keeps all chunks") {
  Holder* holder = NewHolder();
  static Record record;  // outlives the finalizer
  Build(record, holder);
  Collect(5);
  CHECK(record.finalized == 0);
  CHECK(WrongBytes(record) == 0);
  CHECK(acre::ArenaOf(holder->interior) == record.arena.reveal());
  CHECK(acre::ArenaOf(holder->interior)->Owns(record.blocks[63].reveal()));
  holder->interior = nullptr;
  GC_reachable_here(holder);
}

TEST_CASE("collected: a pointer to the arena itself keeps all chunks") {
  Holder* holder = NewHolder();
  static Record record;  // outlives the finalizer
  Build(record, nullptr);
  holder->interior = static_cast<char*>(record.arena.reveal());
  Collect(5);
  CHECK(record.finalized == 0);
  CHECK(WrongBytes(record) == 0);
  holder->interior = nullptr;
  GC_reachable_here(holder);
}

TEST_CASE("collected: dropping the last pointer frees the arena") {
  constexpr int kArenas = 10;
  Holder* holders[kArenas];
  static Record records[kArenas];
  for (int i = 0; i < kArenas; ++i) {
    records[i] = {};
    holders[i] = NewHolder();
    Build(records[i], holders[i]);
  }
  Collect(3);
  int dead = 0;
  for (const Record& record : records) dead += record.finalized;
  CHECK(dead == 0);
  for (Holder* holder : holders) holder->interior = nullptr;
  Collect(8);
  for (const Record& record : records) {
    CHECK(record.finalized <= 1);
    dead += record.finalized;
    if (record.finalized == 1) CHECK_FALSE(IsFound(record));
  }
  CHECK(dead >= kArenas - 1);  // a stale word may keep one
}

TEST_CASE("collected: memory of dropped arenas is used again") {
  static Record record;
  for (int i = 0; i < 20; ++i) Build(record, nullptr, false);
  Collect(3);
  const std::size_t before = GC_get_heap_size();
  for (int i = 0; i < 200; ++i) {  // 500 MiB, if nothing were freed
    Build(record, nullptr, false);
    if (i % 10 == 0) Collect(1);
  }
  CHECK(GC_get_heap_size() < before + (std::size_t{200} << 20));
}

TEST_CASE("collected: a dead arena owns nothing, whoever has the memory now") {
  int checked = 0;
  for (int i = 0; i < 5; ++i) {
    static Record record;
    Build(record, nullptr, false);
    const bool found = IsFound(record);
    // No CHECK between: it copies what was on the stack into this frame.
    Collect(4);
    CHECK(found);
    if (IsFound(record)) continue;  // kept by a stale word
    for (const Hidden& block : record.blocks) {
      CHECK(acre::ArenaOf(block.reveal()) == nullptr);
    }
    void* taken = TakeOver(record);
    if (taken == nullptr) continue;
    CHECK(acre::ArenaOf(taken) == nullptr);
    acre::Arena explicit_arena;
    void* block = explicit_arena.Allocate(100);
    CHECK(acre::ArenaOf(block) == &explicit_arena);
    CHECK(acre::ArenaOf(taken) == nullptr);
    ++checked;
  }
  CHECK(checked > 0);
}

TEST_CASE("collected: chunks of a dead arena serve living ones") {
  static Record first;
  Build(first, nullptr, false);
  Collect(4);
  Holder* holder = NewHolder();
  static Record second;
  for (int i = 0; i < 20; ++i) {
    Build(second, holder, false);
    const void* arena = second.arena.reveal();
    std::size_t wrong = 0;
    for (const Hidden& block : second.blocks) {
      wrong += acre::ArenaOf(block.reveal()) != arena;
    }
    CHECK(wrong == 0);
    CHECK(WrongBytes(second) == 0);
    Collect(1);
    CHECK(WrongBytes(second) == 0);
  }
  holder->interior = nullptr;
  GC_reachable_here(holder);
}

TEST_CASE("collected: Reset with release leaves held chunks readable") {
  Holder* holder = NewHolder();
  acre::Arena* arena = acre::NewCollectedArena();
  auto* block = static_cast<char*>(arena->Allocate(5000));
  std::memset(block, 0x1C, 5000);
  holder->interior = block + 2000;
  block = nullptr;
  arena->Reset(acre::ResetMode::kRelease);
  CHECK(arena->stats().reserved == 0);
  Collect(5);
  CHECK(acre::ArenaOf(holder->interior) == nullptr);
  CHECK_FALSE(arena->Owns(holder->interior));
  std::size_t kept = 0;
  for (int i = -2000; i < 3000; ++i) kept += holder->interior[i] == 0x1C;
  // Checked builds fill what Reset ends; the bytes are readable all the same.
  if constexpr (!acre::kChecked) CHECK(kept == 5000);
  CHECK(kept <= 5000);
  CHECK(arena->Allocate(100) != nullptr);
  CHECK(arena->stats().chunks == 1);
}

TEST_CASE("collected: a held chunk that was released keeps no arena alive") {
  Holder* holder = NewHolder();
  int dead = 0;
  static Record records[4];
  for (Record& record : records) {
    record = {};
    Build(record, holder);
    [](Record & r) __attribute__((noinline)) {
      static_cast<acre::Arena*>(r.arena.reveal())
          ->Reset(acre::ResetMode::kRelease);
    }
    (record);
  }
  Collect(8);
  for (const Record& record : records) dead += record.finalized;
  CHECK(dead >= 3);
  holder->interior = nullptr;
  GC_reachable_here(holder);
}

TEST_CASE("collected: large blocks come and go with the arena alive") {
  acre::Arena* arena = acre::NewCollectedArena();
  void* anchor = arena->Allocate(10);
  for (int i = 0; i < 30; ++i) {
    void* large = arena->Allocate(std::size_t{2} << 20, 4096);
    std::memset(large, i, std::size_t{2} << 20);
    if (i % 2 == 0) arena->Free(large, std::size_t{2} << 20, 4096);
    if (i % 10 == 0) Collect(1);
  }
  CHECK(arena->stats().large_blocks == 15);
  CHECK(arena->Owns(anchor));
}

TEST_CASE("collected: a source of its own is refused") {
  acre::MallocSource source;
  CHECK_DIES(acre::NewCollectedArena({.name = "mixed", .source = &source}),
             "NewCollectedArena\\('mixed'\\)");
}

TEST_CASE("collected: a byte limit holds") {
  acre::Arena* arena = acre::NewCollectedArena({.byte_limit = 200000});
  std::size_t bytes = 0;
  while (arena->TryAllocate(1000) != nullptr) bytes += 1000;
  CHECK(bytes > 150000);
  CHECK(arena->stats().reserved <= 200000);
}

TEST_CASE("collected: a finalizer may use the arena that is allocating") {
  struct Shared {
    acre::Arena* arena = nullptr;  // null: the test is over
    int calls = 0;
    int while_allocating = 0;
    bool allocating = false;
    std::vector<std::pair<unsigned char*, unsigned char>> blocks;
  };
  acre::Arena* arena =
      acre::NewCollectedArena({.first_chunk = 4096, .max_chunk = 4096});
  static Shared shared;
  shared.arena = arena;
  const auto finalize = [](void*, void* data) {
    auto& s = *static_cast<Shared*>(data);
    if (s.arena == nullptr) return;
    ++s.calls;
    s.while_allocating += s.allocating;
    auto* block = static_cast<unsigned char*>(s.arena->Allocate(700));
    std::memset(block, s.calls % 256, 700);
    s.blocks.push_back({block, static_cast<unsigned char>(s.calls % 256)});
  };
  for (int i = 0; i < 40000 && shared.while_allocating < 200; ++i) {
    // Garbage with finalizers, so that any collection has some to run.
    GC_register_finalizer_no_order(GC_malloc(64), finalize, &shared, nullptr,
                                   nullptr);
    shared.allocating = true;
    auto* block = static_cast<unsigned char*>(arena->Allocate(700));
    shared.allocating = false;
    std::memset(block, i % 256, 700);
    shared.blocks.push_back({block, static_cast<unsigned char>(i % 256)});
  }
  CHECK(shared.while_allocating > 0);
  std::size_t wrong = 0;
  for (const auto& [block, tag] : shared.blocks) {
    for (int i = 0; i < 700; ++i) wrong += block[i] != tag;
  }
  CHECK(wrong == 0);
  shared.arena = nullptr;
}

TEST_CASE("collected: in incremental mode an arena stays alive too") {
  const acre_test::Death child = acre_test::RunInChild([] {
    acre_test::NeedCollector();
    GC_enable_incremental();
    Holder* holder = NewHolder();
    static Record record;
    Build(record, holder);
    for (int i = 0; i < 6; ++i) {
      for (int k = 0; k < 2000; ++k) GC_malloc(500);
      GC_collect_a_little();
      Collect(1);
    }
    CHILD_CHECK(record.finalized == 0);
    CHILD_CHECK(WrongBytes(record) == 0);
    CHILD_CHECK(acre::ArenaOf(holder->interior) == record.arena.reveal());
    std::fputs("survived", stderr);
  });
  INFO("child: " << child.text);
  CHECK_FALSE(child.died);
  CHECK(child.text.find("survived") != std::string::npos);
}

TEST_CASE("collected: 10000 chunks neither abort nor slow a collection down") {
  const double before = acre_test::SecondsOfCollection();
  acre::Arena* arena =
      acre::NewCollectedArena({.first_chunk = 4096, .max_chunk = 4096});
  while (arena->stats().chunks < 10000) {
    for (int i = 0; i < 500; ++i) static_cast<void>(arena->Allocate(3000));
  }
  const double with_chunks = acre_test::SecondsOfCollection();
  CAPTURE(before);
  CAPTURE(with_chunks);
  CHECK(arena->stats().chunks >= 10000);
  // 40 MiB; scanning them word by word would take far longer. Checked builds
  // look at each chunk after it; at -O0, with sanitizers, that takes 0.11.
  CHECK(with_chunks < before + acre_test::Scaled(0.1, 0.4));
}

}  // namespace collected_arena_test
