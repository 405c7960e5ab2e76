// SPDX-License-Identifier: MIT
//
// Guards LockedArena: every verb from several threads, waits that end by a
// deadline, a stop or for want of memory, and calls from within itself.

#include "acre/locked_arena.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <random>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"
#include "test_sources.h"

namespace locked_arena_test {

using acre::LockedArena;
using acre::WaitLimit;
using acre::WaitStatus;
using namespace std::chrono_literals;

using Clock = std::chrono::steady_clock;

using enum acre::WaitStatus;

acre::ArenaOptions OnMalloc() {
  return {.source = &acre::MallocSource::Instance()};
}

struct Job {
  Job() = default;
  explicit Job(std::int64_t n) : number(n) {}
  explicit Job(std::unique_ptr<int> value) : number(*value) {}
  explicit Job(std::string_view error) {
    throw std::runtime_error(error.data());
  }
  std::int64_t number = 0;
  Job* next = nullptr;
};
ACRE_LAYOUT(Job, number, owned(next))

/// A thread that is inside With until the end of this object, or Leave.
class Holder {
 public:
  explicit Holder(LockedArena& arena)
      : thread_([this, &arena] {
          arena.With([this](acre::Arena&) {
            inside_ = true;
            inside_.notify_all();
            leave_.wait(false);
          });
        }) {
    inside_.wait(false);
  }
  ~Holder() { Leave(); }

  void Leave() {
    leave_ = true;
    leave_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::atomic<bool> inside_{false};
  std::atomic<bool> leave_{false};
  std::thread thread_;
};

std::stop_token Stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

/// Whether another thread gets in at once.
bool IsFree(LockedArena& arena) {
  WaitStatus status = kCancelled;
  std::thread([&] {
    status = arena.WithUntil(0ms, [](acre::Arena&) {});
  }).join();
  return status == kReady;
}

/// Runs body(0) to body(count - 1), each in a thread, to their ends.
template <class Body>
void RunThreads(std::size_t count, Body body) {
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < count; ++t) threads.emplace_back(body, t);
  for (std::thread& thread : threads) thread.join();
}

struct Block {
  unsigned char* bytes = nullptr;
  std::size_t size = 0;
  unsigned char tag = 0;

  bool IsIntact() const {
    return size == 0 ||
           (*bytes == tag && std::memcmp(bytes, bytes + 1, size - 1) == 0);
  }
};
ACRE_LAYOUT(Block, bytes, size, tag)

Block Filled(void* memory, std::size_t size, std::uint64_t tag) {
  std::memset(memory, static_cast<unsigned char>(tag), size);
  return {static_cast<unsigned char*>(memory), size,
          static_cast<unsigned char>(tag)};
}

/// One thread's part of a random program. `traded` lies in the arena.
class Worker {
 public:
  Worker(LockedArena& arena, acre::Vector<Block>& traded, std::uint64_t seed)
      : arena_(arena), traded_(traded), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    for (const Block& block : held_) Drop(block);
  }
  std::size_t errors() const { return errors_; }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }

  void Step() {
    const std::uint64_t dice = Below(8);
    if (dice < 2) {
      const std::size_t size = Below(200) == 0 ? Below(400000) : Below(800);
      held_.push_back(Filled(arena_.Allocate(size), size, Below(256)));
    } else if (dice == 2) {
      const std::span<int> array = arena_.NewArray<int>(Below(100));
      for (const int number : array) Expect(number == 0);
      if (!array.empty()) std::memset(array.data(), 1, array.size_bytes());
      arena_.Free(array);
    } else if (dice == 3) {
      Job* job = arena_.New<Job>(7);
      job->next = arena_.TryNew<Job>(8);
      Expect(job->number == 7 && job->next->number == 8);
      arena_.FreeGraph(job);
    } else if (dice == 4) {
      const std::chrono::microseconds time(Below(50));
      const auto result = arena_.AllocateUntil(time, 40);
      Expect(result || result.status == kTimeout);
      arena_.Free(result.value, 40);
    } else if (!held_.empty()) {
      std::swap(held_[Below(held_.size())], held_.back());
      if (dice == 5) {
        arena_.With([this](acre::Arena&) {  // another thread's for this one's
          if (traded_.size() < 16) {
            traded_.push_back(held_.back());
            return held_.pop_back();
          }
          std::swap(traded_[Below(16)], held_.back());
        });
      } else {
        Drop(held_.back());
        held_.pop_back();
      }
    }
  }

  void Drop(const Block& block) {
    Expect(block.IsIntact() && arena_.Owns(block.bytes));
    arena_.Free(block.bytes, block.size);
  }

  LockedArena& arena_;
  acre::Vector<Block>& traded_;
  std::mt19937_64 random_;
  std::vector<Block> held_;
  std::size_t errors_ = 0;
};

