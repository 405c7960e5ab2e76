// SPDX-License-Identifier: MIT
//
// Guards explicit arenas over the collected heap: they live as long as the
// Arena stands, wherever that is, and hold nothing else alive.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <gc/gc.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "acre/arena.h"
#include "acre/audit_policy.h"
#include "acre/gc.h"
#include "acre/make_arena.h"
#include "collecting.h"
#include "support/death.h"
#include "test_sources.h"

namespace explicit_arena_test {

using acre_test::ClobberStack;
using acre_test::Collect;
using acre_test::Hidden;

/// Chunks of an arena in malloc'ed memory, all pointers hidden.
struct Record {
  Hidden blocks[50];
};

__attribute__((noinline)) void Fill(acre::Arena& arena, Record& record) {
  for (std::size_t i = 0; i < 50; ++i) {
    void* block = arena.Allocate(40000);
    std::memset(block, static_cast<int>(i), 40000);
    record.blocks[i] = Hidden(block);
  }
}

__attribute__((noinline)) std::size_t WrongBytes(const Record& record) {
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const auto* bytes = static_cast<const char*>(record.blocks[i].reveal());
    for (std::size_t k = 0; k < 40000; ++k) {
      wrong += bytes[k] != static_cast<char>(i);
    }
  }
  return wrong;
}

/// A collected object that has an explicit arena as a member.
struct Owner {
  alignas(acre::Arena) unsigned char arena[sizeof(acre::Arena)];
};

struct Death {
  int count = 0;
};

void Destroy(void* object, void* data) {
  reinterpret_cast<acre::Arena*>(static_cast<Owner*>(object)->arena)->~Arena();
  ++static_cast<Death*>(data)->count;
}

__attribute__((noinline)) void BuildOwner(Death& death) {
  void* memory = GC_malloc(sizeof(Owner));
  auto* owner = ::new (memory) Owner;
  auto* arena = ::new (static_cast<void*>(owner->arena)) acre::Arena();
  for (int i = 0; i < 20; ++i) static_cast<void>(arena->Allocate(40000));
  GC_register_finalizer_no_order(memory, Destroy, &death, nullptr, nullptr);
}

TEST_CASE("explicit: in malloc'ed memory it survives collections intact") {
  const std::unique_ptr<acre::Arena> arena = acre::MakeArena();
  Record record;
  Fill(*arena, record);
  for (int i = 0; i < 10; ++i) {
    Collect(1);
    for (int k = 0; k < 100; ++k) std::memset(GC_malloc(40000), 0xFF, 40000);
  }
  CHECK(WrongBytes(record) == 0);
  CHECK_FALSE(arena->is_collected());
}

TEST_CASE("explicit: its end gives the memory back to the collector") {
  Record record;
  for (int i = 0; i < 5; ++i) Fill(*acre::MakeArena(), record);
  Collect(2);
  const std::size_t before = GC_get_heap_size();
  for (int i = 0; i < 100; ++i) Fill(*acre::MakeArena(), record);
  CHECK(GC_get_heap_size() <= before + (std::size_t{16} << 20));
  CHECK(acre::ArenaOf(record.blocks[0].reveal()) == nullptr);
}

TEST_CASE("explicit: a member of a collected object does not keep it alive") {
  acre_test::NeedCollector();
  constexpr int kOwners = 10;
  static Death death;
  death.count = 0;
  for (int i = 0; i < kOwners; ++i) BuildOwner(death);
  Collect(8);
  CHECK(death.count >= kOwners - 1);  // a stale word may keep one
}

TEST_CASE("explicit: pointers inside keep nothing on the heap alive") {
  acre_test::NeedCollector();
  acre::Arena arena;
  static int freed;
  freed = 0;
  const auto count = [](void*, void*) { ++freed; };
  const auto build = [&]() __attribute__((noinline)) {
    auto** slots = static_cast<void**>(arena.Allocate(100 * sizeof(void*)));
    for (int i = 0; i < 100; ++i) {
      slots[i] = GC_malloc(64);
      GC_register_finalizer_no_order(slots[i], count, nullptr, nullptr,
                                     nullptr);
    }
  };
  build();
  Collect(6);
  CHECK(freed >= 95);
}

