// SPDX-License-Identifier: MIT
//
// Guards the marks of the audit: an object is seen once, what cannot be told
// apart is refused, and they take less than a 32nd of the chunk.

#include "acre/detail/chunk_marks.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace chunk_marks_test {

using acre::detail::ChunkMarks;
using Seen = ChunkMarks::Seen;

namespace {

alignas(16) char chunk[1 << 16];

}  // namespace

TEST_CASE("ChunkMarks: an object is marked once, by address and type") {
  ChunkMarks marks(chunk, sizeof chunk, chunk + sizeof chunk);
  CHECK(marks.Mark(chunk + 64, 1) == Seen::kNow);
  CHECK(marks.Mark(chunk + 64, 1) == Seen::kBefore);
  CHECK(marks.IsMarked(chunk + 64, 1));
  CHECK_FALSE(marks.IsMarked(chunk + 64, 2));
  CHECK(marks.Mark(chunk + 72, 1) == Seen::kNoPlace);  // the same granule
  CHECK_FALSE(marks.IsMarked(chunk + 72, 1));
  CHECK(marks.Mark(chunk + 88, 1) == Seen::kNow);
  CHECK(marks.Mark(chunk + 88, 1) == Seen::kBefore);
  CHECK(marks.Mark(chunk + 80, 1) == Seen::kNoPlace);
  CHECK(marks.Mark(chunk + 64, 2) == Seen::kNoPlace);  // the line is of 1
  CHECK(marks.Mark(chunk + 96, 2) == Seen::kNoPlace);
  CHECK(marks.Mark(chunk + 128, 2) == Seen::kNow);
  CHECK(marks.Mark(chunk + 4, 1) == Seen::kNoPlace);
  CHECK(marks.Mark(chunk + 256, 0) == Seen::kNoPlace);  // no number
  CHECK(marks.Mark(chunk + 1008, 15) == Seen::kNow);
  CHECK(marks.Mark(chunk + sizeof chunk - 16, 3) == Seen::kNow);
}

TEST_CASE("ChunkMarks: bounds") {
  char* const begin = chunk + 16;
  const ChunkMarks marks(begin, 4096, begin + 1000);
  CHECK(marks.Holds(begin));
  CHECK(marks.Holds(begin + 4095));
  CHECK_FALSE(marks.Holds(begin + 4096));
  CHECK_FALSE(marks.Holds(begin - 1));
  CHECK(marks.RoomAt(begin) == 1000);
  CHECK(marks.RoomAt(begin + 999) == 1);
  CHECK(marks.RoomAt(begin + 1000) == 0);
  CHECK(marks.RoomAt(begin + 4000) == 0);
}

TEST_CASE("ChunkMarks: less than a 32nd of the chunk") {
  for (const std::size_t size :
       {std::size_t{64} << 10, std::size_t{4} << 20, std::size_t{100} << 20}) {
    CHECK(ChunkMarks(chunk, size, chunk).bytes() * 32 < size);
  }
}

TEST_CASE("ChunkMarks: what is pending is entered once, by address") {
  ChunkMarks marks(chunk, sizeof chunk, chunk + sizeof chunk);
  std::mt19937 random(7);
  std::set<std::pair<const char*, unsigned>> marked;
  const auto add = [&] {
    const char* object = chunk + random() % (sizeof chunk / 8) * 8;
    const unsigned type = 1 + random() % 15;
    if (marks.Mark(object, type) != Seen::kNow) return;
    marks.SetPending(object);
    marked.emplace(object, type);
  };
  for (int i = 0; i < 500; ++i) add();
  std::set<std::pair<const char*, unsigned>> entered;
  int added = 0;
  while (marks.HasPending()) {
    std::ptrdiff_t last = 0;  // the kilobyte, within which new ones may come
    marks.EnterPending([&](const char* object, unsigned type) {
      CHECK((object - chunk) / 1024 >= last);
      last = (object - chunk) / 1024;
      CHECK(entered.emplace(object, type).second);
      if (added < 500) {
        ++added;
        add();
      }
    });
  }
  CHECK(entered == marked);
  CHECK(entered.size() > 300);
  CHECK(marks.AssignRanks(7) == 7 + marked.size());
  std::size_t rank = 7;
  marks.ForEachMarked([&](const char* object, unsigned type) {
    CHECK(marked.contains({object, type}));
    CHECK(marks.RankOf(object, type) == rank++);
    CHECK(marks.RankOf(object, type % 15 + 1) == ChunkMarks::kNoRank);
    CHECK(marks.RankOf(object + 4, type) == ChunkMarks::kNoRank);
  });
}

}  // namespace chunk_marks_test