void RunWorkers(const acre::ArenaOptions& options, std::uint64_t seed,
                bool is_collected) {
  LockedArena arena(options);
  auto* traded = arena.New<acre::Vector<Block>>();
  std::atomic<std::size_t> errors{0};
  RunThreads(4, [&](std::size_t t) {
    std::optional<acre::ThreadRegistration> registration;
    if (is_collected) registration.emplace();
    Worker worker(arena, *traded, seed * 10 + t);
    worker.Run(700);
    errors += worker.errors();
  });
  CHECK(errors == 0);
  for (const Block& block : *traded) {
    CHECK(block.IsIntact());
    arena.Free(block.bytes, block.size);
  }
  arena.Free(traded);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("LockedArena: every verb of an arena") {
  LockedArena arena({.name = "shared"});
  Job* job = arena.New<Job>(42);
  CHECK(job->number == 42);
  CHECK(arena.New<Job>()->number == 0);
  Job* tried = arena.TryNew<Job>(1);
  REQUIRE(tried != nullptr);
  CHECK(arena.Owns(tried));
  CHECK(arena.NewArray<int>(10)[9] == 0);
  arena.Free(arena.TryNewArray<int>(10));
  void* block = arena.Allocate(32);
  CHECK(arena.TryGrow(block, 32, 64));
  arena.Free(block, 64);
  void* aligned = arena.TryAllocate(10, 1024);
  CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 1024 == 0);
  arena.Free(aligned, 10, 1024);
  const std::size_t live = arena.stats().live();
  const acre::Mark mark = arena.Checkpoint();
  static_cast<void>(arena.Allocate(5000));
  arena.Rewind(mark);
  CHECK(arena.stats().live() == live);
  arena.FreeGraph(tried);
  CHECK(arena.name() == std::string_view("shared"));
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(arena.stats().reserved == 0);
}

// "Every verb under a lock": one left out would have to go through With.
TEST_CASE_TEMPLATE("LockedArena: has each verb of Arena", A, acre::Arena,
                   LockedArena) {
  CHECK(requires(A a, void* p) { a.Grow(p, 1, 2, 16); });
  CHECK(requires(A a, void* p) { a.Shrink(p, 2, 1, 16); });
  CHECK(requires(A a) { a.Reserve(1), a.TryReserve(1); });
  CHECK(requires(A a, acre::Mark mark) { a.IsOpen(mark); });
}

