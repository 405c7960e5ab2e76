// SPDX-License-Identifier: MIT
//
// Guards how tables of one group grow: they have a way of their own where the
// arena has a block at hand, and must come to lie as they do otherwise.

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/string.h"

namespace table_small_test {

using acre::Arena;
using acre::Map;

namespace {

template <std::size_t N>
using Words = std::array<std::uint32_t, N>;

template <class M>
std::vector<int> OrderOf(const M& map) {
  std::vector<int> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

// The same insertions and erasures, in an arena that has blocks at hand and in
// one that never has: where it is traced, each block takes a call.
template <std::size_t N>
void CheckSameGrowth() {
  CAPTURE(N);
  for (std::size_t reserved = 0; reserved <= 16; ++reserved) {
    CAPTURE(reserved);
    Arena plain;
    Arena traced({.trace = acre::Trace::kPointers});
    using Small = Map<int, Words<N>>;
    Small a(plain);
    Small b(traced);
    std::map<int, std::uint32_t> model;
    a.reserve(reserved);
    b.reserve(reserved);
    std::minstd_rand random(static_cast<unsigned>(reserved + 1));
    for (std::uint32_t i = 0; i < 60; ++i) {
      const int key = static_cast<int>(random() % 40);
      if (random() % 4 == 0) {
        const std::size_t erased = model.erase(key);
        REQUIRE(a.erase(key) == erased);
        REQUIRE(b.erase(key) == erased);
      } else {
        Words<N> words;
        words.fill(i);
        const bool is_new = model.try_emplace(key, i).second;
        REQUIRE(a.try_emplace(key, words).second == is_new);
        REQUIRE(b.try_emplace(key, words).second == is_new);
      }
      REQUIRE(OrderOf(a) == OrderOf(b));
      REQUIRE(a.bucket_count() == b.bucket_count());
      REQUIRE(a.size() == model.size());
      for (const auto& [k, first] : model) {
        const Words<N>* const words = a.get(k);
        REQUIRE(words != nullptr);
        for (const std::uint32_t word : *words) REQUIRE(word == first);
      }
    }
    REQUIRE(plain.stats().live() == traced.stats().live());
    a.Release();
    REQUIRE(plain.stats().live() == 0);
  }
}

/// Runs `action` at the call that makes `calls_left` zero.
std::size_t calls_left = 0;
std::function<void()> action;

struct ActingHash {
  template <class K>
  std::uint64_t operator()(const K& key) const {
    const std::uint64_t hash = acre::Hash<K>()(key);  // it may go
    if (calls_left != 0 && --calls_left == 0) std::exchange(action, nullptr)();
    return hash;
  }
};

constexpr int kNew = -1;

/// All of one group or the other: the top bit is the key's lowest.
struct TwoHomes {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const {
    const auto bits = static_cast<std::uint64_t>(key);
    return bits << 63 | (bits >> 1);
  }
};

}  // namespace

TEST_CASE("Table: a small one grows alike, with a block at hand or without") {
  CheckSameGrowth<1>();
  CheckSameGrowth<2>();
  CheckSameGrowth<3>();
  CheckSameGrowth<5>();
  CheckSameGrowth<7>();
  CheckSameGrowth<9>();
  CheckSameGrowth<20>();  // one slot, three, seven
  CheckSameGrowth<70>();  // more than is handed out inline
}

TEST_CASE("Table: a small one whose keys all go to one of two groups") {
  for (const int only : {0, 1}) {
    for (std::size_t reserved = 0; reserved <= 15; ++reserved) {
      CAPTURE(reserved);
      Arena arena;
      Map<int, int, TwoHomes> map(arena);
      map.reserve(reserved);
      for (int i = 0; i < 40; ++i) {
        REQUIRE(map.try_emplace(2 * i + only, i).second);
        for (int k = 0; k <= i; ++k) REQUIRE(map.at(2 * k + only) == k);
        REQUIRE(OrderOf(map).size() == static_cast<std::size_t>(i + 1));
      }
      map.Release();
      REQUIRE(arena.stats().live() == 0);
    }
  }
}

TEST_CASE("Table: a hash that uses the small table which grows") {
  using M = Map<int, int, ActingHash>;
  const std::vector<std::pair<const char*, void (*)(M&)>> actions = {
      {"inserts the key", [](M& map) { map.try_emplace(kNew, 7); }},
      {"inserts another", [](M& map) { map.try_emplace(-2, 7); }},
      {"inserts many",
       [](M& map) {
         for (int i = 0; i < 50; ++i) map.try_emplace(-3 - i, 7);
       }},
      {"erases", [](M& map) { map.erase(0); }},
      {"erases one and inserts one",
       [](M& map) {
         map.erase(0);
         map.try_emplace(-2, 7);
       }},
      {"clears", [](M& map) { map.clear(); }},
      {"clears and fills again",
       [](M& map) {
         const int size = static_cast<int>(map.size());
         map.clear();
         for (int i = 0; i < size; ++i) map.try_emplace(-2 - i, 7);
       }},
      {"releases", [](M& map) { map.Release(); }},
      {"fills another of the arena",
       [](M& map) {
         M other(*map.arena());
         for (int i = 0; i < 30; ++i) other.try_emplace(i, i);
         other.Release();
       }},
  };
  // How many fill their table: of one group, twice; of two; of eight.
  for (const int size : {6, 14, 26, 105}) {
    CAPTURE(size);
    for (const auto& entry : actions) {
      const char* const what = entry.first;
      CAPTURE(what);
      for (std::size_t call = 2; call <= static_cast<std::size_t>(size) + 1;
           ++call) {
        CAPTURE(call);
        Arena arena;
        M map(arena);
        for (int i = 0; i < size; ++i) map.try_emplace(i, i);
        if (size < 15) REQUIRE(map.bucket_count() == map.size());
        calls_left = call;
        action = [&] { entry.second(map); };
        map.try_emplace(kNew, 7);
        const bool has_acted = calls_left == 0;
        calls_left = 0;
        // Of one group that stays one nothing is hashed but the key.
        REQUIRE((has_acted || size == 6));
        REQUIRE(map.contains(kNew));
        std::map<int, int> seen;
        for (const auto& [key, value] : map) {
          REQUIRE(seen.try_emplace(key, value).second);
          REQUIRE(value == (key < 0 ? 7 : key));
          REQUIRE(map.get(key) == &value);
        }
        REQUIRE(seen.size() == map.size());
        map.Release();
        REQUIRE(arena.stats().live() == 0);
      }
    }
  }
}

TEST_CASE("Table: a hash of texts that uses the table which grows") {
  using M = Map<acre::String, int, ActingHash>;
  Arena arena;
  const auto key = [&](int i) {
    return acre::String(arena, "a text that has storage, " + std::to_string(i));
  };
  const auto insert = [&](M& map, int i) { map.try_emplace(key(i), i); };
  for (const int size : {4, 9, 26, 105}) {
    CAPTURE(size);
    for (const int what : {0, 1, 2, 3}) {
      CAPTURE(what);
      for (std::size_t call = 2; call <= static_cast<std::size_t>(size) + 1;
           ++call) {
        CAPTURE(call);
        M map(arena);
        for (int i = 0; i < size; ++i) insert(map, i);
        calls_left = call;
        action = [&] {
          if (what == 1) map.clear();
          if (what == 2) map.Release();
          for (int i = 0; i < (what == 3 ? 50 : 1); ++i) insert(map, 1000 + i);
        };
        insert(map, -1);
        calls_left = 0;
        acre::String asked = key(-1);
        REQUIRE(map.contains(asked));
        asked.Release();
        for (const auto& [text, number] : map) REQUIRE(map.contains(text));
        map.Release();
        REQUIRE(arena.stats().live() == 0);
      }
    }
  }
}

TEST_CASE("Table: a hash that throws as a small table grows") {
  Arena arena;
  Map<int, acre::String, ActingHash> map(arena);
  const auto text = [](int i) {
    return "a text of more than 23 characters, number " + std::to_string(i);
  };
  constexpr int kSize = 9;
  for (int i = 0; i < kSize; ++i) map[i] = text(i);
  REQUIRE(map.bucket_count() == kSize);
  for (std::size_t call = 1; call <= kSize + 1; ++call) {
    CAPTURE(call);
    const std::size_t live = arena.stats().live();
    acre::String value(arena, text(-1));
    calls_left = call;
    action = [] { throw std::runtime_error("hash"); };
    CHECK_THROWS_AS(map.try_emplace(-1, std::move(value)), std::runtime_error);
    calls_left = 0;
    value.Release();  // if it was not taken
    CHECK(arena.stats().live() == live);
    REQUIRE(map.size() == kSize);
    REQUIRE_FALSE(map.contains(-1));
    for (int i = 0; i < kSize; ++i) REQUIRE(map.at(i) == text(i));
  }
}

}  // namespace table_small_test
