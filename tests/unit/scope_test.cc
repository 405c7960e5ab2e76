// SPDX-License-Identifier: MIT
//
// Guards Scope and WithScope: what is made inside goes at the end, however the
// end is reached, and what is older stays.

#include "acre/scope.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "acre/bump_arena.h"
#include "acre/vector.h"
#include "support/death.h"
#include "test_sources.h"

namespace scope_test {

using acre_test::CountingSource;

constexpr std::size_t kLarge = std::size_t{1} << 20;

unsigned char* Filled(acre::Arena& arena, std::size_t bytes, int byte) {
  auto* block = static_cast<unsigned char*>(arena.Allocate(bytes));
  std::memset(block, byte, bytes);
  return block;
}

bool HoldsOnly(const unsigned char* block, std::size_t bytes, int byte) {
  return bytes == 0 ||
         (*block == byte && std::memcmp(block, block + 1, bytes - 1) == 0);
}

/// Scopes nested at random, with blocks of every level. What a scope began
/// with is there when it ends, and the arena is as full as it was.
class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed)
      : arena_(arena), random_(seed) {}

  void Run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      Level(0);
      Expect(arena_.stats().live() == 0);
      blocks_.clear();
    }
  }
  std::size_t errors() const { return errors_; }
  std::size_t opened() const { return opened_; }

 private:
  struct Block {
    unsigned char* bytes;
    std::size_t size;
    unsigned char tag;
  };
  struct Leave {};

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }

  void Level(int depth) {
    ++opened_;
    const std::size_t count = blocks_.size();
    const std::size_t live = arena_.stats().live();
    const std::uint64_t end = Below(5);
    try {
      if (end == 0) {
        acre::WithScope(arena_, [&](acre::Arena&) { Fill(depth); });
      } else {
        acre::Scope scope(arena_);
        Fill(depth);
        if (end == 1) scope.Close();
        if (end == 2) throw Leave();
      }
    } catch (const Leave&) {
    }
    Expect(arena_.stats().live() == live);
    blocks_.resize(count);
    for (const Block& block : blocks_) {
      Expect(HoldsOnly(block.bytes, block.size, block.tag));
    }
  }

  void Fill(int depth) {
    const std::size_t first = blocks_.size();
    for (std::uint64_t i = Below(12); i != 0; --i) {
      if (depth < 6 && Below(3) == 0) {
        Level(depth + 1);
        continue;
      }
      const std::size_t bytes = Below(100) == 0 ? Below(400000) : Below(400);
      const auto tag = static_cast<unsigned char>(Below(256));
      blocks_.push_back({Filled(arena_, bytes, tag), bytes, tag});
      if (blocks_.size() > first + 1 && Below(3) == 0) {
        const std::size_t at = first + Below(blocks_.size() - first);
        std::swap(blocks_[at], blocks_.back());
        arena_.Free(blocks_.back().bytes, blocks_.back().size);
        blocks_.pop_back();
      }
    }
  }

  acre::Arena& arena_;
  std::mt19937_64 random_;
  std::vector<Block> blocks_;
  std::size_t errors_ = 0;
  std::size_t opened_ = 0;
};

template <class A>
void RunSeeds(const acre::ArenaOptions& options) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    A arena(options);
    Program program(arena, seed);
    program.Run(12);
    CHECK(program.errors() == 0);
    CHECK(program.opened() > 12);
  }
}

TEST_CASE("Scope: what is made inside goes, what is older stays") {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 8192});
  const unsigned char* older = Filled(arena, 1000, 0x31);
  const acre::ArenaStats before = arena.stats();
  {
    const acre::Scope scope(arena);
    for (int i = 0; i < 500; ++i) Filled(arena, 100, 0x32);
    Filled(arena, kLarge, 0x33);
  }
  CHECK(HoldsOnly(older, 1000, 0x31));
  CHECK(arena.stats().live() == before.live());
  CHECK(arena.stats().carved == before.carved);
  CHECK(arena.stats().large_blocks == 0);
}

TEST_CASE("Scope: break, return and exceptions end it") {
  acre::Arena arena;
  for (int i = 0; i < 3; ++i) {
    const acre::Scope scope(arena);
    Filled(arena, 100, 1);
    if (i == 1) break;
  }
  CHECK(arena.stats().live() == 0);
  const auto returns = [&] {
    const acre::Scope scope(arena);
    return *arena.New<int>(5);
  };
  CHECK(returns() == 5);
  CHECK(arena.stats().live() == 0);
  const auto throws = [&] {
    const acre::Scope outer(arena);
    const acre::Scope inner(arena);
    Filled(arena, 100, 1);
    throw std::runtime_error("out");
  };
  CHECK_THROWS_WITH(throws(), "out");
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Scope: a loop of them takes no new chunk after the first turn") {
  CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = 8192});
  std::size_t acquires = 0;
  for (int turn = 0; turn < 50; ++turn) {
    const acre::Scope scope(arena);
    for (int i = 0; i < 500; ++i) Filled(arena, 100, turn);
    if (turn == 0) acquires = source.acquires;
  }
  CHECK(source.acquires == acquires);
}