TEST_CASE("LockedArena: zero bytes, and sizes that cannot be") {
  LockedArena arena;
  CHECK(arena.Allocate(0) != arena.Allocate(0));
  CHECK(arena.TryNewArray<int>(0).data() != nullptr);
  CHECK(arena.TryAllocate(SIZE_MAX) == nullptr);
  CHECK_THROWS_AS(static_cast<void>(arena.Allocate(SIZE_MAX)), std::bad_alloc);
  CHECK_THROWS_AS(arena.NewArray<Job>(SIZE_MAX / 8), std::bad_alloc);
  CHECK(arena.TryNewArray<Job>(SIZE_MAX / 8).data() == nullptr);
  const auto array = arena.NewArrayUntil<Job>(1s, SIZE_MAX / 8);
  CHECK((array.status == kOutOfMemory && array.value.data() == nullptr));
  CHECK(arena.AllocateUntil(1s, SIZE_MAX).status == kOutOfMemory);
  const auto none = arena.NewArrayUntil<Job>(1s, 0);
  CHECK((none && none.value.empty() && none.value.data() != nullptr));
  CHECK(arena.AllocateUntil(1s, 0).value != nullptr);
  CHECK(IsFree(arena));
}

TEST_CASE("LockedArena: misuse is found as in an Arena") {
  LockedArena arena({.name = "shared"});
  CHECK_DIES(static_cast<void>(arena.AllocateUntil(1s, 1, 3)), "alignment 3");
  CHECK_DIES(arena.Rewind(acre::Mark()), "Rewind of arena 'shared'");
  if constexpr (!acre::kChecked) return;
  Job* job = arena.New<Job>();
  arena.Free(job);
  CHECK_DIES(arena.Free(job), "in arena 'shared': double Free");
}

TEST_CASE("LockedArena: With passes results and exceptions on") {
  LockedArena arena(OnMalloc());
  const std::size_t live = arena.stats().live();
  CHECK_THROWS_WITH(arena.New<Job>("oops"), "oops");
  CHECK_THROWS_WITH(static_cast<void>(arena.TryNew<Job>("oops")), "oops");
  CHECK_THROWS_WITH(static_cast<void>(arena.NewUntil<Job>(1s, "oops")), "oops");
  CHECK(arena.stats().live() == live);
  const auto thrower = [](acre::Arena& a) { a.New<Job>("oops"); };
  CHECK_THROWS_WITH(arena.With(thrower), "oops");
  CHECK_THROWS_WITH(static_cast<void>(arena.WithUntil(1s, thrower)), "oops");
  const auto nest = [&](acre::Arena&) { arena.With(thrower); };
  CHECK_THROWS_WITH(arena.With(nest), "oops");
  CHECK(IsFree(arena));
  CHECK(arena.With([](acre::Arena& a) { return *a.New<int>(5); }) == 5);
  int outside = 0;
  int& reference = arena.With([&](acre::Arena&) -> int& { return outside; });
  CHECK(&reference == &outside);
}

TEST_CASE("WaitLimit: converts from times, durations and stop tokens") {
  const auto near = [](const WaitLimit& limit, Clock::duration wanted) {
    const auto off = limit.deadline() - Clock::now() - wanted;
    return limit.has_deadline() && off < 1s && off > -1s;
  };
  CHECK(near(Clock::now() + 1h, 1h));
  CHECK(near(std::chrono::system_clock::now() + 1h, 1h));
  CHECK(near(1h, 1h));
  CHECK(near(std::chrono::duration<double>(60), 60s));
  const std::stop_source source;
  CHECK_FALSE(WaitLimit(source.get_token()).has_deadline());
  CHECK(WaitLimit(1h, source.get_token()).stop() == source.get_token());
  CHECK(near({Clock::now() + 1h, source.get_token()}, 1h));
  CHECK_FALSE(WaitLimit(1h).stop().stop_possible());
  // Further away than the clock reaches: for ever.
  CHECK_FALSE(WaitLimit(std::chrono::hours::max()).has_deadline());
  CHECK_FALSE(WaitLimit(std::chrono::nanoseconds::max()).has_deadline());
  CHECK_FALSE(WaitLimit(std::chrono::duration<double>(1e300)).has_deadline());
  CHECK_FALSE(WaitLimit(Clock::time_point::max()).has_deadline());
}

