// SPDX-License-Identifier: MIT
//
// Guards BufferPool: buffers that never overlap, start as zeros, join again
// when released, and are found by other threads and processes.

#include "acre/buffer_pool.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <complex>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/shared_memory.h"
#include "support/death.h"
#include "test_sources.h"

namespace buffer_pool_test {

using acre::BufferPool;
using acre::Contents;
using acre::MapBuffer;
using acre_test::CountingSource;

constexpr std::size_t kUnit = 64;

struct Sample {
  float left;
  float right;
  std::int64_t at;
};
ACRE_LAYOUT(Sample, left, right, at)

struct Misuse {};

// Throws misuse, so that a test can look at what it left.
struct HandlerScope {
  HandlerScope() {
    previous = acre::SetMisuseHandler([](const char*) { throw Misuse(); });
  }
  ~HandlerScope() { acre::SetMisuseHandler(previous); }
  acre::MisuseHandler previous;
};

template <class T>
bool IsFilled(std::span<const T> buffer, T value) {
  return std::all_of(buffer.begin(), buffer.end(),
                     [&](const T& t) { return t == value; });
}

std::size_t Rounded(std::size_t bytes) {
  return (bytes + kUnit - 1) / kUnit * kUnit;
}

bool IsOneFreeRange(const BufferPool& pool) {
  const acre::BufferPoolStats stats = pool.stats();
  return stats.used == 0 && stats.buffers == 0 &&
         stats.largest_free == stats.capacity;
}

// Anonymous pages, none of them touched, kept for inspection.
class PageSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t, std::size_t wanted) override {
    size = (wanted + page - 1) / page * page;
    void* mapped = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return {};
    ::madvise(mapped, size, MADV_NOHUGEPAGE);
    start = static_cast<char*>(mapped);
    return {mapped, size};
  }
  void Release(acre::ChunkMemory memory) noexcept override {
    ::munmap(memory.address, memory.size);
  }
  bool IsResident(const void* p) const {
    unsigned char state = 0;
    const auto offset =
        static_cast<std::size_t>(static_cast<const char*>(p) - start);
    return ::mincore(start + offset / page * page, 1, &state) == 0 &&
           (state & 1) != 0;
  }
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  char* start = nullptr;
  std::size_t size = 0;
};

TEST_CASE("BufferPool: zeros, aligned to 64 bytes, whatever lay there") {
  BufferPool pool({.bytes = 1 << 16, .name = "mine"});
  CHECK(std::string(pool.name()) == "mine");
  for (int round = 0; round < 3; ++round) {
    const std::span<float> floats = pool.Acquire<float>(1000);
    const std::span<char> chars = pool.TryAcquire<char>(3);
    const auto samples = pool.Acquire<Sample>(5, Contents::kZero);
    CHECK(IsFilled<float>(floats, 0));
    CHECK(IsFilled<char>(chars, 0));
    CHECK(samples[4].at == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(chars.data()) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(samples.data()) % 64 == 0);
    std::fill(floats.begin(), floats.end(), 1.5f);
    std::fill(chars.begin(), chars.end(), 'x');
    std::memset(samples.data(), 0xff, samples.size_bytes());
    CHECK(IsFilled<float>(floats, 1.5f));
    pool.Release(chars);
    pool.Release(floats);
    pool.Release(samples);
    CHECK(IsOneFreeRange(pool));
  }
}

