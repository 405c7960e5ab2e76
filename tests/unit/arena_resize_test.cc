// SPDX-License-Identifier: MIT
//
// Guards the verbs that change blocks in place and look at chunks: Grow,
// Shrink, Reserve, ForEachChunk, set_byte_limit.

#include <doctest/doctest.h>

#include <cstring>
#include <random>
#include <vector>

#include "acre/arena.h"
#include "support/audited.h"
#include "support/death.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace arena_resize_test {

using acre_test::CountingSource;

struct Block {
  unsigned char* bytes;
  std::size_t size;
  std::size_t align;
  unsigned char tag;
};

bool IsFilled(const Block& block) {
  for (std::size_t i = 0; i < block.size; ++i) {
    if (block.bytes[i] != block.tag) return false;
  }
  return true;
}

/// Random Allocate, Grow, Shrink and Free, with marks, against a list of what
/// should be live; in the end everything is freed and found again.
class Resizing {
 public:
  Resizing(acre::Arena& arena, std::uint64_t seed) : arena_(arena) {
    random_.seed(seed);
  }

  std::size_t Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    while (!live_.empty()) Drop(live_.size() - 1);
    return errors_;
  }

 private:
  std::size_t Below(std::size_t n) { return random_() % n; }
  std::size_t AnySize() { return Below(20) == 0 ? Below(700000) : Below(4000); }

  void Step() {
    const std::size_t dice = Below(10);
    if (live_.empty() || dice < 3) {
      Block block{nullptr, AnySize(), 16,
                  static_cast<unsigned char>(Below(256))};
      if (Below(8) == 0) block.align = std::size_t{1} << Below(13);
      block.bytes =
          static_cast<unsigned char*>(arena_.Allocate(block.size, block.align));
      std::memset(block.bytes, block.tag, block.size);
      live_.push_back(block);
      return;
    }
    const std::size_t at = Below(live_.size());
    Block& block = live_[at];
    errors_ += !IsFilled(block);
    if (dice < 5) return Drop(at);
    if (dice < 7) {
      const std::size_t size = block.size + Below(3000);
      block.bytes = static_cast<unsigned char*>(
          arena_.Grow(block.bytes, block.size, size, block.align));
      errors_ += !IsFilled(block);
      errors_ += reinterpret_cast<std::uintptr_t>(block.bytes) % block.align;
      block.size = size;
    } else {
      const std::size_t size = Below(block.size + 1);
      block.bytes = static_cast<unsigned char*>(
          arena_.Shrink(block.bytes, block.size, size, block.align));
      block.size = size;
      errors_ += !IsFilled(block);
    }
    std::memset(block.bytes, block.tag, block.size);
  }

  void Drop(std::size_t at) {
    const Block block = live_[at];
    live_[at] = live_.back();
    live_.pop_back();
    errors_ += !IsFilled(block);
    arena_.Free(block.bytes, block.size, block.align);
  }

  acre::Arena& arena_;
  std::mt19937_64 random_;
  std::vector<Block> live_;
  std::size_t errors_ = 0;
};

TEST_CASE("Grow: in place for the last block, elsewhere it moves") {
  acre::Arena arena({.first_chunk = 65536});
  void* first = arena.Allocate(100);
  std::memset(first, 7, 100);
  void* second = arena.Allocate(100);
  CHECK(arena.Grow(second, 100, 1000) == second);
  void* moved = arena.Grow(first, 100, 1000);
  CHECK(moved != first);
  CHECK(IsFilled({static_cast<unsigned char*>(moved), 100, 16, 7}));
  CHECK(arena.Allocate(100) == first);
  CHECK_DIES(static_cast<void>(arena.Grow(moved, 1000, 10)), "no growth");
}

TEST_CASE("Grow: a failed one leaves the block as it was") {
  CountingSource source;
  acre::Arena arena({.source = &source, .byte_limit = 70000});
  auto* block = static_cast<unsigned char*>(arena.Allocate(100));
  std::memset(block, 7, 100);
  static_cast<void>(arena.Allocate(100));
  CHECK_THROWS_AS(static_cast<void>(arena.Grow(block, 100, 1 << 20)),
                  std::bad_alloc);
  CHECK(IsFilled({block, 100, 16, 7}));
  arena.Free(block, 100);
}

TEST_CASE("Shrink: what is cut off is handed out again") {
  acre::Arena arena;
  char* block = static_cast<char*>(arena.Allocate(1000));
  void* last = arena.Allocate(16);
  const std::size_t live = arena.stats().live();
  CHECK(arena.Shrink(block, 1000, 100) == block);
  CHECK(arena.stats().live() == live - (1008 - 112));
  CHECK(arena.Allocate(1008 - 112) == block + 112);
  CHECK(arena.Shrink(last, 16, 0) == last);
  CHECK_DIES(static_cast<void>(arena.Shrink(block, 100, 200)), "no shrinking");
}

TEST_CASE("Shrink: the last block gives its room back to the cursor") {
  acre::Arena arena;
  char* block = static_cast<char*>(arena.Allocate(10000));
  CHECK(arena.Shrink(block, 10000, 64) == block);
  CHECK(arena.Allocate(500) == block + 64);
}

