// SPDX-License-Identifier: MIT
//
// Guards that room which was reserved in a Map or Set lasts: until that many
// elements are in, nothing moves and nothing is allocated, whatever is erased
// and inserted in between.

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <stdexcept>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"

namespace reserve_test {

using acre::Arena;
using acre::Map;

namespace {

/// Sixteen homes in a large table: nearly everything overflows.
struct FewHomes {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const {
    return (acre::Hash<int>()(key) & 0x00FF'FFFF'FFFF'FFFF) |
           std::uint64_t(key & 15) << 60;
  }
};

/// All homes; no fingerprint tells keys apart, so that each element that a
/// search meets is compared.
struct OneFingerprint {
  using is_avalanching = void;
  std::uint64_t operator()(int key) const {
    return acre::Hash<int>()(key) & ~std::uint64_t{0xFFFF};
  }
};
struct CountingEqual {
  bool operator()(int a, int b) const {
    ++calls;
    return a == b;
  }
  static inline std::size_t calls = 0;
};

int calls_left = -1;  // of the hash, before it throws; -1: never

struct ThrowingHash : FewHomes {
  std::uint64_t operator()(int key) const {
    if (calls_left == 0) throw std::runtime_error("hash");
    if (calls_left > 0) --calls_left;
    return FewHomes::operator()(key);
  }
};

/// Erases and inserts for long, with `count` elements at most.
template <class H>
void CheckLasts(std::size_t count) {
  CAPTURE(count);
  std::mt19937 random(static_cast<unsigned>(count));
  Arena arena;
  Map<int, int, H> map(arena);
  map.reserve(count);
  const std::size_t carved = arena.stats().carved;
  const std::size_t buckets = map.bucket_count();
  std::unordered_map<int, const int*> model;  // where each value lies
  std::vector<int> keys;
  int next = 0;
  for (std::size_t step = 0; step < 30 * count + 100; ++step) {
    if (keys.size() == count || (!keys.empty() && random() % 3 == 0)) {
      std::swap(keys[random() % keys.size()], keys.back());
      REQUIRE(map.erase(keys.back()) == 1);
      model.erase(keys.back());
      keys.pop_back();
    } else {
      const int key = next++;
      model[key] = &map.try_emplace(key, -key).first->second;
      keys.push_back(key);
    }
  }
  while (keys.size() < count) {
    keys.push_back(next);
    model[next] = &map.try_emplace(next, -next).first->second;
    ++next;
  }
  REQUIRE(map.size() == count);
  CHECK(arena.stats().carved == carved);
  CHECK(map.bucket_count() == buckets);
  for (const auto& [key, value] : model) {
    REQUIRE(map.get(key) == value);
    REQUIRE(*value == -key);
  }
  for (int key = 0; key < next; key += 7) {
    REQUIRE(map.contains(key) == (model.count(key) == 1));
  }
  CHECK(std::distance(map.begin(), map.end()) ==
        static_cast<std::ptrdiff_t>(count));
}

}  // namespace

TEST_CASE("Map: what was reserved lasts over any erasures and insertions") {
  for (const std::size_t count : {1, 2, 12, 13, 22, 23, 26, 27, 45, 91, 92, 105,
                                  183, 184, 367, 368, 420, 1'000, 3'000}) {
    CheckLasts<acre::Hash<int>>(count);
    CheckLasts<FewHomes>(count);
  }
}

TEST_CASE(
    "Map: a table is no larger for it than a quarter more elements make it") {
  for (std::size_t count = 20; count < 20'000; count += count / 3) {
    CAPTURE(count);
    Arena arena;
    Map<int, int> reserved(arena);
    reserved.reserve(count);
    Map<int, int> filled(arena);
    const auto more = static_cast<int>(count + count / 4);
    filled.rehash(static_cast<std::size_t>(more));
    CHECK(reserved.bucket_count() <= 2 * filled.bucket_count());
    CHECK(reserved.bucket_count() * 49 / 64 >= count);
  }
}

TEST_CASE("Map: a full table that is worn out keeps its iterators") {
  Arena arena;
  Map<int, int, FewHomes> map(arena);
  map.reserve(300);
  for (int i = 0; i < 300; ++i) map[i] = i;
  const auto kept = map.find(7);
  for (int i = 300; i < 20'000; ++i) {
    map.erase(i == 307 ? 7'000'000 : i - 300 == 7 ? 8 : i - 300);
    if (map.size() < 300) map[i] = i;
  }
  CHECK(kept == map.find(7));
  std::size_t behind = 0;
  for (auto at = kept; at != map.end(); ++at) ++behind;
  CHECK(behind > 0);
  CHECK(behind <= map.size());
}

TEST_CASE("Map: misses stay short however much was erased") {
  // If overflow bits were never cleaned each miss would visit all groups.
  Arena arena;
  Map<int, int, OneFingerprint, CountingEqual> map(arena);
  map.reserve(3'000);
  int next = 0;
  for (; next < 3'000; ++next) map[next] = next;
  const auto visited_by_misses = [&map] {
    CountingEqual::calls = 0;
    for (int key = 1; key < 10'000; ++key) REQUIRE_FALSE(map.contains(-key));
    return CountingEqual::calls;
  };
  const std::size_t fresh = visited_by_misses();
  const std::size_t buckets = map.bucket_count();
  for (; next < 200'000; ++next) {
    map.erase(next - 3'000);
    map[next] = next;
  }
  CHECK(map.bucket_count() == buckets);
  CHECK(visited_by_misses() < 3 * fresh);
}

TEST_CASE("Map: a hash that throws while room is made loses nothing") {
  Arena arena;
  Map<int, int, ThrowingHash> map(arena);
  map.reserve(360);
  int next = 0;
  for (; next < 360; ++next) map[next] = next;
  int thrown = 0;
  int oldest = 0;
  for (int round = 0; round < 3'000; ++round) {
    REQUIRE(map.erase(oldest++) == 1);
    calls_left = 1 + round % 300;  // the key's own, then those of the table
    try {
      map.try_emplace(next, next);
    } catch (const std::runtime_error&) {
      ++thrown;
      calls_left = -1;
      REQUIRE_FALSE(map.contains(next));
      map.try_emplace(next, next);
    }
    calls_left = -1;
    ++next;
    REQUIRE(map.size() == 360);
  }
  CHECK(thrown > 0);
  for (int key = oldest; key < next; ++key) REQUIRE(map.at(key) == key);
  CHECK_FALSE(map.contains(oldest - 1));
}

}  // namespace reserve_test