TEST_CASE("BufferPool: stats count what is rounded up to 64") {
  BufferPool pool({.bytes = 1000});
  CHECK(pool.stats().capacity == 1024);
  CHECK(IsOneFreeRange(pool));
  const auto one = pool.Acquire<char>(1);
  const auto two = pool.Acquire<char>(65);
  CHECK(pool.stats().used == 192);
  CHECK(pool.stats().buffers == 2);
  CHECK(pool.stats().largest_free == 832);
  CHECK(pool.TryAcquire<char>(833).empty());
  const auto rest = pool.Acquire<char>(832);
  CHECK(rest.size() == 832);
  CHECK(pool.stats().largest_free == 0);
  pool.Release(one);
  pool.Release(two);
  pool.Release(rest);
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: the memory serves all types of the same byte size") {
  BufferPool pool({.bytes = 8000});
  const std::span<float> floats = pool.Acquire<float>(2000);
  CHECK(pool.stats().largest_free == 0);
  const void* address = floats.data();
  std::fill(floats.begin(), floats.end(), 3.0f);
  pool.Release(floats);
  const std::span<double> doubles = pool.Acquire<double>(1000);
  CHECK(doubles.data() == address);
  CHECK(IsFilled<double>(doubles, 0));
  // Given back as another type of the same total size.
  pool.Release(std::span(reinterpret_cast<std::complex<float>*>(doubles.data()),
                         doubles.size()));
  const auto numbers = pool.Acquire<std::uint16_t>(4000, Contents::kArbitrary);
  CHECK(numbers.data() == address);
  pool.Release(std::span<const std::uint16_t>(numbers));
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferScope: has a buffer still whose length was wrong") {
  const HandlerScope handler;
  BufferPool pool({.bytes = 8000});
  {
    acre::BufferScope scope(pool);
    const std::span<float> floats = scope.Acquire<float>(1000);
    CHECK_THROWS_AS(scope.Release(floats.first(100)), Misuse);
  }
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: nothing asked, nothing taken; a pool of no bytes") {
  for (const std::size_t bytes : {640, 0}) {
    BufferPool pool({.bytes = bytes});
    CHECK(pool.stats().capacity == bytes);
    CHECK(pool.Acquire<int>(0).empty());
    CHECK(pool.TryAcquire<int>(0).empty());
    pool.Release(std::span<int>());
    CHECK(IsOneFreeRange(pool));
  }
  BufferPool pool({.bytes = 0});
  CHECK(pool.TryAcquire<int>(1).empty());
  CHECK_THROWS_AS(static_cast<void>(pool.Acquire<int>(1)), std::bad_alloc);
  pool.Reset();
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: what does not fit runs out of memory") {
  BufferPool pool({.bytes = 6400, .name = "mine"});
  const auto half = pool.Acquire<char>(3200);
  const acre::BufferPoolStats before = pool.stats();
  for (const std::size_t count :
       {std::size_t{401}, SIZE_MAX, SIZE_MAX / 8, SIZE_MAX / 8 + 1,
        SIZE_MAX / 8 + 2, SIZE_MAX / 2, SIZE_MAX - 62}) {
    CHECK(pool.TryAcquire<double>(count).empty());
    CHECK_THROWS_AS(static_cast<void>(pool.Acquire<double>(count)),
                    std::bad_alloc);
    if (count > 3200) CHECK(pool.TryAcquire<char>(count).empty());
  }
  CHECK(pool.stats().used == before.used);
  CHECK(pool.stats().largest_free == before.largest_free);
  const auto previous =
      acre::SetOutOfMemoryHandler([](const acre::OutOfMemoryInfo& info) {
        throw std::string(info.arena_name) + std::to_string(info.bytes);
      });
  CHECK_THROWS_WITH_AS(static_cast<void>(pool.Acquire<double>(500)), "mine4000",
                       std::string);
  acre::SetOutOfMemoryHandler(previous);
  CHECK(pool.Acquire<double>(400).size() == 400);
  pool.Release(half);
}

TEST_CASE("BufferPool: a source with too little fails the construction") {
  std::vector<std::byte> buffer(1000);
  acre::FixedSource fixed(buffer);
  CHECK_THROWS_AS(BufferPool({.bytes = 2000, .source = &fixed}),
                  std::bad_alloc);
  CHECK_THROWS_AS(BufferPool({.bytes = SIZE_MAX, .source = &fixed}),
                  std::bad_alloc);
  CountingSource source;
  source.dry = true;
  CHECK_THROWS_AS(BufferPool({.bytes = 64, .source = &source}), std::bad_alloc);
  source.dry = false;
  {
    BufferPool pool({.bytes = 5000, .source = &source});
    CHECK(source.held.size() == 1);
    const auto all = pool.Acquire<char>(pool.stats().capacity);
    CHECK(source.Holds(&all.back()));
  }
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
  BufferPool small({.bytes = 640, .source = &fixed});
  CHECK(small.Acquire<char>(640).size() == 640);
}

