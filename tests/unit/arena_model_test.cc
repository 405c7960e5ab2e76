// SPDX-License-Identifier: MIT
//
// Guards the arena as a whole: long random programs of every verb against a
// plain list of what should be live, each block filled with a pattern.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "acre/mmap_source.h"
#include "acre/shared_memory.h"
#include "collecting.h"
#include "test_sources.h"

namespace arena_model_test {

using acre_test::CountingSource;

struct Cell {
  std::int64_t words[6];
};
ACRE_LAYOUT(Cell, words)

enum class Form { kRaw, kObject, kArray };

struct Block {
  unsigned char* bytes;
  std::size_t size;
  std::size_t align;
  std::size_t level;  // number of marks open when it was made
  Form form;
  unsigned char tag;
};

class Program {
 public:
  Program(acre::Arena& arena, std::uint64_t seed) : arena_(arena) {
    random_.seed(seed);
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      if (i % 512 == 0) VerifyAll();
    }
    VerifyAll();
  }

  std::size_t errors() const { return errors_; }
  std::size_t served() const { return served_; }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }

  void Step() {
    const std::uint64_t dice = Below(1000);
    if (dice < 540) return Make();
    if (dice < 940) return Drop();
    if (dice < 960) return Grow();
    if (dice < 975) return Open();
    if (dice < 995) return Rewind();
    if (dice == 999) Reset();
  }

  std::size_t AnySize() {
    if (Below(60) == 0) return Below(600000);
    return Below(10) == 0 ? Below(5000) : Below(300);
  }

  void Make() {
    Block block{nullptr,    0,
                16,         marks_.size(),
                Form::kRaw, static_cast<unsigned char>(Below(256))};
    switch (Below(4)) {
      case 0:
        block.form = Form::kObject;
        block.size = sizeof(Cell);
        block.bytes = reinterpret_cast<unsigned char*>(arena_.TryNew<Cell>());
        Expect(block.bytes == nullptr || IsFilled(block.bytes, block.size, 0));
        break;
      case 1: {
        const auto array = arena_.TryNewArray<Cell>(Below(40));
        block.form = Form::kArray;
        block.size = array.size_bytes();
        block.bytes = reinterpret_cast<unsigned char*>(array.data());
        Expect(block.bytes == nullptr || IsFilled(block.bytes, block.size, 0));
        break;
      }
      default:
        block.size = AnySize();
        if (Below(10) == 0) block.align = std::size_t{1} << Below(13);
        block.bytes = static_cast<unsigned char*>(
            arena_.TryAllocate(block.size, block.align));
    }
    if (block.bytes == nullptr) return;
    ++served_;
    Expect(reinterpret_cast<std::uintptr_t>(block.bytes) % block.align == 0);
    Expect(arena_.Owns(block.bytes));
    std::memset(block.bytes, block.tag, block.size);
    live_.push_back(block);
  }

  void Drop() {
    if (live_.empty()) return;
    std::swap(live_[Below(live_.size())], live_.back());
    const Block block = live_.back();
    live_.pop_back();
    Verify(block);
    void* const bytes = block.bytes;
    switch (block.form) {
      case Form::kRaw:
        return arena_.Free(bytes, block.size, block.align);
      case Form::kObject:
        return arena_.Free(static_cast<Cell*>(bytes));
      case Form::kArray:
        return arena_.Free(std::span<Cell>(static_cast<Cell*>(bytes),
                                           block.size / sizeof(Cell)));
    }
  }

  void Grow() {
    if (live_.empty()) return;
    Block& block = live_.back();
    if (block.form != Form::kRaw || block.size > 100000) return;
    if (block.level != marks_.size()) return;
    const std::size_t more = block.size + Below(2000);
    if (!arena_.TryGrow(block.bytes, block.size, more, block.align)) return;
    Expect(IsFilled(block.bytes, block.size, block.tag));
    block.size = more;
    std::memset(block.bytes, block.tag, block.size);
  }

  void Open() {
    if (marks_.size() == 5) return;
    try {
      marks_.push_back(arena_.Checkpoint());
    } catch (const std::bad_alloc&) {
    }
  }

  void Rewind() {
    if (marks_.empty()) return;
    const std::size_t level = Below(marks_.size());
    arena_.Rewind(marks_[level]);
    marks_.resize(level);
    std::erase_if(live_, [level](const Block& b) { return b.level > level; });
    VerifyAll();
  }

  void Reset() {
    arena_.Reset(static_cast<acre::ResetMode>(Below(3)));
    live_.clear();
    marks_.clear();
    Expect(arena_.stats().live() == 0);
  }

  static bool IsFilled(const unsigned char* p, std::size_t n,
                       unsigned char tag) {
    return n == 0 || (*p == tag && std::memcmp(p, p + 1, n - 1) == 0);
  }
  void Verify(const Block& block) {
    Expect(IsFilled(block.bytes, block.size, block.tag));
  }
  void VerifyAll() {
    std::size_t bytes = 0;
    for (const Block& block : live_) {
      Verify(block);
      bytes += block.size;
    }
    const acre::ArenaStats stats = arena_.stats();
    Expect(stats.live() >= bytes);
    Expect(stats.carved <= stats.reserved);
    Expect(stats.reserved <= arena_.options().byte_limit);
  }
  void Expect(bool holds) { errors_ += !holds; }

  acre::Arena& arena_;
  std::mt19937_64 random_;
  std::vector<Block> live_;
  std::vector<acre::Mark> marks_;
  std::size_t errors_ = 0;
  std::size_t served_ = 0;
};