TEST_CASE("Scope: they nest, and each ends its own") {
  acre::Arena arena;
  const acre::Scope outer(arena);
  const unsigned char* in_outer = Filled(arena, 500, 1);
  const std::size_t live = arena.stats().live();
  {
    const acre::Scope middle(arena);
    Filled(arena, 500, 2);
    const std::size_t middle_live = arena.stats().live();
    {
      const acre::Scope inner(arena);
      Filled(arena, 500, 3);
    }
    CHECK(arena.stats().live() == middle_live);
  }
  CHECK(arena.stats().live() == live);
  CHECK(HoldsOnly(in_outer, 500, 1));
}

TEST_CASE("Scope: Close ends it early, and once") {
  acre::Arena arena;
  acre::Scope scope(arena);
  Filled(arena, 100, 1);
  scope.Close();
  CHECK(arena.stats().live() == 0);
  const unsigned char* after = Filled(arena, 100, 2);
  const std::size_t live = arena.stats().live();
  scope.Close();
  CHECK(arena.stats().live() == live);
  CHECK(HoldsOnly(after, 100, 2));
}

TEST_CASE("Scope: what is made after Close outlives it") {
  acre::Arena arena;
  const unsigned char* after;
  {
    acre::Scope scope(arena);
    scope.Close();
    after = Filled(arena, 100, 2);
    const acre::Scope later(arena);
  }
  CHECK(arena.stats().live() >= 100);
  CHECK(HoldsOnly(after, 100, 2));
}

TEST_CASE("Scope: a Reset inside ends it, and all around it") {
  acre::Arena arena;
  const unsigned char* after;
  {
    const acre::Scope outer(arena);
    const acre::Scope inner(arena);
    Filled(arena, 100, 1);
    arena.Reset();
    after = Filled(arena, 100, 2);
    const acre::Scope later(arena);
    Filled(arena, 100, 3);
  }
  CHECK(HoldsOnly(after, 100, 2));
  CHECK(arena.stats().live() >= 100);
}

TEST_CASE("Scope: the end of an outer one ends those inside") {
  acre::Arena arena;
  acre::Scope outer(arena);
  Filled(arena, 100, 1);
  {
    acre::Scope inner(arena);
    Filled(arena, 100, 2);
    outer.Close();
    CHECK(arena.stats().live() == 0);
    Filled(arena, 100, 3);
    inner.Close();
  }
  CHECK(arena.stats().live() >= 100);
  // Made in the wrong order, on the heap: still no harm.
  auto first = std::make_unique<acre::Scope>(arena);
  auto second = std::make_unique<acre::Scope>(arena);
  first.reset();
  const unsigned char* kept = Filled(arena, 100, 4);
  second.reset();
  CHECK(HoldsOnly(kept, 100, 4));
}

TEST_CASE("Scope: marks inside it are closed by its end") {
  acre::Arena arena;
  acre::Mark inside;
  const acre::Mark outside = arena.Checkpoint();
  {
    const acre::Scope scope(arena);
    inside = arena.Checkpoint();
    CHECK(arena.IsOpen(inside));
  }
  CHECK_FALSE(arena.IsOpen(inside));
  CHECK(arena.IsOpen(outside));
  CHECK_DIES(arena.Rewind(inside), "the mark is not open");
  {
    const acre::Scope scope(arena);
    arena.Rewind(outside);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Scope: older blocks freed in it are re-used after it") {
  acre::Arena arena;
  void* older = arena.Allocate(80);
  {
    const acre::Scope scope(arena);
    arena.Free(older, 80);
    for (int i = 0; i < 20; ++i) CHECK(arena.Allocate(80) != older);
  }
  CHECK(arena.Allocate(80) == older);
}

TEST_CASE("Scope: a container older than it must not grow in it") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  acre::Vector<int> numbers(arena, {1, 2, 3});
  CHECK_DIES(
      {
        const acre::Scope scope(arena);
        for (int i = 0; i < 100; ++i) numbers.push_back(i);
      },
      "acre: ");
}

TEST_CASE("Scope: containers made in it grow as they like") {
  acre::Arena arena;
  const acre::Scope scope(arena);
  acre::Vector<int> numbers(arena);
  for (int i = 0; i < 1000; ++i) numbers.push_back(i);
  CHECK(numbers[999] == 999);
}

