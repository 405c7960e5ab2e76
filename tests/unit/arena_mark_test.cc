// SPDX-License-Identifier: MIT
//
// Guards Checkpoint and Rewind: exactly what is younger than the mark goes,
// nothing older is handed out or lost, and closed marks are refused.

#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <vector>

#include "acre/arena.h"
#include "support/audited.h"
#include "support/death.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace arena_mark_test {

using acre_test::CountingSource;

namespace {

constexpr std::size_t kLarge = std::size_t{1} << 20;

unsigned char* Filled(acre::Arena& arena, std::size_t bytes, int byte) {
  auto* block = static_cast<unsigned char*>(arena.Allocate(bytes));
  std::memset(block, byte, bytes);
  return block;
}

bool HoldsOnly(const unsigned char* block, std::size_t bytes, int byte) {
  for (std::size_t i = 0; i < bytes; ++i) {
    if (block[i] != byte) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Rewind: gives back what is younger, keeps what is older") {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 8192});
  unsigned char* older = Filled(arena, 1000, 0x31);
  const acre::ArenaStats before = arena.stats();
  const acre::Mark mark = arena.Checkpoint();
  for (int i = 0; i < 500; ++i) Filled(arena, 100, 0x32);
  Filled(arena, kLarge, 0x33);
  arena.Rewind(mark);
  CHECK(HoldsOnly(older, 1000, 0x31));
  const acre::ArenaStats after = arena.stats();
  CHECK(after.carved == before.carved);
  CHECK(after.live() == before.live());
  CHECK(after.large_blocks == 0);
  CHECK(after.chunks == before.chunks);
}

TEST_CASE("Rewind: a frame loop takes no new chunk after the first turn") {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 8192});
  std::size_t acquires = 0;
  for (int frame = 0; frame < 50; ++frame) {
    const acre::Mark mark = arena.Checkpoint();
    for (int i = 0; i < 1000; ++i) Filled(arena, 100, frame);
    Filled(arena, kLarge, frame);
    arena.Rewind(mark);
    if (frame == 0) acquires = source.acquires;
  }
  CHECK(source.acquires == acquires);
}

TEST_CASE("Rewind: nested marks close from the inside out") {
  acre::Arena arena;
  unsigned char* blocks[4];
  acre::Mark marks[3];
  std::size_t live = 0;
  for (int level = 0; level < 3; ++level) {
    blocks[level] = Filled(arena, 5000, level);
    if (level == 0) live = arena.stats().live();
    marks[level] = arena.Checkpoint();
  }
  blocks[3] = Filled(arena, 5000, 3);
  for (int level = 2; level >= 0; --level) {
    arena.Rewind(marks[level]);
    for (int below = 0; below <= level; ++below) {
      CHECK(HoldsOnly(blocks[below], 5000, below));
    }
  }
  CHECK(arena.stats().live() == live);
}

TEST_CASE("Rewind: an outer mark closes all younger ones") {
  acre::Arena arena;
  const acre::Mark outer = arena.Checkpoint();
  Filled(arena, 10, 1);
  const acre::Mark inner = arena.Checkpoint();
  Filled(arena, 10, 2);
  arena.Rewind(outer);
  CHECK(arena.stats().live() == 0);
  CHECK_DIES(arena.Rewind(inner), "the mark is not open");
  CHECK_DIES(arena.Rewind(outer), "the mark is not open");
}

TEST_CASE("Rewind: refuses marks of elsewhere, and from before a Reset") {
  acre::Arena arena({.name = "mine"});
  acre::Arena other;
  const acre::Mark foreign = other.Checkpoint();
  const acre::Mark own = arena.Checkpoint();
  CHECK_DIES(arena.Rewind(foreign), "Rewind of arena 'mine'");
  CHECK_DIES(arena.Rewind(acre::Mark()), "the mark is not open");
  arena.Reset();
  CHECK_DIES(arena.Rewind(own), "the mark is not open");
  const acre::Mark fresh = arena.Checkpoint();
  CHECK_DIES(arena.Rewind(own), "the mark is not open");
  arena.Rewind(fresh);
}

