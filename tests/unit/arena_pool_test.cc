// SPDX-License-Identifier: MIT
//
// Guards ArenaPool: every lease is an empty arena of its own, it comes back
// Reset whatever happens, and what is kept is bounded.

#include "acre/arena_pool.h"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/gc.h"
#include "collecting.h"
#include "support/audited.h"
#include "support/death.h"

namespace arena_pool_test {

using acre::ArenaPool;
using acre::ArenaPoolOptions;

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// Counts what is held; serves any number of threads.
class SharedSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    const acre::ChunkMemory memory = malloc_.Acquire(min_size, wanted);
    held_ += memory.size;
    return memory;
  }
  void Release(acre::ChunkMemory memory) noexcept override {
    held_ -= memory.size;
    malloc_.Release(memory);
  }
  std::size_t held() const { return held_; }

 private:
  acre::MallocSource malloc_;
  std::atomic<std::size_t> held_{0};
};

/// The defaults of a pool, over malloc: any thread may use it, registered or
/// not.
ArenaPoolOptions OnMalloc(
    acre::ChunkSource& source = acre::MallocSource::Instance()) {
  ArenaPoolOptions options;
  options.arena.source = &source;
  return options;
}

unsigned char* Filled(acre::Arena& arena, std::size_t bytes, int byte) {
  auto* block = static_cast<unsigned char*>(arena.Allocate(bytes));
  std::memset(block, byte, bytes);
  return block;
}

/// The arenas that are leased now, by all threads of a test.
class Ledger {
 public:
  /// False where it is leased already.
  bool Enter(const acre::Arena* arena) {
    const std::lock_guard hold(lock_);
    most_ = std::max(most_, leased_.size() + 1);
    return leased_.insert(arena).second;
  }
  void Leave(const acre::Arena* arena) {
    const std::lock_guard hold(lock_);
    leased_.erase(arena);
  }
  std::size_t most() const { return most_; }

 private:
  std::mutex lock_;
  std::set<const acre::Arena*> leased_;
  std::size_t most_ = 0;
};

/// One thread's part of a random program: it takes, fills and gives leases in
/// any order.
class Worker {
 public:
  Worker(ArenaPool& pool, Ledger& ledger, std::uint64_t seed)
      : pool_(pool), ledger_(ledger), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    while (!held_.empty()) Give(0);
  }
  std::size_t errors() const { return errors_; }

 private:
  struct Held {
    ArenaPool::Lease lease;
    unsigned char* block;
    std::size_t size;
    unsigned char tag;
  };

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }

  void Step() {
    switch (Below(4)) {
      case 0:
        if (held_.size() < 5) Take();
        break;
      case 1:
        if (!held_.empty()) Give(Below(held_.size()));
        break;
      case 2:
        if (Below(100) == 0) pool_.Trim();
        break;
      default:
        Execute();
    }
  }

  void Take() {
    ArenaPool::Lease lease = pool_.Acquire();
    Expect(ledger_.Enter(lease.get()));
    Expect(lease->stats().live() == 0);
    const std::size_t size = Below(50) == 0 ? Below(2 * kMiB) : Below(3000);
    const auto tag = static_cast<unsigned char>(Below(256));
    unsigned char* block = Filled(*lease, size, tag);
    held_.push_back({std::move(lease), block, size, tag});
  }

  void Give(std::size_t at) {
    std::swap(held_[at], held_.back());
    Held held = std::move(held_.back());
    held_.pop_back();
    Expect(held.size == 0 ||
           (*held.block == held.tag &&
            std::memcmp(held.block, held.block + 1, held.size - 1) == 0));
    ledger_.Leave(held.lease.get());
    if (Below(2) == 0) held.lease.Release();
  }

  void Execute() {
    struct Leave {};
    try {
      pool_.Execute([this](acre::Arena& arena) {
        Expect(ledger_.Enter(&arena));
        Expect(arena.stats().live() == 0);
        Filled(arena, Below(5000), 1);
        ledger_.Leave(&arena);
        if (Below(3) == 0) throw Leave();
      });
    } catch (const Leave&) {
    }
  }

  ArenaPool& pool_;
  Ledger& ledger_;
  std::mt19937_64 random_;
  std::vector<Held> held_;
  std::size_t errors_ = 0;
};