TEST_CASE("WaitLimit: any time of any clock is in the past or in the future") {
  const auto lies_ahead = [](auto time) {
    const acre_test::Death child = acre_test::RunInChild([&] {
      const WaitLimit limit(time);
      std::fputs(limit.deadline() > Clock::now() ? "yes" : "no", stderr);
    });
    return child.text;  // with whatever a sanitizer has to say
  };
  using Hours = std::chrono::time_point<Clock, std::chrono::hours>;
  using System = std::chrono::system_clock::time_point;
  CHECK(lies_ahead(Hours::max()) == "yes");
  CHECK(lies_ahead(Hours::min()) == "no");
  CHECK(lies_ahead(std::chrono::nanoseconds::min()) == "no");
  CHECK(lies_ahead(std::chrono::hours::min()) == "no");
  CHECK(lies_ahead(Clock::time_point::min()) == "no");
  CHECK(lies_ahead(System::max()) == "yes");
  CHECK(lies_ahead(System::min()) == "no");
}

TEST_CASE("WaitStatus: has names, and a result says whether it is ready") {
  constexpr std::string_view kNames[] = {"ready", "timeout", "cancelled",
                                         "out of memory"};
  for (const WaitStatus status : {kReady, kTimeout, kCancelled, kOutOfMemory}) {
    CHECK(acre::ToString(status) == kNames[static_cast<int>(status)]);
  }
  CHECK(acre::WaitResult<int>{1, kReady});
  CHECK_FALSE(acre::WaitResult<int>{1, kOutOfMemory});
}

TEST_CASE("LockedArena: timeout, cancelled and out of memory are told apart") {
  acre_test::CountingSource source;
  LockedArena arena({.source = &source, .byte_limit = 100000});
  const Job* job = arena.NewUntil<Job>(1s, 6).value;
  CHECK(job->number == 6);
  CHECK(arena.NewArrayUntil<int>(1s, 100000).status == kOutOfMemory);
  CHECK(arena.AllocateUntil(1s, 1000));
  const auto all = [&](const WaitLimit& limit, WaitStatus wanted) {
    const auto made = arena.NewUntil<Job>(limit);
    CHECK((made.status == wanted && made.value == nullptr));
    const auto array = arena.NewArrayUntil<int>(limit, 100000);
    CHECK((array.status == wanted && array.value.data() == nullptr));
    CHECK(arena.AllocateUntil(limit, 200000).status == wanted);
    bool called = false;
    CHECK(arena.WithUntil(limit, [&](acre::Arena&) { called = true; }) ==
          wanted);
    CHECK_FALSE(called);
    CHECK(arena.ResetUntil(limit) == wanted);
  };
  all(Stopped(), kCancelled);  // although the lock is free
  const std::size_t live = arena.stats().live();
  {
    const Holder holder(arena);
    CHECK(arena.Owns(job));  // this takes no lock, nor does name
    CHECK(arena.name() == std::string_view("arena"));
    all(0ms, kTimeout);
    all(2ms, kTimeout);
    all(Clock::now(), kTimeout);
    all(std::chrono::system_clock::now(), kTimeout);
    all(Stopped(), kCancelled);
    all({0ms, Stopped()}, kCancelled);
    all({1h, Stopped()}, kCancelled);
  }
  CHECK(arena.stats().live() == live);
  source.dry = true;
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(arena.NewUntil<Job>(1s).status == kOutOfMemory);
}

TEST_CASE("LockedArena: a deadline that has passed does not win over a free") {
  LockedArena arena;
  CHECK(arena.NewUntil<Job>(0ms));
  CHECK(arena.NewArrayUntil<int>(Clock::now() - 1h, 5));
  CHECK(arena.AllocateUntil(std::chrono::system_clock::now() - 1h, 5));
  CHECK(arena.ResetUntil(0ms) == kReady);
  CHECK(arena.stats().live() == 0);
  CHECK(arena.ResetUntil(0ms, acre::ResetMode::kRelease) == kReady);
  CHECK(arena.stats().reserved == 0);
}

