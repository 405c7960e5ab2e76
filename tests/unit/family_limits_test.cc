// SPDX-License-Identifier: MIT
//
// Guards the allocator family where its parts meet: byte limits over sources of
// one chunk, pools inside scopes, scopes of buffers across a Reset, leases that
// change options, scratch memory in late destructors, results that do not live.

#include <doctest/doctest.h>

#include <concepts>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/arena_binding.h"
#include "acre/arena_pool.h"
#include "acre/buffer_pool.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/object_pool.h"
#include "acre/scope.h"
#include "acre/scratch.h"
#include "acre/set.h"
#include "acre/shared_memory.h"
#include "acre/typed_arena.h"
#include "acre/vector.h"
#include "support/death.h"

namespace family_limits_test {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

struct Bullet {
  int x = 0;
};
ACRE_LAYOUT(Bullet, x)

std::size_t Fill(acre::Arena& arena) {
  std::size_t bytes = 0;
  while (arena.TryAllocate(1000) != nullptr) bytes += 1008;
  return bytes;
}

struct UsesScratchLate {
  ~UsesScratchLate() {
    acre::Scratch scratch;
    std::memset(scratch->Allocate(1000), 1, 1000);
    acre::Scratch inner(*scratch);
    std::memset(inner->Allocate(1000), 1, 1000);
  }
};

template <class A>
concept Bindable = requires(A& a) {
  acre::ArenaBinding(a);
};

TEST_CASE("byte limit: holds to the byte over a range of addresses") {
  acre::MmapSource source;
  acre::Arena arena({.source = &source, .byte_limit = 600 * kKiB});
  CHECK(Fill(arena) > 590 * kKiB);
  CHECK(arena.stats().reserved <= 600 * kKiB);
  acre::MmapSource committed;
  acre::Arena other({.source = &committed, .byte_limit = 2 * kMiB});
  static_cast<void>(other.Allocate(100));
  REQUIRE(committed.Commit(64 * kMiB));
  Fill(other);
  CHECK(other.stats().reserved <= 2 * kMiB);
}

TEST_CASE("byte limit: raising it lets a chunk that was cut off grow") {
  acre::MmapSource mapped;
  std::vector<std::byte> buffer(kMiB);
  acre::FixedSource fixed(buffer);
  for (acre::ChunkSource* source : {static_cast<acre::ChunkSource*>(&mapped),
                                    static_cast<acre::ChunkSource*>(&fixed)}) {
    acre::Arena arena({.source = source, .byte_limit = 100 * kKiB});
    CHECK(Fill(arena) < 100 * kKiB);
    arena.set_byte_limit(900 * kKiB);
    const std::size_t more = Fill(arena);
    CHECK(more > 780 * kKiB);
    CHECK(arena.stats().reserved <= 900 * kKiB);
    arena.Reset();
    CHECK(Fill(arena) > 880 * kKiB);
  }
}

TEST_CASE("Reserve: what is left behind is used") {
  acre::Arena arena({.byte_limit = kMiB});
  arena.Reserve(400 * kKiB);
  arena.Reserve(500 * kKiB);
  CHECK(Fill(arena) > 950 * kKiB);
}

TEST_CASE("Shrink: a large block gives back what it does not half fill") {
  acre::Arena arena;
  void* block = arena.Allocate(10 * kMiB);
  std::memset(block, 7, 10 * kMiB);
  block = arena.Shrink(block, 10 * kMiB, 300 * kKiB);
  CHECK(arena.stats().reserved < 5 * kMiB);
  CHECK(static_cast<unsigned char*>(block)[300 * kKiB - 1] == 7);
  arena.Free(block, 300 * kKiB);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Grow: null and no bytes make a new block") {
  acre::Arena arena;
  void* block = arena.Grow(nullptr, 0, 100);
  std::memset(block, 1, 100);
  arena.Free(block, 100);
}

TEST_CASE("BufferScope: records of before a Reset harm nobody") {
  acre::BufferPool pool({.bytes = kMiB});
  {
    acre::BufferScope scope(pool);
    const auto old = scope.Acquire<float>(64);
    pool.Reset();
    const auto kept = scope.Acquire<float>(64);
    CHECK(kept.data() == old.data());
    scope.Keep(kept);
  }
  CHECK(pool.stats().buffers == 1);
  pool.Reset();
  {
    acre::BufferScope scope(pool);
    static_cast<void>(scope.Acquire<float>(64));
    pool.Reset();
    scope.Release(scope.Acquire<float>(64));
    CHECK(pool.stats().buffers == 0);
    const auto others = pool.Acquire<float>(64);
    static_cast<void>(others);
  }
  CHECK(pool.stats().buffers == 1);
}

TEST_CASE("checked: pools refuse to grow where the growth would not last") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  acre::ObjectPool<Bullet> pool(arena, {.capacity = 1});
  {
    acre::Scope frame(arena);
    Bullet* bullet = pool.Acquire();  // made before the scope
    CHECK_DIES(static_cast<void>(pool.Acquire()), "would not live as long");
    pool.Release(bullet);
  }
  CHECK(pool.Acquire() != nullptr);
  acre::TypedArena<Bullet> bullets(2, acre::Growth::kGrowing);
  {
    acre::Scope frame(bullets.arena());
    bullets.New();
    CHECK_DIES(bullets.NewSlab(100), "would not live as long");
  }
}