TEST_CASE("BufferPool: prewarm touches every page, and only then") {
  for (const std::size_t bytes : {4096, 65536, 65600, 100000}) {
    CAPTURE(bytes);
    PageSource source;
    BufferPool pool({.bytes = bytes, .source = &source});
    const auto all = pool.Acquire<char>(bytes, Contents::kArbitrary);
    std::size_t missing = 0;
    for (std::size_t at = 0; at < bytes; at += 64) {
      missing += !source.IsResident(&all[at]);
    }
    CHECK(missing == 0);
  }
  PageSource cold;
  BufferPool pool({.bytes = 1 << 20, .source = &cold, .prewarm = false});
  const auto all = pool.Acquire<char>(1 << 20, Contents::kArbitrary);
  CHECK_FALSE(cold.IsResident(&all[1 << 19]));
}

TEST_CASE("BufferPool: the smallest free range that fits") {
  BufferPool pool({.bytes = 64 * 100});
  std::vector<std::span<char>> buffers;
  for (const int units : {10, 1, 3, 1, 5, 1, 20, 1}) {
    buffers.push_back(pool.Acquire<char>(64 * units));
  }
  for (const int hole : {0, 2, 4, 6}) pool.Release(buffers[hole]);
  CHECK(pool.Acquire<char>(64 * 4).data() == buffers[4].data());
  CHECK(pool.Acquire<char>(64 * 3).data() == buffers[2].data());
  CHECK(pool.Acquire<char>(64 * 11).data() == buffers[6].data());
  CHECK(pool.Acquire<char>(64 * 10).data() == buffers[0].data());
}

