// SPDX-License-Identifier: MIT
//
// Guards Scratch: two arenas a thread, apart from a named one, emptied at the
// end of each Scratch, and no more than 1 MiB kept of each.

#include "acre/scratch.h"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "acre/bump_arena.h"
#include "acre/vector.h"
#include "support/death.h"

namespace scratch_test {

constexpr std::size_t kMiB = std::size_t{1} << 20;

unsigned char* Filled(acre::Arena& arena, std::size_t bytes, int byte) {
  auto* block = static_cast<unsigned char*>(arena.Allocate(bytes));
  std::memset(block, byte, bytes);
  return block;
}

bool HoldsOnly(const unsigned char* block, std::size_t bytes, int byte) {
  return bytes == 0 ||
         (*block == byte && std::memcmp(block, block + 1, bytes - 1) == 0);
}

/// The two arenas of this thread.
struct Both {
  acre::Arena* first;
  acre::Arena* second;
};
Both OfThread() {
  const acre::Scratch first;
  const acre::Scratch second(*first);
  return {&*first, &*second};
}

/// Functions that call each other at random; each makes its result in an arena
/// of its caller and its notes in a scratch of its own.
class Program {
 public:
  explicit Program(std::uint64_t seed) : random_(seed) {}

  void Run(int rounds) {
    for (int i = 0; i < rounds; ++i) {
      Call(Below(2) == 0 ? nullptr : &own_, 0);
      own_.Reset();
      const Both both = OfThread();
      Expect(both.first->stats().live() == 0);
      Expect(both.second->stats().live() == 0);
      Expect(both.first->stats().reserved <= kMiB);
      Expect(both.second->stats().reserved <= kMiB);
    }
  }
  std::size_t errors() const { return errors_; }
  std::size_t calls() const { return calls_; }

 private:
  struct Block {
    unsigned char* bytes = nullptr;
    std::size_t size = 0;
    unsigned char tag = 0;
  };

  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }
  void Verify(const Block& block) {
    Expect(HoldsOnly(block.bytes, block.size, block.tag));
  }

  Block Make(acre::Arena& arena) {
    const std::size_t bytes = Below(60) == 0 ? Below(900000) : Below(500);
    const auto tag = static_cast<unsigned char>(Below(256));
    return {Filled(arena, bytes, tag), bytes, tag};
  }

  /// A block in *result, which the caller sees whole; nothing where null.
  Block Call(acre::Arena* result, int depth) {
    if (result == nullptr) {
      acre::Scratch scratch;
      return Body(scratch, result, depth);
    }
    acre::Scratch scratch(*result);
    Expect(&*scratch != result);
    return Body(scratch, result, depth);
  }

  Block Body(acre::Scratch& scratch, acre::Arena* result, int depth) {
    ++calls_;
    const std::size_t live = scratch->stats().live();
    std::vector<Block> notes;
    Block made;
    if (result != nullptr) made = Make(*result);
    for (std::uint64_t i = Below(8); i != 0; --i) {
      switch (depth < 6 ? Below(5) : 4) {
        case 0:
          notes.push_back(Call(&*scratch, depth + 1));
          break;
        case 1:
          Call(nullptr, depth + 1);
          break;
        case 2: {
          const acre::Mark mark = scratch.Checkpoint();
          const std::size_t count = notes.size();
          notes.push_back(Make(*scratch));
          scratch.Rewind(mark);
          notes.resize(count);
          break;
        }
        case 3:
          if (Below(6) != 0) break;
          scratch.Rewind();
          notes.clear();
          Expect(scratch->stats().live() == live);
          break;
        default:
          notes.push_back(Make(*scratch));
      }
      for (const Block& note : notes) Verify(note);
      Verify(made);
    }
    return made;
  }

  acre::Arena own_{{.source = &acre::MallocSource::Instance()}};
  std::mt19937_64 random_;
  std::size_t errors_ = 0;
  std::size_t calls_ = 0;
};

