// SPDX-License-Identifier: MIT
//
// Guards how Map and Set grow: slots of every size, hashes that throw or are
// poor, tables that erasures have worn out.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/deep_copy.h"
#include "acre/hash.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace table_growth_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

namespace {

template <std::size_t N>
using Bytes = std::array<unsigned char, N>;

// Every byte tells the number, so that a lost or a foreign one is seen.
template <std::size_t N>
Bytes<N> BytesOf(std::uint32_t number) {
  Bytes<N> bytes;
  for (std::size_t i = 0; i < N; ++i) {
    bytes[i] = static_cast<unsigned char>((number >> (i % 4 * 8)) + i / 4);
  }
  return bytes;
}

struct BytesHash {
  template <std::size_t N>
  std::uint64_t operator()(const Bytes<N>& bytes) const {
    std::uint32_t number = 0;
    std::memcpy(&number, bytes.data(), N < 4 ? N : 4);
    return number;
  }
};

// What a set of slots of one size lacks, or "" where all is well. Without an
// assertion of doctest's: there are 74 sizes to compile.
template <std::size_t N>
const char* WhatIsLost(const Set<Bytes<N>, BytesHash>& set,
                       std::uint32_t count) {
  if (set.size() != count) return "the size";
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!set.contains(BytesOf<N>(i))) return "an element";
  }
  std::size_t seen = 0;
  for (const Bytes<N>& bytes : set) {
    if (!set.contains(bytes)) return "an element that was iterated over";
    ++seen;
  }
  return seen == count ? "" : "a step of the iteration";
}

template <std::size_t N>
const char* WhatGrowingLoses() {
  using Slots = Set<Bytes<N>, BytesHash>;
  const std::uint32_t count = N == 1 ? 256 : 3000;
  Arena arena;
  Slots grown(arena);
  // Reserved in steps that neither double nor quadruple.
  Slots reserved(arena);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i == 20 || i == 200) reserved.reserve(i * 10);
    if (!grown.insert(BytesOf<N>(i)).second) return "an insertion";
    if (!reserved.insert(BytesOf<N>(i)).second) return "one after reserve";
  }
  for (const Slots* set : {&grown, &reserved}) {
    const char* lost = WhatIsLost<N>(*set, count);
    if (*lost != 0) return lost;
  }
  grown.Release();
  reserved.Release();
  return arena.stats().live() == 0 ? "" : "memory";
}

void CheckGrowth(std::size_t size, const char* (*what_growing_loses)()) {
  CAPTURE(size);
  CHECK(std::string(what_growing_loses()) == "");
}

template <std::size_t... Sizes>
void CheckGrowthOf(std::index_sequence<Sizes...>) {
  (CheckGrowth(Sizes, WhatGrowingLoses<Sizes>), ...);
}

template <std::size_t... Sizes>
void CheckGrowthUpTo(std::index_sequence<Sizes...>) {
  CheckGrowthOf(std::index_sequence<Sizes + 1 ...>());
}

// Throws after `calls_left` calls; never where that is negative.
int calls_left = -1;
struct ThrowingHash {
  std::uint64_t operator()(const auto& key) const {
    if (calls_left == 0) throw std::runtime_error("hash");
    if (calls_left > 0) --calls_left;
    return acre::Hash<std::remove_cvref_t<decltype(key)>>()(key);
  }
};

// Nearly all go elsewhere than to the group their hash names.
struct PoorHash {
  std::uint64_t operator()(int key) const {
    return static_cast<std::uint64_t>(key & 3);
  }
};

struct Friends;
struct Person {
  String name;
  Friends* friends = nullptr;
  int* outside = nullptr;
};
ACRE_LAYOUT(Person, name, friends, outside)
struct Friends {
  Map<Person*, int, ThrowingHash> since;
  Set<Person*, ThrowingHash> close;
};
ACRE_LAYOUT(Friends, since, close)

struct alignas(64) Line {
  std::int64_t number = 0;
  std::int64_t others[7] = {};
};
ACRE_LAYOUT(Line, number, others)

String LongKey(Arena& arena, int i) {
  return {arena,
          "a key that does not fit into a String, number " + std::to_string(i)};
}

}  // namespace

TEST_CASE("Table: slots of every size keep their bytes through every growth") {
#if defined(__clang__) && !ACRE_CHECKED
  CheckGrowthUpTo(std::make_index_sequence<72>());
#else
  // Each takes a third of a second to compile, twice that with g++ or
  // sanitizers: those where something begins or ends.
  CheckGrowthOf(std::index_sequence<1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 24,
                                    31, 32, 33, 40, 48, 63, 64, 65, 72>());
#endif
  CheckGrowth(100, WhatGrowingLoses<100>);
  CheckGrowth(256, WhatGrowingLoses<256>);
}

TEST_CASE("Table: a hash that throws while it grows loses nothing") {
  Arena arena;
  for (const int size : {26, 105, 420, 1680}) {  // each fills its table
    CAPTURE(size);
    Map<int, Vector<int>, ThrowingHash> map(arena);
    for (int i = 0; i < size; ++i) map[i].push_back(i);
    const std::size_t live = arena.stats().live();
    for (const int call : {1, 2, size / 2, size}) {
      CAPTURE(call);
      Vector<int> value(arena, {1, 2, 3});
      calls_left = call;  // the first is for the key itself
      CHECK_THROWS_AS(map.try_emplace(-1, std::move(value)),
                      std::runtime_error);
      calls_left = call - 1;
      CHECK_THROWS_AS(map.reserve(static_cast<std::size_t>(size) * 9),
                      std::runtime_error);
      calls_left = -1;
      CHECK(arena.stats().live() == live);
      CHECK(map.size() == static_cast<std::size_t>(size));
      for (int i = 0; i < size; ++i) {
        REQUIRE(map.contains(i));
        REQUIRE(map.at(i).size() == 1);
        REQUIRE(map.at(i)[0] == i);
      }
      CHECK_FALSE(map.contains(-1));
    }
    CHECK(map.try_emplace(-1).second);
    map.Release();
    CHECK(arena.stats().live() == 0);
  }
}

