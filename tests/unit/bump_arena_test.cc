// SPDX-License-Identifier: MIT
//
// Guards BumpArena: an Arena without freelists. Free gives back the last block
// and large ones and counts the others; nothing is handed out twice.

#include "acre/bump_arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <random>
#include <set>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "acre/layout.h"
#include "acre/vector.h"
#include "support/death.h"
#include "test_sources.h"

namespace bump_arena_test {

using acre_test::CountingSource;

constexpr std::size_t kLarge = std::size_t{1} << 20;

struct Node {
  std::int64_t key = 0;
  Node* next = nullptr;
};
ACRE_LAYOUT(Node, key, next)

struct Thrower {
  Thrower() = default;
  explicit Thrower(bool throws) {
    if (throws) throw std::runtime_error("constructor");
  }
  std::int64_t words[5] = {};
};
ACRE_LAYOUT(Thrower, words)

struct Bag {
  std::int64_t id = 0;
  acre::Vector<int> numbers;
};
ACRE_LAYOUT(Bag, id, numbers)

struct alignas(256) Wide {
  unsigned char bytes[256];
};
ACRE_LAYOUT(Wide, bytes)

bool IsFilled(const unsigned char* p, std::size_t n, unsigned char tag) {
  return n == 0 || (*p == tag && std::memcmp(p, p + 1, n - 1) == 0);
}

/// Random verbs against a list of what should be live. `A` is BumpArena or, to
/// take the verbs of the base class, Arena.
template <class A>
class Program {
 public:
  Program(A& arena, std::uint64_t seed) : arena_(arena), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      if (i % 256 == 0) VerifyAll();
    }
    VerifyAll();
  }
  std::size_t errors() const { return errors_; }
  std::size_t served() const { return served_; }

 private:
  struct Block {
    unsigned char* bytes;
    std::size_t size;
    std::size_t align;
    std::size_t level;  // number of marks open when it was made
    unsigned char tag;
  };
  struct Grower {
    acre::Vector<int>* numbers;
    std::vector<int> wanted;
    std::size_t level;
  };

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }

  void Step() {
    const std::uint64_t dice = Below(1000);
    if (dice < 400) return Make();
    if (dice < 560) return DropLast();
    if (dice < 700) return DropAny();
    if (dice < 930) return GrowVector();
    if (dice < 960) return Open();
    if (dice < 990) return Rewind();
    if (dice < 993) return Reset();
  }

  void Make() {
    Block block{nullptr, Below(300), 16, marks_.size(),
                static_cast<unsigned char>(Below(256))};
    if (Below(50) == 0) block.size = Below(2 * kLarge);
    if (Below(10) == 0) block.align = std::size_t{1} << Below(13);
    block.bytes = static_cast<unsigned char*>(
        arena_.TryAllocate(block.size, block.align));
    if (block.bytes == nullptr) return;
    ++served_;
    Expect(reinterpret_cast<std::uintptr_t>(block.bytes) % block.align == 0);
    Expect(arena_.Owns(block.bytes));
    std::memset(block.bytes, block.tag, block.size);
    live_.push_back(block);
  }

  void Drop() {
    const Block block = live_.back();
    live_.pop_back();
    Expect(IsFilled(block.bytes, block.size, block.tag));
    arena_.Free(block.bytes, block.size, block.align);
  }
  void DropLast() {
    if (!live_.empty()) Drop();
  }
  void DropAny() {
    if (live_.empty()) return;
    std::swap(live_[Below(live_.size())], live_.back());
    Drop();
  }

  void GrowVector() {
    if (growers_.empty() || growers_.back().level != marks_.size() ||
        Below(60) == 0) {
      auto* made = arena_.template TryNew<acre::Vector<int>>();
      if (made != nullptr) growers_.push_back({made, {}, marks_.size()});
      return;
    }
    // One of those that are as young as the youngest mark: others must not
    // grow.
    std::size_t young = 0;
    while (young < growers_.size() &&
           growers_[growers_.size() - 1 - young].level == marks_.size()) {
      ++young;
    }
    Grower& grower = growers_[growers_.size() - 1 - Below(young)];
    if (grower.wanted.size() > 3000) return;
    try {
      for (std::uint64_t i = Below(40); i != 0; --i) {
        const int number = static_cast<int>(Below(1000));
        grower.numbers->push_back(number);
        grower.wanted.push_back(number);
      }
    } catch (const std::bad_alloc&) {
    }
  }

  void Open() {
    if (marks_.size() == 4) return;
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
    std::erase_if(growers_,
                  [level](const Grower& g) { return g.level > level; });
    VerifyAll();
  }

  void Reset() {
    arena_.Reset(static_cast<acre::ResetMode>(Below(3)));
    live_.clear();
    growers_.clear();
    marks_.clear();
    Expect(arena_.stats().live() == 0);
  }

  void VerifyAll() {
    std::size_t bytes = 0;
    for (const Block& block : live_) {
      Expect(IsFilled(block.bytes, block.size, block.tag));
      bytes += block.size;
    }
    for (const Grower& grower : growers_) {
      Expect(std::equal(grower.numbers->begin(), grower.numbers->end(),
                        grower.wanted.begin(), grower.wanted.end()));
      bytes += grower.wanted.size() * sizeof(int);
    }
    const acre::ArenaStats stats = arena_.stats();
    Expect(stats.live() >= bytes);
    Expect(stats.freed <= stats.carved);
    Expect(stats.carved <= stats.reserved);
  }

  A& arena_;
  std::mt19937_64 random_;
  std::vector<Block> live_;
  std::vector<Grower> growers_;
  std::vector<acre::Mark> marks_;
  std::size_t errors_ = 0;
  std::size_t served_ = 0;
};

