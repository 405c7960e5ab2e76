// SPDX-License-Identifier: MIT
//
// How Map and Set grow: slots of every size, and hashes that throw.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/vector.h"

using acre::Map;
using acre::Set;
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

template <std::size_t N>
void GrowsWithSlotsOf() {
  CAPTURE(N);
  using Slots = Set<Bytes<N>, BytesHash>;
  const std::uint32_t count = N == 1 ? 256 : 3000;
  acre::Arena arena;
  Slots grown(arena);
  for (std::uint32_t i = 0; i < count; ++i) {
    REQUIRE(grown.insert(BytesOf<N>(i)).second);
  }
  // Reserved in steps that neither double nor quadruple.
  Slots reserved(arena);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i == 20 || i == 200) reserved.reserve(i * 10);
    REQUIRE(reserved.insert(BytesOf<N>(i)).second);
  }
  for (const Slots* set : {&grown, &reserved}) {
    REQUIRE(set->size() == count);
    for (std::uint32_t i = 0; i < count; ++i) {
      REQUIRE(set->contains(BytesOf<N>(i)));
    }
    std::size_t seen = 0;
    for (const Bytes<N>& bytes : *set) {
      REQUIRE(set->contains(bytes));
      ++seen;
    }
    REQUIRE(seen == count);
  }
  grown.Release();
  reserved.Release();
  CHECK(arena.stats().live() == 0);
}

template <std::size_t... Sizes>
void GrowsWithSlotsOfAll(std::index_sequence<Sizes...>) {
  (GrowsWithSlotsOf<Sizes + 1>(), ...);
}

// Throws after `calls_left` calls; never where that is negative.
int calls_left = -1;
struct ThrowingHash {
  std::uint64_t operator()(int key) const {
    if (calls_left == 0) throw std::runtime_error("hash");
    if (calls_left > 0) --calls_left;
    return acre::Hash<int>()(key);
  }
};

}  // namespace

TEST_CASE("Table: slots of every size keep their bytes through every growth") {
  GrowsWithSlotsOfAll(std::make_index_sequence<72>());
  GrowsWithSlotsOf<100>();
  GrowsWithSlotsOf<256>();
}

TEST_CASE("Table: a hash that throws while it grows loses nothing") {
  acre::Arena arena;
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
