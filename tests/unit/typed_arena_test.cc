// SPDX-License-Identifier: MIT
//
// Guards TypedArena: elements in order and in place, slabs in a row, a refusal
// that changes nothing, and a Reset that clears what was used and no more.

#include "acre/typed_arena.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"
#include "test_sources.h"

namespace typed_arena_test {

using acre::Growth;
using acre::TypedArena;
using acre_test::CountingSource;

constexpr std::size_t kTooMany = SIZE_MAX / sizeof(std::uint64_t) + 2;

struct Cell {
  std::uint64_t words[3] = {7, 8, 9};
};
ACRE_LAYOUT(Cell, words)

struct alignas(4096) Page {
  unsigned char bytes[4096];
};
ACRE_LAYOUT(Page, bytes)

struct Holder {
  acre::Vector<int> numbers;
  acre::String text;
};
ACRE_LAYOUT(Holder, numbers, text)

// Throws in the construction with that number, counted from 1; 0: never.
int g_throw_at = 0;
int g_constructed = 0;

void ThrowAt(int construction) {
  g_throw_at = construction;
  g_constructed = 0;
}

struct Touchy {
  Touchy() { Count(); }
  explicit Touchy(int number) : value(number) { Count(); }
  Touchy(const Touchy& other) : value(other.value) { Count(); }
  static void Count() {
    if (++g_constructed == g_throw_at) throw std::runtime_error("construction");
  }
  int value = 5;
};
ACRE_LAYOUT(Touchy, value)

constexpr const char* kLong = "a text that is too long to stay in the handle";

// Makes its own storage, and may throw when it has it.
struct TouchyHolder {
  explicit TouchyHolder(acre::Arena& arena) : text(arena, kLong) {}
  TouchyHolder(const TouchyHolder& other) {
    Touchy::Count();
    text = acre::String(*other.text.arena(), other.text.view());
  }
  acre::String text;
};
ACRE_LAYOUT(TouchyHolder, text)

struct Branch {
  Branch() = default;
  Branch(TypedArena<Branch>& arena, int levels) : depth(levels) {
    if (levels > 0) child = arena.New(arena, levels - 1);
  }
  Branch* child = nullptr;
  int depth = -1;
};
ACRE_LAYOUT(Branch, child, depth)

TEST_CASE("TypedArena: makes elements in order and counts them") {
  TypedArena<int> numbers(4);
  CHECK(numbers.capacity() == 4);
  CHECK(numbers.remaining() == 4);
  CHECK(numbers.empty());
  int* first = numbers.New(11);
  CHECK(numbers.TryNew(12) == first + 1);
  CHECK(*numbers.New() == 0);
  CHECK_FALSE(numbers.empty());
  CHECK(numbers.used() == 3);
  CHECK(numbers.remaining() == 1);
  CHECK(numbers[0] == 11);
  CHECK(&numbers[1] == first + 1);
  CHECK(std::as_const(numbers)[1] == 12);
  CHECK(std::as_const(numbers).at(1) == 12);
  numbers.at(1) = 13;
  CHECK(numbers[1] == 13);
}

TEST_CASE("TypedArena: aggregates, defaults and names") {
  TypedArena<Cell> cells(2, Growth::kFixed, {.name = "cells"});
  CHECK(std::string(cells.name()) == "cells");
  CHECK(cells.New()->words[2] == 9);
  const Cell* cell = cells.New(Cell{{1, 2, 3}});
  CHECK(cell->words[1] == 2);
  CHECK(acre::ArenaOf(cell) == &cells.arena());
}

TEST_CASE("TypedArena: a full fixed arena refuses and stays as it was") {
  TypedArena<std::uint64_t> numbers(3, Growth::kFixed, {.name = "three"});
  for (std::uint64_t i = 0; i < 3; ++i) numbers.New(i);
  CHECK(numbers.TryNew(9u) == nullptr);
  CHECK(numbers.TryNewSlab(1).empty());
  CHECK(numbers.used() == 3);
  CHECK(numbers.capacity() == 3);
  const auto previous =
      acre::SetOutOfMemoryHandler([](const acre::OutOfMemoryInfo& info) {
        throw std::string(info.arena_name) + std::to_string(info.bytes);
      });
  CHECK_THROWS_WITH_AS(numbers.New(9u), "three8", std::string);
  CHECK_THROWS_WITH_AS(numbers.NewSlab(2), "three16", std::string);
  acre::SetOutOfMemoryHandler(previous);
  for (std::uint64_t i = 0; i < 3; ++i) CHECK(numbers[i] == i);
}

TEST_CASE("TypedArena: the default is to throw bad_alloc") {
  TypedArena<int> none(0);
  CHECK(none.TryNew() == nullptr);
  CHECK_THROWS_AS(none.New(), std::bad_alloc);
  CHECK_THROWS_AS(none.NewSlab({1, 2}), std::bad_alloc);
  none.Reset();
  CHECK(none.used() + none.remaining() == 0);
  CHECK_FALSE(none.Owns(nullptr));
}

TEST_CASE("TypedArena: a slab that does not fit leaves the position") {
  TypedArena<int> numbers(10);
  for (int i = 0; i < 7; ++i) numbers.New(i);
  CHECK(numbers.TryNewSlab(4).empty());
  CHECK(numbers.TryNewSlab({1, 2, 3, 4}).empty());
  CHECK_THROWS_AS(numbers.NewSlab(4), std::bad_alloc);
  CHECK_THROWS_AS(numbers.NewSlab({1, 2, 3, 4}), std::bad_alloc);
  CHECK(numbers.used() == 7);
  CHECK(numbers.remaining() == 3);
  const std::span<int> rest = numbers.NewSlab(3);
  CHECK(rest.data() == &numbers[6] + 1);
  CHECK(rest[0] + rest[1] + rest[2] == 0);
}

TEST_CASE("TypedArena: slabs of values, in a row") {
  TypedArena<int> numbers(100);
  const std::span<int> three = numbers.NewSlab({4, 5, 6});
  CHECK(three.size() == 3);
  const std::vector<int> more = {7, 8, 9, 10};
  const std::span<int> four = numbers.NewSlab(more);
  CHECK(four.data() == three.data() + 3);
  for (int i = 0; i < 7; ++i) CHECK(numbers[i] == 4 + i);
  CHECK(numbers.NewSlab(std::span<const int>(three))[2] == 6);
  CHECK(numbers.TryNewSlab({1}).size() + numbers.TryNewSlab(more).size() == 5);
  CHECK(numbers.used() == 15);
}

TEST_CASE("TypedArena: slabs of nothing change nothing") {
  for (const Growth growth : {Growth::kFixed, Growth::kGrowing}) {
    for (const std::size_t capacity : {0, 2}) {
      TypedArena<int> numbers(capacity, growth);
      CHECK(numbers.NewSlab(0).empty());
      CHECK(numbers.TryNewSlab(0).empty());
      CHECK(numbers.NewSlab(std::span<const int>()).empty());
      CHECK(numbers.TryNewSlab(std::span<const int>()).empty());
      CHECK(numbers.used() == 0);
      CHECK(numbers.capacity() == capacity);
    }
  }
}

TEST_CASE("TypedArena: counts whose bytes overflow are refused") {
  for (const Growth growth : {Growth::kFixed, Growth::kGrowing}) {
    TypedArena<std::uint64_t> numbers(4, growth);
    numbers.New(1u);
    for (const std::size_t count :
         {SIZE_MAX, SIZE_MAX / 2, kTooMany, SIZE_MAX - 1}) {
      CHECK(numbers.TryNewSlab(count).empty());
      CHECK_THROWS_AS(numbers.NewSlab(count), std::bad_alloc);
      const std::span<const std::uint64_t> huge(&numbers[0], count);
      CHECK(numbers.TryNewSlab(huge).empty());
    }
    CHECK(numbers.used() == 1);
    CHECK(numbers.remaining() == 3);
    CHECK(numbers.capacity() == 4);
  }
  for (const std::size_t count : {SIZE_MAX, kTooMany}) {
    CHECK_THROWS_AS(TypedArena<std::uint64_t>{count}, std::bad_alloc);
  }
}

TEST_CASE("TypedArena: a construction beyond the byte limit fails like New") {
  CountingSource source;
  CHECK_THROWS_AS(TypedArena<Cell>(1000000, Growth::kFixed,
                                   {.source = &source, .byte_limit = 100000}),
                  std::bad_alloc);
  source.dry = true;
  CHECK_THROWS_AS(TypedArena<Cell>(10, Growth::kFixed, {.source = &source}),
                  std::bad_alloc);
  CHECK(source.held.empty());
}

TEST_CASE("TypedArena: alignment up to 4096, in every segment") {
  TypedArena<Page> pages(3, Growth::kGrowing);
  std::size_t wrong = 0;
  for (int i = 0; i < 40; ++i) {
    wrong += reinterpret_cast<std::uintptr_t>(pages.New()) % 4096 != 0;
  }
  wrong += reinterpret_cast<std::uintptr_t>(pages.NewSlab(9).data()) % 4096;
  CHECK(wrong == 0);
}

TEST_CASE("TypedArena: at refuses what is not there") {
  TypedArena<int> numbers(10);
  CHECK_THROWS_AS(numbers.at(0), std::out_of_range);
  numbers.New(3);
  CHECK(numbers.at(0) == 3);
  CHECK_THROWS_AS(std::as_const(numbers).at(1), std::out_of_range);
  CHECK_THROWS_AS(numbers.at(SIZE_MAX), std::out_of_range);
  numbers.Reset();
  CHECK_THROWS_AS(numbers.at(0), std::out_of_range);
}

TEST_CASE("TypedArena: checked builds verify an index") {
  if constexpr (!acre::kChecked) return;
  TypedArena<int> numbers(10, Growth::kGrowing);
  CHECK_DIES(numbers[0] = 1, "acre: ");
  numbers.New(3);
  CHECK_DIES(numbers[1] = 1, "acre: ");
}

TEST_CASE("TypedArena: Owns what is an element") {
  TypedArena<Cell> cells(2, Growth::kGrowing);
  CHECK_FALSE(cells.Owns(nullptr));
  std::vector<Cell*> made;
  for (int i = 0; i < 20; ++i) made.push_back(cells.New());
  for (Cell* cell : made) {
    CHECK(cells.Owns(cell));
    CHECK(cells.Owns(reinterpret_cast<Cell*>(cell->words + 1)));
  }
  Cell* behind = &cells[cells.used() - 1] + 1;
  CHECK_FALSE(cells.Owns(behind));
  cells.Reset();
  for (Cell* cell : made) CHECK_FALSE(cells.Owns(cell));
}

TEST_CASE("TypedArena: ForEach visits all in order of making") {
  TypedArena<int> numbers(4, Growth::kGrowing);
  for (int i = 0; i < 3; ++i) numbers.New(i);
  numbers.NewSlab({3, 4, 5});  // leaves one of the first four unused
  for (int i = 6; i < 100; ++i) numbers.New(i);
  int next = 0;
  numbers.ForEach([&](int& number) { next += number == next; });
  CHECK(next == 100);
  for (int i = 0; i < 100; ++i) CHECK(numbers[i] == i);
  CHECK(numbers.used() == 100);
}

TEST_CASE("TypedArena: a growing one doubles, and nothing moves") {
  TypedArena<std::size_t> numbers(32, Growth::kGrowing);
  std::vector<std::size_t*> made;
  std::size_t capacity = numbers.capacity();
  for (std::size_t i = 0; i < 10000; ++i) {
    const std::size_t room = numbers.remaining();
    made.push_back(numbers.New(i));
    if (room != 0) {
      CHECK(numbers.remaining() == room - 1);
    } else {
      CHECK(numbers.capacity() == 2 * capacity);
      capacity *= 2;
    }
  }
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < made.size(); ++i) {
    wrong += &numbers[i] != made[i] || *made[i] != i;
  }
  CHECK(wrong == 0);
}

