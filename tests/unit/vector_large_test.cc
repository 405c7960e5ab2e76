// SPDX-License-Identifier: MIT
//
// Guards Vectors of more than a quarter of a megabyte: alone in their chunk
// they grow into what is left of it, and what they leave is found again.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <numeric>
#include <random>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace vector_large_test {

using acre::Vector;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

struct Odd {
  char bytes[24];
};
ACRE_LAYOUT(Odd, bytes)
struct alignas(64) Line {
  char bytes[64];
};
ACRE_LAYOUT(Line, bytes)
struct Page {
  char bytes[65'536];
};
ACRE_LAYOUT(Page, bytes)

/// One chunk of a MiB, and no other: `more` makes room for others.
acre::ArenaOptions OneChunk(acre_test::CountingSource& source,
                            std::size_t more = 0) {
  return {.source = &source, .first_chunk = kMiB, .byte_limit = kMiB + more};
}

/// As pushing one by one, which grows where the storage is full.
void PushTo(Vector<int>& v, std::size_t size) {
  while (v.size() < size) {
    v.push_back(static_cast<int>(v.size()));
    const std::size_t begin = v.size();
    v.resize(std::min(size, v.capacity()));
    std::iota(v.data() + begin, v.data() + v.size(), static_cast<int>(begin));
  }
}

bool Counts(const Vector<int>& v) {
  for (std::size_t i = 0; i < v.size(); ++i) {
    if (v[i] != static_cast<int>(i)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Vector: grows into the rest of its chunk") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source));
  Vector<int> v(arena);
  v.push_back(0);
  const int* const data = v.data();
  PushTo(v, kMiB / sizeof(int) - 64);  // a block of a MiB has no room
  CHECK(v.data() == data);
  CHECK(Counts(v));
  CHECK(source.acquires == 1);
  CHECK(arena.stats().freed == 0);
}

TEST_CASE("Vector: grows into the rest by whole elements") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = kMiB * 5 / 4});
  Vector<Odd> v(arena);
  v.push_back({});
  const Odd* const data = v.data();
  while (v.size() < (kMiB * 5 / 4 - 256) / sizeof(Odd)) v.push_back({});
  CHECK(v.data() == data);
  CHECK(v.capacity() % 2 == 0);
  v.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Vector: does not grow into a rest too small to be worth it") {
  acre::Arena arena({.source = &acre::MallocSource::Instance(),
                     .first_chunk = std::size_t{700} << 10});
  Vector<int> v(arena);
  v.push_back(0);
  const int* const data = v.data();
  // 512 KiB fit, and half as much again do not.
  PushTo(v, kMiB / 2 / sizeof(int));
  CHECK(v.data() == data);
  v.push_back(-1);
  CHECK(v.data() != data);
  CHECK(v.capacity() >= kMiB / sizeof(int));
}

TEST_CASE("Vector: does not grow into the rest of a chunk with other blocks") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source, 4 * kMiB));
  static_cast<void>(arena.New<int>(1));
  Vector<int> v(arena);
  v.push_back(0);
  const int* const data = v.data();
  PushTo(v, kMiB / 2 / sizeof(int) + 1);
  CHECK(v.data() != data);
}

TEST_CASE("Vector: large ones and a few small blocks take turns, bounded") {
  for (const std::size_t mib : {1, 2, 3, 5}) {
    CAPTURE(mib);
    acre_test::CountingSource source;
    acre::Arena arena({.source = &source});
    for (int round = 0; round < acre_test::Scaled(60, 10); ++round) {
      Vector<int> v(arena);
      PushTo(v, mib * kMiB / sizeof(int));
      for (int i = 0; i < 20; ++i) static_cast<void>(arena.New<int>(1));
      v.Release();
      REQUIRE(source.bytes < 26 * kMiB);
    }
  }
}

TEST_CASE("Vector: elements aligned to a line do not get a block of pages") {
  acre::Arena arena(
      {.source = &acre::MallocSource::Instance(), .first_chunk = 4 * kMiB});
  static_cast<void>(arena.Allocate(16));
  Vector<Line> v(arena);
  v.push_back({});
  REQUIRE(reinterpret_cast<std::uintptr_t>(v.data()) % 4096 != 0);
  v.insert(v.end(), (kMiB / 2 / sizeof(Line)) - 1, Line{});
  v.Release();
  const void* pages = arena.Allocate(kMiB / 2, 4096);
  CHECK(reinterpret_cast<std::uintptr_t>(pages) % 4096 == 0);
}

