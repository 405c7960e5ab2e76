// SPDX-License-Identifier: MIT
//
// Guards Free: blocks are re-used, whole chunks change their block size, the
// search for whole chunks stays cheap, large blocks go back, blocks grow.

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <ctime>
#include <random>
#include <set>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "support/audited.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace arena_free_test {

using acre_test::CountingSource;
using acre_test::Scaled;

struct Node {
  Node* next;
  std::int64_t a, b, c;
};
ACRE_LAYOUT(Node, next, a, b, c)

struct Block {
  void* address;
  std::size_t bytes;
  std::size_t align = 16;
};

/// Blocks of sizes from [low, high] until `bytes` of them are live.
std::vector<Block> FillTo(acre::Arena& arena, std::size_t bytes,
                          std::size_t low, std::size_t high,
                          std::mt19937_64& random) {
  std::vector<Block> blocks;
  while (arena.stats().live() < bytes) {
    for (int i = 0; i < 100; ++i) {  // stats() is linear in the chunks
      const std::size_t size = low + random() % (high - low + 1);
      blocks.push_back({arena.Allocate(size), size});
    }
  }
  return blocks;
}

void FreeShuffled(acre::Arena& arena, std::vector<Block>& blocks,
                  std::mt19937_64& random) {
  std::shuffle(blocks.begin(), blocks.end(), random);
  for (const Block& block : blocks) {
    arena.Free(block.address, block.bytes, block.align);
  }
}

double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Frees every other block of n, then takes n blocks of another size: many
/// refills, no whole chunk to be found.
double SecondsOfRefills(std::size_t n) {
  acre::MallocSource source;
  acre::Arena arena({.source = &source, .max_chunk = std::size_t{64} << 10});
  std::vector<void*> blocks(n);
  for (void*& block : blocks) block = arena.Allocate(48);
  std::mt19937_64 random(1);
  std::shuffle(blocks.begin(), blocks.end(), random);
  const double start = CpuSeconds();
  for (std::size_t i = 0; i < n / 2; ++i) {
    arena.Free(blocks[i], 48);
    static_cast<void>(arena.Allocate(64));
    static_cast<void>(arena.Allocate(64));
  }
  return CpuSeconds() - start;
}

TEST_CASE("Free: the typed form gives the block to the next New") {
  acre::Arena arena;
  Node* first = arena.New<Node>();
  const Node* constant = first;
  arena.Free(constant);
  CHECK(arena.New<Node>() == first);
  CHECK(arena.stats().live() == sizeof(Node));
}

TEST_CASE("Free: the span form gives the whole array back") {
  acre::Arena arena;
  const std::span<Node> array = arena.NewArray<Node>(20);
  arena.Free(array);
  CHECK(arena.stats().live() == 0);
  CHECK(arena.NewArray<Node>(20).data() == array.data());
  const std::span<int, 4> fixed(arena.NewArray<int>(4));
  arena.Free(fixed);
  const std::span<const int> constant = arena.NewArray<int>(4);
  CHECK(constant.data() == fixed.data());
  arena.Free(constant);
}

TEST_CASE("Free: the sized form gives raw bytes back") {
  acre::Arena arena;
  for (const std::size_t align : {1u, 16u, 128u}) {
    void* block = arena.Allocate(100, align);
    const std::size_t live = arena.stats().live();
    arena.Free(block, 100, align);
    CHECK(arena.stats().live() < live);
    CHECK(arena.Allocate(100, align) == block);
  }
}

TEST_CASE("Free: null does nothing") {
  acre::Arena arena;
  arena.Free(static_cast<Node*>(nullptr));
  arena.Free(std::span<Node>());
  arena.Free(nullptr, 100);
  arena.FreeGraph(static_cast<Node*>(nullptr));
  CHECK(arena.stats().chunks == 0);
}

TEST_CASE("Free: a steady state of any sizes takes no new chunk") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  std::mt19937_64 random(3);
  std::vector<Block> blocks = FillTo(arena, 1 << 20, 1, 2000, random);
  for (int round = 0; round < 10; ++round) {
    for (Block& block : blocks) {
      arena.Free(block.address, block.bytes);
      block.address = arena.Allocate(block.bytes);
    }
  }
  const std::size_t before = source.acquires;
  for (Block& block : blocks) {
    arena.Free(block.address, block.bytes);
    block.address = arena.Allocate(block.bytes);
  }
  CHECK(source.acquires == before);
}

