// SPDX-License-Identifier: MIT
//
// Guards the map from a chunk to the copies of what lies in it: an extent is
// found from every granule, and from no other.

#include "acre/detail/forward_map.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using acre::detail::ForwardCell;
using acre::detail::ForwardMap;
using acre::detail::WalkMemory;

namespace {

constexpr std::size_t kSize = std::size_t{1} << 18;
alignas(4096) char chunk[kSize];
alignas(16) char target[kSize];

}  // namespace

TEST_CASE("ForwardCell: says what it was made of") {
  char* copy = target + 4080;
  for (std::size_t bytes = 1; bytes <= 1024; ++bytes) {
    const ForwardCell first(copy, 1023, bytes);
    REQUIRE(first);
    CHECK_FALSE(first.is_large());
    CHECK(first.copy() == copy);
    CHECK(first.number() == 1023);
    CHECK(first.granule() == 0);
    CHECK((bytes + first.pad()) % 16 == 0);
    CHECK(first.pad() < 16);
    CHECK(first.StartsSmall(1023));
    CHECK_FALSE(first.StartsSmall(1022));
    if (bytes <= 16) continue;
    const std::size_t last = (bytes - 1) / 16;
    CHECK(first.Nth(last).granule() == last);
    CHECK(first.Nth(last).copy() == copy);
    CHECK_FALSE(first.Nth(last).StartsSmall(1023));
  }
  const ForwardCell large = ForwardCell::Large(12345);
  CHECK(large.is_large());
  CHECK(large.index() == 12345);
  CHECK(large.Nth(7).index() == 12345);
  CHECK_FALSE(ForwardCell());
}

TEST_CASE("ForwardMap: bounds") {
  const char* begin = chunk + 4096;
  const ForwardMap map(begin, kSize - 4096, begin + 4096);
  CHECK(map.Holds(begin));
  CHECK(map.Holds(begin + 4095));
  CHECK_FALSE(map.Holds(begin + 4096));  // not handed out
  CHECK_FALSE(map.Holds(begin - 1));
  CHECK_FALSE(map.At(begin + 4095));
}

TEST_CASE("ForwardMap: extents of any size at any granule, against a model") {
  std::mt19937 random(3);
  ForwardMap map(chunk, kSize, chunk + kSize);
  WalkMemory memory;
  struct Extent {
    std::size_t begin;
    std::size_t bytes;
  };
  std::vector<Extent> small;
  std::vector<Extent> large;
  std::vector<int> owner(kSize / 16, 0);  // 1 + index in small, -1 - in large
  for (int round = 0; round < 2000; ++round) {
    const std::size_t begin = random() % (kSize / 16) * 16;
    const std::size_t most = round < 10 ? 20000 : 1024;
    const std::size_t bytes = 1 + random() % most;
    if (begin + bytes > kSize) continue;
    bool is_free = true;
    for (std::size_t i = begin / 16; i <= (begin + bytes - 1) / 16; ++i) {
      is_free = is_free && owner[i] == 0;
    }
    REQUIRE(map.IsFree(chunk + begin, bytes) == is_free);
    if (!is_free) continue;
    const bool is_small = bytes <= 1024;
    auto& list = is_small ? small : large;
    map.MakeCells(chunk + begin, bytes, memory);
    REQUIRE(map.IsFree(chunk + begin, bytes));
    map.Note(chunk + begin, bytes,
             is_small ? ForwardCell(target + begin, 5, bytes)
                      : ForwardCell::Large(large.size()));
    list.push_back({begin, bytes});
    const int mark = static_cast<int>(list.size());
    for (std::size_t i = begin / 16; i <= (begin + bytes - 1) / 16; ++i) {
      owner[i] = is_small ? mark : -mark;
    }
  }
  REQUIRE(small.size() > 100);
  REQUIRE(large.size() > 3);
  for (std::size_t i = 0; i < owner.size(); ++i) {
    const char* p = chunk + i * 16 + i % 16;
    const ForwardCell cell = map.At(p);
    REQUIRE(static_cast<bool>(cell) == (owner[i] != 0));
    if (owner[i] < 0) {
      REQUIRE(cell.is_large());
      REQUIRE(cell.index() == static_cast<std::size_t>(-owner[i] - 1));
    } else if (owner[i] > 0) {
      const Extent& extent = small[static_cast<std::size_t>(owner[i] - 1)];
      const char* begin = map.BeginOf(p, cell);
      REQUIRE(begin == chunk + extent.begin);
      REQUIRE(cell.copy() == target + extent.begin);
      REQUIRE(map.BytesOf(begin, map.At(begin)) == extent.bytes);
    }
  }
  std::size_t count = 0;
  map.ForEachSmall([&](const char* begin, std::size_t bytes, ForwardCell cell) {
    ++count;
    CHECK(map.At(begin).bits() == cell.bits());
    CHECK(map.BytesOf(begin, cell) == bytes);
  });
  CHECK(count == small.size());
}
