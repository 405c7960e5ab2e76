// SPDX-License-Identifier: MIT
//
// Guards Owns and ArenaOf: exact at every border, for chunks that share a page
// and chunks of many, while other threads add and remove.

#include <doctest/doctest.h>
#include <malloc.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/make_arena.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace chunk_index_test {

using acre_test::CountingSource;

namespace {

/// Cuts one buffer into chunks of exactly the minimum.
class SlicingSource final : public acre::ChunkSource {
 public:
  explicit SlicingSource(std::size_t size)
      : memory_(static_cast<char*>(std::aligned_alloc(4096, size))),
        size_(size) {}
  ~SlicingSource() override { std::free(memory_); }

  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t) override {
    const std::size_t rounded = (min_size + 15) / 16 * 16;
    if (size_ - used_ < rounded) return {};
    char* start = memory_ + used_;
    used_ += rounded;
    return {start, rounded};
  }
  void Release(acre::ChunkMemory) noexcept override {}

  char* begin() const { return memory_; }
  std::size_t used() const { return used_; }

 private:
  char* memory_;
  std::size_t size_;
  std::size_t used_ = 0;
};

}  // namespace

TEST_CASE("Owns: true in the chunk to its last byte, false right outside") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  void* small = arena.Allocate(10);
  void* large = arena.Allocate(std::size_t{5} << 20);
  CHECK(arena.Owns(small));
  CHECK(arena.Owns(static_cast<char*>(large) + (5 << 20) - 1));
  REQUIRE(source.held.size() == 2);
  for (const auto& [address, size] : source.held) {
    char* begin = static_cast<char*>(address);
    CHECK(arena.Owns(begin + 16));
    CHECK(arena.Owns(begin + size / 2));
    CHECK(arena.Owns(begin + size - 1));
    CHECK_FALSE(arena.Owns(begin + size));
    CHECK_FALSE(arena.Owns(begin - 1));
    CHECK(acre::ArenaOf(begin + size - 1) == &arena);
    CHECK(acre::ArenaOf(begin + size) == nullptr);
  }
}

TEST_CASE("Owns: the end of the last block of a chunk is that chunk's") {
  CountingSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 4096, .byte_limit = 4096});
  char* end = nullptr;
  while (char* block = static_cast<char*>(arena.TryAllocate(16))) {
    end = block + 16;
  }
  REQUIRE(end != nullptr);
  CHECK(arena.Owns(end));
  CHECK(acre::ArenaOf(end) == &arena);
}

TEST_CASE("Owns: no address of elsewhere is anybody's") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  static_cast<void>(arena.Allocate(1));
  int local = 0;
  static int global = 0;
  const auto heap = std::make_unique<int>(0);
  const auto as_pointer = [](std::uintptr_t word) {
    return reinterpret_cast<const void*>(word);
  };
  for (const void* p :
       {static_cast<const void*>(nullptr), static_cast<const void*>(&local),
        static_cast<const void*>(&global), static_cast<const void*>(heap.get()),
        as_pointer(1), as_pointer(std::uintptr_t{1} << 48),
        as_pointer(~std::uintptr_t{0}),
        as_pointer((std::uintptr_t{1} << 48) - 1)}) {
    CHECK_FALSE(arena.Owns(p));
    CHECK(acre::ArenaOf(p) == nullptr);
  }
}

TEST_CASE("ArenaOf: tells chunks apart that share a page") {
  SlicingSource source(1 << 16);
  std::vector<std::unique_ptr<acre::Arena>> arenas;
  std::map<char*, acre::Arena*> owner;  // by first byte of the slice
  for (int i = 0; i < 100; ++i) {
    arenas.push_back(acre::MakeArena({.source = &source, .first_chunk = 16}));
    char* slice = source.begin() + source.used();
    static_cast<void>(arenas.back()->Allocate(16 * (1 + i % 20)));
    owner[slice] = arenas.back().get();
  }
  for (int i = 0; i < 100; i += 3) {
    for (auto& [slice, arena] : owner) {
      if (arena == arenas[i].get()) arena = nullptr;
    }
    arenas[i].reset();
  }
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < source.used(); ++i) {
    char* p = source.begin() + i;
    wrong += acre::ArenaOf(p) != std::prev(owner.upper_bound(p))->second;
  }
  CHECK(wrong == 0);
}