void RunWorkers(const ArenaPoolOptions& options, std::uint64_t seed) {
  constexpr std::size_t kThreads = 4;
  ArenaPool pool(options);
  Ledger ledger;
  std::array<std::size_t, kThreads> errors = {};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Worker worker(pool, ledger, seed * 100 + t);
      worker.Run(300);
      errors[t] = worker.errors();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : errors) CHECK(count == 0);
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().idle <= 32 + options.max_idle);
  CHECK(pool.stats().made >= ledger.most());
}

TEST_CASE("ArenaPool: a task has an empty arena, and its result comes back") {
  ArenaPool pool;
  const std::size_t sum = pool.Execute([](acre::Arena& arena) {
    CHECK(arena.stats().live() == 0);
    CHECK(arena.name() == std::string("pooled arena"));
    std::size_t numbers = 0;
    for (int& number : arena.NewArray<int>(100)) numbers += ++number;
    return numbers;
  });
  CHECK(sum == 100);
  int outside = 0;
  int& reference = pool.Execute([&](acre::Arena&) -> int& { return outside; });
  CHECK(&reference == &outside);
  const auto unique =
      pool.Execute([](acre::Arena&) { return std::make_unique<int>(4); });
  CHECK(*unique == 4);
  static_assert(std::is_void_v<decltype(pool.Execute([](acre::Arena&) {}))>);
}

TEST_CASE("ArenaPool: move-only tasks") {
  ArenaPool pool(OnMalloc());
  CHECK(pool.Execute([value = std::make_unique<int>(6)](acre::Arena&) {
    return *value;
  }) == 6);
}

TEST_CASE("ArenaPool: an arena comes back Reset, and is used again") {
  ArenaPool pool(OnMalloc());
  const acre::Arena* first = nullptr;
  for (int i = 0; i < 20; ++i) {
    const ArenaPool::Lease lease = pool.Acquire();
    if (first == nullptr) first = lease.get();
    CHECK(lease.get() == first);
    CHECK(lease->stats().live() == 0);
    Filled(*lease, 5000, 1);
    static_cast<void>(lease->Checkpoint());
  }
  CHECK(pool.stats().made == 1);
  CHECK(pool.stats().idle == 1);
}

TEST_CASE("ArenaPool: marks and blocks of an earlier lease are gone") {
  ArenaPool pool(OnMalloc());
  acre::Mark mark;
  {
    const ArenaPool::Lease lease = pool.Acquire();
    mark = lease->Checkpoint();
  }
  const ArenaPool::Lease lease = pool.Acquire();
  CHECK_FALSE(lease->IsOpen(mark));
}

TEST_CASE("ArenaPool: exceptions pass through Execute, and the arena is back") {
  ArenaPool pool(OnMalloc());
  const acre::Arena* used = nullptr;
  const auto task = [&](acre::Arena& arena) -> int {
    used = &arena;
    Filled(arena, 5000, 1);
    throw std::runtime_error("through");
  };
  CHECK_THROWS_WITH(pool.Execute(task), "through");
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().idle == 1);
  const ArenaPool::Lease lease = pool.Acquire();
  CHECK(lease.get() == used);
  CHECK(lease->stats().live() == 0);
}