TEST_CASE("TypedArena: growing from nothing") {
  CHECK(*TypedArena<int>(0, Growth::kGrowing).New(4) == 4);
  TypedArena<int> slabs(0, Growth::kGrowing);
  CHECK(slabs.NewSlab(500).size() == 500);
  const std::span<int> own = slabs.NewSlab(5000);  // more than as many again
  CHECK(&slabs[500] == own.data());
  CHECK(&slabs[5499] == &own[4999]);
  slabs.Reset();
  CHECK(slabs.NewSlab(500).size() == 500);
}

TEST_CASE("TypedArena: growth that fails changes nothing") {
  CountingSource source;
  TypedArena<Cell> cells(1000, Growth::kGrowing, {.source = &source});
  for (int i = 0; i < 999; ++i) cells.New();
  source.dry = true;
  CHECK(cells.TryNewSlab(500000).empty());
  CHECK_THROWS_AS(cells.NewSlab(500000), std::bad_alloc);
  CHECK(cells.used() == 999);
  CHECK(cells.remaining() == 1);
  CHECK(cells.capacity() == 1000);
  Cell* last = cells.TryNew();
  CHECK(last == &cells[998] + 1);
  source.dry = false;
  CHECK(cells.NewSlab(500000).size() == 500000);
}

TEST_CASE("TypedArena: uses the memory that its limit allows") {
  // A second segment as large as the first is beyond the limit, a smaller
  // one is not.
  CountingSource source;
  TypedArena<std::array<char, 4096>> pages(
      100, Growth::kGrowing, {.source = &source, .byte_limit = 200 * 4096});
  std::size_t made = 0;
  while (made < 1000 && pages.TryNew() != nullptr) ++made;
  CHECK(made >= 180);
  CHECK(made <= 200);
}