TEST_CASE("Vector: one of more than 64 MiB leaves its chunk to the next") {
  acre_test::CountingSource source;
  acre::Arena arena(
      {.source = &source, .first_chunk = 100 * kMiB, .max_chunk = 100 * kMiB});
  for (int round = 0; round < 3; ++round) {
    Vector<Page> v(arena);
    while (v.size() < 70 * kMiB / sizeof(Page)) v.emplace_back();
    v.Release();
    CHECK(arena.stats().live() == 0);
    CHECK(source.acquires == 1);
  }
}

TEST_CASE("Vector: leaves its place at the end of a chunk to what comes next") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source));
  for (int round = 0; round < 5; ++round) {
    Vector<int> v(arena);
    PushTo(v, kMiB / sizeof(int) - 64);
    REQUIRE(Counts(v));
    v.Release();
    CHECK(arena.stats().live() == 0);
  }
  // Blocks of any size find room there, too.
  for (int i = 0; i < 15; ++i) static_cast<void>(arena.Allocate(60'000));
  CHECK(source.acquires == 1);
}

TEST_CASE("Vector: leaves its place in a chunk that is no longer current") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source, kMiB));
  Vector<int> v(arena);
  PushTo(v, kMiB / sizeof(int) - 64);
  auto* behind = arena.New<std::uint64_t>(7U);  // maybe in the next chunk
  while (source.acquires == 1) behind = arena.New<std::uint64_t>(7U);
  const std::size_t live = arena.stats().live();
  v.Release();
  CHECK(arena.stats().live() < live - (kMiB - 4096));
  CHECK(arena.stats().spare_chunks == 1);
  // 250 KiB a piece, of the chunk the Vector has left.
  const std::size_t acquires = source.acquires;
  for (int i = 0; i < 4; ++i) static_cast<void>(arena.Allocate(250'000));
  CHECK(source.acquires == acquires);
  CHECK(*behind == 7U);
}

TEST_CASE("Vector: copied from the end of one chunk to a larger block") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source, .first_chunk = kMiB});
  Vector<int> v(arena);
  PushTo(v, 2 * kMiB / sizeof(int));
  CHECK(Counts(v));
  v.shrink_to_fit();
  CHECK(Counts(v));
  v.resize(100);
  v.shrink_to_fit();
  CHECK(Counts(v));
  v.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Vector: moves from the end of a chunk that has become longer") {
  std::vector<std::byte> buffer(8 * kMiB);
  acre::FixedSource source(buffer);
  acre::Arena arena({.source = &source, .byte_limit = kMiB});
  Vector<int> v(arena);
  PushTo(v, kMiB / sizeof(int) - 64);
  const int* const data = v.data();
  v.resize(v.capacity());
  arena.set_byte_limit(8 * kMiB);
  auto* behind = arena.New<std::uint64_t>(7U);
  REQUIRE(static_cast<void*>(behind) >= v.data() + v.size());
  v.push_back(-1);
  CHECK(v.data() != data);
  CHECK(arena.stats().chunks == 1);
  const std::size_t carved = arena.stats().carved;
  for (int i = 0; i < 3; ++i) static_cast<void>(arena.Allocate(250'000));
  CHECK(arena.stats().carved == carved);  // in its old place
  CHECK(*behind == 7U);
}

TEST_CASE("Vector: at the end of a chunk it is audited and copied") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source));
  Vector<int> v(arena);
  PushTo(v, kMiB / sizeof(int) - 64);
  const acre::AuditReport report = acre::Audit(arena, v);
  CHECK(report.findings.empty());
  CHECK(report.objects == 1);
  acre::Arena other;
  auto* copy = acre::DeepCopy(other, v);
  CHECK(Counts(*copy));
  v.Release();
  CHECK(Counts(*copy));
}