TEST_CASE("ArenaPool: out of memory in a task gives everything back") {
  ArenaPoolOptions options = OnMalloc();
  options.arena.byte_limit = 100000;
  ArenaPool pool(options);
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(pool.Execute([](acre::Arena& arena) {
      for (;;) static_cast<void>(arena.Allocate(1000));
    }),
                    std::bad_alloc);
  }
  pool.Execute([](acre::Arena& arena) {
    CHECK(arena.TryAllocate(SIZE_MAX) == nullptr);
    CHECK(arena.Allocate(0) != arena.Allocate(0));
    CHECK(arena.TryAllocate(50000) != nullptr);
  });
}

TEST_CASE("ArenaPool: never waits, and no two leases share an arena") {
  ArenaPool pool(OnMalloc());
  std::vector<ArenaPool::Lease> leases;
  std::set<const acre::Arena*> arenas;
  for (int i = 0; i < 200; ++i) {
    leases.push_back(pool.Acquire());
    CHECK(arenas.insert(leases.back().get()).second);
  }
  CHECK(pool.stats().leased == 200);
  CHECK(pool.stats().made == 200);
  CHECK(pool.stats().idle == 0);
  leases.clear();
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().idle >= 64);
  CHECK(pool.stats().idle <= 64 + 1);  // and the one that this thread keeps
}

TEST_CASE("ArenaPool: tasks within tasks have arenas of their own") {
  ArenaPool pool(OnMalloc());
  pool.Execute([&](acre::Arena& outer) {
    const unsigned char* kept = Filled(outer, 100, 1);
    pool.Execute([&](acre::Arena& inner) {
      CHECK(&inner != &outer);
      Filled(inner, 100, 2);
    });
    CHECK(kept[99] == 1);
    CHECK(pool.stats().leased == 1);
  });
}

TEST_CASE("ArenaPool: max_idle bounds what is kept") {
  for (const std::size_t max_idle : {0u, 1u, 5u}) {
    CAPTURE(max_idle);
    SharedSource source;
    ArenaPoolOptions options = OnMalloc(source);
    options.max_idle = max_idle;
    ArenaPool pool(options);
    {
      std::vector<ArenaPool::Lease> leases;
      for (int i = 0; i < 20; ++i) {
        leases.push_back(pool.Acquire());
        Filled(*leases.back(), 100, 1);
      }
    }
    CHECK(pool.stats().idle == (max_idle == 0 ? 0 : max_idle + 1));
    CHECK((source.held() == 0) == (max_idle == 0));
  }
}

TEST_CASE("ArenaPool: one huge request does not hold its memory for ever") {
  SharedSource source;
  ArenaPool pool(OnMalloc(source));
  pool.Execute([](acre::Arena& arena) {
    for (int i = 0; i < 10; ++i) Filled(arena, 3 * kMiB, 1);
    for (int i = 0; i < 10000; ++i) {
      static_cast<void>(arena.Allocate(1000));
    }
  });
  CHECK(source.held() <= kMiB);
  CHECK(pool.stats().idle == 1);
  CHECK(ArenaPoolOptions().retain_limit == kMiB);
}

TEST_CASE("ArenaPool: arena options of one's own leave 1 MiB retained") {
  SharedSource source;
  ArenaPool pool({.arena = {.name = "mine", .source = &source}});
  pool.Execute([](acre::Arena& arena) {
    for (int i = 0; i < 10000; ++i) {
      static_cast<void>(arena.Allocate(1000));
    }
  });
  CHECK(source.held() <= kMiB);
}

