// SPDX-License-Identifier: MIT
//
// Guards the map of what is copied from a chunk: an extent is found from each
// of its granules and from no other, no granule has two owners, and what is
// pending is entered once.

#include "acre/detail/copy_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

using acre::detail::CopyMap;
using acre::detail::CopyNote;
using acre::detail::WalkMemory;
using Kind = acre::detail::CopyNote::Kind;

namespace {

constexpr std::size_t kSize = std::size_t{1} << 21;
alignas(4096) char chunk[kSize];

std::size_t RoundUp(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace

TEST_CASE("CopyNote: says what it was made of") {
  for (const unsigned number : {1u, 2u, 511u, 0x1fffu}) {
    const CopyNote note = CopyNote::Object(number);
    REQUIRE(note.is_start());
    CHECK(note.is_in_extent());
    CHECK(note.is_object());
    CHECK(note.kind() == Kind::kObject);
    CHECK(note.number() == number);
    CHECK(note.StartsObject(number));
    CHECK_FALSE(note.StartsObject(number ^ 1));
    CHECK(note.Waiting().is_object());
    CHECK(note.Waiting().number() == number);
    CHECK(note.Waiting().StartsObject(number));
    CHECK(note.Waiting().Entered().bits() == note.bits());
  }
  for (std::size_t bytes = 1; bytes <= 100; ++bytes) {
    for (const Kind kind : {Kind::kArray, Kind::kStorage}) {
      for (const unsigned number : {1u, 2u, 511u}) {
        const CopyNote note = CopyNote::Other(kind, number, bytes);
        REQUIRE(note.is_start());
        CHECK(note.is_in_extent());
        CHECK_FALSE(note.is_object());
        CHECK(note.kind() == kind);
        CHECK(note.number() == number);
        CHECK(note.pad() == RoundUp(bytes) - bytes);
        CHECK_FALSE(note.StartsObject(number));
      }
    }
  }
  for (const std::size_t distance : {1u, 2u, 63u, 64u, 0x7fffu}) {
    const CopyNote note = CopyNote::Behind(distance);
    CHECK_FALSE(note.is_start());
    CHECK(note.is_in_extent());
    CHECK(note.distance() == distance);
    CHECK_FALSE(note.StartsObject(511));
  }
  CHECK(CopyNote::Behind(1 << 20).distance() == CopyNote::kMaxDistance);
  const CopyNote added = CopyNote::Behind(0);
  CHECK(added);
  CHECK_FALSE(added.is_start());
  CHECK_FALSE(added.is_in_extent());
  CHECK_FALSE(CopyNote());
  CHECK_FALSE(CopyNote().is_start());
  CHECK_FALSE(CopyNote().is_in_extent());
}

TEST_CASE("CopyNote: four at once say what each says") {
  const CopyNote notes[] = {CopyNote(),
                            CopyNote::Object(1),
                            CopyNote::Object(0x1fff),
                            CopyNote::Object(1).Waiting(),
                            CopyNote::Object(0x1fff).Waiting(),
                            CopyNote::Other(Kind::kArray, 1, 16),
                            CopyNote::Other(Kind::kStorage, 511, 1),
                            CopyNote::Behind(0),
                            CopyNote::Behind(1),
                            CopyNote::Behind(0x7fff)};
  const auto waits = [](CopyNote note) {
    return note && note.is_object() && note.bits() == note.Waiting().bits();
  };
  for (const CopyNote a : notes) {
    for (const CopyNote b : notes) {
      const CopyNote lanes[] = {a, b, b, a};
      std::uint64_t four = 0;
      for (unsigned i = 0; i < 4; ++i) {
        four |= std::uint64_t{lanes[i].bits()} << (16 * i);
      }
      for (unsigned i = 0; i < 4; ++i) {
        const std::uint64_t bit = std::uint64_t{0x8000} << (16 * i);
        CHECK(((CopyNote::StartsIn(four) & bit) != 0) == lanes[i].is_start());
        CHECK(((CopyNote::AnyIn(four) & bit) != 0) ==
              static_cast<bool>(lanes[i]));
        CHECK(((CopyNote::WaitingIn(four) & bit) != 0) == waits(lanes[i]));
      }
      CHECK((CopyNote::StartsIn(four) & 0x7fff7fff7fff7fffu) == 0);
    }
  }
}

TEST_CASE("CopyMap: bounds") {
  const char* begin = chunk + 4096;
  CopyMap map(begin, kSize - 4096, begin + 4096);
  WalkMemory memory;
  CHECK(map.Holds(begin));
  CHECK(map.Holds(begin + 4095));
  CHECK_FALSE(map.Holds(begin + 4096));  // not handed out
  CHECK_FALSE(map.Holds(begin - 1));
  CHECK_FALSE(map.At(begin + 4095));
  const CopyNote note = CopyNote::Object(1);
  CHECK_FALSE(map.Note(begin + 4080, note, 32, 32, memory));
  CHECK_FALSE(map.At(begin + 4080));
  CHECK(map.Note(begin + 4064, note, 32, 32, memory));
  CHECK(map.IsIn(begin + 4064, begin + 4095));
  CHECK_FALSE(map.IsIn(begin + 4064, begin + 4096));
}

TEST_CASE("CopyMap: extents of any size at any granule, against a model") {
  std::mt19937 random(3);
  CopyMap map(chunk, kSize, chunk + kSize);
  WalkMemory memory;
  struct Extent {
    std::size_t begin;
    std::size_t bytes;
    std::size_t block;
    Kind kind;
    unsigned number;
  };
  std::vector<Extent> extents;
  std::vector<int> owner(kSize / 16, 0);  // 1 + index
  int refused = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::size_t begin = random() % (kSize / 16) * 16;
    // Once longer than a distance can tell.
    const std::size_t most = round < 1 ? 900'000 : round < 60 ? 20'000 : 700;
    const std::size_t bytes = most == 900'000 ? most : 1 + random() % most;
    // Classes add granules above 1024 bytes.
    const std::size_t more = bytes > 1024 ? random() % 3 * 16 : 0;
    const std::size_t block = RoundUp(bytes) + more;
    bool is_free = begin + block <= kSize;
    for (std::size_t i = begin / 16; is_free && i < (begin + block) / 16; ++i) {
      is_free = owner[i] == 0;
    }
    const auto kind = static_cast<Kind>(random() % 3);
    const auto number = static_cast<unsigned>(1 + random() % 511);
    const CopyNote note = kind == Kind::kObject
                              ? CopyNote::Object(number)
                              : CopyNote::Other(kind, number, bytes);
    REQUIRE(map.Note(chunk + begin, note, bytes, block, memory) == is_free);
    refused += is_free ? 0 : 1;
    if (!is_free) continue;
    extents.push_back({begin, bytes, block, kind, number});
    for (std::size_t i = begin / 16; i < (begin + block) / 16; ++i) {
      owner[i] = static_cast<int>(extents.size());
    }
  }
  REQUIRE(extents.size() > 500);
  REQUIRE(refused > 500);
  CHECK(map.has_large());
  CHECK_FALSE(map.is_alone());

  for (std::size_t i = 0; i < owner.size(); ++i) {
    const char* p = chunk + i * 16 + i % 16;
    const CopyNote note = map.At(p);
    if (owner[i] == 0) {
      REQUIRE_FALSE(note);
      continue;
    }
    const Extent& extent = extents[static_cast<std::size_t>(owner[i] - 1)];
    const char* start = chunk + extent.begin;
    const bool has_bytes = i * 16 < extent.begin + extent.bytes;
    REQUIRE(note);
    REQUIRE(note.is_in_extent() == has_bytes);
    REQUIRE(map.IsIn(start, p) == has_bytes);
    if (has_bytes) REQUIRE(map.StartOf(p, note) == start);
  }
  for (const Extent& extent : extents) {
    const char* start = chunk + extent.begin;
    REQUIRE(map.At(start).kind() == extent.kind);
    REQUIRE(map.At(start).number() == extent.number);
    REQUIRE(map.EndsAt(start, start + extent.bytes));
    REQUIRE_FALSE(map.EndsAt(start, start + extent.bytes + 16));
    if (extent.bytes > 16) {
      REQUIRE_FALSE(map.EndsAt(start, start + extent.bytes - 16));
    }
    if (extent.kind == Kind::kObject) continue;
    REQUIRE(map.BytesOf(start) == extent.bytes);
  }

  SUBCASE("extents come by address") {
    std::sort(extents.begin(), extents.end(),
              [](const auto& a, const auto& b) { return a.begin < b.begin; });
    std::size_t count = 0;
    map.ForEachExtent([&](const char* start, CopyNote note) {
      REQUIRE(count < extents.size());
      CHECK(start == chunk + extents[count].begin);
      CHECK(note.number() == extents[count].number);
      ++count;
    });
    CHECK(count == extents.size());
  }
  SUBCASE("lines know owners and starts; pieces end between extents") {
    map.MakeLines();
    std::size_t owned = 0;
    std::size_t starts = 0;
    std::size_t lines = 0;
    map.ForEachLine([&](CopyMap::Line& line, const char* at) {
      const auto first = static_cast<std::size_t>(at - chunk) / 16;
      line.bits = map.OwnedAt(at);
      for (std::size_t i = 0; i < 64; ++i) {
        REQUIRE((line.bits >> i & 1) == (owner[first + i] != 0 ? 1 : 0));
      }
      REQUIRE(&map.LineAt(at + 1023) == &line);
      REQUIRE(map.GranuleInLine(at + 17) == 1);
      owned += static_cast<std::size_t>(std::popcount(line.bits));
      starts += static_cast<std::size_t>(std::popcount(map.StartsAt(at)));
      ++lines;
    });
    std::size_t wanted = 0;
    for (const Extent& extent : extents) wanted += extent.block / 16;
    CHECK(owned == wanted);
    CHECK(starts == extents.size());
    std::size_t in_pieces = 0;
    std::size_t pieces = 0;
    map.ForEachPiece([&](std::span<CopyMap::Line*> piece) {
      REQUIRE_FALSE(piece.empty());
      in_pieces += piece.size();
      ++pieces;
    });
    CHECK(in_pieces == lines);
    CHECK(pieces > 100);
    CHECK(pieces < lines);
  }
}

TEST_CASE("CopyMap: what waits is entered once, by address") {
  std::mt19937 random(5);
  CopyMap map(chunk, kSize, chunk + kSize);
  WalkMemory memory;
  constexpr std::size_t kCount = 10'000;
  std::vector<const char*> objects;
  for (std::size_t i = 0; i < kCount; ++i) {
    objects.push_back(chunk + i * 208 / 16 * 16);
    REQUIRE(map.Note(objects.back(), CopyNote::Object(3), 32, 32, memory));
  }
  std::set<const char*> entered;
  std::vector<const char*> left = objects;
  std::shuffle(left.begin(), left.end(), random);
  const auto add = [&] {
    if (left.empty()) return;
    map.LetWait(left.back());
    left.pop_back();
  };
  add();
  int rounds = 0;
  while (map.waiting() != 0) {
    ++rounds;
    const char* last = nullptr;
    map.EnterWaiting([&](const char* start, CopyNote note) {
      CHECK(note.number() == 3);
      CHECK(entered.insert(start).second);
      // Only inside of a page does the way go back.
      if (last != nullptr) REQUIRE(start - last > -8192);
      last = start;
      if (random() % 4 != 0) add();
      if (random() % 4 != 0) add();
    });
    if (map.waiting() == 0) add();
  }
  CHECK(entered.size() == kCount);
  CHECK(rounds < 200);
}

TEST_CASE("CopyMap: one large block") {
  CopyMap map(chunk, kSize, chunk + kSize);
  WalkMemory memory;
  REQUIRE(map.Note(chunk, CopyNote::Other(Kind::kStorage, 1, 500'000), 500'000,
                   500'000, memory));
  CHECK(map.has_large());
  CHECK(map.is_alone());
  map.MakeLines();
  map.ForEachLine([&](CopyMap::Line& line, const char* at) {
    line.bits = map.OwnedAt(at);
  });
  std::size_t pieces = 0;
  map.ForEachPiece([&](std::span<CopyMap::Line*>) { ++pieces; });
  CHECK(pieces == 1);
  REQUIRE(
      map.Note(chunk + 600'000 / 16 * 16, CopyNote::Object(1), 16, 16, memory));
  CHECK_FALSE(map.is_alone());
}