// One that is made in the arena before it is moved to where it belongs.
TEST_CASE("Table: where a large element does not fit nothing is lost") {
  using Large = std::array<char, 2000>;
  int failures = 0;
  for (std::size_t limit = 4096; limit < 400'000; limit += 1000) {
    Arena arena({.source = &acre::MallocSource::Instance(),
                 .first_chunk = 4096,
                 .max_chunk = 4096,
                 .byte_limit = limit});
    Map<int, Large> map(arena);
    int count = 0;
    try {
      for (; count < 30; ++count) map[count].fill(static_cast<char>(count));
    } catch (const std::bad_alloc&) {
      ++failures;
    }
    REQUIRE(map.size() == static_cast<std::size_t>(count));
    for (const auto& [key, value] : map) {
      REQUIRE(value.back() == static_cast<char>(key));
    }
    map.Release();
    REQUIRE(arena.stats().live() == 0);
  }
  CHECK(failures > 50);
}

TEST_CASE("Table: keys that own storage survive a hash that throws") {
  Arena arena;
  Map<String, int, ThrowingHash> map(arena);
  for (int i = 0; i < 26; ++i) map[LongKey(arena, i)] = i;
  const std::size_t live = arena.stats().live();
  for (int call = 1; call <= 26; ++call) {
    String key = LongKey(arena, -1);
    calls_left = call;
    CHECK_THROWS_AS(map.try_emplace(std::move(key)), std::runtime_error);
    calls_left = -1;
    CHECK(arena.stats().live() == live);
  }
  for (int i = 0; i < 26; ++i) {
    String key = LongKey(arena, i);
    REQUIRE(map.at(key) == i);
    key.Release();
  }
  map.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Table: stays at its size where erasures wore it out") {
  Arena arena;
  Map<int, Line, PoorHash> map(arena);
  for (int i = 0; i < 400; ++i) map[i].number = i;
  const std::size_t live = arena.stats().live();
  for (int round = 1; round < 20; ++round) {
    for (int i = 0; i < 399; ++i)
      REQUIRE(map.erase(i + (round - 1) * 400) == 1);
    for (int i = 0; i < 399; ++i) map[i + round * 400].number = i;
    map[399 + round * 400].number = 399;
    REQUIRE(map.erase(399 + (round - 1) * 400) == 1);
    REQUIRE(map.size() == 400);
    for (const auto& [key, line] : map) {
      REQUIRE(reinterpret_cast<std::uintptr_t>(&line) % 64 == 0);
      REQUIRE(line.number == key % 400);
      REQUIRE(map.get(key) == &line);
    }
  }
  CHECK(arena.stats().live() == live);
  map.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Table: after erasures reserve still makes room for that many") {
  Arena arena;
  Set<int, PoorHash> set(arena);
  for (int i = 0; i < 400; ++i) set.insert(i);
  for (int i = 0; i < 399; ++i) set.erase(i);
  const std::size_t live = arena.stats().live();
  set.reserve(300);
  CHECK(arena.stats().live() == live);  // of the same size
  set.reserve(400);
  const int* last = set.get(399);
  for (int i = 1000; i < 1399; ++i) set.insert(i);
  CHECK(set.get(399) == last);
  CHECK(set.size() == 400);
  const int* kept = set.get(1000);
  set.reserve(400);  // there is room
  set.reserve(0);
  CHECK(set.get(1000) == kept);
}

TEST_CASE("Table: reserving again and again after erasures is no linear step") {
  Arena arena;
  Set<int, PoorHash> set(arena);
  for (int i = 0; i < 400; ++i) set.insert(i);
  int moves = 0;
  for (int i = 0; i < 399; ++i) {
    set.erase(i);
    const int* last = set.get(399);
    set.reserve(400);
    moves += set.get(399) != last ? 1 : 0;
    set.insert(1000 + i);
  }
  CHECK(moves <= 2);
}

TEST_CASE("Table: a hash that throws in a deep copy leaves nothing of it") {
  Arena from;
  Person* me = from.New<Person>();
  me->friends = from.New<Friends>();
  for (int i = 0; i < 50; ++i) {
    Person* other = from.New<Person>();
    other->name = LongKey(from, i);
    other->friends = me->friends;
    me->friends->since[other] = i;
    if (i % 2 == 0) me->friends->close.insert(other);
  }
  const auto outside = std::make_unique<int>(3);
  for (int* target : {static_cast<int*>(nullptr), outside.get()}) {
    me->outside = target;  // what the copier of graphs in arenas cannot do
    for (int calls = 0; calls < 75; ++calls) {
      CAPTURE(calls);
      Arena to;
      calls_left = calls;
      CHECK_THROWS_AS(acre::DeepCopy(to, *me), std::runtime_error);
      calls_left = -1;
      REQUIRE(to.stats().live() == 0);
      if (calls % 20 != 0) continue;
      const Person* copy = acre::DeepCopy(to, *me);
      REQUIRE(copy->friends->since.size() == 50);
      for (const auto& [person, since] : copy->friends->since) {
        REQUIRE(to.Owns(person));
        REQUIRE(copy->friends->since.contains(person));
        REQUIRE(copy->friends->close.contains(person) == (since % 2 == 0));
      }
    }
  }
}

}  // namespace table_growth_test