constexpr int kSteps = 15000;
constexpr std::uint64_t kSeeds = 6;

void RunSeeds(const acre::ArenaOptions& options) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    acre::Arena arena(options);
    Program program(arena, seed);
    program.Run(kSteps);
    CHECK(program.errors() == 0);
    CHECK(program.served() > kSteps / 20);
  }
}

TEST_CASE("model: random programs over malloc") {
  CountingSource source;
  RunSeeds({.source = &source});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("model: random programs over many small chunks") {
  CountingSource source;
  RunSeeds({.source = &source,
            .first_chunk = 1024,
            .max_chunk = 8192,
            .retain_limit = 100000});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("model: random programs at a byte limit") {
  CountingSource source;
  RunSeeds({.source = &source, .byte_limit = 700000});
  CHECK(source.held.empty());
}

TEST_CASE("model: random programs in a fixed buffer") {
  std::vector<std::byte> buffer(500007);
  acre::FixedSource source(std::span<std::byte>(buffer).subspan(3));
  RunSeeds({.source = &source});
}

TEST_CASE("model: random programs over one range of addresses") {
  acre::MmapSource mapped({.reserve = std::size_t{64} << 20});
  RunSeeds({.source = &mapped});
  acre::SharedMemorySource shared({.bytes = std::size_t{64} << 20});
  RunSeeds({.source = &shared, .first_chunk = 4096});
}

TEST_CASE("model: random programs over the collected heap") {
  RunSeeds({});
  RunSeeds({.first_chunk = 4096, .max_chunk = 16384});
}

TEST_CASE("model: random programs in collected arenas") {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    CAPTURE(seed);
    acre::Arena* arena = acre::NewCollectedArena({.first_chunk = 8192});
    Program program(*arena, seed);
    for (int part = 0; part < 5; ++part) {
      program.Run(kSteps / 5);
      acre_test::Collect();
    }
    CHECK(program.errors() == 0);
    CHECK(arena->is_collected());
  }
}

TEST_CASE("model: random programs over a source that fails now and then") {
  for (std::size_t every = 2; every < 6; ++every) {
    CountingSource source;
    {
      acre::Arena arena({.source = &source,
                         .first_chunk = 2048,
                         .max_chunk = 8192,
                         .retain_limit = 0});
      Program program(arena, every);
      for (int part = 0; part < 300; ++part) {
        if (source.acquires >= source.fail_at) {
          source.fail_at = source.acquires + every;
        }
        program.Run(50);
      }
      CHECK(program.errors() == 0);
      CHECK(source.failures > 0);
    }
    CHECK(source.held.empty());
  }
}

}  // namespace arena_model_test