TEST_CASE("Free: no block is handed out twice") {
  acre::Arena arena;
  std::mt19937_64 random(4);
  std::set<char*> starts;
  std::vector<Block> blocks;
  for (int i = 0; i < 20000; ++i) {
    if (blocks.size() > 300 && random() % 2 == 0) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      const Block block = blocks.back();
      blocks.pop_back();
      starts.erase(static_cast<char*>(block.address));
      arena.Free(block.address, block.bytes, block.align);
      continue;
    }
    const std::size_t bytes = 1 + random() % 600;
    const std::size_t align = random() % 4 == 0 ? 64 : 16;
    auto* block = static_cast<char*>(arena.Allocate(bytes, align));
    auto next = starts.lower_bound(block);
    REQUIRE((next == starts.end() || *next >= block + bytes));
    starts.insert(block);
    blocks.push_back({block, bytes, align});
  }
}

TEST_CASE("reclaim: freed chunks serve other sizes in the next phase") {
  struct Phase {
    std::size_t low, high;
  };
  // Where in its last chunk a phase ends must not matter. In checked builds
  // everything is an eighth as large: chunks, and what many do not fit into.
  constexpr std::size_t kMegabyte = Scaled(1 << 20, 1 << 17);
  constexpr Phase kLarger{Scaled(1000u, 125u), Scaled(6000u, 750u)};
  for (const std::size_t megabytes : {3, 5, 7, 9, 11, 13, 17, 22}) {
    CAPTURE(megabytes);
    CountingSource source;
    acre::Arena arena({.source = &source,
                       .first_chunk = kMegabyte / 16,
                       .max_chunk = 4 * kMegabyte});
    std::mt19937_64 random(5);
    std::size_t first = 0;
    for (const Phase phase : {Phase{48, 48}, Phase{64, 64}, Phase{200, 200},
                              kLarger, Phase{48, 48}}) {
      std::vector<Block> blocks =
          FillTo(arena, megabytes * kMegabyte, phase.low, phase.high, random);
      if (first == 0) first = source.bytes;
      CAPTURE(phase.low);
      CHECK(source.bytes <= first + first / 10);
      FreeShuffled(arena, blocks, random);
      CHECK(arena.stats().live() == 0);
    }
  }
}

TEST_CASE("reclaim: what was set aside is there for whoever needs it" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  CountingSource source;
  acre::Arena arena({.source = &source});
  std::vector<void*> blocks;
  for (int i = 0; i < 900; ++i) blocks.push_back(arena.Allocate(64));
  auto* last = static_cast<char*>(arena.Allocate(1024));
  const std::size_t rest = arena.remaining();
  REQUIRE(rest > 4096);
  // Enough for a scan to be due: the first chunk's size, twice over.
  for (int round = 0; round < 3; ++round) {
    for (void* block : blocks) arena.Free(block, 64);
    for (void*& block : blocks) block = arena.Allocate(64);
  }
  for (void* block : blocks) arena.Free(block, 64);
  CHECK(arena.remaining() == 0);
  const std::size_t bytes = source.bytes;
  SUBCASE("a block at the cursor grows in place") {
    CHECK(arena.TryGrow(last, 1024, 1024 + rest / 16 * 8));
    CHECK(source.bytes == bytes);
  }
  SUBCASE("a reservation") {
    CHECK(arena.TryReserve(rest));
    CHECK(arena.remaining() >= rest);
    CHECK(source.bytes == bytes);
  }
  SUBCASE("a mark") {
    const acre::Mark mark = arena.Checkpoint();
    CHECK(arena.Allocate(rest / 2) > last);
    CHECK(source.bytes == bytes);
    arena.Rewind(mark);
    CHECK(arena.remaining() == rest);
  }
  SUBCASE("a block that no freelist has") {
    auto* block = static_cast<char*>(arena.Allocate(std::bit_floor(rest)));
    CHECK(block == last + 1024);
    CHECK(source.bytes == bytes);
  }
  SUBCASE("the last block freed moves the cursor back") {
    arena.Free(last, 1024);
    CHECK(arena.Allocate(1024) == last);
  }
  SUBCASE("Reset") {
    arena.Reset();
    CHECK(arena.remaining() > rest);
  }
}

TEST_CASE("reclaim: what alignment skips sets nothing aside") {
  alignas(4096) static std::byte buffer[131072];
  acre::FixedSource source(buffer);
  acre::Arena arena(
      {.source = &source, .first_chunk = 65536, .max_chunk = 65536});
  std::vector<void*> blocks;
  for (int i = 0; i < 31; ++i) blocks.push_back(arena.Allocate(1024));
  static_cast<void>(arena.Allocate(1280));
  // A scan would be worth it with what the next block skips.
  for (void* block : blocks) arena.Free(block, 1024);
  const auto* aligned = static_cast<char*>(arena.Allocate(4096, 4096));
  CHECK(arena.remaining() < sizeof(buffer));
  CHECK(arena.Owns(aligned + 4095));
}