TEST_CASE("Checkpoint: nothing freed before is handed out while it is open") {
  acre::Arena arena;
  std::set<void*> older;
  for (int i = 0; i < 100; ++i) older.insert(arena.Allocate(64));
  for (void* block : older) arena.Free(block, 64);
  const std::size_t freed = arena.stats().freed;
  const acre::Mark mark = arena.Checkpoint();
  for (int i = 0; i < 200; ++i) CHECK(older.count(arena.Allocate(64)) == 0);
  arena.Rewind(mark);
  CHECK(arena.stats().freed == freed);
  std::set<void*> again;
  for (int i = 0; i < 100; ++i) again.insert(arena.Allocate(64));
  // An audited arena may take others, where those were in audited pages.
  if (!acre_test::IsAuditedByDefault()) CHECK(again == older);
}

TEST_CASE("Checkpoint: blocks freed below it wait, and come back after" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  acre::Arena arena;
  std::set<void*> older;
  for (int i = 0; i < 50; ++i) older.insert(arena.Allocate(80));
  const acre::Mark mark = arena.Checkpoint();
  for (void* block : older) arena.Free(block, 80);
  CHECK(arena.stats().freed == 50 * 80);
  for (int i = 0; i < 100; ++i) CHECK(older.count(arena.Allocate(80)) == 0);
  arena.Rewind(mark);
  CHECK(arena.stats().live() == 0);
  std::set<void*> again;
  for (int i = 0; i < 50; ++i) again.insert(arena.Allocate(80));
  CHECK(again == older);
}

TEST_CASE("Checkpoint: blocks freed below two marks wait for the outer one") {
  acre::Arena arena;
  void* oldest = arena.Allocate(80);
  const acre::Mark outer = arena.Checkpoint();
  void* middle = arena.Allocate(80);
  const acre::Mark inner = arena.Checkpoint();
  arena.Free(oldest, 80);
  arena.Free(middle, 80);
  CHECK(arena.Allocate(80) != middle);
  arena.Rewind(inner);
  CHECK(arena.Allocate(80) == middle);
  for (int i = 0; i < 20; ++i) CHECK(arena.Allocate(80) != oldest);
  arena.Rewind(outer);
  CHECK(arena.Allocate(80) == oldest);
}

TEST_CASE("Checkpoint: blocks above it are re-used at once") {
  acre::Arena arena;
  const acre::Mark mark = arena.Checkpoint();
  void* block = arena.Allocate(80);
  arena.Free(block, 80);
  CHECK(arena.Allocate(80) == block);
  arena.Rewind(mark);
}

TEST_CASE("Checkpoint: large blocks freed below it are kept until it closes") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  unsigned char* large = Filled(arena, kLarge, 0x44);
  const acre::Mark mark = arena.Checkpoint();
  const std::size_t before = source.bytes;
  arena.Free(large, kLarge);
  CHECK(source.bytes == before);
  CHECK(source.Holds(large));
  CHECK(arena.Allocate(kLarge) != large);
  arena.Rewind(mark);
  CHECK_FALSE(source.Holds(large));
  CHECK(arena.stats().large_blocks == 0);
}

TEST_CASE("Checkpoint: large blocks below nested marks wait for the outer") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  unsigned char* large = Filled(arena, kLarge, 0x45);
  const acre::Mark outer = arena.Checkpoint();
  const acre::Mark inner = arena.Checkpoint();
  arena.Free(large, kLarge);
  arena.Rewind(inner);
  CHECK(source.Holds(large));
  arena.Rewind(outer);
  CHECK_FALSE(source.Holds(large));
}

TEST_CASE("Checkpoint: Reset ends marks and whatever waits in them") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  void* small = arena.Allocate(64);
  unsigned char* large = Filled(arena, kLarge, 0x46);
  static_cast<void>(arena.Checkpoint());
  arena.Free(small, 64);
  arena.Free(large, kLarge);
  arena.Reset();
  CHECK(arena.stats().live() == 0);
  CHECK(arena.stats().spare_chunks >= 1);
  std::set<void*> blocks;
  for (int i = 0; i < 300; ++i) {
    CHECK(blocks.insert(arena.Allocate(64)).second);
  }
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(source.held.empty());
}

TEST_CASE("Checkpoint: a block below the mark does not grow in place") {
  acre::Arena arena;
  unsigned char* block = Filled(arena, 32, 0x47);
  const acre::Mark mark = arena.Checkpoint();
  CHECK_FALSE(arena.TryGrow(block, 32, 64));
  void* above = arena.Allocate(32);
  CHECK(arena.TryGrow(above, 32, 64));
  arena.Rewind(mark);
  CHECK(arena.TryGrow(block, 32, 64));
  CHECK(HoldsOnly(block, 32, 0x47));
}