TEST_CASE("Vector: at the end of a chunk it has no power of two to double") {
  std::vector<std::byte> buffer(8 * kMiB);
  acre::FixedSource source(buffer);
  // 16 for the header and 16 at the end are not for blocks.
  acre::Arena arena({.source = &source, .byte_limit = kMiB + 32});
  Vector<int> v(arena);
  v.reserve(600'000 / sizeof(int));
  const int* const data = v.data();
  PushTo(v, v.capacity() + 1);
  REQUIRE(v.data() == data);
  REQUIRE(v.capacity() * sizeof(int) > kMiB - 64);
  v.resize(v.capacity());
  arena.set_byte_limit(8 * kMiB);
  REQUIRE(arena.TryReserve(4 * kMiB));
  v.push_back(1);
  v.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Vector: only one of a chunk has no size class") {
  std::vector<std::byte> buffer(8 * kMiB);
  acre::FixedSource source(buffer);
  acre::Arena arena({.source = &source, .byte_limit = kMiB});
  Vector<int> first(arena);
  PushTo(first, kMiB / sizeof(int) - 64);
  arena.set_byte_limit(2 * kMiB - 4096);
  Vector<int> second(arena);
  CHECK_THROWS_AS(PushTo(second, kMiB / sizeof(int)), std::bad_alloc);
  CHECK(second.size() == kMiB / 2 / sizeof(int));
  first.Release();
  for (const std::size_t bytes : {kMiB, kMiB / 4, kMiB / 4, kMiB / 4}) {
    void* block = arena.TryAllocate(bytes);
    if (block != nullptr) std::memset(block, 0xFF, bytes);
  }
  CHECK(Counts(second));
}

TEST_CASE("Vector: one with a chunk of its own does not grow into the next") {
  acre_test::AdjacentSource source;
  acre::Arena arena({.source = &source, .first_chunk = 64 << 10});
  static_cast<void>(arena.Allocate(16));
  Vector<int> v(arena);
  v.reserve(((256 << 10) + 16) / sizeof(int));
  REQUIRE(arena.stats().large_blocks == 1);
  PushTo(v, v.capacity());
  // The class of this size ends behind the block, in the chunk behind it.
  const auto* class_end = reinterpret_cast<std::byte*>(v.data()) + (320 << 10);
  std::byte* last = acre_test::TakeUpTo(arena, class_end);
  REQUIRE(last + 16 == class_end);
  *last = std::byte{7};
  for (int i = 0; i < 200'000; ++i) v.push_back(static_cast<int>(v.size()));
  CHECK(*last == std::byte{7});
  CHECK(Counts(v));
}

TEST_CASE("Vector: one at the end of a chunk waits for its mark to close") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source, kMiB));
  Vector<int> v(arena);
  PushTo(v, kMiB / sizeof(int) - 64);
  const auto* const storage = reinterpret_cast<const char*>(v.data());
  const acre::Mark mark = arena.Checkpoint();
  v.Release();
  for (int i = 0; i < 8; ++i) {
    const auto* p = static_cast<const char*>(arena.TryAllocate(200'000));
    CHECK((p < storage || p >= storage + kMiB - 4096));
  }
  arena.Rewind(mark);
  CHECK(arena.stats().live() == 0);
  for (int i = 0; i < 8; ++i) static_cast<void>(arena.Allocate(200'000));
  CHECK(source.acquires == 2);
}

TEST_CASE("Vector: a Rewind forgets who grew to the end of the chunk") {
  acre_test::CountingSource source;
  acre::Arena arena(OneChunk(source, kMiB));
  for (int i = 0; i < 3; ++i) static_cast<void>(arena.Allocate(250'000));
  const std::size_t live = arena.stats().live();
  const acre::Mark mark = arena.Checkpoint();
  Vector<int> v(arena);
  PushTo(v, kMiB / sizeof(int) - 64);
  const void* const data = v.data();
  arena.Rewind(mark);
  CHECK(arena.stats().live() == live);
  // At the same place, a block with a class: all of it comes back.
  void* block = arena.Allocate(300'000);
  REQUIRE(block == data);
  arena.Free(block, 300'000);
  CHECK(arena.stats().live() == live);
}

namespace {

struct Triple {
  int tag = 0;
  int up = 0;
  int down = 0;
  bool operator==(const Triple&) const = default;
};
ACRE_LAYOUT(Triple, tag, up, down)

/// A history of a few large Vectors beside raw blocks, marks and Resets.
class History {
 public:
  explicit History(unsigned seed)
      : random_(seed),
        arena_({.source = &source_,
                .first_chunk = kMiB << (seed % 3),
                .freelists = seed % 5 != 0}) {
    Empty();
  }

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) {
      Step();
      for (const Entry& entry : entries_) REQUIRE(Holds(entry));
      for (const Raw& raw : raw_) REQUIRE(Holds(raw));
    }
    while (!marks_.empty()) Close();
    for (Entry& entry : entries_) entry.vector->Release();
    for (const Raw& raw : raw_) arena_.Free(raw.block, raw.bytes);
    // Without freelists only the last block comes back.
    CHECK(arena_.stats().live() == 0);
    CHECK_FALSE(source_.broken);
  }

 private:
  struct Entry {
    std::unique_ptr<Vector<Triple>> vector;
    int tag = 0;
    std::size_t marks = 0;  // open when it got its storage
  };
  struct Raw {
    char* block;
    std::size_t bytes;
    char tag;
    std::size_t marks;
  };

  std::size_t Below(std::size_t bound) { return random_() % bound; }

  void Empty() {
    entries_.clear();
    raw_.clear();
    marks_.clear();
    for (int i = 0; i < 3; ++i) Add();
  }
  void Add() {
    entries_.push_back(
        {std::make_unique<Vector<Triple>>(arena_), ++tags_, marks_.size()});
  }

  void Step() {
    const std::size_t at = Below(entries_.size());
    Entry& entry = entries_[at];
    switch (Below(10)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Grow(entry);
      case 4:
        return Release(entry);
      case 5:
        if (entry.marks == marks_.size()) {
          entry.vector->resize(entry.vector->size() / (1 + Below(3)));
          entry.vector->shrink_to_fit();
        }
        return;
      case 6:
        return Take();
      case 7:
        return Give();
      case 8:
        if (marks_.size() < 3 && Below(2) == 0) {
          marks_.push_back(arena_.Checkpoint());
          Add();
        } else if (!marks_.empty()) {
          Close();
        }
        return;
      default:
        if (Below(20) != 0) return Grow(entry);
        arena_.Reset();
        Empty();
    }
  }

  void Grow(Entry& entry) {
    if (entry.marks != marks_.size()) return;
    const std::size_t most = entry.vector->size() + Below(120'000);
    if (most > 700'000) return Release(entry);
    // As PushTo.
    Vector<Triple>& v = *entry.vector;
    while (v.size() < most) {
      const std::size_t begin = v.size();
      v.push_back({});
      v.resize(std::min(most, v.capacity()));
      Triple* const data = v.data();
      for (std::size_t i = begin; i < v.size(); ++i) {
        const auto n = static_cast<int>(i);
        data[i] = {entry.tag, n, -n};
      }
    }
  }
  void Release(Entry& entry) { entry.vector->Release(); }
  void Take() {
    const std::size_t bytes = Below(3) == 0 ? Below(900'000) : Below(3'000);
    const auto tag = static_cast<char>(++tags_);
    auto* block = static_cast<char*>(arena_.Allocate(bytes + 2));
    block[0] = block[bytes + 1] = tag;
    raw_.push_back({block, bytes + 2, tag, marks_.size()});
  }
  void Give() {
    if (raw_.empty()) return;
    const std::size_t at = Below(raw_.size());
    arena_.Free(raw_[at].block, raw_[at].bytes);
    raw_[at] = raw_.back();
    raw_.pop_back();
  }
  void Close() {
    arena_.Rewind(marks_.back());
    std::erase_if(entries_,
                  [&](const Entry& e) { return e.marks >= marks_.size(); });
    std::erase_if(raw_, [&](const Raw& r) { return r.marks >= marks_.size(); });
    marks_.pop_back();
  }

  static bool Holds(const Entry& entry) {
    const auto& v = *entry.vector;
    for (std::size_t i = 0; i < v.size(); i += 97) {
      const auto n = static_cast<int>(i);
      if (v[i] != Triple{entry.tag, n, -n}) return false;
    }
    return v.empty() || v.back().up == static_cast<int>(v.size()) - 1;
  }
  static bool Holds(const Raw& raw) {
    return raw.block[0] == raw.tag && raw.block[raw.bytes - 1] == raw.tag;
  }

  std::mt19937 random_;
  acre_test::CountingSource source_;
  acre::Arena arena_;
  std::vector<Entry> entries_;
  std::vector<Raw> raw_;
  std::vector<acre::Mark> marks_;
  int tags_ = 0;
};

}  // namespace

TEST_CASE("Vector: any history of large ones keeps all elements, no garbage") {
  for (unsigned seed = 1; seed <= acre_test::Scaled(60u, 6u); ++seed) {
    CAPTURE(seed);
    History(seed).Run(120);
  }
}

}  // namespace vector_large_test
