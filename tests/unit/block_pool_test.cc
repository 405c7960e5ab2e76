// SPDX-License-Identifier: MIT
//
// Guards BlockPool: the lowest free block, no byte between blocks, and a
// refusal of every address that is not the start of a block in use.

#include "acre/block_pool.h"

#include <doctest/doctest.h>

#include <cstring>
#include <new>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "support/death.h"
#include "test_sources.h"

namespace block_pool_test {

using acre::BlockPool;
using acre_test::CountingSource;

struct Misuse {};

// Throws misuse, so that a test can look at what it left.
struct HandlerScope {
  HandlerScope() {
    previous = acre::SetMisuseHandler([](const char*) { throw Misuse(); });
  }
  ~HandlerScope() { acre::SetMisuseHandler(previous); }
  acre::MisuseHandler previous;
};

bool IsFilled(const void* block, std::size_t bytes, int byte) {
  const auto* p = static_cast<const unsigned char*>(block);
  return bytes == 0 || (*p == byte && std::memcmp(p, p + 1, bytes - 1) == 0);
}

char* At(const BlockPool& pool, std::size_t index) {
  return static_cast<char*>(pool.BlockAt(index));
}

// Leaves bytes that are not zero where the next pool will lie.
void Dirty(acre::Arena& arena) {
  void* block = arena.Allocate(30000);
  std::memset(block, 0xd5, 30000);
  arena.Reset();
}

TEST_CASE("BlockPool: hands out the lowest free block") {
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 48, .count = 5});
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK_FALSE(pool.full());
    blocks.push_back(i % 2 == 0 ? pool.Allocate() : pool.TryAllocate());
    CHECK(blocks[i] == pool.BlockAt(i));
  }
  CHECK(pool.full());
  CHECK(pool.TryAllocate() == nullptr);
  pool.Free(blocks[4]);
  pool.Free(blocks[1]);
  pool.Free(blocks[3]);
  CHECK(pool.Allocate() == blocks[1]);
  CHECK(pool.Allocate() == blocks[3]);
  CHECK(pool.Allocate() == blocks[4]);
}

TEST_CASE("BlockPool: the default is 1024 blocks of 64 bytes") {
  acre::Arena arena;
  BlockPool pool(arena, {});
  CHECK(pool.block_size() == 64);
  CHECK(pool.stats().total == 1024);
  CHECK(reinterpret_cast<std::uintptr_t>(pool.Allocate()) % 16 == 0);
}

