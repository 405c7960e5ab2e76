// SPDX-License-Identifier: MIT
//
// Guards allocation: what New, NewArray and Allocate hand out, how it is
// initialised and aligned, and that a failed allocation loses nothing.

#include "acre/arena.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support/death.h"
#include "test_sources.h"

namespace arena_test {

using acre_test::CountingSource;

struct Point {
  int x;
  int y;
};
ACRE_LAYOUT(Point, x, y)

struct Defaulted {
  int a = 7;
  int b;
  double c = 2.5;
  Point* p;
};
ACRE_LAYOUT(Defaulted, a, b, c, p)

struct Half {
  int first = 8;
  int second = 9;
};
ACRE_LAYOUT(Half, first, second)

struct Nested {
  Point points[2];
  std::int64_t tail;
};
ACRE_LAYOUT(Nested, points, tail)

struct Built {
  Built(int a, int b) : sum(a + b), product(a * b) {}
  int sum;
  int product;
};
ACRE_LAYOUT(Built, sum, product)

struct Explosive {
  static inline int fuse = -1;  // constructions until one throws; -1: never
  Explosive() {
    if (fuse == 0) throw std::runtime_error("boom");
    if (fuse > 0) --fuse;
  }
  std::int64_t words[5] = {1, 2, 3, 4, 5};
};
ACRE_LAYOUT(Explosive, words)

struct Empty {};
ACRE_LAYOUT(Empty)

template <std::size_t A>
struct alignas(A) Aligned {
  unsigned char bytes[A];
  ACRE_LAYOUT_INSIDE(Aligned, bytes)
};

bool IsAligned(const void* p, std::size_t align) {
  return reinterpret_cast<std::uintptr_t>(p) % align == 0;
}

/// Two rounds, so that the second gets recycled blocks.
template <std::size_t A>
void CheckTypeAlignment(acre::Arena& arena) {
  CAPTURE(A);
  for (int round = 0; round < 2; ++round) {
    std::vector<Aligned<A>*> objects;
    std::vector<std::span<Aligned<A>>> arrays;
    for (int i = 0; i < 9; ++i) {
      static_cast<void>(arena.Allocate(16));  // spoils the cursor
      objects.push_back(arena.New<Aligned<A>>());
      CHECK(IsAligned(objects.back(), A));
      arrays.push_back(arena.NewArray<Aligned<A>>(i));
      CHECK(IsAligned(arrays.back().data(), A));
    }
    for (auto* object : objects) arena.Free(object);
    for (auto array : arrays) arena.Free(array);
  }
}

template <std::size_t... Log>
void CheckTypeAlignments(acre::Arena& arena, std::index_sequence<Log...>) {
  (CheckTypeAlignment<std::size_t{1} << Log>(arena), ...);
}

TEST_CASE("New: passes arguments to a constructor") {
  acre::Arena arena;
  const Built* built = arena.New<Built>(3, 4);
  CHECK(built->sum == 7);
  CHECK(built->product == 12);
}

TEST_CASE("New: makes aggregates from their members") {
  acre::Arena arena;
  const Point* point = arena.New<Point>(3, 4);
  CHECK(point->x == 3);
  CHECK(point->y == 4);
  const Half* half = arena.New<Half>(5);
  CHECK(half->first == 5);
  CHECK(half->second == 9);
}

TEST_CASE("New: copies and builds plain values") {
  acre::Arena arena;
  CHECK(*arena.New<int>(42) == 42);
  CHECK(*arena.New<int>() == 0);
  const Point origin{8, 9};
  CHECK(arena.New<Point>(origin)->y == 9);
  Point** pointer = arena.New<Point*>();
  CHECK(*pointer == nullptr);
  CHECK(arena.New<Empty>() != arena.New<Empty>());
}

TEST_CASE("New: recycled memory is zero, default initialisers aside") {
  acre::Arena arena;
  for (int i = 0; i < 100; ++i) {
    Defaulted* first = arena.New<Defaulted>();
    std::memset(static_cast<void*>(first), 0xFF, sizeof *first);
    arena.Free(first);
    const Defaulted* second = arena.New<Defaulted>();
    REQUIRE(second == first);  // recycled, or this proves nothing
    CHECK(second->a == 7);
    CHECK(second->b == 0);
    CHECK(second->c == 2.5);
    CHECK(second->p == nullptr);
  }
}

TEST_CASE("NewArray: elements are zero, in recycled memory too") {
  acre::Arena arena;
  for (const std::size_t count : {1u, 7u, 100u, 5000u, 300000u}) {
    const std::span<int> first = arena.NewArray<int>(count);
    std::memset(first.data(), 0xFF, first.size_bytes());
    arena.Free(first);
    const std::span<int> second = arena.NewArray<int>(count);
    REQUIRE(second.size() == count);
    std::size_t set = 0;
    for (int value : second) set += value != 0;
    CHECK(set == 0);
  }
  const std::span<Defaulted> structs = arena.NewArray<Defaulted>(50);
  CHECK(structs[49].a == 7);
  CHECK(structs[49].p == nullptr);
}

TEST_CASE("NewArray: zero elements give an empty span that can be freed") {
  acre::Arena arena;
  const std::span<int> empty = arena.NewArray<int>(0);
  CHECK(empty.empty());
  arena.Free(empty);
  const std::span<int> tried = arena.TryNewArray<int>(0);
  CHECK(tried.empty());
  CHECK(tried.data() != nullptr);
  arena.Free(tried);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("alignment: New and NewArray suit types aligned to 1..4096") {
  acre::Arena arena;
  CheckTypeAlignments(arena, std::make_index_sequence<13>{});
}

TEST_CASE("alignment: Allocate gives what is asked, recycled blocks too") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  struct Taken {
    void* block;
    std::size_t bytes;
    std::size_t align;
  };
  for (int round = 0; round < 4; ++round) {
    std::vector<Taken> taken;
    for (std::size_t align = 1; align <= 4096; align *= 2) {
      for (const std::size_t bytes :
           {0u, 1u, 17u, 64u, 100u, 1000u, 5000u, 70000u, 400000u}) {
        void* block = arena.Allocate(bytes, align);
        std::memset(block, 0x11, bytes);
        CHECK(IsAligned(block, align));
        taken.push_back({block, bytes, align});
      }
    }
    for (const Taken& t : taken) arena.Free(t.block, t.bytes, t.align);
    if (round == 2) arena.Reset();
  }
}

TEST_CASE("alignment: any other than a power of two to 4096 is refused") {
  acre::Arena arena;
  for (const std::size_t align : {0u, 3u, 24u, 8192u}) {
    CAPTURE(align);
    CHECK_DIES(static_cast<void>(arena.Allocate(8, align)),
               "is not a power of two up to 4096");
    CHECK_DIES(static_cast<void>(arena.TryAllocate(8, align)),
               "is not a power of two up to 4096");
  }
}

TEST_CASE("Allocate: zero bytes give distinct blocks") {
  acre::Arena arena;
  void* first = arena.Allocate(0);
  void* second = arena.Allocate(0);
  CHECK(first != nullptr);
  CHECK(first != second);
  arena.Free(first, 0);
  arena.Free(second, 0);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Allocate: blocks do not overlap and keep their contents") {
  acre::Arena arena;
  std::vector<std::pair<unsigned char*, std::size_t>> blocks;
  for (std::size_t i = 0; i < 3000; ++i) {
    const std::size_t bytes = i * 31 % 2500;
    auto* block = static_cast<unsigned char*>(arena.Allocate(bytes));
    std::memset(block, static_cast<int>(i % 251), bytes);
    blocks.push_back({block, bytes});
  }
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    for (std::size_t k = 0; k < blocks[i].second; ++k) {
      wrong += blocks[i].first[k] != i % 251;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("overflow: sizes that cannot be are out of memory, not small") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  for (const std::size_t bytes :
       {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2, std::size_t{PTRDIFF_MAX},
        std::size_t{PTRDIFF_MAX} - 4096}) {
    for (const std::size_t align : {1u, 16u, 64u, 4096u}) {
      CAPTURE(bytes);
      CHECK(arena.TryAllocate(bytes, align) == nullptr);
      CHECK_THROWS_AS(static_cast<void>(arena.Allocate(bytes, align)),
                      std::bad_alloc);
    }
  }
  for (const std::size_t count :
       {SIZE_MAX, std::size_t{PTRDIFF_MAX}, SIZE_MAX / sizeof(Point) + 2,
        PTRDIFF_MAX / sizeof(Point) + 1}) {
    CAPTURE(count);
    CHECK(arena.TryNewArray<Point>(count).data() == nullptr);
    CHECK_THROWS_AS(static_cast<void>(arena.NewArray<Point>(count)),
                    std::bad_alloc);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("constructor that throws: the block is given back") {
  acre::Arena arena;
  Explosive* first = arena.New<Explosive>();
  arena.Free(first);
  const std::size_t live = arena.stats().live();
  Explosive::fuse = 0;
  CHECK_THROWS_AS(arena.New<Explosive>(), std::runtime_error);
  CHECK_THROWS_AS(static_cast<void>(arena.TryNew<Explosive>()),
                  std::runtime_error);
  CHECK(arena.stats().live() == live);
  Explosive::fuse = -1;
  CHECK(arena.New<Explosive>() == first);
}

TEST_CASE("constructor that throws: an array is given back whole") {
  acre::Arena arena;
  static_cast<void>(arena.Allocate(1));
  const std::size_t live = arena.stats().live();
  for (int fuse : {0, 1, 99}) {
    Explosive::fuse = fuse;
    CHECK_THROWS_AS(static_cast<void>(arena.NewArray<Explosive>(100)),
                    std::runtime_error);
    CHECK(arena.stats().live() == live);
  }
  Explosive::fuse = -1;
  CHECK(arena.NewArray<Explosive>(100)[99].words[4] == 5);
}

TEST_CASE("out of memory: the byte limit holds, and nothing is lost at it") {
  CountingSource source;
  acre::Arena arena({.source = &source, .byte_limit = 300000});
  std::vector<unsigned char*> blocks;
  while (auto* block = static_cast<unsigned char*>(arena.TryAllocate(1000))) {
    std::memset(block, 0x3C, 1000);
    blocks.push_back(block);
  }
  CHECK(blocks.size() > 250);
  CHECK(source.bytes <= 300000);
  while (arena.TryNew<Nested>() != nullptr) {  // what is left at the end
  }
  const std::size_t live = arena.stats().live();
  CHECK(arena.TryNew<Nested>() == nullptr);
  CHECK(arena.TryNewArray<int>(250).data() == nullptr);
  CHECK_THROWS_AS(arena.New<Nested>(), std::bad_alloc);
  CHECK_THROWS_AS(static_cast<void>(arena.NewArray<int>(250)), std::bad_alloc);
  CHECK_THROWS_AS(static_cast<void>(arena.Allocate(1000)), std::bad_alloc);
  CHECK(arena.stats().live() == live);
  std::size_t wrong = 0;
  for (auto* block : blocks) wrong += block[0] != 0x3C || block[999] != 0x3C;
  CHECK(wrong == 0);
  arena.Free(blocks.back(), 1000);
  CHECK(arena.TryAllocate(1000) == blocks.back());
  arena.Reset();
  std::size_t again = 0;
  while (arena.TryAllocate(1000) != nullptr) ++again;
  CHECK(again == blocks.size());
}

TEST_CASE("out of memory: freed blocks serve other sizes when nothing else") {
  CountingSource source;
  acre::Arena arena({.source = &source, .byte_limit = 200000});
  std::vector<void*> blocks;
  while (void* block = arena.TryAllocate(48)) blocks.push_back(block);
  for (void* block : blocks) arena.Free(block, 48);
  std::size_t bytes = 0;
  while (arena.TryAllocate(3000) != nullptr) bytes += 3000;
  CHECK(bytes > 150000);
}

TEST_CASE("out of memory: a fixed buffer runs dry and recovers") {
  alignas(16) std::byte buffer[4096];
  acre::FixedSource source(buffer);
  acre::Arena arena({.source = &source});
  std::vector<Nested*> objects;
  while (Nested* object = arena.TryNew<Nested>()) objects.push_back(object);
  CHECK(objects.size() >= (4096 - 64) / 32);
  CHECK_THROWS_AS(arena.New<Nested>(), std::bad_alloc);
  arena.Free(objects.front());
  CHECK(arena.TryNew<Nested>() == objects.front());
  arena.Reset();
  std::size_t again = 0;
  while (arena.TryNew<Nested>() != nullptr) ++again;
  CHECK(again == objects.size());
}

TEST_CASE("out of memory: Checkpoint fails like New and opens nothing") {
  CountingSource source;
  source.dry = true;
  acre::Arena arena({.source = &source});
  const std::uint64_t stamp = arena.stamp();
  CHECK_THROWS_AS(static_cast<void>(arena.Checkpoint()), std::bad_alloc);
  CHECK(arena.stamp() == stamp);
  source.dry = false;
  const acre::Mark mark = arena.Checkpoint();
  arena.Rewind(mark);
  CHECK(arena.stats().live() == 0);
}

// Everything that may ask the source, verified at each step and at the end.
static void RunProgram(acre::Arena& arena) {
  std::vector<std::span<int>> kept;
  for (int i = 0; i < 20; ++i) {
    kept.push_back(arena.NewArray<int>(1500));
    for (int& value : kept.back()) value = i;
  }
  const acre::Mark mark = arena.Checkpoint();
  for (int i = 0; i < 100; ++i) arena.New<Nested>();
  static_cast<void>(arena.Allocate(500000, 4096));
  static_cast<void>(arena.Allocate(60000, 256));
  arena.Free(kept.back());
  kept.pop_back();
  arena.Rewind(mark);
  void* large = arena.Allocate(900000);
  arena.Free(large, 900000);
  for (std::size_t i = 0; i < 40; ++i) {
    static_cast<void>(arena.Allocate(i * 1000));
  }
  for (int i = 0; i < 19; ++i) {
    for (int value : kept[static_cast<std::size_t>(i)]) {
      if (value != i) throw std::logic_error("contents lost");
    }
  }
}

TEST_CASE("out of memory: any one failing chunk leaves a usable arena") {
  std::size_t failures = 0;
  bool completed = false;
  for (std::size_t n = 1; !completed; ++n) {
    REQUIRE(n < 1000);
    CAPTURE(n);
    CountingSource source;
    source.fail_at = n;
    {
      acre::Arena arena(
          {.source = &source, .first_chunk = 4096, .max_chunk = 32768});
      try {
        RunProgram(arena);
        completed = source.failures == 0;
      } catch (const std::bad_alloc&) {
        ++failures;
        REQUIRE(source.failures == 1);
        CHECK(arena.stats().reserved == source.bytes);
        REQUIRE_NOTHROW(RunProgram(arena));  // on top of what is left
        arena.Reset();
        CHECK(arena.stats().live() == 0);
        REQUIRE_NOTHROW(RunProgram(arena));
      }
    }
    CHECK(source.held.empty());
    CHECK_FALSE(source.broken);
  }
  CHECK(failures > 0);
  CHECK(completed);
}

TEST_CASE("stats: count what is carved, freed and live") {
  CountingSource source;
  acre::Arena arena({.name = "counted", .source = &source});
  CHECK(arena.name() == std::string_view("counted"));
  CHECK_FALSE(arena.is_collected());
  CHECK(arena.stats().chunks == 0);
  void* a = arena.Allocate(30);
  static_cast<void>(arena.Allocate(16));
  acre::ArenaStats stats = arena.stats();
  CHECK(stats.chunks == 1);
  CHECK(stats.spare_chunks == 0);
  CHECK(stats.large_blocks == 0);
  CHECK(stats.reserved == source.bytes);
  CHECK(stats.carved == 48);
  CHECK(stats.freed == 0);
  CHECK(stats.live() == 48);
  CHECK(stats.current_used == 48);
  CHECK(stats.current_size > 48);
  CHECK(stats.current_size < stats.reserved);
  arena.Free(a, 30);
  CHECK(arena.stats().freed == 32);
  CHECK(arena.stats().live() == 16);
  void* large = arena.Allocate(1 << 20);
  CHECK(arena.stats().large_blocks == 1);
  CHECK(arena.stats().chunks == 2);
  CHECK(arena.stats().live() == 16 + (1 << 20));
  arena.Free(large, 1 << 20);
  CHECK(arena.stats().large_blocks == 0);
  CHECK(arena.stats().live() == 16);
  CHECK(arena.stats().resets == 0);
  arena.Reset();
  stats = arena.stats();
  CHECK(stats.resets == 1);
  CHECK(stats.live() == 0);
  CHECK(stats.carved == 0);
  CHECK(stats.freed == 0);
}

TEST_CASE("chunks: a small arena takes 768 bytes, a large one powers of two") {
  acre::Arena arena;
  for (int i = 0; i < 10; ++i) static_cast<void>(arena.Allocate(48));
  CHECK(arena.stats().reserved == 768);
  std::size_t before = 768;
  for (int i = 0; i < 8; ++i) {
    while (arena.stats().reserved == before) {
      static_cast<void>(arena.Allocate(48));
    }
    const std::size_t chunk = arena.stats().reserved - before;
    CHECK(chunk == std::max(std::size_t{65536}, std::bit_floor(before)));
    before = arena.stats().reserved;
  }
  // What is to be large from the start, and what was asked for, is not small.
  acre::Arena large;
  static_cast<void>(large.Allocate(300));
  CHECK(large.stats().reserved == 65536);
  acre::Arena asked({.first_chunk = 4096});
  static_cast<void>(asked.Allocate(48));
  CHECK(asked.stats().reserved == 4096);
}

TEST_CASE("TryGrow: a block with a chunk of its own ends where that ends") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  for (const std::size_t align : {std::size_t{16}, std::size_t{64}}) {
    for (const std::size_t bytes : {300000u, 524288u, 1000000u}) {
      const auto* block =
          static_cast<const char*>(arena.Allocate(bytes, align));
      for (std::size_t more = bytes; more < 2 * bytes; more += bytes / 64) {
        void* grown = const_cast<char*>(block);
        if (!arena.TryGrow(grown, bytes, more, align)) break;
        CHECK(arena.Owns(block + more - 1));
        CHECK_FALSE(arena.TryGrow(grown, more, bytes - 1, align));
        CHECK(arena.TryGrow(grown, more, more, align));
        std::memset(grown, 1, more);
        arena.Free(grown, more, align);
        block = static_cast<const char*>(arena.Allocate(bytes, align));
      }
    }
  }
}

}  // namespace arena_test