TEST_CASE("BufferPool: neighbours are joined in any order of release") {
  std::vector<int> order = {0, 1, 2, 3};
  do {
    BufferPool pool({.bytes = 64 * 4});
    std::vector<std::span<char>> buffers;
    for (int i = 0; i < 4; ++i) buffers.push_back(pool.Acquire<char>(64));
    CHECK(pool.stats().largest_free == 0);
    for (const int i : order) pool.Release(buffers[i]);
    CHECK(IsOneFreeRange(pool));
    CHECK(pool.Acquire<char>(256).size() == 256);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("BufferPool: releasing what is no buffer of it is misuse") {
  const HandlerScope handler;
  BufferPool pool({.bytes = 6400});
  BufferPool other({.bytes = 6400});
  const auto buffer = pool.Acquire<float>(100);
  const auto foreign = other.Acquire<float>(100);
  float local[100];
  CHECK_THROWS_AS(pool.Release(foreign), Misuse);
  CHECK_THROWS_AS(pool.Release(std::span<float>(local)), Misuse);
  CHECK_THROWS_AS(pool.Release(buffer.subspan(1)), Misuse);
  CHECK_THROWS_AS(pool.Release(buffer.subspan(16)), Misuse);
  CHECK_THROWS_AS(pool.Release(buffer.first(50)), Misuse);
  CHECK_THROWS_AS(pool.Release(std::span(buffer.data(), 200)), Misuse);
  CHECK(pool.stats().used == 448);
  pool.Release(buffer);
  CHECK_THROWS_AS(pool.Release(buffer), Misuse);
  CHECK(pool.Acquire<float>(100).data() == buffer.data());
  pool.Reset();
  CHECK_THROWS_AS(pool.Release(buffer), Misuse);
  CHECK(other.stats().buffers == 1);
}

TEST_CASE("BufferPool: misuse is told by a message that names the pool") {
  BufferPool pool({.bytes = 640, .name = "mine"});
  float local[16];
  CHECK_DIES(pool.Release(std::span<float>(local)), "acre: .*'mine'");
  CHECK_DIES(pool.HandleOf(std::span<float>(local)), "acre: .*'mine'");
}

TEST_CASE("BufferPool: Reset takes all buffers back") {
  BufferPool pool({.bytes = 6400});
  for (int i = 0; i < 10; ++i) CHECK(pool.Acquire<char>(600).size() == 600);
  CHECK(pool.TryAcquire<char>(600).empty());
  pool.Reset();
  CHECK(IsOneFreeRange(pool));
  CHECK(pool.Acquire<char>(6400).size() == 6400);
}

TEST_CASE("BufferScope: releases what it acquired, also early") {
  const HandlerScope handler;
  BufferPool pool({.bytes = 6400});
  const auto outer = pool.Acquire<char>(64);
  std::span<double> kept;
  const int result = acre::WithScope(pool, [&](acre::BufferScope& scope) {
    const auto work = scope.Acquire<float>(100);
    const auto more = scope.TryAcquire<int>(50, Contents::kArbitrary);
    CHECK(IsFilled<float>(work, 0));
    CHECK(more.size() == 50);
    CHECK(scope.TryAcquire<char>(100000).empty());
    CHECK(scope.Acquire<char>(0).empty());
    CHECK_THROWS_AS(static_cast<void>(scope.Acquire<char>(100000)),
                    std::bad_alloc);
    kept = scope.Keep(scope.Acquire<double>(8));
    scope.Release(work);
    CHECK_THROWS_AS(scope.Release(work), Misuse);
    CHECK_THROWS_AS(scope.Release(outer), Misuse);
    CHECK_THROWS_AS(scope.Release(kept), Misuse);
    scope.Release(std::span<int>());
    return 42;
  });
  CHECK(result == 42);
  CHECK(pool.stats().buffers == 2);
  kept[7] = 1;
  pool.Release(kept);
  pool.Release(outer);
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferScope: releases when an exception leaves it") {
  BufferPool pool({.bytes = 6400});
  const auto leave = [&] {
    acre::WithScope(pool, [](acre::BufferScope& scope) {
      for (int i = 0; i < 20; ++i) static_cast<void>(scope.Acquire<char>(100));
      throw std::runtime_error("left");
    });
  };
  CHECK_THROWS_AS(leave(), std::runtime_error);
  CHECK(IsOneFreeRange(pool));
  const auto exhaust = [](acre::BufferScope& scope) {
    while (true) static_cast<void>(scope.Acquire<char>(1000));
  };
  CHECK_THROWS_AS(acre::WithScope(pool, exhaust), std::bad_alloc);
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: several threads acquire and release at once") {
  BufferPool pool({.bytes = 1 << 18});
  std::mutex lock;
  std::vector<std::span<std::uint32_t>> mailbox;  // filled with their size
  std::atomic<std::size_t> wrong = 0;
  std::atomic<std::size_t> foreign = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937_64 random(t);
      for (int i = 0; i < 4000; ++i) {
        const auto count = static_cast<std::uint32_t>(1 + random() % 3000);
        auto buffer = pool.TryAcquire<std::uint32_t>(count);
        if (!buffer.empty()) {
          if (!IsFilled<std::uint32_t>(buffer, 0)) ++wrong;
          std::fill(buffer.begin(), buffer.end(), count);
        }
        {
          const std::lock_guard hold(lock);
          if (!buffer.empty()) mailbox.push_back(buffer);
          buffer = {};
          if (mailbox.size() > 20 || (i % 3 == 0 && !mailbox.empty())) {
            std::swap(mailbox[random() % mailbox.size()], mailbox.back());
            buffer = mailbox.back();
            mailbox.pop_back();
          }
        }
        if (buffer.empty()) continue;
        const auto size = static_cast<std::uint32_t>(buffer.size());
        if (!IsFilled<std::uint32_t>(buffer, size)) ++wrong;
        pool.Release(buffer);
        ++foreign;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(foreign > 1000);
  CHECK(pool.stats().buffers == mailbox.size());
  for (const auto& buffer : mailbox) pool.Release(buffer);
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: another thread releases, and one thread has a scope") {
  BufferPool pool({.bytes = 6400});
  const auto buffer = pool.Acquire<int>(100);
  std::thread([&] {
    pool.Release(buffer);
    acre::BufferScope scope(pool);
    static_cast<void>(scope.Acquire<int>(100));
  }).join();
  CHECK(IsOneFreeRange(pool));
}

TEST_CASE("BufferPool: handles are read by a view in this process") {
  acre::SharedMemorySource source({.bytes = 1 << 20});
  REQUIRE(source.fd() >= 0);
  BufferPool pool({.bytes = 1 << 19, .source = &source});
  const auto other = pool.Acquire<char>(100);
  const auto numbers = pool.Acquire<std::int32_t>(1000);
  for (int i = 0; i < 1000; ++i) numbers[i] = i * 3;
  const acre::BufferHandle handle = pool.HandleOf(numbers);
  CHECK(handle.bytes == 4000);
  CHECK(pool.HandleOf(other).bytes == 100);
  const acre::SharedMemoryView view(source.fd());
  const auto read = MapBuffer<std::int32_t>(view, handle);
  REQUIRE(read.size() == 1000);
  CHECK(read.data() != numbers.data());
  CHECK(std::equal(read.begin(), read.end(), numbers.begin()));
  numbers[999] = -1;
  CHECK(read[999] == -1);
  const acre::SharedMemoryView writer(
      source.fd(), acre::SharedMemoryView::Access::kReadWrite);
  acre::MapWritableBuffer<std::int32_t>(writer, handle)[0] = 77;
  CHECK(numbers[0] == 77);
}

TEST_CASE("BufferPool: handles that name no buffer map to nothing") {
  acre::SharedMemorySource source({.bytes = 1 << 20});
  BufferPool pool({.bytes = 1 << 16, .source = &source});
  const acre::BufferHandle good = pool.HandleOf(pool.Acquire<char>(100));
  const acre::SharedMemoryView view(source.fd());
  CHECK(MapBuffer<char>(view, good).size() == 100);
  CHECK(MapBuffer<int>(view, good).size() == 25);
  CHECK(MapBuffer<double>(view, good).empty());  // 12 and a half of them
  CHECK(MapBuffer<int>(view, {good.offset + 1, 4}).empty());
  for (const acre::BufferHandle bad : {acre::BufferHandle{1 << 20, 64},
                                       {(1 << 20) - 60, 64},
                                       {SIZE_MAX - 63, 64},
                                       {good.offset, SIZE_MAX},
                                       {SIZE_MAX - 63, SIZE_MAX - 63},
                                       {64, (1 << 20) - 60}}) {
    CHECK(MapBuffer<char>(view, bad).empty());
    CHECK(acre::MapWritableBuffer<char>(view, bad).empty());
  }
  CHECK(MapBuffer<char>(acre::SharedMemoryView(), good).empty());
  CHECK(MapBuffer<char>(acre::SharedMemoryView(), {}).empty());
}

TEST_CASE("BufferPool: handles are read and written by a forked child") {
  acre::SharedMemorySource source({.bytes = 1 << 20});
  BufferPool pool({.bytes = 1 << 19, .source = &source});
  const auto question = pool.Acquire<double>(500);
  const auto answer = pool.Acquire<double>(1);
  for (int i = 0; i < 500; ++i) question[i] = i;
  const acre::BufferHandle handles[] = {pool.HandleOf(question),
                                        pool.HandleOf(answer)};
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const acre::SharedMemoryView view(
        source.fd(), acre::SharedMemoryView::Access::kReadWrite);
    const auto in = MapBuffer<double>(view, handles[0]);
    const auto out = acre::MapWritableBuffer<double>(view, handles[1]);
    if (!view || in.size() != 500 || out.size() != 1) ::_exit(2);
    for (int i = 0; i < 500; ++i) {
      if (in[i] != i) ::_exit(3);
      out[0] += in[i];
    }
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(answer[0] == 500 * 499 / 2);
}

// Random programs against a map of the buffers, by address.
class Program {
 public:
  Program(std::uint64_t seed, std::size_t bytes)
      : pool_({.bytes = bytes}), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      const std::uint64_t bias = (i / 1000) % 2 == 0 ? 60 : 40;
      if (random_() % 3000 == 0) {
        pool_.Reset();
        live_.clear();
      }
      const std::uint64_t step =
          random_() % 100 < bias ? random_() % 4 : std::uint64_t{4};
      if (step == 0) Take<char>();
      if (step == 1) Take<float>();
      if (step == 2) Take<std::uint64_t>();
      if (step == 3) Take<Sample>();
      if (step == 4) Give();
      if (i % 100 == 0) Verify();
    }
    while (!live_.empty()) Give();
    Expect(IsOneFreeRange(pool_));
  }
  std::size_t errors() const { return errors_; }
  int refused() const { return refused_; }

 private:
  struct Buffer {
    std::size_t bytes;
    unsigned char tag;
  };
  void Expect(bool holds) { errors_ += !holds; }

  template <class T>
  void Take() {
    const std::size_t limit = random_() % 20 == 0 ? 8000 : 400;
    const std::size_t count = random_() % (limit / sizeof(T));
    const std::size_t room = pool_.stats().largest_free;
    const auto contents =
        random_() % 2 == 0 ? Contents::kZero : Contents::kArbitrary;
    const std::span<T> buffer = pool_.TryAcquire<T>(count, contents);
    const bool fits = Rounded(count * sizeof(T)) <= room;
    Expect(buffer.size() == (fits ? count : 0));
    if (!fits) ++refused_;
    if (buffer.empty()) return;
    auto* at = reinterpret_cast<unsigned char*>(buffer.data());
    Expect(reinterpret_cast<std::uintptr_t>(at) % kUnit == 0);
    if (contents == Contents::kZero) {
      Expect(IsFilled<unsigned char>({at, buffer.size_bytes()}, 0));
    }
    const auto next = live_.lower_bound(at);
    Expect(next == live_.end() || at + buffer.size_bytes() <= next->first);
    Expect(next == live_.begin() ||
           std::prev(next)->first + std::prev(next)->second.bytes <= at);
    const Buffer made{buffer.size_bytes(),
                      static_cast<unsigned char>(random_())};
    std::memset(at, made.tag, made.bytes);
    live_[at] = made;
  }

  void Give() {
    if (live_.empty()) return;
    auto held = live_.begin();
    std::advance(held, random_() % std::min<std::size_t>(live_.size(), 30));
    const auto [at, buffer] = *held;
    Expect(IsFilled<unsigned char>({at, buffer.bytes}, buffer.tag));
    live_.erase(held);
    pool_.Release(std::span<unsigned char>(at, buffer.bytes));
  }

  // The free ranges are what lies between the buffers.
  void Verify() {
    std::size_t used = 0;
    for (const auto& [at, buffer] : live_) {
      used += Rounded(buffer.bytes);
      Expect(IsFilled<unsigned char>({at, buffer.bytes}, buffer.tag));
    }
    const acre::BufferPoolStats stats = pool_.stats();
    Expect(stats.used == used && stats.buffers == live_.size());
    Expect(stats.largest_free <= stats.capacity - used);
    std::size_t largest = 0;
    const unsigned char* end = nullptr;
    for (const auto& [at, buffer] : live_) {
      if (end != nullptr) {
        largest = std::max(largest, static_cast<std::size_t>(at - end));
      }
      end = at + Rounded(buffer.bytes);
    }
    Expect(stats.largest_free >= largest);
  }

  BufferPool pool_;
  std::mt19937_64 random_;
  std::map<unsigned char*, Buffer> live_;
  std::size_t errors_ = 0;
  int refused_ = 0;
};

TEST_CASE("BufferPool model: random programs") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Program program(seed, 16000 + 3000 * seed);
    program.Run(10000);
    CHECK(program.errors() == 0);
    CHECK(program.refused() > 0);
  }
}

}  // namespace buffer_pool_test