TEST_CASE("Shrink: a freed remainder makes its chunk whole again") {
  CountingSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 8192, .max_chunk = 8192});
  for (int round = 0; round < 50; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 100; ++i) {
      blocks.push_back(arena.Allocate(700));
      static_cast<void>(arena.Allocate(16));
      CHECK(arena.Shrink(blocks.back(), 700, 40) == blocks.back());
    }
    CHECK(source.bytes < 400000);
    arena.Reset();
  }
}

TEST_CASE("Shrink: a large block leaves its chunk when it becomes small") {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 4096});
  void* large = arena.Allocate(std::size_t{1} << 20);
  std::memset(large, 7, std::size_t{1} << 20);
  CHECK(arena.Shrink(large, 1 << 20, 700000) == large);
  void* small = arena.Shrink(large, 700000, 100);
  CHECK(small != large);
  CHECK(IsFilled({static_cast<unsigned char*>(small), 100, 16, 7}));
  CHECK(arena.stats().large_blocks == 0);
  CHECK(source.held.size() == 1);
}

TEST_CASE("Shrink: below an open mark the remainder waits") {
  acre::Arena arena;
  char* older = static_cast<char*>(arena.Allocate(1000));
  static_cast<void>(arena.Allocate(16));
  const acre::Mark mark = arena.Checkpoint();
  CHECK(arena.Shrink(older, 1000, 100) == older);
  char* younger = static_cast<char*>(arena.Allocate(800));
  CHECK((younger < older || younger >= older + 1000));
  arena.Rewind(mark);
  CHECK(arena.Allocate(1008 - 112) == older + 112);
}

TEST_CASE("model: Grow and Shrink at random") {
  for (std::uint64_t seed = 0; seed < acre_test::Scaled(6u, 2u); ++seed) {
    CAPTURE(seed);
    CountingSource source;
    {
      acre::Arena arena({.source = &source, .first_chunk = 16384});
      CHECK(Resizing(arena, seed).Run(6000) == 0);
      CHECK(arena.stats().live() == 0);
    }
    CHECK(source.held.empty());
    CHECK_FALSE(source.broken);
  }
}

TEST_CASE("Reserve: as many bytes come without the source" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 4096});
  arena.Reserve(100000);
  CHECK(arena.remaining() >= 100000);
  const std::size_t acquires = source.acquires;
  for (int i = 0; i < 800; ++i) static_cast<void>(arena.Allocate(100));
  CHECK(source.acquires == acquires);
  source.dry = true;
  CHECK_FALSE(arena.TryReserve(std::size_t{1} << 30));
  CHECK_FALSE(arena.TryReserve(SIZE_MAX));
  CHECK_THROWS_AS(arena.Reserve(std::size_t{1} << 30), std::bad_alloc);
}

TEST_CASE("ForEachChunk: shows what stats counts") {
  acre::Arena arena({.first_chunk = 4096, .max_chunk = 4096});
  std::vector<const std::byte*> blocks;
  for (int i = 0; i < 300; ++i) {
    blocks.push_back(static_cast<std::byte*>(arena.Allocate(100)));
  }
  blocks.push_back(static_cast<std::byte*>(arena.Allocate(1 << 20)));
  const acre::ArenaStats stats = arena.stats();
  std::size_t used = 0;
  std::size_t chunks = 0;
  std::size_t large = 0;
  std::size_t found = 0;
  arena.ForEachChunk([&](const acre::ChunkInfo& chunk) {
    CHECK(chunk.used <= chunk.capacity);
    CHECK_FALSE(chunk.is_spare);
    used += chunk.used;
    ++chunks;
    large += chunk.is_large;
    for (const std::byte* block : blocks) {
      found += block >= chunk.begin && block < chunk.begin + chunk.used;
    }
  });
  CHECK(used == stats.carved);
  CHECK(chunks == stats.chunks);
  CHECK(large == stats.large_blocks);
  CHECK(found == blocks.size());
  arena.Reset();
  std::size_t spares = 0;
  arena.ForEachChunk([&](const acre::ChunkInfo& chunk) {
    CHECK(chunk.used == 0);
    spares += chunk.is_spare;
  });
  CHECK(spares == arena.stats().spare_chunks);
}

TEST_CASE("set_byte_limit: holds from the next chunk on") {
  acre::Arena arena({.first_chunk = 4096});
  static_cast<void>(arena.Allocate(1000));
  arena.set_byte_limit(4096);
  CHECK(arena.TryAllocate(100000) == nullptr);
  arena.set_byte_limit(1 << 20);
  CHECK(arena.TryAllocate(100000) != nullptr);
}

TEST_CASE("TryGrow: a large block is not taken for the last one of a chunk") {
  acre_test::AdjacentSource source;
  acre::Arena arena({.source = &source, .first_chunk = 64 << 10});
  static_cast<void>(arena.Allocate(16));
  // The class of this size ends behind the block, which has its own chunk.
  const std::size_t bytes = (256 << 10) + 16;
  auto* large = static_cast<std::byte*>(arena.Allocate(bytes));
  REQUIRE(arena.stats().large_blocks == 1);
  const std::byte* class_end = large + (320 << 10);
  std::byte* last = acre_test::TakeUpTo(arena, class_end);
  REQUIRE(last + 16 == class_end);
  *last = std::byte{7};
  const std::size_t carved = arena.stats().carved;
  if (arena.TryGrow(large, bytes, 400 << 10)) {
    std::memset(large, 1, 400 << 10);
  } else {
    CHECK(arena.stats().carved == carved);
  }
  CHECK(*last == std::byte{7});
}

}  // namespace arena_resize_test