TEST_CASE("Scratch: what is made in it is gone when it ends") {
  const Both both = OfThread();
  {
    acre::Scratch scratch;
    Filled(*scratch, 1000, 1);
    CHECK(scratch->New<int>(5) != nullptr);
    acre::Vector<int> numbers(*scratch);
    for (int i = 0; i < 1000; ++i) numbers.push_back(i);
    CHECK(numbers[999] == 999);
    CHECK(&scratch.arena() == &*scratch);
    CHECK(scratch.operator->() == &*scratch);
    CHECK(scratch->stats().live() >= 5000);
  }
  CHECK(both.first->stats().live() == 0);
  CHECK(both.second->stats().live() == 0);
}

TEST_CASE("Scratch: exceptions end it") {
  const Both both = OfThread();
  const auto task = [] {
    acre::Scratch scratch;
    Filled(*scratch, 1000, 1);
    const acre::Scratch other(*scratch);
    Filled(*other, 1000, 1);
    throw std::runtime_error("out");
  };
  CHECK_THROWS_WITH(task(), "out");
  CHECK(both.first->stats().live() == 0);
  CHECK(both.second->stats().live() == 0);
}

TEST_CASE("Scratch: a thread has two, and naming one gives the other") {
  const acre::Scratch outer;
  const acre::Scratch other(*outer);
  CHECK(&*other != &*outer);
  const acre::Scratch back(*other);
  CHECK(&*back == &*outer);
  const acre::Scratch again(*back);
  CHECK(&*again == &*other);
}

TEST_CASE("Scratch: a named arena that is no scratch changes nothing") {
  acre::Arena arena;
  acre::BumpArena bump;
  const acre::Arena& constant = arena;
  const acre::Scratch first(constant);
  const acre::Scratch second(bump);
  CHECK(&*first != &arena);
  CHECK(&*second != &bump);
}

TEST_CASE("Scratch: a result made in the caller's scratch survives") {
  const auto inner = [](acre::Arena& result) {
    acre::Scratch scratch(result);
    Filled(*scratch, 5000, 0x11);
    return Filled(result, 5000, 0x22);
  };
  const auto outer = [&](acre::Arena& result) {
    acre::Scratch scratch(result);
    const unsigned char* notes = inner(*scratch);
    const unsigned char* made = inner(result);
    CHECK(HoldsOnly(notes, 5000, 0x22));
    return made;
  };
  acre::Scratch scratch;
  const unsigned char* first = outer(*scratch);
  const unsigned char* second = inner(*scratch);
  CHECK(HoldsOnly(first, 5000, 0x22));
  CHECK(HoldsOnly(second, 5000, 0x22));
}

TEST_CASE("Scratch: they nest in one arena") {
  acre::Scratch outer;
  const unsigned char* kept = Filled(*outer, 500, 1);
  const std::size_t live = outer->stats().live();
  for (int i = 0; i < 10; ++i) {
    acre::Scratch inner;
    CHECK(&*inner == &*outer);
    Filled(*inner, 5000, 2);
  }
  CHECK(outer->stats().live() == live);
  CHECK(HoldsOnly(kept, 500, 1));
}

TEST_CASE("Scratch: Rewind empties it, and it goes on") {
  acre::Scratch outer;
  const unsigned char* kept = Filled(*outer, 500, 1);
  acre::Scratch scratch;
  const std::size_t live = scratch->stats().live();
  for (int i = 0; i < 5; ++i) {
    Filled(*scratch, 5000, 2);
    scratch.Rewind();
    CHECK(scratch->stats().live() == live);
  }
  CHECK(HoldsOnly(kept, 500, 1));
}