TEST_CASE("ArenaOf: no longer answers for chunks given back") {
  CountingSource source;
  const void* block = nullptr;
  {
    acre::Arena arena({.source = &source});
    block = arena.Allocate(100);
    CHECK(acre::ArenaOf(block) == &arena);
    void* large = arena.Allocate(1 << 20);
    arena.Free(large, 1 << 20);
    CHECK(acre::ArenaOf(large) == nullptr);
    arena.Reset(acre::ResetMode::kRelease);
    CHECK(acre::ArenaOf(block) == nullptr);
    block = arena.Allocate(100);
  }
  CHECK(acre::ArenaOf(block) == nullptr);
}

TEST_CASE("ArenaOf: agrees with a map of extents over random histories") {
  CountingSource source;
  std::mt19937_64 random(7);
  std::map<acre::Arena*, std::unique_ptr<acre::Arena>> arenas;
  std::map<char*, std::pair<std::size_t, acre::Arena*>> extents;
  for (int step = 0; step < 3000; ++step) {
    if (arenas.empty() || random() % 3 != 0) {
      auto arena =
          acre::MakeArena({.source = &source,
                           .first_chunk = std::size_t{1024} << random() % 6});
      auto* block = static_cast<char*>(arena->Allocate(64));
      extents[block] = {64, arena.get()};
      arenas[arena.get()] = std::move(arena);
    } else {
      auto at = arenas.begin();
      std::advance(at, random() % arenas.size());
      std::erase_if(extents, [&](const auto& extent) {
        return extent.second.second == at->first;
      });
      arenas.erase(at);
    }
    if (step % 100 != 0) continue;
    std::size_t wrong = 0;
    for (const auto& [begin, what] : extents) {
      wrong += acre::ArenaOf(begin) != what.second;
      wrong += acre::ArenaOf(begin + what.first - 1) != what.second;
    }
    CHECK(wrong == 0);
  }
}

/// Chunks far apart, as files are that are mapped somewhere each time.
class FarSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t) override {
    constexpr std::uintptr_t kFirst = 0x5600'0000'0000;
    constexpr std::uintptr_t kApart = std::uintptr_t{1} << 30;
    constexpr std::size_t kPage = 65536;  // or a part of it
    const std::size_t size = (min_size + kPage - 1) / kPage * kPage;
    for (int tries = 0; tries < 100; ++tries) {
      // NOLINTNEXTLINE: an address that nobody has given
      void* const wanted = reinterpret_cast<void*>(kFirst + kApart * count_++);
      void* const got =
          mmap(wanted, size, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
      if (got != MAP_FAILED) return {got, size};
    }
    return {};
  }
  void Release(acre::ChunkMemory memory) noexcept override {
    munmap(memory.address, memory.size);
  }

 private:
  std::uintptr_t count_ = 0;
};

TEST_CASE("ArenaOf: addresses that come and go leave no memory behind") {
  FarSource source;
  const acre::ChunkMemory probe = source.Acquire(1, 1);
  if (probe.address == nullptr) return;  // an emulator has fewer addresses
  source.Release(probe);
  const auto visit = [&](int count) {
    for (int i = 0; i < count; ++i) {
      acre::Arena arena({.source = &source});
      void* const block = arena.Allocate(100);
      REQUIRE(acre::ArenaOf(block) == &arena);
      void* const large = arena.Allocate(std::size_t{1} << 20);
      REQUIRE(acre::ArenaOf(large) == &arena);
    }
  };
  visit(64);  // all of a node of the next level
  const std::size_t before = mallinfo2().uordblks;
  visit(400);
  // A leaf of 32 KiB for each of the 800 chunks; the nodes above take 7.
  CHECK(mallinfo2().uordblks < before + (std::size_t{1} << 20));
}

TEST_CASE("ArenaOf: any thread may ask while others add and remove chunks") {
  CountingSource still;
  acre::Arena arena({.source = &still});
  const void* block = arena.Allocate(100);
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> wrong{0};
  std::atomic<std::size_t> asked{0};
  std::thread reader([&] {
    while (!stop.load()) {
      wrong += acre::ArenaOf(block) != &arena;
      wrong += !arena.Owns(block);
      wrong += acre::ArenaOf(&stop) != nullptr;
      ++asked;
    }
  });
  acre::MallocSource source;
  while (asked.load() < 1000) std::this_thread::yield();
  for (int i = 0; i < acre_test::Scaled(3000, 600); ++i) {
    acre::Arena other({.source = &source, .first_chunk = 8192});
    static_cast<void>(other.Allocate(100));
    static_cast<void>(other.Allocate(1 << 19));
  }
  stop = true;
  reader.join();
  CHECK(wrong == 0);
}

}  // namespace chunk_index_test
