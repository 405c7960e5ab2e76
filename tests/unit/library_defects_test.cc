// SPDX-License-Identifier: MIT
//
// Guards against the known defects of the library that acre replaces: one test
// case for each, by its name.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"
#include "test_sources.h"

namespace library_defects_test {

using acre::Arena;
using acre::Map;
using acre::String;
using acre::Vector;

constexpr const char* kLong = "a text that is too long to stay in the handle";

struct Node {
  Node* next = nullptr;
  Node* other = nullptr;
  int values[10] = {};
};
ACRE_LAYOUT(Node, owned(next), other, values)

struct alignas(64) Line {
  float lanes[16] = {};
};
ACRE_LAYOUT(Line, lanes)

struct alignas(16) Wide {
  double lanes[2] = {};
};
ACRE_LAYOUT(Wide, lanes)

bool IsAligned(const void* p, std::size_t align) {
  return reinterpret_cast<std::uintptr_t>(p) % align == 0;
}

/// What a finalizer frees, and whether it did.
struct Job {
  Arena* arena;
  Node* node;
  bool done;
};

void FreeInFinalizer(void*, void* job_address) {
  Job& job = *static_cast<Job*>(job_address);
  job.arena->Free(job.node);
  job.done = true;
}

__attribute__((noinline)) void MakeGarbage(Job* job) {
  void* garbage = GC_MALLOC(64);
  GC_register_finalizer(garbage, FreeInFinalizer, job, nullptr, nullptr);
}

TEST_CASE("Defect: allocation after Reset works") {
  for (const acre::ResetMode mode :
       {acre::ResetMode::kKeep, acre::ResetMode::kClear,
        acre::ResetMode::kRelease}) {
    Arena arena({.first_chunk = 1024, .max_chunk = 4096});
    std::size_t reserved = 0;
    for (int round = 0; round < 5; ++round) {
      Node* last = nullptr;
      for (int i = 0; i < 1000; ++i) {
        Node* node = arena.New<Node>();
        REQUIRE(arena.Owns(node));
        REQUIRE(node->next == nullptr);
        node->next = last;
        node->values[9] = i;
        last = node;
      }
      int expected = 1000;
      bool intact = true;
      for (; last != nullptr; last = last->next) {
        intact = intact && last->values[9] == --expected;
      }
      CHECK(intact);
      CHECK(expected == 0);
      if (round == 0) reserved = arena.stats().reserved;
      CHECK(arena.stats().reserved == reserved);  // nothing piles up
      arena.Reset(mode);
      CHECK(arena.stats().live() == 0);
    }
  }
}

TEST_CASE("Defect: Free does not deadlock in a finalizer") {
  acre_test::NeedCollector();
  Arena arena;
  std::vector<Job> jobs;  // a stale word may keep some of the garbage
  for (int i = 0; i < 20; ++i)
    jobs.push_back({&arena, arena.New<Node>(), false});
  const std::size_t live = arena.stats().live();
  for (Job& job : jobs) MakeGarbage(&job);
  acre_test::Collect(3);
  const auto done = static_cast<std::size_t>(std::count_if(
      jobs.begin(), jobs.end(), [](const Job& j) { return j.done; }));
  CHECK(done > 10);
  CHECK(arena.stats().live() == live - done * (live / 20));
  CHECK(arena.New<Node>() != nullptr);
}

TEST_CASE("Defect: Free does not deadlock while the arena asks its source") {
  acre_test::HookedSource source(acre::MallocSource::Instance());
  Arena arena({.source = &source, .first_chunk = 1024, .max_chunk = 1024});
  std::vector<Node*> nodes;
  for (int i = 0; i < 3; ++i) nodes.push_back(arena.New<Node>());
  int freed = 0;
  source.before = [&] {
    if (nodes.empty()) return;
    arena.Free(nodes.back());
    nodes.pop_back();
    ++freed;
  };
  std::vector<Node*> more;
  for (int i = 0; i < 200; ++i) more.push_back(arena.New<Node>());
  CHECK(freed == 3);
  for (Node* node : more) arena.Free(node);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Defect: recycled memory is zeroed by New") {
  Arena arena;
  for (int round = 0; round < 3; ++round) {
    std::vector<Node*> nodes;
    for (int i = 0; i < 100; ++i) {
      Node* node = arena.New<Node>();
      const std::span<int> numbers = arena.NewArray<int>(16);
      REQUIRE(node->next == nullptr);
      REQUIRE(node->other == nullptr);
      for (const int value : node->values) REQUIRE(value == 0);
      for (const int value : numbers) REQUIRE(value == 0);
      std::memset(static_cast<void*>(node), 0xEE, sizeof *node);
      std::memset(numbers.data(), 0xEE, numbers.size_bytes());
      nodes.push_back(node);
      arena.Free(numbers);
    }
    if (round == 1) {
      arena.Reset();
    } else {
      for (Node* node : nodes) arena.Free(node);
    }
  }
}

TEST_CASE("Defect: deep copy keeps sharing and cycles") {
  Arena from;
  Node* a = from.New<Node>();
  Node* b = from.New<Node>();
  a->next = a->other = b;
  b->next = a;
  b->other = b;
  Arena to;
  Node* copy = acre::DeepCopy(to, *a);
  CHECK(copy != a);
  CHECK(copy->next == copy->other);
  CHECK(copy->next->next == copy);
  CHECK(copy->next->other == copy->next);
  to.FreeGraph(copy);
  CHECK(to.stats().live() == 0);
}

#if ACRE_CHECKED
TEST_CASE("Defect: a double Free is found") {
  Arena arena;
  Node* node = arena.New<Node>();
  arena.Free(node);
  CHECK_DIES(arena.Free(node), "double Free");
  const std::span<int> numbers = arena.NewArray<int>(8);
  arena.Free(numbers);
  CHECK_DIES(arena.Free(numbers), "double Free");
}
#endif

TEST_CASE("Defect: removing from a vector keeps its tail and leaks nothing") {
  Arena arena;
  Vector<String> texts(arena);
  texts.reserve(100);
  const std::size_t empty = arena.stats().live();
  for (int i = 0; i < 100; ++i) {
    texts.emplace_back() = kLong + std::to_string(i);
  }
  const String* data = texts.data();
  const std::size_t full = arena.stats().live();
  const std::size_t carved = arena.stats().carved;
  const std::size_t each = (full - empty) / 100;
  const char* last = texts.back().data();
  texts.erase(texts.begin() + 10);
  texts.erase(texts.begin(), texts.begin() + 9);
  CHECK(texts.data() == data);         // in place
  CHECK(texts.back().data() == last);  // the texts are moved, not copied
  CHECK(arena.stats().carved == carved);
  CHECK(arena.stats().live() == full - 10 * each);
  REQUIRE(texts.size() == 90);
  CHECK(texts[0] == kLong + std::string("9"));
  CHECK(texts[1] == kLong + std::string("11"));
  texts.clear();
  CHECK(arena.stats().live() == empty);
}

TEST_CASE("Defect: alignment over 8 is honoured") {
  Arena arena({.first_chunk = 1024});
  for (int i = 0; i < 100; ++i) {
    static_cast<void>(arena.New<char>());
    CHECK(IsAligned(arena.New<Wide>(), 16));
    CHECK(IsAligned(arena.New<Line>(), 64));
    CHECK(IsAligned(arena.NewArray<Line>(3).data(), 64));
    CHECK(IsAligned(arena.Allocate(1, 4096), 4096));
  }
  Vector<Line> lines(arena);
  Map<int, Line> map(arena);
  for (int i = 0; i < 100; ++i) {
    lines.emplace_back();
    CHECK(IsAligned(&lines.front(), 64));
    CHECK(IsAligned(&map[i], 64));
  }
  Arena other;
  CHECK(IsAligned(&acre::DeepCopy(other, lines)->back(), 64));
}

TEST_CASE("Defect: the map lives in the arena") {
  Arena arena;
  auto* map = arena.New<Map<String, Vector<int>>>();
  for (int i = 0; i < 1000; ++i) {
    (*map)[kLong + std::to_string(i)].push_back(i);
  }
  for (const auto& entry : *map) {
    REQUIRE(arena.Owns(&entry));
    REQUIRE(arena.Owns(entry.first.data()));
    REQUIRE(arena.Owns(entry.second.data()));
  }
  CHECK(arena.stats().live() > 1000 * (sizeof(String) + sizeof(Vector<int>)));
  arena.Free(map);
  CHECK(arena.stats().live() == 0);
}

}  // namespace library_defects_test