constexpr int kSteps = 4000;

template <class A>
void RunSeeds(const acre::ArenaOptions& options) {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    acre::BumpArena arena(options);
    Program<A> program(arena, seed);
    program.Run(kSteps);
    CHECK(program.errors() == 0);
    CHECK(program.served() > kSteps / 20);
  }
}

TEST_CASE("BumpArena: it is an Arena with freelists off, whatever is said") {
  static_assert(std::is_base_of_v<acre::Arena, acre::BumpArena>);
  acre::BumpArena arena({.name = "bump", .freelists = true});
  CHECK_FALSE(arena.options().freelists);
  CHECK(arena.name() == std::string("bump"));
  CHECK(acre::ArenaOf(arena.New<int>(1)) == &arena);
  const acre::BumpArena plain;
  CHECK_FALSE(plain.options().freelists);
}

TEST_CASE("BumpArena: every verb of its own") {
  CountingSource source;
  {
    acre::BumpArena arena({.source = &source});
    CHECK(source.acquires == 0);
    Node* node = arena.New<Node>(42, nullptr);
    CHECK(node->key == 42);
    CHECK(arena.New<Node>()->key == 0);
    Node* tried = arena.TryNew<Node>(43, node);
    REQUIRE(tried != nullptr);
    CHECK(tried->next == node);
    std::memset(arena.Allocate(100), 1, 100);
    void* aligned = arena.TryAllocate(10, 4096);
    CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 4096 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(arena.New<Wide>()) % 256 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(arena.TryNew<Wide>()) % 256 == 0);
    CHECK(arena.NewArray<int>(10)[9] == 0);
    CHECK(arena.TryNewArray<int>(0).data() != nullptr);
    CHECK(arena.Owns(node));
  }
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("BumpArena: zero bytes give distinct blocks") {
  acre::BumpArena arena;
  std::set<void*> blocks;
  for (int i = 0; i < 50; ++i) {
    CHECK(blocks.insert(arena.Allocate(0)).second);
    CHECK(blocks.insert(arena.TryAllocate(0)).second);
    CHECK(blocks.insert(arena.NewArray<int>(0).data()).second);
  }
  void* last = arena.Allocate(0);
  arena.Free(last, 0);
  CHECK(arena.Allocate(0) == last);
}

TEST_CASE("BumpArena: memory is value-initialised after Reset and Rewind too") {
  acre::BumpArena arena;
  for (int round = 0; round < 3; ++round) {
    const acre::Mark mark = arena.Checkpoint();
    std::memset(arena.Allocate(5000), 0x77, 5000);
    arena.Rewind(mark);
    CHECK(arena.New<Node>()->key == 0);
    for (int value : arena.NewArray<int>(500)) CHECK(value == 0);
    arena.Reset();
  }
}