TEST_CASE("ArenaPool: a lease leaves its byte limit behind") {
  acre::ArenaPool pool({.arena = {.source = &acre::MallocSource::Instance()}});
  {
    const acre::ArenaPool::Lease lease = pool.Acquire();
    lease->set_byte_limit(70 * kKiB);
  }
  const acre::ArenaPool::Lease lease = pool.Acquire();
  CHECK(lease->options().byte_limit == SIZE_MAX);
  CHECK(lease->TryAllocate(200 * kKiB) != nullptr);
}

TEST_CASE("Scratch: works in destructors that run after the thread's own") {
  std::thread([] {
    static thread_local UsesScratchLate late;
    static_cast<void>(&late);
    acre::Scratch scratch;
    static_cast<void>(scratch->Allocate(100));
  }).join();
  CHECK_FALSE(acre_test::RunInChild([] {
                std::thread([] {
                  static thread_local UsesScratchLate late;
                  static_cast<void>(&late);
                }).join();
              }).died);
}

TEST_CASE("checked: results that end with the call are refused") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  const char* message = "lies in what ends here";
  CHECK_DIES(
      acre::WithScope(arena, [&]() -> Bullet& { return *arena.New<Bullet>(); }),
      message);
  CHECK_DIES(acre::WithScratch(
                 [](acre::Arena& scratch) { return scratch.New<Bullet>(); }),
             message);
  acre::ArenaPool pool;
  CHECK_DIES(pool.Execute([](acre::Arena& task) { return task.New<Bullet>(); }),
             message);
  Bullet* outside = arena.New<Bullet>();
  CHECK(pool.Execute([&](acre::Arena&) { return outside; }) == outside);
  CHECK(&acre::WithScratch([&](acre::Arena&) -> Bullet& { return *outside; }) ==
        outside);
}

TEST_CASE("ArenaBinding: takes arenas, not what holds them") {
  CHECK(Bindable<acre::Arena>);
  CHECK(Bindable<acre::TypedArena<int>>);
  CHECK(Bindable<acre::ArenaPool>);
  CHECK_FALSE(Bindable<std::unique_ptr<acre::Arena>>);
  CHECK_FALSE(Bindable<acre::ArenaPool::Lease>);
  CHECK_FALSE(Bindable<acre::HandedArena>);
}

TEST_CASE("SharedMemoryView: Elements takes containers only") {
  using View = const acre::SharedMemoryView&;
  CHECK(requires(View v, const acre::Vector<int>& c) { v.Elements(c); });
  CHECK(requires(View v, const acre::Map<int, int>& c) { v.Elements(c); });
  CHECK(requires(View v, const acre::Set<int>& c) { v.Elements(c); });
  CHECK_FALSE([]<class C>(const C*) {
    return requires(View v, const C& c) { v.Elements(c); };
  }(static_cast<const int*>(nullptr)));
}

}  // namespace family_limits_test