TEST_CASE("BlockPool: not a byte between blocks, sizes rounded to align") {
  acre::Arena arena;
  struct Case {
    std::size_t size, align, rounded;
  };
  for (const Case& c :
       {Case{1, 1, 1}, Case{3, 1, 3}, Case{7, 2, 8}, Case{1, 16, 16},
        Case{17, 16, 32}, Case{64, 64, 64}, Case{100, 512, 512},
        Case{4096, 4096, 4096}, Case{4097, 4096, 8192}}) {
    CAPTURE(c.size);
    BlockPool pool(arena,
                   {.block_size = c.size, .count = 70, .align = c.align});
    CHECK(pool.block_size() == c.rounded);
    std::size_t wrong = 0;
    for (int i = 0; i < 70; ++i) {
      auto* block = static_cast<char*>(pool.Allocate());
      wrong += reinterpret_cast<std::uintptr_t>(block) % c.align != 0;
      wrong += block != At(pool, 0) + i * c.rounded;
      std::memset(block, i, c.rounded);
    }
    for (int i = 0; i < 70; ++i) {
      wrong += !IsFilled(pool.BlockAt(i), c.rounded, i);
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("BlockPool: an alignment that is none is misuse") {
  const HandlerScope handler;
  acre::Arena arena;
  for (const std::size_t align : {0, 3, 24, 8192}) {
    CHECK_THROWS_AS(BlockPool(arena, {.align = align}), Misuse);
  }
}

TEST_CASE("BlockPool: runs out of memory when all blocks are in use") {
  acre::Arena arena({.name = "mine"});
  BlockPool pool(arena, {.block_size = 48, .count = 2});
  void* first = pool.Allocate();
  static_cast<void>(pool.Allocate());
  CHECK_THROWS_AS(static_cast<void>(pool.Allocate()), std::bad_alloc);
  const auto previous =
      acre::SetOutOfMemoryHandler([](const acre::OutOfMemoryInfo& info) {
        throw std::string(info.arena_name) + std::to_string(info.bytes);
      });
  CHECK_THROWS_WITH_AS(static_cast<void>(pool.Allocate()), "mine48",
                       std::string);
  acre::SetOutOfMemoryHandler(previous);
  CHECK(pool.stats().used == 2);
  pool.Free(first);
  CHECK(pool.Allocate() == first);
}

TEST_CASE("BlockPool: without blocks") {
  const HandlerScope handler;
  acre::Arena arena;
  BlockPool pool(arena, {.count = 0, .zero_on_free = true});
  CHECK(pool.full());
  CHECK(pool.TryAllocate() == nullptr);
  CHECK(pool.stats().total == 0);
  CHECK(pool.stats().free == 0);
  CHECK(pool.stats().utilization == 0.0);
  CHECK_THROWS_AS(pool.BlockAt(0), Misuse);
  CHECK_FALSE(pool.Owns(nullptr));
  pool.Reset();
  CHECK(pool.TryAllocate() == nullptr);
}

TEST_CASE("BlockPool: sizes that overflow fail like Allocate") {
  acre::Arena arena;
  for (const std::size_t huge : {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX - 4096}) {
    CHECK_THROWS_AS(BlockPool(arena, {.block_size = huge}), std::bad_alloc);
    CHECK_THROWS_AS(BlockPool(arena, {.count = huge}), std::bad_alloc);
    CHECK_THROWS_AS(
        BlockPool(arena, {.block_size = huge, .count = huge, .align = 4096}),
        std::bad_alloc);
    CHECK_THROWS_AS(BlockPool(arena, {.block_size = 1, .count = huge}),
                    std::bad_alloc);
  }
  const std::size_t half = std::size_t{1} << 32;  // their product is 2^64
  CHECK_THROWS_AS(BlockPool(arena, {.block_size = half, .count = half}),
                  std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("BlockPool: a construction that fails half-way leaves nothing") {
  CountingSource source;
  std::size_t failures = 0;
  for (std::size_t limit = 4096; limit < 40960; limit += 256) {
    acre::Arena arena({.source = &source,
                       .first_chunk = 1024,
                       .max_chunk = 1024,
                       .byte_limit = limit});
    try {
      BlockPool pool(arena, {.block_size = 1, .count = 20000, .align = 1});
      CHECK(pool.stats().free == 20000);
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    CHECK(arena.stats().live() == 0);
  }
  CHECK(failures > 0);
  CHECK(source.held.empty());
}

TEST_CASE("BlockPool: its memory goes back to the arena") {
  acre::Arena arena;
  const std::size_t before = arena.stats().live();
  {
    BlockPool pool(arena, {.block_size = 100, .count = 10000});
    static_cast<void>(pool.Allocate());
    CHECK(arena.stats().live() >= 10000 * 112);
    CHECK(arena.Owns(pool.BlockAt(9999)));
  }
  CHECK(arena.stats().live() == before);
}

TEST_CASE("BlockPool: Free refuses what is no block in use, in every build") {
  const HandlerScope handler;
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 48, .count = 70});
  BlockPool other(arena, {.block_size = 48, .count = 70});
  auto* block = static_cast<char*>(pool.Allocate());
  void* foreign = other.Allocate();
  char local[64];
  pool.Free(nullptr);
  CHECK_THROWS_AS(pool.Free(foreign), Misuse);
  CHECK_THROWS_AS(pool.Free(local), Misuse);
  CHECK_THROWS_AS(pool.Free(block + 1), Misuse);
  CHECK_THROWS_AS(pool.Free(block + 47), Misuse);
  CHECK_THROWS_AS(pool.Free(block + 48), Misuse);  // free already
  CHECK_THROWS_AS(pool.Free(At(pool, 69) + 48), Misuse);
  CHECK_THROWS_AS(pool.Free(block - 48), Misuse);
  CHECK(pool.stats().used == 1);
  pool.Free(block);
  CHECK_THROWS_AS(pool.Free(block), Misuse);
  CHECK(pool.stats().used == 0);
  CHECK(pool.Allocate() == block);
  pool.Reset();
  CHECK_THROWS_AS(pool.Free(block), Misuse);
  CHECK(other.IsUsed(foreign));
}

TEST_CASE("BlockPool: misuse is told by a message") {
  acre::Arena arena({.name = "mine"});
  BlockPool pool(arena, {.block_size = 48, .count = 3});
  void* block = pool.Allocate();
  pool.Free(block);
  CHECK_DIES(pool.Free(block), "acre: BlockPool::Free.*free already.*'mine'");
  CHECK_DIES(pool.Free(&arena), "acre: BlockPool::Free.*not a block.*'mine'");
  CHECK_DIES(pool.IndexOf(&arena), "acre: BlockPool::IndexOf");
  CHECK_DIES(pool.BlockAt(3), "acre: BlockPool::BlockAt");
}

TEST_CASE("BlockPool: any address tells its block") {
  const HandlerScope handler;
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 40, .count = 130, .align = 8});
  void* const used = pool.Allocate();
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 130; ++i) {
    for (const std::size_t at : {0, 1, 20, 39}) {
      const char* p = At(pool, i) + at;
      wrong += !pool.Owns(p) || pool.IndexOf(p) != i;
      wrong += pool.IsUsed(p) != (i == 0);
    }
  }
  CHECK(wrong == 0);
  CHECK(pool.BlockAt(0) == used);
  for (const char* p :
       {At(pool, 0) - 1, At(pool, 129) + 40, static_cast<char*>(nullptr)}) {
    CHECK_FALSE(pool.Owns(p));
    CHECK_FALSE(pool.IsUsed(p));
    CHECK_THROWS_AS(pool.IndexOf(p), Misuse);
  }
  CHECK_THROWS_AS(pool.BlockAt(130), Misuse);
  CHECK_THROWS_AS(pool.BlockAt(SIZE_MAX), Misuse);
}

TEST_CASE("BlockPool: stats") {
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 16, .count = 200});
  std::vector<void*> blocks;
  for (int i = 0; i < 50; ++i) blocks.push_back(pool.Allocate());
  CHECK(pool.stats().total == 200);
  CHECK(pool.stats().used == 50);
  CHECK(pool.stats().free == 150);
  CHECK(pool.stats().utilization == doctest::Approx(0.25));
  for (void* block : blocks) pool.Free(block);
  CHECK(pool.stats().used == 0);
  CHECK(pool.stats().utilization == 0.0);
}