TEST_CASE("Scratch: Rewind to a mark ends what is younger") {
  acre::Scratch scratch;
  const unsigned char* kept = Filled(*scratch, 500, 1);
  const std::size_t live = scratch->stats().live();
  const acre::Mark outer = scratch.Checkpoint();
  Filled(*scratch, 500, 2);
  const acre::Mark inner = scratch.Checkpoint();
  Filled(*scratch, 500, 3);
  scratch.Rewind(inner);
  Filled(*scratch, 500, 4);
  scratch.Rewind(outer);
  CHECK(scratch->stats().live() == live);
  CHECK(HoldsOnly(kept, 500, 1));
  CHECK_DIES(scratch.Rewind(inner), "the mark is not open");
  const acre::Mark closed = scratch.Checkpoint();
  scratch.Rewind();
  CHECK_DIES(scratch.Rewind(closed), "the mark is not open");
}

TEST_CASE("Scratch: a Rewind or Reset around an inner one ends it") {
  const Both both = OfThread();
  {
    acre::Scratch outer;
    Filled(*outer, 100, 1);
    {
      acre::Scratch inner;
      Filled(*inner, 100, 2);
      outer.Rewind();
      Filled(*outer, 100, 3);
      inner.Rewind();
    }
  }
  CHECK(both.first->stats().live() == 0);
}

TEST_CASE("Scratch: what is made after an inner Reset is the outer one's") {
  acre::Scratch outer;
  const unsigned char* made;
  {
    acre::Scratch inner;
    inner->Reset();
    made = Filled(*inner, 100, 5);
  }
  CHECK(HoldsOnly(made, 100, 5));
}

TEST_CASE("Scratch: Rewind after a Reset ends what was made since it began") {
  acre::Scratch scratch;
  Filled(*scratch, 100, 1);
  scratch->Reset();
  Filled(*scratch, 5000, 2);
  scratch.Rewind();
  CHECK(scratch->stats().live() < 5000);
}

TEST_CASE("Scratch: Rewind keeps what is older, whatever closed its mark") {
  acre::Scratch outer;
  const unsigned char* older = Filled(*outer, 100, 1);
  const std::size_t live = outer->stats().live();
  const acre::Mark mark = outer.Checkpoint();
  {
    acre::Scratch inner;
    outer.Rewind(mark);  // ends what inner has, not what was before
    inner.Rewind();
    CHECK(outer->stats().live() >= live);
  }
  REQUIRE(outer->stats().live() >= live);
  CHECK(HoldsOnly(older, 100, 1));
}

TEST_CASE("Scratch: memory above 1 MiB goes back at the outermost end") {
  const Both both = OfThread();
  const auto reserved = [](const acre::Arena* arena) {
    return arena->stats().reserved;
  };
  {
    acre::Scratch first;
    acre::Scratch second(*first);
    for (int i = 0; i < 5; ++i) {
      Filled(*first, kMiB, 1);
      Filled(*second, kMiB, 2);
    }
    for (int i = 0; i < 3000; ++i) {
      static_cast<void>(first->Allocate(1000));
      static_cast<void>(second->Allocate(1000));
    }
    CHECK(reserved(&*first) > 5 * kMiB);
    CHECK(reserved(&*second) > 5 * kMiB);
  }
  CHECK(reserved(both.first) <= kMiB);
  CHECK(reserved(both.second) <= kMiB);
}

TEST_CASE("Scratch: memory up to 1 MiB stays") {
  const Both both = OfThread();
  for (int i = 0; i < 3; ++i) {
    const acre::Scratch scratch;
    Filled(*scratch, 20000, 1);
  }
  CHECK(both.first->stats().reserved >= 20000);
}

TEST_CASE("Scratch: each thread has its own, and needs no registration") {
  const acre::Scratch here;
  const unsigned char* kept = Filled(*here, 1000, 1);
  std::thread([&] {
    const acre::Scratch there(*here);
    const acre::Scratch other(*there);
    CHECK(&*there != &*here);
    CHECK(&*other != &*here);
    CHECK(&*other != &*there);
    Filled(*there, 100000, 2);
    acre::Vector<int> numbers(*other);
    for (int i = 0; i < 10000; ++i) numbers.push_back(i);
    CHECK(numbers[9999] == 9999);
  }).join();
  CHECK(HoldsOnly(kept, 1000, 1));
}