TEST_CASE("BumpArena: sizes that cannot be fail as in an Arena") {
  CountingSource source;
  acre::BumpArena arena({.source = &source});
  for (const std::size_t bytes :
       {SIZE_MAX, SIZE_MAX - 15, std::size_t{PTRDIFF_MAX}}) {
    CHECK(arena.TryAllocate(bytes) == nullptr);
    CHECK_THROWS_AS(static_cast<void>(arena.Allocate(bytes)), std::bad_alloc);
    CHECK(arena.TryAllocate(bytes, 4096) == nullptr);
  }
  CHECK(arena.TryNewArray<Node>(SIZE_MAX / 8).data() == nullptr);
  CHECK_THROWS_AS(arena.NewArray<Node>(SIZE_MAX / 16 + 2), std::bad_alloc);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE(
    "BumpArena: out of memory is null or bad_alloc, and leaves it whole") {
  CountingSource source;
  acre::BumpArena arena(
      {.source = &source, .first_chunk = 4096, .byte_limit = 4096});
  Node* node = arena.New<Node>(7, nullptr);
  std::size_t made = 0;
  while (arena.TryNew<Node>() != nullptr) ++made;
  CHECK(made > 100);
  CHECK_THROWS_AS(arena.New<Node>(), std::bad_alloc);
  CHECK(arena.TryAllocate(16) == nullptr);
  CHECK_THROWS_AS(static_cast<void>(arena.Allocate(16)), std::bad_alloc);
  CHECK(node->key == 7);
  arena.Reset();
  CHECK(arena.TryNew<Node>() != nullptr);
  source.dry = true;
  CHECK(arena.TryAllocate(100000) == nullptr);
}

TEST_CASE("BumpArena: a bad alignment is misuse") {
  acre::BumpArena arena;
  CHECK_DIES(static_cast<void>(arena.Allocate(1, 3)), "alignment 3 is not");
  CHECK_DIES(static_cast<void>(arena.TryAllocate(1, 0)), "alignment 0 is not");
  CHECK_DIES(static_cast<void>(arena.Allocate(1, 8192)), "alignment 8192");
}

TEST_CASE("BumpArena: Free gives back the last block, again and again") {
  acre::BumpArena arena;
  std::vector<void*> blocks;
  std::vector<std::size_t> live;
  for (int i = 0; i < 50; ++i) {
    live.push_back(arena.stats().live());
    blocks.push_back(arena.Allocate(static_cast<std::size_t>(i) * 37));
  }
  for (int i = 49; i >= 0; --i) {
    arena.Free(blocks[i], static_cast<std::size_t>(i) * 37);
    CHECK(arena.stats().live() == live[i]);
    CHECK(arena.stats().freed == 0);
  }
  CHECK(arena.Allocate(16) == blocks[0]);
}

TEST_CASE("BumpArena: any other freed block is counted, and lies idle") {
  acre::BumpArena arena;
  std::set<void*> freed;
  for (int i = 0; i < 100; ++i) freed.insert(arena.Allocate(64));
  void* last = arena.Allocate(64);
  const std::size_t live = arena.stats().live();
  for (void* block : freed) arena.Free(block, 64);
  CHECK(arena.stats().freed == 100 * 64);
  CHECK(arena.stats().live() == live - 100 * 64);
  for (int i = 0; i < 300; ++i) CHECK(freed.count(arena.Allocate(64)) == 0);
  CHECK(freed.count(last) == 0);
  arena.Reset();
  CHECK(arena.stats().freed == 0);
  std::size_t again = 0;
  for (int i = 0; i < 101; ++i) again += freed.count(arena.Allocate(64));
  CHECK(again == 100);
}

TEST_CASE("BumpArena: through an Arena& it behaves the same") {
  acre::BumpArena bump;
  acre::Arena& arena = bump;
  void* first = arena.Allocate(64);
  void* second = arena.Allocate(64);
  arena.Free(first, 64);
  CHECK(arena.Allocate(64) != first);
  CHECK(bump.Allocate(64) != first);
  CHECK(arena.stats().freed == 64);
  Node* node = bump.New<Node>();
  arena.Free(node);
  CHECK(arena.New<Node>() == node);
  CHECK(second != nullptr);
}

TEST_CASE("BumpArena: what a Rewind brings back is handed out again") {
  acre::BumpArena arena;
  static_cast<void>(arena.Allocate(100));
  const acre::ArenaStats before = arena.stats();
  void* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    const acre::Mark mark = arena.Checkpoint();
    void* block = arena.Allocate(64);
    if (first == nullptr) first = block;
    CHECK(block == first);
    static_cast<void>(arena.Allocate(64));
    arena.Free(block, 64);
    arena.Rewind(mark);
    CHECK(arena.stats().live() == before.live());
    CHECK(arena.stats().freed == before.freed);
  }
}

TEST_CASE("BumpArena: a block freed below a mark stays counted after it") {
  acre::BumpArena arena;
  void* older = arena.Allocate(64);
  static_cast<void>(arena.Allocate(64));
  const std::size_t live = arena.stats().live();
  const acre::Mark mark = arena.Checkpoint();
  arena.Free(older, 64);
  CHECK(arena.stats().freed == 64);
  arena.Rewind(mark);
  CHECK(arena.stats().freed == 64);
  CHECK(arena.stats().live() == live - 64);
}

TEST_CASE("BumpArena: the last block below a mark is not given back in it") {
  acre::BumpArena arena;
  auto* older = static_cast<unsigned char*>(arena.Allocate(64));
  const acre::Mark mark = arena.Checkpoint();
  arena.Free(older, 64);
  for (int i = 0; i < 20; ++i) CHECK(arena.Allocate(64) != older);
  arena.Rewind(mark);
  arena.Reset();
  CHECK(arena.Allocate(64) == older);
}