TEST_CASE("ArenaPool: retain_limit and reset mode are honoured") {
  SharedSource source;
  ArenaPoolOptions options = OnMalloc(source);
  options.retain_limit = 5 * kMiB;
  {
    ArenaPool pool(options);
    pool.Execute([](acre::Arena& arena) { Filled(arena, 3 * kMiB, 1); });
    CHECK(source.held() >= 3 * kMiB);
    CHECK(source.held() <= 5 * kMiB);
  }
  CHECK(source.held() == 0);
  options.reset = acre::ResetMode::kRelease;
  ArenaPool releasing(options);
  releasing.Execute([](acre::Arena& arena) { Filled(arena, 5000, 1); });
  CHECK(source.held() == 0);
  CHECK(releasing.stats().idle == 1);
  options.reset = acre::ResetMode::kClear;
  ArenaPool clearing(options);
  const unsigned char* first = nullptr;
  clearing.Execute([&](acre::Arena& a) { first = Filled(a, 5000, 1); });
  clearing.Execute([&](acre::Arena& a) {
    const auto* again = static_cast<unsigned char*>(a.Allocate(5000));
    CHECK(again == first);
    std::size_t wrong = 0;
    for (int i = 0; i < 5000; ++i) wrong += again[i] != 0;
    // Else blocks are filled when they are taken.
    if (!acre::kChecked && !acre_test::IsAuditedByDefault()) CHECK(wrong == 0);
  });
}

TEST_CASE("ArenaPool: Trim frees the idle, and leaves the leased") {
  SharedSource source;
  ArenaPool pool(OnMalloc(source));
  ArenaPool::Lease kept = pool.Acquire();
  const unsigned char* block = Filled(*kept, 100, 7);
  {
    std::vector<ArenaPool::Lease> leases;
    for (int i = 0; i < 10; ++i) {
      leases.push_back(pool.Acquire());
      Filled(*leases.back(), 100, 1);
    }
  }
  const std::size_t one = kept->stats().reserved;
  CHECK(source.held() > one);
  pool.Trim();
  CHECK(pool.stats().idle == 0);
  CHECK(pool.stats().leased == 1);
  CHECK(source.held() == one);
  CHECK(block[99] == 7);
  pool.Trim();
  kept.Release();
  CHECK(pool.stats().idle == 1);
  pool.Trim();
  CHECK(source.held() == 0);
  CHECK(pool.Execute([](acre::Arena& a) { return *a.New<int>(3); }) == 3);
}

TEST_CASE("Lease: Release is early, and once") {
  ArenaPool pool(OnMalloc());
  ArenaPool::Lease lease = pool.Acquire();
  CHECK(lease);
  CHECK(lease.get() == &*lease);
  lease.Release();
  CHECK_FALSE(lease);
  CHECK(lease.get() == nullptr);
  CHECK(pool.stats().leased == 0);
  lease.Release();
  CHECK(pool.stats().idle == 1);
  lease = pool.Acquire();
  CHECK(lease);
  CHECK(pool.stats().leased == 1);
}

TEST_CASE("Lease: moved-from and default ones are empty") {
  static_assert(!std::is_copy_constructible_v<ArenaPool::Lease>);
  static_assert(std::is_nothrow_move_constructible_v<ArenaPool::Lease>);
  static_assert(std::is_nothrow_move_assignable_v<ArenaPool::Lease>);
  ArenaPool pool(OnMalloc());
  ArenaPool::Lease none;
  CHECK_FALSE(none);
  none.Release();
  ArenaPool::Lease lease = pool.Acquire();
  acre::Arena* arena = lease.get();
  ArenaPool::Lease moved = std::move(lease);
  CHECK_FALSE(lease);  // NOLINT: that is the test
  lease.Release();
  CHECK(moved.get() == arena);
  CHECK(pool.stats().leased == 1);
  none = std::move(moved);
  CHECK_FALSE(moved);  // NOLINT: that is the test
  CHECK(none.get() == arena);
  none = ArenaPool::Lease();
  CHECK(pool.stats().leased == 0);
}

TEST_CASE("Lease: assignment gives back what was held") {
  ArenaPool one(OnMalloc());
  ArenaPool two(OnMalloc());
  ArenaPool::Lease lease = one.Acquire();
  lease = two.Acquire();
  CHECK(one.stats().leased == 0);
  CHECK(two.stats().leased == 1);
  ArenaPool::Lease other = one.Acquire();
  acre::Arena* arena = lease.get();
  other = std::move(lease);
  CHECK(other.get() == arena);
  CHECK_FALSE(lease);  // NOLINT: that is the test
  CHECK(one.stats().leased == 0);
  CHECK(two.stats().leased == 1);
  ArenaPool::Lease& alias = other;
  other = std::move(alias);
  CHECK(other.get() == arena);
}