TEST_CASE("Scratch: the arenas end with their thread") {
  const unsigned char* made = nullptr;
  std::thread([&] {
    const acre::Scratch scratch;
    made = Filled(*scratch, 1000, 1);
    CHECK(acre::ArenaOf(made) == &*scratch);
  }).join();
  CHECK(acre::ArenaOf(made) == nullptr);
}

TEST_CASE("Scratch: it refuses another thread's use in checked builds") {
  if constexpr (!acre::kChecked) return;
  acre::Scratch scratch;
  static_cast<void>(scratch->Allocate(1));
  CHECK_DIES(
      std::thread([&] { static_cast<void>(scratch->Allocate(1)); }).join(),
      "is used by a second thread");
}

TEST_CASE("Scratch: zero bytes, and sizes that cannot be") {
  const acre::Scratch scratch;
  CHECK(scratch->Allocate(0) != scratch->Allocate(0));
  CHECK(scratch->TryAllocate(SIZE_MAX) == nullptr);
  CHECK_THROWS_AS(scratch->NewArray<long>(SIZE_MAX / 4), std::bad_alloc);
  static_assert(!std::is_copy_constructible_v<acre::Scratch>);
  static_assert(!std::is_move_constructible_v<acre::Scratch>);
}

TEST_CASE("WithScratch: hands an empty arena on and returns the result") {
  const Both both = OfThread();
  CHECK(acre::WithScratch([](acre::Arena& arena) {
          Filled(arena, 100, 1);
          return *arena.New<int>(5);
        }) == 5);
  int outside = 0;
  int& reference =
      acre::WithScratch([&](acre::Arena&) -> int& { return outside; });
  CHECK(&reference == &outside);
  acre::WithScratch([](acre::Arena&) {});
  const auto unique =
      acre::WithScratch([](acre::Arena&) { return std::make_unique<int>(3); });
  CHECK(*unique == 3);
  CHECK(both.first->stats().live() == 0);
}

TEST_CASE("WithScratch: keeps away from the arena of the result") {
  acre::Scratch outer;
  const unsigned char* made = acre::WithScratch(*outer, [&](acre::Arena& a) {
    CHECK(&a != &*outer);
    Filled(a, 5000, 1);
    return Filled(*outer, 5000, 2);
  });
  CHECK(HoldsOnly(made, 5000, 2));
  const unsigned char* deeper = acre::WithScratch([&](acre::Arena& first) {
    return acre::WithScratch(first, [&](acre::Arena& second) {
      CHECK(&first != &second);
      Filled(second, 300, 1);
      CHECK(&second != &*outer);
      return made;
    });
  });
  CHECK(deeper == made);
}

TEST_CASE("WithScratch: exceptions pass through, with everything given back") {
  const Both both = OfThread();
  const auto task = [](acre::Arena& arena) -> int {
    Filled(arena, 5000, 1);
    throw std::runtime_error("through");
  };
  CHECK_THROWS_WITH(acre::WithScratch(task), "through");
  CHECK_THROWS_WITH(acre::WithScratch(*both.first, task), "through");
  CHECK(both.first->stats().live() == 0);
  CHECK(both.second->stats().live() == 0);
}

TEST_CASE("Scratch: random call trees against a plain list") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Program program(seed);
    program.Run(25);
    CHECK(program.errors() == 0);
    CHECK(program.calls() >= 25);
  }
}

TEST_CASE("Scratch: random call trees in several threads at once") {
  std::size_t errors[4] = {};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([t, &errors] {
      Program program(100 + t);
      program.Run(10);
      errors[t] = program.errors();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::size_t count : errors) CHECK(count == 0);
}

}  // namespace scratch_test