TEST_CASE("reclaim: a reservation sets nothing aside" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  CountingSource source;
  acre::Arena arena({.source = &source,
                     .first_chunk = 65536,
                     .max_chunk = 65536,
                     .byte_limit = 131072});
  static_cast<void>(arena.Allocate(16384));
  CHECK(arena.TryReserve(60000));
  CHECK(arena.remaining() >= 60000);
}

TEST_CASE("reclaim: long freelists are not looked through in vain") {
  // A million scans of these would take hours, thousands minutes.
  CountingSource source;
  acre::Arena arena({.source = &source});
  std::vector<void*> blocks(Scaled(400'000, 100'000));
  for (void*& block : blocks) block = arena.Allocate(32);
  std::mt19937_64 random(7);
  std::shuffle(blocks.begin(), blocks.end(), random);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 8 != 0) arena.Free(blocks[i], 32);
  }
  const double start = CpuSeconds();
  SUBCASE("blocks freed and taken again at once") {
    void* block = arena.Allocate(200'000);
    for (int i = 0; i < 30'000; ++i) {
      arena.Free(block, 200'000);
      block = arena.Allocate(200'000);
      if (i % 16 == 0) static_cast<void>(arena.Allocate(48));
    }
  }
  SUBCASE("several large ones freed and taken again") {
    std::vector<void*> large(40);
    for (void*& block : large) block = arena.Allocate(200'000);
    for (int i = 0; i < 1000; ++i) {
      for (void* block : large) arena.Free(block, 200'000);
      static_cast<void>(arena.Allocate(48));
      for (void*& block : large) block = arena.Allocate(200'000);
    }
  }
  SUBCASE("a mark") {
    void* block = arena.Allocate(64);
    for (int i = 0; i < 20'000; ++i) {
      const acre::Mark mark = arena.Checkpoint();
      static_cast<void>(arena.Allocate(48));
      arena.Rewind(mark);
      arena.Free(block, 64);
      static_cast<void>(arena.Allocate(96));
      block = arena.Allocate(64);
    }
  }
  CHECK(CpuSeconds() - start < 3);
}

TEST_CASE("reclaim: a chunk is found among many in constant time") {
  acre::MallocSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 8192, .max_chunk = 8192});
  double seconds = 0;
  for (int round = 0; round < 2; ++round) {
    const double start = CpuSeconds();
    for (int i = 0; i < 30'000; ++i) static_cast<void>(arena.Allocate(5020));
    seconds = CpuSeconds() - start;
    arena.Reset();
  }
  CHECK(seconds < 1);  // looking at all of them: 3.5
}

TEST_CASE("reclaim: aligned blocks and their gaps come back as well") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  std::mt19937_64 random(6);
  std::size_t first = 0;
  for (int round = 0; round < 4; ++round) {
    std::vector<Block> blocks;
    for (int i = 0; i < 3000; ++i) {
      const std::size_t align = round % 2 == 0 ? 512 : 256;
      blocks.push_back({arena.Allocate(1000, align), 1000, align});
      blocks.push_back({arena.Allocate(40), 40});
    }
    if (first == 0) first = source.bytes;
    CHECK(source.bytes <= first + first / 10);
    FreeShuffled(arena, blocks, random);
    CHECK(arena.stats().live() == 0);
  }
}

TEST_CASE("reclaim: contents of chunks still in use are left alone") {
  CountingSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  std::mt19937_64 random(8);
  std::vector<Block> keep;
  std::vector<Block> drop;
  for (int i = 0; i < 40000; ++i) {
    void* block = arena.Allocate(48);
    std::memset(block, 0x42, 48);
    (i % 2000 == 0 ? keep : drop).push_back({block, 48});
  }
  FreeShuffled(arena, drop, random);
  const std::size_t before = source.bytes;
  for (int i = 0; i < 3000; ++i) std::memset(arena.Allocate(300), 0, 300);
  CHECK(source.bytes == before);
  std::size_t wrong = 0;
  for (const Block& block : keep) {
    for (int i = 0; i < 48; ++i) {
      wrong += static_cast<char*>(block.address)[i] != 0x42;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("reclaim: the search for whole chunks is not quadratic") {
  static_cast<void>(SecondsOfRefills(50000));  // warms up
  const double small = SecondsOfRefills(Scaled(100'000u, 25'000u));
  const double large = SecondsOfRefills(Scaled(400'000u, 100'000u));
  CAPTURE(small);
  CAPTURE(large);
  // 4 times the work, 16 times if every refill scanned.
  CHECK(large < 9 * small + 0.05);
}

TEST_CASE("large: a block has a chunk of its own, given back on Free") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  static_cast<void>(arena.Allocate(10));
  const std::size_t before = source.bytes;
  for (const std::size_t bytes :
       {std::size_t{300} << 10, std::size_t{3} << 20, std::size_t{100} << 20}) {
    CAPTURE(bytes);
    auto* block = static_cast<char*>(arena.Allocate(bytes));
    block[0] = block[bytes - 1] = 1;
    CHECK(arena.stats().large_blocks == 1);
    CHECK(source.bytes >= before + bytes);
    CHECK(source.bytes <= before + bytes + 16384);
    arena.Free(block, bytes);
    CHECK(arena.stats().large_blocks == 0);
    CHECK(source.bytes == before);
  }
}

TEST_CASE("large: kept by Reset and used again") {
  CountingSource source;
  acre::Arena arena({.source = &source, .max_chunk = std::size_t{64} << 10});
  for (int frame = 0; frame < 10; ++frame) {
    for (std::size_t i = 1; i <= 5; ++i) {
      static_cast<void>(arena.Allocate(i * 500000, i == 3 ? 4096 : 16));
    }
    if (frame == 0) CHECK(source.acquires == 5);
    arena.Reset();
    CHECK(arena.stats().spare_chunks == 5);
  }
  CHECK(source.acquires == 5);
}

TEST_CASE("large: the same frame takes the same chunks, however they grew") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  std::size_t first = 0;
  for (int frame = 0; frame < 10; ++frame) {
    for (std::size_t i = 1; i <= 5; ++i) {
      static_cast<void>(arena.Allocate(i * 500000));
    }
    if (frame == 0) first = source.acquires;
    arena.Reset();
  }
  CHECK(source.acquires == first);
}

TEST_CASE("large: freed in any order, the rest stays") {
  CountingSource source;
  acre::Arena arena({.source = &source, .max_chunk = std::size_t{64} << 10});
  std::mt19937_64 random(9);
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < 12; ++i) {
    blocks.push_back({arena.Allocate(400000 + i), 400000 + i});
    std::memset(blocks.back().address, static_cast<int>(i), 400000 + i);
  }
  std::shuffle(blocks.begin(), blocks.end(), random);
  while (!blocks.empty()) {
    const Block block = blocks.back();
    blocks.pop_back();
    const auto* bytes = static_cast<unsigned char*>(block.address);
    CHECK(bytes[0] == block.bytes - 400000);
    CHECK(bytes[block.bytes - 1] == block.bytes - 400000);
    arena.Free(block.address, block.bytes);
    CHECK(arena.stats().large_blocks == blocks.size());
  }
}

TEST_CASE("TryGrow: the last block grows in place and keeps its contents") {
  acre::Arena arena({.first_chunk = 65536});
  static_cast<void>(arena.Allocate(40));
  auto* block = static_cast<unsigned char*>(arena.Allocate(10));
  std::memset(block, 0x6B, 10);
  std::size_t bytes = 10;
  for (const std::size_t more : {16u, 17u, 500u, 1024u, 1025u, 9000u}) {
    CAPTURE(more);
    REQUIRE(arena.TryGrow(block, bytes, more));
    bytes = more;
    CHECK(block[9] == 0x6B);
    std::memset(block, 0x6B, bytes);
  }
  auto* next = static_cast<unsigned char*>(arena.Allocate(16));
  CHECK(next >= block + bytes);
  arena.Free(block, bytes);
  CHECK(arena.Allocate(9000) == block);
}

TEST_CASE("TryGrow: refused where something stands behind the block") {
  acre::Arena arena;
  void* block = arena.Allocate(32);
  static_cast<void>(arena.Allocate(16));
  CHECK_FALSE(arena.TryGrow(block, 32, 48));
  CHECK(arena.TryGrow(block, 32, 32));
  arena.Free(block, 32);
  CHECK(arena.Allocate(32) == block);
}

TEST_CASE("TryGrow: refused beyond the chunk, and then nothing changed") {
  acre::Arena arena;
  void* block = arena.Allocate(32);
  const std::size_t carved = arena.stats().carved;
  for (const std::size_t bytes :
       {std::size_t{1} << 20, std::size_t{1} << 40, SIZE_MAX}) {
    CHECK_FALSE(arena.TryGrow(block, 32, bytes));
  }
  CHECK(arena.stats().carved == carved);
  void* large = arena.Allocate(1 << 20);
  CHECK_FALSE(arena.TryGrow(large, 1 << 20, 3 << 20));
}

TEST_CASE("TryGrow: over-aligned blocks stay in classes that suit them") {
  acre::Arena arena;
  for (int i = 0; i < 50; ++i) {
    static_cast<void>(arena.Allocate(16));
    void* block = arena.Allocate(64, 64);
    const bool grown = arena.TryGrow(block, 64, 400, 64);
    arena.Free(block, grown ? 400 : 64, 64);
    void* again = arena.Allocate(400, 512);
    CHECK(reinterpret_cast<std::uintptr_t>(again) % 512 == 0);
  }
}

}  // namespace arena_free_test
