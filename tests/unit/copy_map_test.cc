// SPDX-License-Identifier: MIT
//
// Guards the map of what is copied from a chunk: an extent is found from each
// of its granules and from no other, no granule has two owners, and what is
// pending is entered once.

#include "copy/copy_map.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <span>
#include <vector>

namespace copy_map_test {

using acre::detail::CopyMap;
using acre::detail::CopyNote;
using acre::detail::WalkMemory;
using Kind = acre::detail::CopyNote::Kind;

namespace {

constexpr std::size_t kSize = std::size_t{1} << 21;
alignas(4096) char chunk[kSize];

std::size_t RoundUp(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

}  // namespace

TEST_CASE("CopyMap: a few notes are found where one page has them") {
  const char* begin = chunk + 4096 + 16;  // no multiple of a line
  CopyMap map(begin, kSize - 8192, begin + 65536);
  WalkMemory memory;
  for (std::size_t i = 0; i < 65536; i += 8) {
    const char* at = begin + i;
    const std::uint16_t* few = map.NotesFrom(at, memory);
    const auto granule = static_cast<std::size_t>(at - chunk) / 16 - 4096 / 16;
    REQUIRE((few != nullptr) == (i % 16 == 0 && granule % 512 <= 504));
    if (few == nullptr) continue;
    const auto note = static_cast<std::uint16_t>(1 + i % 1000);
    std::uint16_t* own = map.NotesFrom(at, memory);
    REQUIRE(own == few);
    *own = note;
    REQUIRE(map.At(at).bits() == note);
    REQUIRE(map.At(at + 15).bits() == note);
    *own = 0;
  }
  // Not handed out.
  const char* last = begin + 65536 - 16;
  std::uint16_t* few = map.NotesFrom(last, memory);
  REQUIRE(few != nullptr);
  const CopyNote note = CopyNote::Object(1);
  CHECK_FALSE(map.NoteFew(few, {note, 2}, last, 32));
  CHECK_FALSE(map.At(last));
  CHECK_FALSE(map.NoteFew(few, {}, last, 16));
  CHECK(map.NoteFew(few, {note, 1}, last, 16));
  CHECK(map.At(last).bits() == note.bits());
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
  int by_few = 0;
  for (int round = 0; round < 6000; ++round) {
    const std::size_t begin = random() % (kSize / 16) * 16;
    // Once longer than a distance can tell.
    const std::size_t most = round < 1        ? 900'000
                             : round < 60     ? 20'000
                             : round % 4 == 0 ? 700
                                              : 128;
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
    // Small ones in either of two ways.
    bool is_noted = false;
    const bool has_few =
        begin / 16 % 512 <= 504 && block <= 128 && round % 3 != 0;
    if (has_few) {
      std::uint16_t* few = map.NotesFrom(chunk + begin, memory);
      REQUIRE(few != nullptr);
      is_noted = map.NoteFew(few, {note, block / 16}, chunk + begin, block);
      REQUIRE(is_noted == is_free);
    } else {
      is_noted = map.Note(chunk + begin, note, bytes, block, memory);
    }
    by_few += has_few ? 1 : 0;
    REQUIRE(is_noted == is_free);
    refused += is_free ? 0 : 1;
    if (!is_free) continue;
    extents.push_back({begin, bytes, block, kind, number});
    for (std::size_t i = begin / 16; i < (begin + block) / 16; ++i) {
      owner[i] = static_cast<int>(extents.size());
    }
  }
  REQUIRE(extents.size() > 500);
  REQUIRE(refused > 500);
  REQUIRE(by_few > 200);
  CHECK(map.has_unclassed());
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
    using Reach = CopyMap::Reach;
    const std::size_t pad = RoundUp(extent.bytes) - extent.bytes;
    const auto reach_of = [&](std::size_t bytes) {
      return map.ReachOf(start, start + bytes, pad);
    };
    REQUIRE(reach_of(extent.bytes) == Reach::kTo);
    REQUIRE(reach_of(extent.bytes + 1) == Reach::kBefore);
    REQUIRE(reach_of(extent.bytes + 16) == Reach::kBefore);
    if (extent.bytes > 1) REQUIRE(reach_of(extent.bytes - 1) == Reach::kBeyond);
    if (extent.bytes > 16) {
      REQUIRE(reach_of(extent.bytes - 16) == Reach::kBeyond);
    }
    if (extent.kind == Kind::kObject) continue;
    REQUIRE(map.BytesOf(start) == extent.bytes);
  }

  map.MakeLines();
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
    count = 0;
    map.ForEachApart([&](const char* start, CopyNote note,
                         const CopyMap::Line& line, std::size_t granule) {
      while (extents[count].kind == Kind::kStorage) ++count;
      CHECK(start == chunk + extents[count].begin);
      CHECK(note.kind() == extents[count].kind);
      CHECK(&line == &map.LineAt(start));
      CHECK(granule == CopyMap::GranuleInLine(start));
      ++count;
    });
    while (count < extents.size() && extents[count].kind == Kind::kStorage) {
      ++count;
    }
    CHECK(count == extents.size());
  }
  SUBCASE("lines know owners and starts; pieces end between extents") {
    std::size_t owned = 0;
    std::size_t starts = 0;
    std::size_t lines = 0;
    map.ForEachLine([&](CopyMap::Line& line, const char* at) {
      const auto first = static_cast<std::size_t>(at - chunk) / 16;
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
  }
  std::set<const char*> entered;
  std::vector<const char*> left = objects;
  std::shuffle(left.begin(), left.end(), random);
  const auto add = [&] {
    if (left.empty()) return;
    const CopyNote note = CopyNote::Object(3).Waiting();
    REQUIRE(map.Note(left.back(), note, 32, 32, memory));
    map.CountWaiting(left.back());
    left.pop_back();
  };
  add();
  int rounds = 0;
  while (map.waiting() != 0) {
    ++rounds;
    const char* last = nullptr;
    map.EnterWaiting([&](const char* start, unsigned number) {
      CHECK(number == 3);
      CHECK_FALSE(map.At(start).waits());
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
  CHECK(map.has_unclassed());
  CHECK(map.is_alone());
  bool has_another = false;
  SUBCASE("alone") {
    map.MakeLines();
    std::size_t pieces = 0;
    map.ForEachPiece([&](std::span<CopyMap::Line*>) { ++pieces; });
    CHECK(pieces == 1);
  }
  SUBCASE("beside a small one") {
    has_another = true;
    REQUIRE(map.Note(chunk + 600'000 / 16 * 16, CopyNote::Object(1), 16, 16,
                     memory));
  }
  CHECK(map.is_alone() == !has_another);
}

}  // namespace copy_map_test
