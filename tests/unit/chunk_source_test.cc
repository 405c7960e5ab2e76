// SPDX-License-Identifier: MIT
//
// Guards the contract between an arena and the source of its chunks: sizes,
// alignment, exact return, refusal, and sources that use the arena itself.

#include "acre/chunk_source.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "acre/arena.h"
#include "support/death.h"
#include "support/sanitizer.h"
#include "test_sources.h"

namespace chunk_source_test {

using acre_test::CountingSource;
using acre_test::HookedSource;

namespace {

/// Hands out what the test tells it to.
class ScriptedSource final : public acre::ChunkSource {
 public:
  acre::ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    last_min = min_size;
    last_wanted = wanted;
    return {buffer + skew, give != 0 ? give : min_size};
  }
  void Release(acre::ChunkMemory) noexcept override {}

  alignas(16) std::byte buffer[1 << 20];
  std::size_t give = 0;  // 0: exactly the minimum
  std::size_t skew = 0;
  std::size_t last_min = 0;
  std::size_t last_wanted = 0;
};

}  // namespace

TEST_CASE("MallocSource: chunks are aligned, large enough and writable") {
  acre::MallocSource& source = acre::MallocSource::Instance();
  for (const std::size_t wanted : {100u, 4096u, 65536u, 1000001u}) {
    const acre::ChunkMemory memory = source.Acquire(64, wanted);
    REQUIRE(memory.address != nullptr);
    CHECK(memory.size >= 64);
    CHECK(memory.size <= wanted);
    CHECK(reinterpret_cast<std::uintptr_t>(memory.address) % 16 == 0);
    std::memset(memory.address, 0x5A, memory.size);
    source.Release(memory);
  }
  CHECK(&acre::MallocSource::Instance() == &source);
}

TEST_CASE("MallocSource: falls back to the minimum where wanted is too much") {
  acre::MallocSource source;
  const std::size_t absurd = std::size_t{1} << 62;
  // The sanitizer ends the process instead of returning null.
  if (ACRE_TEST_ASAN) return;
  const acre::ChunkMemory memory = source.Acquire(4096, absurd);
  REQUIRE(memory.address != nullptr);
  CHECK(memory.size == 4096);
  source.Release(memory);
  CHECK(source.Acquire(absurd, absurd).address == nullptr);
}

TEST_CASE("FixedSource: serves from a buffer at any address") {
  alignas(16) std::byte buffer[2048];
  for (std::size_t skew = 0; skew < 17; ++skew) {
    CAPTURE(skew);
    const std::span<std::byte> part = std::span(buffer).subspan(skew, 1024);
    acre::FixedSource source(part);
    acre::Arena arena({.source = &source});
    std::size_t count = 0;
    while (void* block = arena.TryAllocate(32)) {
      std::memset(block, 0x77, 32);
      CHECK(block >= static_cast<void*>(part.data()));
      CHECK(static_cast<std::byte*>(block) + 32 < part.data() + part.size());
      ++count;
    }
    // 15 bytes of alignment, 16 of header, 16 at the end at most.
    CHECK(count >= (1024 - 47) / 32);
  }
}

TEST_CASE("FixedSource: refuses a second chunk and a buffer too small") {
  std::byte buffer[256];
  acre::FixedSource source(buffer);
  const acre::ChunkMemory memory = source.Acquire(64, 128);
  REQUIRE(memory.address != nullptr);
  CHECK(source.Acquire(64, 64).address == nullptr);
  source.Release(memory);
  const acre::ChunkMemory again = source.Acquire(64, 64);
  CHECK(again.address == memory.address);
  source.Release(again);
  CHECK(source.Acquire(257, 257).address == nullptr);
  acre::FixedSource empty(std::span<std::byte>{});
  CHECK(empty.Acquire(1, 1).address == nullptr);
}