TEST_CASE("BlockPool: contents stay where zero_on_free is off") {
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 64, .count = 3});
  void* kept = pool.Allocate();
  void* block = pool.Allocate();
  std::memset(kept, 0x11, 64);
  std::memset(block, 0x22, 64);
  pool.Free(block);
  CHECK(pool.Allocate() == block);
  CHECK(IsFilled(kept, 64, 0x11));
}

TEST_CASE("BlockPool: zero_on_free gives zeros, new, freed and after Reset") {
  acre::Arena arena({.source = &acre::MallocSource::Instance()});
  Dirty(arena);
  BlockPool pool(arena,
                 {.block_size = 100, .count = 100, .zero_on_free = true});
  std::size_t wrong = 0;
  std::vector<void*> blocks;
  for (int i = 0; i < 100; ++i) {
    blocks.push_back(pool.Allocate());
    wrong += !IsFilled(blocks[i], pool.block_size(), 0);
    std::memset(blocks[i], 0xee, pool.block_size());
  }
  for (int i = 0; i < 100; i += 2) {
    pool.Free(blocks[i]);
    wrong += !IsFilled(blocks[i], pool.block_size(), 0);
  }
  for (int i = 1; i < 100; i += 2) {
    wrong += !IsFilled(blocks[i], pool.block_size(), 0xee);
  }
  pool.Reset();
  for (void* block : blocks) wrong += !IsFilled(block, pool.block_size(), 0);
  for (int i = 0; i < 100; ++i) {
    wrong += !IsFilled(pool.Allocate(), pool.block_size(), 0);
  }
  CHECK(wrong == 0);
}

TEST_CASE("BlockPool: Reset frees all, and zeroes only what was in use") {
  acre::Arena arena;
  BlockPool pool(arena, {.block_size = 64, .count = 100, .zero_on_free = true});
  for (int i = 0; i < 10; ++i) std::memset(pool.Allocate(), 1, 64);
  At(pool, 50)[3] = 77;  // a free block: not ours to write, but to look at
  pool.Reset();
  CHECK(At(pool, 50)[3] == 77);
  CHECK(pool.stats().used == 0);
  CHECK_FALSE(pool.IsUsed(pool.BlockAt(0)));
  CHECK(pool.Allocate() == pool.BlockAt(0));
}