TEST_CASE("TypedArena: Reset keeps the segments and re-uses them") {
  CountingSource source;
  TypedArena<Cell> cells(8, Growth::kGrowing, {.source = &source});
  for (int i = 0; i < 5000; ++i) cells.New();
  const std::size_t capacity = cells.capacity();
  const std::size_t acquires = source.acquires;
  const Cell* first = &cells[0];
  for (int round = 0; round < 5; ++round) {
    cells.Reset();
    CHECK(cells.empty());
    CHECK(cells.remaining() == capacity);
    for (int i = 0; i < 5000; ++i) cells.New();
    CHECK(&cells[0] == first);
  }
  CHECK(cells.capacity() == capacity);
  CHECK(source.acquires == acquires);
}

TEST_CASE("TypedArena: Reset zeroes what was used, and nothing else") {
  TypedArena<int> numbers(16, Growth::kGrowing);
  int* first = numbers.New(1);
  numbers.NewSlab({2, 3});
  const std::span<int> second = numbers.NewSlab(14);  // in another segment
  for (int& number : second) number = 9;
  first[3] = 77;  // room of the arena that no element has
  numbers.Reset();
  CHECK(first[0] + first[1] + first[2] == 0);
  CHECK(first[3] == 77);
  for (const int& number : second) CHECK(number == 0);
  first[3] = 0;
  CHECK(*numbers.New() == 0);
}

