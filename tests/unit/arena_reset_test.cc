// SPDX-License-Identifier: MIT
//
// Guards Reset: what each mode does with the chunks, that the arena works
// afterwards, and that keeping costs nothing per chunk.

#include <doctest/doctest.h>

#include <cstring>
#include <ctime>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "support/audited.h"
#include "test_sources.h"

namespace arena_reset_test {

using acre_test::CountingSource;

namespace {

/// One buffer as a chunk, which the test may look at afterwards.
class WindowSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t) override {
    if (taken || min_size > sizeof buffer) return {};
    taken = true;
    return {buffer, sizeof buffer};
  }
  void Release(acre::ChunkMemory) noexcept override { taken = false; }

  // Poisoned by checked builds under AddressSanitizer until released.
  __attribute__((no_sanitize("address"))) std::size_t CountOf(
      unsigned char byte) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < sizeof buffer; ++i) count += buffer[i] == byte;
    return count;
  }

  alignas(16) unsigned char buffer[65536] = {};
  bool taken = false;
};

void UseSome(acre::Arena& arena) {
  for (std::size_t i = 0; i < 5000; ++i) {
    void* block = arena.Allocate(i % 700);
    std::memset(block, 0xEE, i % 700);
    if (i % 4 == 0) arena.Free(block, i % 700);
  }
  std::memset(arena.Allocate(700000), 0xEE, 700000);
}

double SecondsOfResets(std::size_t chunks, int resets) {
  acre::MallocSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 4096, .max_chunk = 4096});
  while (arena.stats().chunks < chunks) {
    for (int i = 0; i < 1000; ++i) static_cast<void>(arena.Allocate(3000));
  }
  arena.Reset();
  const std::clock_t start = std::clock();
  for (int i = 0; i < resets; ++i) {
    static_cast<void>(arena.Allocate(100));
    arena.Reset();
  }
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("Reset: keep holds every chunk and asks for none again") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  UseSome(arena);
  const std::size_t acquires = source.acquires;
  const std::size_t reserved = arena.stats().reserved;
  for (int i = 0; i < 20; ++i) {
    arena.Reset();
    CHECK(arena.stats().reserved == reserved);
    CHECK(arena.stats().live() == 0);
    UseSome(arena);
  }
  CHECK(source.acquires == acquires);
  CHECK(arena.stats().resets == 20);
}

TEST_CASE("Reset: clear zeroes every byte that was handed out") {
  WindowSource source;
  acre::Arena arena({.source = &source});
  for (int i = 0; i < 100; ++i) {
    std::memset(arena.Allocate(500), 0x9D, 500);
  }
  REQUIRE(source.CountOf(0x9D) >= 50000);
  arena.Reset(acre::ResetMode::kClear);
  CHECK(source.taken);
  CHECK(source.CountOf(0x9D) == 0);
}

TEST_CASE("Reset: clear zeroes what was handed out and rewound") {
  WindowSource source;
  acre::Arena arena({.source = &source});
  const acre::Mark mark = arena.Checkpoint();
  for (int i = 0; i < 100; ++i) {
    std::memset(arena.Allocate(500), 0x9D, 500);
  }
  arena.Rewind(mark);
  arena.Reset(acre::ResetMode::kClear);
  CHECK(source.CountOf(0x9D) == 0);
}

TEST_CASE("Reset: clear zeroes what an earlier Reset had kept") {
  WindowSource source;
  acre::Arena arena({.source = &source});
  for (int i = 0; i < 100; ++i) {
    std::memset(arena.Allocate(500), 0x9D, 500);
  }
  arena.Reset(acre::ResetMode::kKeep);
  static_cast<void>(arena.Allocate(16));
  arena.Reset(acre::ResetMode::kClear);
  CHECK(source.CountOf(0x9D) == 0);
}

TEST_CASE("Reset: clear zeroes large blocks") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  constexpr std::size_t kBytes = 600000;
  auto* block = static_cast<unsigned char*>(arena.Allocate(kBytes));
  std::memset(block, 0x9D, kBytes);
  arena.Reset(acre::ResetMode::kClear);
  REQUIRE(source.held.size() == 1);
  const auto count = [&]() __attribute__((no_sanitize("address"))) {
    std::size_t set = 0;
    for (std::size_t i = 0; i < kBytes; ++i) set += block[i] != 0;
    return set;
  };
  if constexpr (!acre::kChecked) CHECK(count() == 0);
  CHECK(arena.stats().spare_chunks == 1);
}

TEST_CASE("Reset: release gives every chunk back, and the arena goes on") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  for (int i = 0; i < 5; ++i) {
    UseSome(arena);
    CHECK_FALSE(source.held.empty());
    arena.Reset(acre::ResetMode::kRelease);
    CHECK(source.held.empty());
    CHECK(arena.stats().reserved == 0);
    CHECK(arena.stats().chunks == 0);
    CHECK(arena.stats().spare_chunks == 0);
  }
  CHECK_FALSE(source.broken);
}

TEST_CASE("Reset: release gives the spares of an earlier Reset back too") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  UseSome(arena);
  arena.Reset();
  static_cast<void>(arena.Allocate(10));
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(source.held.empty());
}

TEST_CASE("Reset: the retain limit holds, for both modes that keep") {
  for (const acre::ResetMode mode :
       {acre::ResetMode::kKeep, acre::ResetMode::kClear}) {
    for (const std::size_t limit : {0u, 1u, 100000u, 1000000u}) {
      CAPTURE(limit);
      CountingSource source;
      acre::Arena arena({.source = &source, .retain_limit = limit});
      UseSome(arena);
      arena.Reset(mode);
      CHECK(source.bytes <= limit);
      CHECK(arena.stats().reserved == source.bytes);
      UseSome(arena);
      arena.Reset(mode);
      CHECK(source.bytes <= limit);
    }
  }
}

TEST_CASE("Reset: what was freed before is not handed out twice after") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  for (int i = 0; i < 50; ++i) arena.Free(arena.Allocate(64), 64);
  void* freed = arena.Allocate(64);
  arena.Free(freed, 64);
  arena.Reset();
  std::vector<char*> blocks;
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(static_cast<char*>(arena.Allocate(64)));
    if (i > 0) CHECK(blocks[i] == blocks[i - 1] + 64);
  }
}

TEST_CASE("Reset: ends the life of stamps") {
  acre::Arena arena;
  const std::uint64_t before = arena.stamp();
  CHECK(arena.IsLive(before));
  arena.Reset();
  CHECK_FALSE(arena.IsLive(before));
  CHECK(arena.IsLive(arena.stamp()));
  CHECK(arena.stamp() != before);
}

TEST_CASE("Reset: keeping costs the same with 10 chunks and with 20000" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  if constexpr (acre::kChecked) return;  // fills and forgets what was used
  const double few = SecondsOfResets(10, 2000);
  const double many = SecondsOfResets(20000, 2000);
  CAPTURE(few);
  CAPTURE(many);
  CHECK(many < 10 * few + 0.01);
}

TEST_CASE("Reset: over the collected heap works in every mode") {
  acre::Arena arena;
  for (const acre::ResetMode mode :
       {acre::ResetMode::kKeep, acre::ResetMode::kClear,
        acre::ResetMode::kRelease, acre::ResetMode::kKeep}) {
    UseSome(arena);
    arena.Reset(mode);
    CHECK(arena.stats().live() == 0);
  }
}

}  // namespace arena_reset_test