TEST_CASE("Lease: may move to another thread, and be given back there") {
  ArenaPool pool(OnMalloc());
  ArenaPool::Lease lease = pool.Acquire();
  const unsigned char* block = Filled(*lease, 100, 5);
  std::thread([moved = std::move(lease), block]() mutable {
    CHECK(block[99] == 5);
    Filled(*moved, 100, 6);
  }).join();
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().idle == 1);
}

TEST_CASE("Lease: given back in a thread that did not take it") {
  ArenaPool pool(OnMalloc());
  ArenaPool::Lease lease = pool.Acquire();
  const acre::Arena* arena = lease.get();
  Filled(*lease, 100, 5);
  std::thread([moved = std::move(lease)]() mutable { moved.Release(); }).join();
  CHECK(pool.stats().leased == 0);
  const ArenaPool::Lease again = pool.Acquire();  // not lost to this thread
  CHECK(again.get() == arena);
  CHECK(*again->New<int>(5) == 5);
}

TEST_CASE("ArenaPool: a thread finds the arena that it used last") {
  ArenaPool pool(OnMalloc());
  // The arenas of both threads exist, then each takes once more.
  std::atomic<int> ready{0};
  std::array<bool, 2> same = {};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 2; ++t) {
    threads.emplace_back([&, t] {
      const acre::Arena* first;
      {
        const ArenaPool::Lease lease = pool.Acquire();
        first = lease.get();
        ++ready;
        while (ready < 2) std::this_thread::yield();
      }
      same[t] = true;
      for (int i = 0; i < 100; ++i) {
        same[t] &= pool.Acquire().get() == first;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(same[0]);
  CHECK(same[1]);
}

TEST_CASE("ArenaPool: ends before a lease is misuse") {
  CHECK_DIES(
      {
        auto* pool = new ArenaPool(OnMalloc());
        new ArenaPool::Lease(pool->Acquire());  // never ends
        new ArenaPool::Lease(pool->Acquire());
        delete pool;
      },
      "an ArenaPool ends before 2 of its leases");
}

TEST_CASE("ArenaPool: many threads at once, each with arenas of its own") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    SharedSource source;
    ArenaPoolOptions options = OnMalloc(source);
    options.max_idle = seed % 3 * 4;
    options.reset = static_cast<acre::ResetMode>(seed % 3);
    RunWorkers(options, seed);
    CHECK(source.held() == 0);
  }
}

TEST_CASE("ArenaPool: more threads than slots") {
  constexpr std::size_t kThreads = 70;
  SharedSource source;
  ArenaPoolOptions options = OnMalloc(source);
  options.max_idle = 8;
  ArenaPool pool(options);
  Ledger ledger;
  std::atomic<std::size_t> errors{0};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      Worker worker(pool, ledger, 900 + t);
      worker.Run(20);
      errors += worker.errors();
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == 0);
  CHECK(pool.stats().leased == 0);
  CHECK(pool.stats().idle <= 32 + 8);
  CHECK(source.held() <= pool.stats().idle * kMiB);
}

TEST_CASE("ArenaPool: over the collected heap, in registered threads") {
  acre_test::NeedCollector();
  ArenaPool pool;
  std::atomic<std::size_t> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      const acre::ThreadRegistration registration;
      for (int i = 0; i < 50; ++i) {
        pool.Execute([&](acre::Arena& arena) {
          const unsigned char* block = Filled(arena, 20000, t);
          if (i % 20 == t) GC_gcollect();
          for (int k = 0; k < 20000; ++k) wrong += block[k] != t;
        });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace arena_pool_test