TEST_CASE("Scope: one that cannot open fails like New") {
  CountingSource source;
  acre::Arena arena({.source = &source});
  source.dry = true;
  CHECK_THROWS_AS(const acre::Scope scope(arena), std::bad_alloc);
  bool called = false;
  CHECK_THROWS_AS(acre::WithScope(arena, [&] { called = true; }),
                  std::bad_alloc);
  CHECK_FALSE(called);
  source.dry = false;
  const acre::Scope scope(arena);
}

TEST_CASE("Scope: out of memory inside gives back what was made") {
  CountingSource source;
  acre::Arena arena({.source = &source, .byte_limit = 200000});
  CHECK_THROWS_AS(acre::WithScope(arena,
                                  [&] {
                                    for (;;) Filled(arena, 1000, 1);
                                  }),
                  std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("WithScope: hands the arena on, or nothing, and returns the result") {
  acre::Arena arena;
  const int with = acre::WithScope(arena, [&](acre::Arena& inner) {
    CHECK(&inner == &arena);
    return *inner.New<int>(4);
  });
  CHECK(with == 4);
  CHECK(acre::WithScope(arena, [&] { return *arena.New<int>(6); }) == 6);
  static_assert(std::is_void_v<decltype(acre::WithScope(arena, [] {}))>);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("WithScope: results of every kind leave") {
  acre::Arena arena;
  const auto unique =
      acre::WithScope(arena, [] { return std::make_unique<int>(8); });
  CHECK(*unique == 8);
  int outside = 3;
  int& reference = acre::WithScope(arena, [&]() -> int& { return outside; });
  CHECK(&reference == &outside);
  CHECK(acre::WithScope(arena, [&] { return &outside; }) == &outside);
  CHECK(acre::WithScope(arena, [] { return static_cast<int*>(nullptr); }) ==
        nullptr);
  const int* older = arena.New<int>(5);
  CHECK(acre::WithScope(arena, [&] { return older; }) == older);
  acre::Arena other;
  const int* elsewhere =
      acre::WithScope(arena, [&] { return other.New<int>(9); });
  CHECK(*elsewhere == 9);
  CHECK(acre::WithScope(arena, [] { return "text"; }) == std::string("text"));
}

TEST_CASE("WithScope: move-only functions, and arguments by value category") {
  acre::Arena arena;
  struct Once {
    std::unique_ptr<int> value = std::make_unique<int>(11);
    int operator()(acre::Arena&) && { return *value; }
  };
  CHECK(acre::WithScope(arena, Once()) == 11);
}

TEST_CASE("WithScope: exceptions pass through, with everything given back") {
  acre::Arena arena;
  const auto task = [](acre::Arena& inner) -> int {
    Filled(inner, 5000, 1);
    throw std::runtime_error("through");
  };
  CHECK_THROWS_WITH(acre::WithScope(arena, task), "through");
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("WithScope: a pointer into the scope is refused") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena({.name = "leaky"});
  static_cast<void>(arena.New<int>(1));
  CHECK_DIES(acre::WithScope(arena, [&] { return arena.New<int>(1); }),
             "the result at .* lies in what ends here of arena 'leaky'");
  CHECK_DIES(acre::WithScope(arena, [&] { return arena.Allocate(kLarge); }),
             "the result at ");
  const acre::Scope outer(arena);
  const int* in_outer = arena.New<int>(2);
  CHECK(*acre::WithScope(arena, [&] { return in_outer; }) == 2);
  CHECK_DIES(acre::WithScope(arena, [&] { return arena.New<int>(1); }),
             "the result at ");
}

TEST_CASE("WithScope: a pointer into it is refused with marks open inside") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  CHECK_DIES(acre::WithScope(arena,
                             [&] {
                               int* made = arena.New<int>(1);
                               static_cast<void>(arena.Checkpoint());
                               return made;
                             }),
             "the result at ");
}

TEST_CASE("WithScope: a result made after a Reset inside may leave") {
  // The Reset has ended the scope, so it frees nothing any more.
  const auto leave = [] {
    acre::Arena arena;
    const int* made = acre::WithScope(arena, [&] {
      arena.Reset();
      return arena.New<int>(12);
    });
    if (*made != 12) std::abort();
  };
  const acre_test::Death child = acre_test::RunInChild(leave);
  INFO("child: " << child.text);
  CHECK_FALSE(child.died);
}

TEST_CASE("Scope: random nests against a plain list") {
  CountingSource source;
  RunSeeds<acre::Arena>({.source = &source});
  RunSeeds<acre::Arena>(
      {.source = &source, .first_chunk = 1024, .max_chunk = 8192});
  RunSeeds<acre::BumpArena>({.source = &source, .first_chunk = 2048});
  RunSeeds<acre::Arena>({});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

}  // namespace scope_test