TEST_CASE("LockedArena: arguments are as they were unless it is ready") {
  acre_test::CountingSource source;
  LockedArena arena({.source = &source});
  auto value = std::make_unique<int>(5);
  {
    const Holder holder(arena);
    CHECK_FALSE(arena.NewUntil<Job>(1ms, std::move(value)));
    CHECK_FALSE(arena.NewUntil<Job>(Stopped(), std::move(value)));
  }
  source.dry = true;
  CHECK_FALSE(arena.NewUntil<Job>(1ms, std::move(value)));
  source.dry = false;
  REQUIRE(value != nullptr);  // NOLINT: that is the test
  const auto made = arena.NewUntil<Job>(1ms, std::move(value));
  REQUIRE(made);
  CHECK(made.value->number == 5);
}

TEST_CASE("LockedArena: a deadline or a stop ends a wait, and not too early") {
  LockedArena arena(OnMalloc());
  const Holder holder(arena);
  for (const bool has_both : {false, true}) {
    std::stop_source stop;
    const std::stop_token token =
        has_both ? stop.get_token() : std::stop_token();
    const Clock::time_point start = Clock::now();
    CHECK(arena.NewUntil<Job>({20ms, token}).status == kTimeout);
    CHECK(Clock::now() - start >= 20ms);
    std::thread stopper([&] {
      std::this_thread::sleep_for(10ms);
      stop.request_stop();
    });
    const std::chrono::hours time = has_both ? 1h : std::chrono::hours::max();
    CHECK(arena.NewUntil<Job>({time, stop.get_token()}).status == kCancelled);
    stopper.join();
  }
}

TEST_CASE("LockedArena: all who wait are served, within their limits") {
  LockedArena arena(OnMalloc());
  Holder holder(arena);
  const std::stop_source stop;
  const WaitLimit limits[] = {
      1h, stop.get_token(), {1h, stop.get_token()}, std::chrono::hours::max()};
  std::atomic<int> served{0};
  std::thread release([&] {
    std::this_thread::sleep_for(20ms);
    CHECK(served == 0);
    holder.Leave();
  });
  RunThreads(12, [&](std::size_t t) {
    if (t % 6 == 4) arena.New<Job>();
    if (t % 6 == 5) arena.With([](acre::Arena& a) { a.New<Job>(); });
    if (t % 6 < 4) CHECK(arena.NewUntil<Job>(limits[t % 6]));
    ++served;
  });
  release.join();
  CHECK(arena.stats().live() == 12 * sizeof(Job));
}

TEST_CASE("LockedArena: no wake-up is lost among timeouts and stops") {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    CAPTURE(seed);
    LockedArena arena(OnMalloc());
    std::stop_source stop;
    std::atomic<std::size_t> made{0};
    std::atomic<std::size_t> wrong{0};
    RunThreads(6, [&](std::size_t t) {
      std::mt19937_64 random(seed * 10 + t);
      for (int i = 0; i < 150; ++i) {
        const std::chrono::microseconds time(random() % 30);
        const std::uint64_t dice = random() % 4;
        WaitStatus status = kReady;
        if (dice == 0) arena.New<Job>();  // hangs where a wake-up is lost
        if (dice == 1) status = arena.NewUntil<Job>(time).status;
        if (dice == 2) status = arena.NewUntil<Job>(stop.get_token()).status;
        if (dice == 3) {
          arena.With([&](acre::Arena& a) {
            a.New<Job>();
            std::this_thread::sleep_for(time / 4);
          });
        }
        made += status == kReady;
        wrong += status == kOutOfMemory ||
                 status == (dice == 1 ? kCancelled : kTimeout);
        if (t == 0 && i == 100) stop.request_stop();
      }
    });
    CHECK(wrong == 0);
    CHECK(arena.stats().live() == made * sizeof(Job));
  }
}