TEST_CASE("FixedSource: the buffer serves the next arena") {
  std::byte buffer[1024];
  acre::FixedSource source(buffer);
  for (int i = 0; i < 3; ++i) {
    acre::Arena arena({.source = &source});
    CHECK(arena.TryAllocate(100) != nullptr);
  }
}

TEST_CASE("FixedSource: Release of what it never gave is refused") {
  std::byte buffer[256];
  acre::FixedSource source(buffer);
  CHECK_DIES(source.Release({buffer, 10}), "not its buffer");
}

TEST_CASE("FixedSource: one large block leaves the rest of the buffer usable") {
  std::vector<std::byte> buffer(std::size_t{2} << 20);
  acre::FixedSource source(buffer);
  acre::Arena arena({.source = &source});
  CHECK(arena.TryAllocate(std::size_t{400} << 10) != nullptr);
  CHECK(arena.TryAllocate(16) != nullptr);
  CHECK(arena.TryAllocate(std::size_t{400} << 10) != nullptr);
}

TEST_CASE("source: gets back exactly what it gave, every chunk once") {
  CountingSource source;
  {
    acre::Arena arena({.source = &source, .first_chunk = 4096});
    for (std::size_t i = 0; i < 2000; ++i) {
      void* block = arena.Allocate(i * 7 % 5000);
      if (i % 3 == 0) arena.Free(block, i * 7 % 5000);
    }
    void* large = arena.Allocate(std::size_t{3} << 20);
    CHECK(arena.stats().reserved == source.bytes);
    arena.Free(large, std::size_t{3} << 20);
    CHECK(arena.stats().reserved == source.bytes);
    CHECK(source.held.size() > 3);
  }
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("source: an arena that allocates nothing asks for nothing") {
  CountingSource source;
  {
    acre::Arena arena({.source = &source});
    arena.Reset();
    arena.Reset(acre::ResetMode::kRelease);
    CHECK(arena.stats().reserved == 0);
    CHECK_FALSE(arena.Owns(&arena));
  }
  CHECK(source.acquires == 0);
}

TEST_CASE("source: of your own may give more than was wanted, all is used") {
  ScriptedSource source;
  source.give = sizeof source.buffer;
  acre::Arena arena({.source = &source, .first_chunk = 4096});
  std::size_t bytes = 0;
  while (bytes < sizeof source.buffer - 2048) {
    char* block = static_cast<char*>(arena.Allocate(1024));
    CHECK(block > reinterpret_cast<char*>(source.buffer));
    bytes += 1024;
  }
  CHECK(arena.stats().chunks == 1);
  CHECK(source.last_min <= source.last_wanted);
}

TEST_CASE("source: a chunk of exactly the minimum holds the request") {
  for (const std::size_t bytes : {1u, 16u, 100u, 4096u, 300000u}) {
    for (const std::size_t align : {1u, 16u, 64u, 4096u}) {
      CAPTURE(bytes);
      CAPTURE(align);
      ScriptedSource source;
      acre::Arena arena({.source = &source, .first_chunk = 64});
      auto* block = static_cast<std::byte*>(arena.TryAllocate(bytes, align));
      REQUIRE(block != nullptr);
      CHECK(reinterpret_cast<std::uintptr_t>(block) % align == 0);
      CHECK(block >= source.buffer + acre::kChunkHeader);
      CHECK(block + bytes < source.buffer + source.last_min);
    }
  }
}

TEST_CASE("source: the first 16 bytes of a chunk are never written") {
  ScriptedSource source;
  source.give = 65536;
  std::memset(source.buffer, 0xE7, sizeof source.buffer);
  {
    acre::Arena arena({.source = &source});
    for (int i = 0; i < 100; ++i) {
      void* block = arena.Allocate(64);
      std::memset(block, 0, 64);
      if (i % 2 == 0) arena.Free(block, 64);
    }
    arena.Reset(acre::ResetMode::kClear);
    static_cast<void>(arena.Allocate(64));
    arena.Reset(acre::ResetMode::kRelease);
  }
  for (std::size_t i = 0; i < acre::kChunkHeader; ++i) {
    CHECK(source.buffer[i] == std::byte{0xE7});
  }
}

TEST_CASE("source: the last byte of a chunk is never handed out") {
  for (const std::size_t size : {4096u, 4097u, 4111u, 4112u}) {
    ScriptedSource source;
    source.give = size;
    acre::Arena arena({.source = &source, .byte_limit = size});
    std::byte* end = nullptr;
    while (void* block = arena.TryAllocate(16)) {
      end = static_cast<std::byte*>(block) + 16;
    }
    CHECK(end <= source.buffer + size - 1);
    CHECK(end > source.buffer + size - 33);
  }
}

TEST_CASE("source: one that returns too little is refused") {
  ScriptedSource source;
  source.give = 32;
  acre::Arena arena({.name = "short", .source = &source});
  CHECK_DIES(static_cast<void>(arena.Allocate(100)),
             "source of arena 'short' returned 32 bytes");
}

TEST_CASE("source: one that returns misaligned memory is refused") {
  ScriptedSource source;
  source.give = 4096;
  source.skew = 8;
  acre::Arena arena({.source = &source});
  CHECK_DIES(static_cast<void>(arena.Allocate(100)), "aligned to 16");
}

TEST_CASE("re-entrancy: Acquire may allocate from and free into its arena") {
  CountingSource counting;
  HookedSource source(counting);
  acre::Arena arena(
      {.source = &source, .first_chunk = 1024, .max_chunk = 4096});
  struct Taken {
    unsigned char* block;
    std::size_t bytes;
    unsigned char tag;
  };
  std::vector<Taken> live;
  unsigned char tag = 0;
  const auto take = [&](std::size_t bytes) {
    auto* block = static_cast<unsigned char*>(arena.TryAllocate(bytes));
    if (block == nullptr) return;
    std::memset(block, ++tag, bytes);
    live.push_back({block, bytes, tag});
  };
  int depth = 0;
  int calls = 0;
  source.before = [&] {
    if (depth == 2) return;  // nests twice, then serves
    ++depth;
    ++calls;
    take(48);
    take(3000);
    if (live.size() > 4) {
      const Taken victim = live[live.size() - 4];
      live.erase(live.end() - 4);
      arena.Free(victim.block, victim.bytes);
    }
    take(calls % 7 == 0 ? 300000 : 700);
    --depth;
  };
  for (std::size_t i = 0; i < 1500; ++i) take(i * 37 % 900);
  CHECK(calls > 50);
  std::size_t wrong = 0;
  for (const Taken& taken : live) {
    for (std::size_t i = 0; i < taken.bytes; ++i) {
      wrong += taken.block[i] != taken.tag;
    }
  }
  CHECK(wrong == 0);
  CHECK(arena.stats().reserved == counting.bytes);
  CHECK(arena.stats().chunks + arena.stats().spare_chunks ==
        counting.held.size());
  source.before = nullptr;
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(counting.held.empty());
  CHECK_FALSE(counting.broken);
}

TEST_CASE("re-entrancy: the byte limit holds for nested growth too") {
  CountingSource counting;
  HookedSource source(counting);
  constexpr std::size_t kLimit = 64 << 10;
  acre::Arena arena({.source = &source,
                     .first_chunk = 1024,
                     .max_chunk = 16 << 10,
                     .byte_limit = kLimit});
  int depth = 0;
  source.before = [&] {
    if (depth == 1) return;
    ++depth;
    while (arena.TryAllocate(4000) != nullptr) {
    }
    --depth;
  };
  while (arena.TryAllocate(1000) != nullptr) {
  }
  CHECK(arena.stats().reserved <= kLimit);
  CHECK(counting.bytes <= kLimit);
}

}  // namespace chunk_source_test