TEST_CASE("explicit: read(2) into a chunk works in incremental mode") {
  const acre_test::Death child = acre_test::RunInChild([] {
    acre_test::NeedCollector();
    GC_enable_incremental();
    acre::Arena arena;
    constexpr std::size_t kBytes = 200000;
    auto* block = static_cast<char*>(arena.Allocate(kBytes));
    std::memset(block, 7, kBytes);
    for (int i = 0; i < 4; ++i) {
      for (int k = 0; k < 2000; ++k) GC_malloc(500);
      Collect(1);
      GC_collect_a_little();
    }
    const int zero = ::open("/dev/zero", O_RDONLY);
    const ssize_t count = ::read(zero, block, kBytes);
    if (count != static_cast<ssize_t>(kBytes)) {
      std::fprintf(stderr, "read gave %zd, errno %d\n", count, errno);
      std::abort();
    }
    for (std::size_t i = 0; i < kBytes; ++i) {
      if (block[i] != 0) std::abort();
    }
    std::fputs("read it all", stderr);
  });
  INFO("child: " << child.text);
  CHECK_FALSE(child.died);
  CHECK(child.text.find("read it all") != std::string::npos);
}

TEST_CASE("explicit: 10000 chunks neither abort nor slow a collection down") {
  acre_test::NeedCollector();
  const double before = acre_test::SecondsOfCollection();
  acre::Arena arena({.first_chunk = 4096, .max_chunk = 4096});
  // The collector's time is asked for, not the auditor's.
  acre::SetAuditPolicy(arena, {.on_collection = false});
  while (arena.stats().chunks < 10000) {
    for (int i = 0; i < 500; ++i) static_cast<void>(arena.Allocate(3000));
  }
  const double with_chunks = acre_test::SecondsOfCollection();
  CAPTURE(before);
  CAPTURE(with_chunks);
  CHECK(with_chunks < before + 0.1);
}

TEST_CASE(
    "explicit: a collection inside Acquire may run finalizers that use it") {
  acre_test::NeedCollector();
  acre_test::HookedSource source(acre::CollectedSource::Instance());
  acre::Arena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  struct Shared {
    acre::Arena* arena = nullptr;  // null: the test is over
    int calls = 0;
    std::vector<unsigned char*> blocks;
  };
  static Shared shared;
  shared.arena = &arena;
  const auto finalize = [](void*, void*) {
    if (shared.arena == nullptr) return;
    ++shared.calls;
    auto* block = static_cast<unsigned char*>(shared.arena->Allocate(600));
    std::memset(block, 0x5E, 600);
    if (!shared.blocks.empty() && shared.calls % 3 == 0) {
      shared.arena->Free(shared.blocks.back(), 600);
      shared.blocks.pop_back();
    }
    shared.blocks.push_back(block);
  };
  bool nested = false;
  source.before = [&] {
    if (nested) return;
    nested = true;
    ClobberStack();
    GC_gcollect();
    GC_invoke_finalizers();
    nested = false;
  };
  std::vector<unsigned char*> own;
  for (int i = 0; i < 400; ++i) {
    GC_register_finalizer_no_order(GC_malloc(64), finalize, nullptr, nullptr,
                                   nullptr);
    own.push_back(static_cast<unsigned char*>(arena.Allocate(900)));
    std::memset(own.back(), 0x6E, 900);
  }
  source.before = nullptr;
  CHECK(shared.calls > 50);
  std::size_t wrong = 0;
  for (const auto* block : own) {
    for (int i = 0; i < 900; ++i) wrong += block[i] != 0x6E;
  }
  for (const auto* block : shared.blocks) {
    for (int i = 0; i < 600; ++i) wrong += block[i] != 0x5E;
  }
  CHECK(wrong == 0);
  shared.arena = nullptr;
}

TEST_CASE("explicit: the collector is initialised at the first chunk only") {
  // A forked child of this process has an initialised collector already, so
  // this asks the source: no Acquire, no collector.
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  CHECK(source.acquires == 0);
  static_cast<void>(arena.Allocate(1));
  CHECK(source.acquires == 1);
}

}  // namespace explicit_arena_test