TEST_CASE("LockedArena: the lock is recursive, and freed at the outer end") {
  LockedArena arena(OnMalloc());
  arena.With([&](acre::Arena& outer) {
    Job* job = arena.New<Job>(1);
    outer.New<Job>();
    CHECK(arena.NewUntil<Job>(0ms));
    CHECK(arena.NewUntil<Job>(Stopped()).status == kCancelled);
    arena.With([&](acre::Arena& inner) {
      CHECK(&inner == &outer);
      inner.Free(job);
      CHECK(arena.WithUntil(0ms, [&](acre::Arena&) { arena.New<Job>(); }) ==
            kReady);
    });
    CHECK(arena.TryNew<Job>() != nullptr);
    CHECK_FALSE(IsFree(arena));
    outer.New<Job>();  // this thread is still the user
  });
  CHECK(IsFree(arena));
}

TEST_CASE("LockedArena: its source may call back into it") {
  acre::MallocSource malloc;
  acre_test::HookedSource source(malloc);
  LockedArena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  std::vector<Block> blocks;
  bool nested = false;
  std::size_t calls = 0;
  const auto keep = [&](void* block, std::size_t bytes) {
    blocks.push_back(Filled(block, bytes, blocks.size()));
  };
  source.before = [&] {
    if (nested) return;
    nested = true;
    ++calls;
    keep(arena.Allocate(300), 300);
    keep(arena.AllocateUntil(0ms, 200).value, 200);
    arena.With([&](acre::Arena& a) { keep(a.Allocate(100), 100); });
    arena.Free(arena.New<Job>());
    CHECK_FALSE(IsFree(arena));
    nested = false;
  };
  for (int i = 0; i < 300; ++i) keep(arena.Allocate(900), 900);
  CHECK(calls > 20);
  CHECK(blocks.size() == 300 + 3 * calls);
  for (const Block& block : blocks) CHECK(block.IsIntact());
  source.before = nullptr;
  CHECK(IsFree(arena));
}

TEST_CASE("LockedArena: finalizers of a collection within may use it") {
  acre_test::NeedCollector();
  acre_test::HookedSource source(acre::CollectedSource::Instance());
  LockedArena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  static std::atomic<LockedArena*> shared;
  static std::atomic<int> calls, wrong;
  shared = &arena;
  calls = wrong = 0;
  const auto finalize = [](void*, void*) {
    LockedArena* target = shared;
    if (target == nullptr) return;  // the test is over
    ++calls;
    const Block block = Filled(target->Allocate(600), 600, 0x5E);
    wrong += !target->With([&](acre::Arena&) { return block.IsIntact(); });
    target->Free(block.bytes, 600);
  };
  source.before = [] {
    thread_local bool nested = false;
    if (nested) return;
    nested = true;
    acre_test::ClobberStack();
    GC_gcollect();
    GC_invoke_finalizers();
    nested = false;
  };
  RunThreads(3, [&](std::size_t t) {
    const acre::ThreadRegistration registration;
    std::vector<Block> own;
    for (int i = 0; i < 60; ++i) {
      GC_register_finalizer_no_order(GC_malloc(64), finalize, nullptr, nullptr,
                                     nullptr);
      own.push_back(Filled(arena.Allocate(900), 900, t));
    }
    for (const Block& block : own) wrong += !block.IsIntact();
  });
  shared = nullptr;
  CHECK(calls > 20);
  CHECK(wrong == 0);
  CHECK(arena.stats().live() >= 180 * 900);
}

TEST_CASE("LockedArena: random programs in several threads") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    RunWorkers(OnMalloc(), seed, false);
    acre::ArenaOptions small = OnMalloc();
    small.first_chunk = 1024;
    small.max_chunk = 8192;
    RunWorkers(small, 100 + seed, false);
  }
  acre_test::NeedCollector();
  RunWorkers({.first_chunk = 4096, .max_chunk = 16384}, 200, true);
}

}  // namespace locked_arena_test