TEST_CASE("TypedArena: containers of elements are bound, and end at Reset") {
  TypedArena<Holder> holders(10, Growth::kGrowing);
  for (int round = 0; round < 20; ++round) {
    const std::size_t before = holders.arena().stats().live();
    for (int i = 0; i < 10; ++i) {
      Holder* holder = i % 2 == 0 ? holders.New() : &holders.NewSlab(1)[0];
      for (int n = 0; n < 50; ++n) holder->numbers.push_back(n);
      holder->text = kLong;
      CHECK(holders.arena().Owns(holder->text.data()));
      CHECK(acre::ArenaOf(&holder->numbers[0]) == &holders.arena());
    }
    CHECK(holders.arena().stats().live() > before);
    holders.Reset();
    CHECK(holders.arena().stats().live() == before);
  }
}

TEST_CASE("TypedArena: a constructor that throws leaves no element") {
  TypedArena<Touchy> touchy(4);
  ThrowAt(2);
  Touchy* first = touchy.New(1);
  CHECK_THROWS_AS(touchy.New(2), std::runtime_error);
  CHECK(touchy.used() == 1);
  CHECK(touchy.remaining() == 3);
  CHECK(touchy.New(3) == first + 1);
  ThrowAt(1);
  CHECK_THROWS_AS(static_cast<void>(touchy.TryNew(4)), std::runtime_error);
  ThrowAt(0);
  CHECK(touchy.used() == 2);
  CHECK(touchy[1].value == 3);
}