TEST_CASE("BlockPool: counts around the words of the bitmap") {
  acre::Arena arena;
  for (const std::size_t count : {1, 63, 64, 65, 127, 128, 4095, 4096, 4097,
                                  8191, 262143, 262144, 262145}) {
    CAPTURE(count);
    BlockPool pool(arena, {.block_size = 1, .count = count, .align = 1});
    for (int round = 0; round < 2; ++round) {
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < count; ++i) {
        wrong += pool.TryAllocate() != At(pool, i);
      }
      CHECK(wrong == 0);
      CHECK(pool.TryAllocate() == nullptr);
      CHECK(pool.full());
      for (const std::size_t i : {count - 1, count / 2, std::size_t{0}}) {
        if (!pool.IsUsed(At(pool, i))) continue;
        pool.Free(At(pool, i));
        CHECK(pool.TryAllocate() == At(pool, i));
      }
      pool.Reset();
    }
  }
}

// Random programs against the set of free indices.
class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed,
          const acre::BlockPoolOptions& options)
      : pool_(arena, options), options_(options), random_(seed) {
    tags_.assign(options.count, -1);
    FreeAll();
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      // Long stretches of filling and of emptying.
      const std::uint64_t bias = (i / 1500) % 2 == 0 ? 70 : 30;
      const std::uint64_t dice = Below(10000);
      if (dice < 3) {
        Reset();
      } else if (dice < 300) {
        Misfree();
      } else if (dice % 100 < bias) {
        Take();
      } else {
        Give();
      }
      if (i % 1000 == 0) Verify();
    }
    Verify();
  }
  std::size_t errors() const { return errors_; }
  std::size_t refused() const { return refused_; }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }
  void FreeAll() {
    for (std::size_t i = 0; i < options_.count; ++i) free_.insert(i);
  }

  void Take() {
    void* block = pool_.TryAllocate();
    Expect((block == nullptr) == free_.empty());
    if (block == nullptr) {
      ++refused_;
      return;
    }
    const std::size_t index = pool_.IndexOf(block);
    Expect(index == *free_.begin());
    Expect(block == pool_.BlockAt(index));
    if (options_.zero_on_free) Expect(IsFilled(block, pool_.block_size(), 0));
    free_.erase(index);
    tags_[index] = static_cast<int>(Below(255)) + 1;
    std::memset(block, tags_[index], pool_.block_size());
  }

  void Give() {
    const std::size_t index = Below(options_.count);
    if (tags_[index] < 0) return;
    char* block = At(pool_, index);
    Expect(IsFilled(block, pool_.block_size(), tags_[index]));
    pool_.Free(block);
    free_.insert(index);
    tags_[index] = -1;
  }

  void Misfree() {
    const std::size_t index = Below(options_.count);
    const std::size_t at = Below(pool_.block_size());
    if (at == 0 && tags_[index] >= 0) return;
    bool refused = false;
    try {
      pool_.Free(At(pool_, index) + at);
    } catch (const Misuse&) {
      refused = true;
    }
    Expect(refused);
  }

  void Reset() {
    pool_.Reset();
    tags_.assign(options_.count, -1);
    FreeAll();
  }

  void Verify() {
    const acre::BlockPoolStats stats = pool_.stats();
    Expect(stats.free == free_.size());
    Expect(stats.used + stats.free == stats.total);
    Expect(pool_.full() == free_.empty());
    for (std::size_t i = 0; i < options_.count; ++i) {
      const char* block = At(pool_, i);
      Expect(pool_.IsUsed(block) == (tags_[i] >= 0));
      if (tags_[i] >= 0) Expect(IsFilled(block, pool_.block_size(), tags_[i]));
    }
  }

  BlockPool pool_;
  acre::BlockPoolOptions options_;
  std::mt19937_64 random_;
  std::set<std::size_t> free_;
  std::vector<int> tags_;  // by block; -1: free
  std::size_t errors_ = 0;
  std::size_t refused_ = 0;
};

TEST_CASE("BlockPool model: random programs") {
  const HandlerScope handler;
  acre::Arena arena({.source = &acre::MallocSource::Instance()});
  const std::size_t counts[] = {1, 64, 100, 300, 500};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    Program program(arena, seed,
                    {.block_size = 1 + 13 * seed,
                     .count = counts[seed % 5],
                     .align = std::size_t{1} << seed % 7,
                     .zero_on_free = seed % 2 == 0});
    program.Run(10000);
    CHECK(program.errors() == 0);
    CHECK(program.refused() > 0);
  }
}

}  // namespace block_pool_test