TEST_CASE("BumpArena: freed large blocks go back to the source") {
  CountingSource source;
  acre::BumpArena arena({.source = &source});
  static_cast<void>(arena.Allocate(64));
  void* large = arena.Allocate(kLarge);
  static_cast<void>(arena.Allocate(64));
  CHECK(arena.stats().large_blocks == 1);
  arena.Free(large, kLarge);
  CHECK(arena.stats().large_blocks == 0);
  const std::size_t bytes = source.bytes;
  for (int i = 0; i < 20; ++i) {
    void* next = arena.Allocate(kLarge);
    static_cast<void>(arena.Allocate(16));
    arena.Free(next, kLarge);
  }
  CHECK(source.bytes <= bytes + kLarge + 65536);
}

TEST_CASE("BumpArena: a large block that is last in a chunk is given back") {
  constexpr std::size_t kBytes = std::size_t{300} << 10;
  CountingSource source;
  acre::BumpArena arena(
      {.source = &source, .first_chunk = std::size_t{4} << 20});
  static_cast<void>(arena.Allocate(64));
  const std::size_t live = arena.stats().live();
  void* block = arena.Allocate(kBytes);
  CHECK(arena.stats().large_blocks == 0);  // it shares the chunk
  arena.Free(block, kBytes);
  CHECK(arena.stats().live() == live);
  CHECK(arena.Allocate(kBytes) == block);
}

TEST_CASE("BumpArena: a constructor that throws gives its block back") {
  acre::BumpArena arena;
  static_cast<void>(arena.Allocate(16));
  const acre::ArenaStats before = arena.stats();
  CHECK_THROWS_AS(arena.New<Thrower>(true), std::runtime_error);
  CHECK_THROWS_AS(static_cast<void>(arena.TryNew<Thrower>(true)),
                  std::runtime_error);
  CHECK(arena.stats().live() == before.live());
  CHECK(arena.stats().carved == before.carved);
  CHECK(arena.New<Thrower>(false)->words[4] == 0);
}

TEST_CASE("BumpArena: a Vector that is last grows in place") {
  acre::BumpArena arena;
  auto* numbers = arena.New<acre::Vector<int>>();
  numbers->push_back(0);
  const int* data = numbers->data();
  for (int i = 1; i < 1000; ++i) numbers->push_back(i);
  CHECK(numbers->data() == data);
  CHECK(arena.stats().freed == 0);
}

TEST_CASE("BumpArena: a Vector that is not last leaves its storage behind") {
  acre::BumpArena arena;
  auto* numbers = arena.New<acre::Vector<int>>();
  numbers->resize(100);
  const int* data = numbers->data();
  int* behind = arena.New<int>(5);
  while (numbers->data() == data) numbers->push_back(1);
  CHECK(arena.stats().freed >= 100 * sizeof(int));
  CHECK(*behind == 5);
  CHECK((*numbers)[99] == 0);
}

TEST_CASE("BumpArena: containers inside objects are bound to it") {
  acre::BumpArena arena;
  Bag* bag = arena.New<Bag>();
  for (int i = 0; i < 100; ++i) bag->numbers.push_back(i);
  CHECK(arena.Owns(bag->numbers.data()));
  arena.Free(bag);  // its storage was last, and then it was itself
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("BumpArena: misuse is found as in an Arena") {
  if constexpr (!acre::kChecked) return;
  acre::BumpArena arena({.name = "bumpy"});
  void* block = arena.Allocate(64);
  static_cast<void>(arena.Allocate(64));
  CHECK_DIES(arena.Free(block, 32), "arena 'bumpy': allocated as 64 raw bytes");
  arena.Free(block, 64);
  CHECK_DIES(arena.Free(block, 64), "double Free");
  Node* node = arena.New<Node>();
  arena.Free(node);
  CHECK_DIES(arena.Free(node), "arena 'bumpy': no block starts there");
  acre::BumpArena other;
  CHECK_DIES(arena.Free(other.New<int>()), "not a block of arena 'bumpy'");
}

TEST_CASE("BumpArena: random programs over malloc, with each set of verbs") {
  CountingSource source;
  RunSeeds<acre::BumpArena>({.source = &source});
  RunSeeds<acre::Arena>({.source = &source});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("BumpArena: random programs over many small chunks") {
  CountingSource source;
  RunSeeds<acre::BumpArena>({.source = &source,
                             .first_chunk = 1024,
                             .max_chunk = 8192,
                             .retain_limit = 100000});
  CHECK(source.held.empty());
  CHECK_FALSE(source.broken);
}

TEST_CASE("BumpArena: random programs at a byte limit, and collected") {
  CountingSource source;
  RunSeeds<acre::BumpArena>({.source = &source, .byte_limit = 3000000});
  CHECK(source.held.empty());
  RunSeeds<acre::BumpArena>({});
}

}  // namespace bump_arena_test