TEST_CASE("Checkpoint: chunks freed below it are not reclaimed") {
  CountingSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  std::vector<void*> older;
  for (int i = 0; i < 2000; ++i) older.push_back(arena.Allocate(48));
  const acre::Mark mark = arena.Checkpoint();
  for (void* block : older) arena.Free(block, 48);
  const std::set<void*> all(older.begin(), older.end());
  std::size_t reused = 0;
  for (int i = 0; i < 4000; ++i) {
    auto* block = static_cast<char*>(arena.Allocate(64));
    auto at = all.upper_bound(block + 63);
    if (at != all.begin() && *--at >= block) ++reused;
  }
  CHECK(reused == 0);
  arena.Rewind(mark);
  const std::size_t before = source.bytes;
  for (int i = 0; i < 1400; ++i) static_cast<void>(arena.Allocate(64));
  CHECK(source.bytes == before);
}

TEST_CASE("Checkpoint: chunks above it are reclaimed while it is open") {
  CountingSource source;
  // Chunks are as many in checked builds, and an eighth as large.
  acre::Arena arena(
      {.source = &source,
       .first_chunk = acre_test::Scaled(std::size_t{65536}, std::size_t{8192}),
       .max_chunk =
           acre_test::Scaled(std::size_t{4} << 20, std::size_t{1} << 19)});
  static_cast<void>(arena.Allocate(48));
  const acre::Mark mark = arena.Checkpoint();
  std::size_t first = 0;
  for (const std::size_t bytes : {48u, 64u, 208u, 48u}) {
    std::vector<void*> blocks;
    for (std::size_t used = 0; used < acre_test::Scaled(8u << 20, 1u << 20);
         used += bytes) {
      blocks.push_back(arena.Allocate(bytes));
    }
    if (first == 0) first = source.bytes;
    CHECK(source.bytes <= first + first / 10);
    for (void* block : blocks) arena.Free(block, bytes);
  }
  arena.Rewind(mark);
  CHECK(arena.stats().live() == 48);
}

TEST_CASE("stamps: live exactly while their stretch is") {
  acre::Arena arena;
  const std::uint64_t first = arena.stamp();
  const acre::Mark outer = arena.Checkpoint();
  const std::uint64_t second = arena.stamp();
  const acre::Mark inner = arena.Checkpoint();
  const std::uint64_t third = arena.stamp();
  CHECK(first != second);
  CHECK(second != third);
  for (const std::uint64_t stamp : {first, second, third}) {
    CHECK(arena.IsLive(stamp));
  }
  arena.Rewind(inner);
  CHECK(arena.stamp() == second);
  CHECK(arena.IsLive(first));
  CHECK(arena.IsLive(second));
  CHECK_FALSE(arena.IsLive(third));
  const acre::Mark again = arena.Checkpoint();
  const std::uint64_t fourth = arena.stamp();
  CHECK(fourth != third);
  CHECK_FALSE(arena.IsLive(third));
  static_cast<void>(again);
  arena.Rewind(outer);
  CHECK(arena.IsLive(first));
  CHECK_FALSE(arena.IsLive(second));
  CHECK_FALSE(arena.IsLive(fourth));
  arena.Reset();
  CHECK_FALSE(arena.IsLive(first));
  CHECK_FALSE(arena.IsLive(0));
}

TEST_CASE("Checkpoint: a thousand nested marks keep what is below each") {
  acre::Arena arena;
  std::vector<acre::Mark> marks;
  std::vector<unsigned char*> blocks;
  for (int i = 0; i < 1000; ++i) {
    blocks.push_back(Filled(arena, 64, i % 256));
    if (i > 0 && i % 3 == 0) {
      arena.Free(blocks[i - 1], 64);
      blocks[i - 1] = nullptr;
    }
    marks.push_back(arena.Checkpoint());
  }
  for (int i = 999; i >= 0; i -= 7) {
    arena.Rewind(marks[i]);
    std::size_t wrong = 0;
    for (int k = 0; k <= i; ++k) {
      wrong += blocks[k] != nullptr && !HoldsOnly(blocks[k], 64, k % 256);
    }
    CHECK(wrong == 0);
  }
}

}  // namespace arena_mark_test