TEST_CASE("TypedArena: a slab whose constructor throws leaves no element") {
  for (const Growth growth : {Growth::kFixed, Growth::kGrowing}) {
    for (int at = 1; at <= 5; ++at) {
      TypedArena<Touchy> touchy(8, growth);
      touchy.New(1);
      ThrowAt(at);
      CHECK_THROWS_AS(touchy.NewSlab(5), std::runtime_error);
      ThrowAt(0);
      const std::vector<Touchy> values(5);
      ThrowAt(at);
      CHECK_THROWS_AS(touchy.NewSlab(values), std::runtime_error);
      ThrowAt(0);
      CHECK(touchy.used() == 1);
      CHECK(touchy.remaining() == 7);
      CHECK_THROWS_AS(touchy.at(1), std::out_of_range);
      CHECK(touchy.New(2) == &touchy[0] + 1);
    }
  }
}

TEST_CASE("TypedArena: a slab that throws loses no room to the next") {
  // It did not fit the current segment: what is left there stays usable.
  TypedArena<Touchy> touchy(8, Growth::kGrowing);
  Touchy* first = touchy.New(1);
  ThrowAt(3);
  CHECK_THROWS_AS(touchy.NewSlab(20), std::runtime_error);
  ThrowAt(0);
  CHECK(touchy.used() == 1);
  CHECK(touchy.New(2) == first + 1);
  CHECK(touchy[1].value == 2);
}

TEST_CASE("TypedArena: a slab that throws loses none of its storage") {
  TypedArena<TouchyHolder> holders(8);
  std::vector<TouchyHolder> values;
  values.reserve(4);
  for (int i = 0; i < 4; ++i) values.emplace_back(holders.arena());
  const std::size_t before = holders.arena().stats().live();
  ThrowAt(3);  // two elements with storage are made, the third has none
  CHECK_THROWS_AS(holders.NewSlab(values), std::runtime_error);
  ThrowAt(0);
  CHECK(holders.used() == 0);
  holders.Reset();
  CHECK(holders.arena().stats().live() == before);
}

TEST_CASE("TypedArena: room that a throwing constructor used is zero again") {
  TypedArena<Touchy> touchy(4);
  ThrowAt(3);
  CHECK_THROWS_AS(touchy.NewSlab(4), std::runtime_error);
  ThrowAt(0);
  Touchy* first = touchy.New(1);
  touchy.Reset();
  CHECK(first[0].value == 0);
  CHECK(first[1].value == 0);
}

TEST_CASE("TypedArena: a constructor may make elements, as with Arena::New") {
  TypedArena<Branch> branches(100);
  Branch* root = branches.New(branches, 4);
  int depth = 4;
  for (Branch* at = root; at != nullptr && depth >= 0; at = at->child) {
    CHECK(at->depth == depth--);
  }
  CHECK(depth == -1);
  CHECK(branches.used() == 5);
}

// Random programs against a vector of addresses and values.
class Program {
 public:
  Program(std::uint64_t seed, Growth growth, std::size_t capacity)
      : growth_(growth), arena_(capacity, growth), random_(seed) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      if (i % 500 == 0) Verify();
    }
    Verify();
  }
  std::size_t errors() const { return errors_; }
  std::size_t most() const { return most_; }

 private:
  struct Made {
    const Cell* at;
    std::uint64_t value;
  };
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool holds) { errors_ += !holds; }

  void Step() {
    const std::uint64_t dice = Below(1000);
    if (dice < 2) return Reset();
    if (dice < 700) return Single();
    if (dice < 950) return Slab();
    Index();
  }

  void Add(const Cell* at) { model_.push_back({at, at->words[0]}); }

  void Single() {
    const std::size_t room = arena_.remaining();
    const Cell value{{random_(), random_(), 1}};
    const Cell* cell = arena_.TryNew(value);
    Expect((cell == nullptr) == (room == 0 && growth_ == Growth::kFixed));
    if (cell != nullptr) Add(cell);
  }

  void Slab() {
    const std::size_t count = Below(30) == 0 ? Below(3000) : Below(20);
    const std::size_t room = arena_.remaining();
    std::span<Cell> slab;
    if (Below(2) == 0) {
      slab = arena_.TryNewSlab(count);
      for (const Cell& cell : slab) {
        Expect(cell.words[0] == 7 && cell.words[1] == 8 && cell.words[2] == 9);
      }
      for (Cell& cell : slab) cell.words[0] = random_();
    } else {
      std::vector<Cell> values(count);
      for (Cell& cell : values) cell.words[0] = random_();
      slab = arena_.TryNewSlab(values);
      Expect(slab.empty() ||
             std::memcmp(slab.data(), values.data(), slab.size_bytes()) == 0);
    }
    if (growth_ == Growth::kFixed) {
      Expect(slab.size() == (count <= room ? count : 0));
      if (slab.empty()) Expect(arena_.remaining() == room);
    } else {
      Expect(slab.size() == count);
    }
    for (const Cell& cell : slab) Add(&cell);
  }

  void Index() {
    if (model_.empty()) return;
    const std::size_t index = Below(model_.size());
    Cell& cell = arena_[index];
    Expect(&cell == model_[index].at && cell.words[0] == model_[index].value);
    Expect(&arena_.at(index) == &cell && arena_.Owns(&cell));
    cell.words[0] = model_[index].value = random_();
  }

  void Reset() {
    Verify();
    const std::size_t capacity = arena_.capacity();
    arena_.Reset();
    Expect(arena_.capacity() == capacity && arena_.remaining() == capacity);
    for (const Made& made : model_) {
      Expect(made.at->words[0] == 0 && made.at->words[2] == 0);
      Expect(!arena_.Owns(made.at));
    }
    model_.clear();
  }

  void Verify() {
    Expect(arena_.used() == model_.size());
    Expect(arena_.empty() == model_.empty());
    Expect(arena_.used() + arena_.remaining() <= arena_.capacity());
    most_ = std::max(most_, model_.size());
    std::size_t index = 0;
    arena_.ForEach([&](Cell& cell) {
      const Made& made = model_[index];
      Expect(&cell == made.at && cell.words[0] == made.value);
      Expect(&arena_[index++] == &cell);
    });
    Expect(index == model_.size());
  }

  Growth growth_;
  TypedArena<Cell> arena_;
  std::mt19937_64 random_;
  std::vector<Made> model_;
  std::size_t errors_ = 0;
  std::size_t most_ = 0;
};

TEST_CASE("TypedArena model: random programs, fixed and growing") {
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    CAPTURE(seed);
    Program fixed(seed, Growth::kFixed, 500 + seed);
    fixed.Run(10000);
    CHECK(fixed.errors() == 0);
    CHECK(fixed.most() > 200);
    Program growing(seed, Growth::kGrowing, seed * seed);
    growing.Run(10000);
    CHECK(growing.errors() == 0);
    CHECK(growing.most() > 1000);
  }
}

}  // namespace typed_arena_test
