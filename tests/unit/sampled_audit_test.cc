// SPDX-License-Identifier: MIT
//
// Guards audits of a part of an arena in release builds,
// ArenaOptions::audit_one_in: that the part is as large as asked for, for as
// long as the arena lives and whatever comes and goes in it, and that the arena
// hands out memory as if nobody looked. (That what is told is what there is:
// audit_changes_test.cc.)

#include <doctest/doctest.h>
#include <gc/gc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/arena_pool.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/bump_arena.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/history.h"
#include "acre/layout.h"
#include "acre/locked_arena.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/vector.h"
#include "collecting.h"
#include "reports.h"
#include "support/audited.h"
#include "support/death.h"

namespace sampled_audit_test {

using acre::Arena;
using acre_test::Reports;

struct Node {
  Node* next = nullptr;
  Node* leak = nullptr;
  std::uint64_t number[4] = {};
};
ACRE_LAYOUT(Node, next, leak, number)

/// An object of the collector; the test keeps it.
Node* Collected() {
  static void* kept = GC_MALLOC(64);
  return static_cast<Node*>(kept);
}

/// Collects until nothing is told any more, since one collection has room for
/// so many findings and no more; how many different slots were told since this
/// was asked last.
std::size_t CountTold() {
  std::set<const void*> slots;
  for (;;) {
    GC_gcollect();
    acre::FlushAudits();
    if (Reports::all().empty()) return slots.size();
    for (const acre::Finding& finding : Reports::findings()) {
      slots.insert(finding.slot);
    }
    Reports::all().clear();
  }
}

constexpr bool kSkipped = acre::kChecked;

TEST_CASE("of many small arenas one in n is audited, wherever they lie" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  constexpr std::size_t kArenas = 2000;
  for (const std::uint32_t one_in : {1u, 4u, 20u}) {
    std::size_t told = 0;
    // One after the other, in the same memory.
    for (std::size_t i = 0; i < kArenas / 20; ++i) {
      Arena arena({.audit_one_in = one_in});
      arena.New<Node>()->leak = Collected();
      told += CountTold();
    }
    const double share = 20.0 * static_cast<double>(told) / kArenas * one_in;
    CHECK(share > (one_in == 1 ? 0.99 : 0.3));
    CHECK(share < (one_in == 1 ? 1.01 : 2.5));
    // All at once.
    std::vector<std::optional<Arena>> arenas(kArenas);
    for (auto& arena : arenas) {
      arena.emplace(acre::ArenaOptions{.audit_one_in = one_in});
      arena->New<Node>()->leak = Collected();
    }
    const double all = static_cast<double>(CountTold()) / kArenas * one_in;
    CHECK(all > (one_in == 1 ? 0.99 : 0.6));
    CHECK(all < (one_in == 1 ? 1.01 : 1.5));
  }
}

TEST_CASE("blocks that come again and again are audited as ever" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  constexpr std::size_t kNodes = 40000;
  for (const std::uint32_t one_in : {1u, 10u, 50u}) {
    Arena arena({.audit_one_in = one_in});
    std::vector<Node*> nodes;
    for (std::size_t i = 0; i < kNodes; ++i) nodes.push_back(arena.New<Node>());
    const std::size_t reserved = arena.stats().reserved;
    std::mt19937 random(1);
    for (std::size_t i = 0; i < 10 * kNodes; ++i) {
      Node*& node = nodes[random() % kNodes];
      arena.Free(node);
      node = arena.New<Node>();
      REQUIRE(node->leak == nullptr);
    }
    // None was lost on the way.
    CHECK(arena.stats().reserved == reserved);
    CHECK(CountTold() == 0);
    for (Node* node : nodes) node->leak = Collected();
    const std::size_t all = CountTold();
    const auto told = static_cast<double>(all);
    // A dozen pages, at one in 50; blocks on two pages count twice.
    CHECK(told / kNodes * one_in > (one_in == 1 ? 0.99 : 0.5));
    CHECK(told / kNodes * one_in < (one_in == 1 ? 1.01 : 1.9));
  }
}

TEST_CASE("what is freed for good keeps nothing from the fast path" *
          doctest::skip(kSkipped)) {
  // Free blocks of a class of which nothing is taken any more.
  Arena arena({.audit_one_in = 8});
  std::vector<Node*> nodes;
  for (int i = 0; i < 10000; ++i) nodes.push_back(arena.New<Node>());
  for (Node* node : nodes) arena.Free(node);
  std::size_t hidden = 0;
  std::size_t taken = 0;
  for (int i = 0; i < 20000; ++i) {
    static_cast<void>(arena.Allocate(200));
    ++taken;
    hidden += arena.remaining() == 0 ? 1 : 0;
  }
  // One page in 8, and what lies on its edges.
  CHECK(static_cast<double>(hidden) / static_cast<double>(taken) < 0.25);
}

TEST_CASE("chunks that are free as a whole serve another size" *
          doctest::skip(kSkipped)) {
  for (const std::uint32_t one_in : {0u, 1u, 7u}) {
    Arena arena({.max_chunk = std::size_t{64} << 10, .audit_one_in = one_in});
    std::vector<void*> blocks;
    std::size_t most = 0;
    for (int phase = 0; phase < 12; ++phase) {
      const std::size_t bytes = 48 + 16 * static_cast<std::size_t>(phase);
      for (std::size_t i = 0; i < (std::size_t{8} << 20) / bytes; ++i) {
        blocks.push_back(arena.Allocate(bytes));
      }
      for (void* block : blocks) arena.Free(block, bytes);
      blocks.clear();
      if (phase == 0) most = arena.stats().reserved;
    }
    CHECK(arena.stats().reserved < most * 3 / 2);
  }
}

TEST_CASE("marks, Reset and freelists are as in an arena that is not audited" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  for (const std::uint32_t one_in : {1u, 3u}) {
    Arena arena({.audit_one_in = one_in});
    std::vector<Node*> old;
    for (int i = 0; i < 5000; ++i) old.push_back(arena.New<Node>());
    for (int i = 0; i < 5000; i += 2) arena.Free(old[static_cast<size_t>(i)]);
    const std::size_t live = arena.stats().live();
    for (int round = 0; round < 5; ++round) {
      const acre::Mark mark = arena.Checkpoint();
      std::vector<Node*> made;
      for (int i = 0; i < 4000; ++i) made.push_back(arena.New<Node>());
      for (int i = 0; i < 4000; i += 3)
        arena.Free(made[static_cast<size_t>(i)]);
      made[1]->leak = made[2]->leak = Collected();
      arena.Rewind(mark);
      CHECK(CountTold() == 0);  // what was rewound holds nothing
      CHECK(arena.stats().live() == live);
    }
    // The freelists are there again. (Free blocks of audited pages are found
    // where the next page of those begins.)
    const std::size_t carved = arena.stats().carved;
    for (int i = 0; i < 2500; ++i) arena.New<Node>()->leak = nullptr;
    CHECK(arena.stats().carved < carved + (one_in == 1 ? 1 : 10 * 4096));
    for (int i = 1; i < 5000; i += 2) {
      old[static_cast<size_t>(i)]->leak = Collected();
    }
    arena.Reset();
    CHECK(CountTold() == 0);
  }
}

TEST_CASE("where a History begins the arena is not audited any more" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  Arena arena({.audit_one_in = 2});
  std::vector<Node*> nodes;
  for (int i = 0; i < 3000; ++i) nodes.push_back(arena.New<Node>());
  for (int i = 0; i < 3000; i += 2) arena.Free(nodes[static_cast<size_t>(i)]);
  nodes[1]->leak = Collected();
  {
    acre::History history(arena);
    const acre::FrameId frame = history.Capture();
    const std::size_t carved = arena.stats().carved;
    for (int i = 0; i < 1500; ++i) arena.New<Node>()->leak = Collected();
    CHECK(arena.stats().carved == carved);  // all free blocks were found
    CHECK(CountTold() == 0);
    history.Restore(frame);
    CHECK(nodes[1]->leak == Collected());
  }
  CHECK(CountTold() == 0);
}

TEST_CASE("copies in an audited arena are audited, what they are of is not" *
          doctest::skip(kSkipped || acre_test::IsAuditedByDefault())) {
  const Reports reports;
  Arena from({.name = "from"});
  constexpr std::size_t kMany = 3000;
  acre::Vector<Node*> list(from);
  acre::Map<int, Node*> map(from);
  acre::Vector<acre::Vector<Node*>> nested(from);
  Node* first = nullptr;
  for (std::size_t i = 0; i < kMany; ++i) {
    Node* const node = from.New<Node>();
    node->next = first;
    first = node;
    list.push_back(Collected());
    map[static_cast<int>(i)] = Collected();
    nested.emplace_back().push_back(Collected());
  }
  CHECK(CountTold() == 0);
  Arena to({.name = "to", .audit_one_in = 1});
  const auto list_copy = acre::Clone(to, list);
  const auto map_copy = acre::Clone(to, map);
  const auto nested_copy = acre::Clone(to, nested);
  CHECK(CountTold() == 3 * kMany);
  CHECK(list_copy.size() + map_copy.size() + nested_copy.size() == 3 * kMany);
  Node* const copy = acre::DeepCopy(to, *first);
  CHECK(CountTold() == 0);
  for (Node* node = copy; node != nullptr; node = node->next) {
    node->leak = Collected();
  }
  CHECK(CountTold() == kMany);
}

TEST_CASE("what a container has erased is told no more" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  Arena arena({.audit_one_in = 1});
  acre::Vector<Node*> outside(arena);
  acre::Map<int, Node*> map(arena);
  for (int i = 0; i < 100; ++i) {
    outside.push_back(Collected());
    map[i] = Collected();
  }
  outside.pop_back();
  outside.erase(outside.begin() + 3);
  outside.resize(90);
  outside.erase_if([n = 0](Node*) mutable { return n++ % 9 == 0; });
  for (int i = 0; i < 30; ++i) map.erase(i);
  CHECK(CountTold() == 80 + 70);
  outside.clear();
  map.clear();
  outside.push_back(Collected());
  CHECK(CountTold() == 0);  // that slot was told
}

std::size_t ResidentPages(const void* begin, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto from = reinterpret_cast<std::uintptr_t>(begin) / page * page;
  std::vector<unsigned char> there(bytes / page);
  REQUIRE(::mincore(reinterpret_cast<void*>(from), bytes, there.data()) == 0);
  std::size_t count = 0;
  for (const unsigned char one : there) count += one & 1;
  return count;
}

TEST_CASE("of large storage only what is audited is filled" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  acre_test::NeedCollector();  // no arena of the collector's is here
  acre::MmapSource source({.reserve = std::size_t{1} << 30});
  Arena arena({.source = &source, .audit_one_in = 100});
  acre::Vector<Node*> vector(arena);
  constexpr std::size_t kCount = std::size_t{8} << 20;
  vector.reserve(kCount);
  const std::size_t pages = kCount * sizeof(Node*) / 4096;
  CHECK(ResidentPages(vector.data(), kCount * sizeof(Node*)) < pages / 20);
  // All of them are leaks; those in audited pages are told. Then none is.
  vector.resize(kCount / 8, Collected());
  const std::size_t told = CountTold();
  const double share = static_cast<double>(told) * 100 * 8 / kCount;
  CHECK(share > 0.6);
  CHECK(share < 1.4);
  vector.clear();
  vector.push_back(nullptr);
  CHECK(CountTold() == 0);
}

/// Leaves such words where the arena hands out memory next.
void Litter(Arena& arena, std::size_t bytes, std::uintptr_t word) {
  auto* const words = static_cast<std::uintptr_t*>(arena.Allocate(bytes));
  std::fill_n(words, bytes / sizeof word, word);
  arena.Free(words, bytes);
}

TEST_CASE("what lies in memory that was never an element is not looked at" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  for (const std::uint32_t one_in : {1u, 2u, 10u, 100u}) {
    Arena arena({.audit_one_in = one_in});
    constexpr std::size_t kBytes = std::size_t{1} << 20;
    Litter(arena, kBytes, reinterpret_cast<std::uintptr_t>(Collected()));
    acre::Vector<Node*> pointers(arena);
    pointers.reserve(kBytes / sizeof(Node*));
    pointers.push_back(nullptr);
    CHECK(CountTold() == 0);
    Arena other({.audit_one_in = one_in});
    Litter(other, kBytes, 0x1111111111111111u);  // leads nowhere
    acre::Vector<acre::Map<int, Node*>> maps(other);
    maps.reserve(kBytes / sizeof(acre::Map<int, Node*>));
    maps.emplace_back()[1] = nullptr;
    CHECK(CountTold() == 0);
  }
}

TEST_CASE("storage that grows where it lies is audited as any other" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  constexpr std::uint32_t kOneIn = 10;
  constexpr std::size_t kCount = 40000;
  std::size_t told = 0;
  constexpr int kArenas = 60;
  for (int i = 0; i < kArenas; ++i) {
    Arena arena({.first_chunk = std::size_t{1} << 20, .audit_one_in = kOneIn});
    acre::Vector<Node*> vector(arena);
    for (std::size_t n = 0; n < kCount; ++n) {
      vector.push_back(n % 512 == 0 ? Collected() : nullptr);
    }
    told += CountTold();
  }
  const double leaks = kArenas * (kCount / 512 + 1);
  const double share = static_cast<double>(told) / leaks * kOneIn;
  CHECK(share > 0.5);
  CHECK(share < 1.7);
}

TEST_CASE("what Shrink takes out of an audited page is known no more" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  for (const std::uint32_t one_in : {2u, 5u}) {
    Arena arena({.audit_one_in = one_in});
    std::vector<void*> blocks;
    for (int i = 0; i < 4000; ++i) {
      const std::span<Node> row = arena.NewArray<Node>(20);
      blocks.push_back(arena.Shrink(row.data(), row.size_bytes(), 128));
    }
    for (void* block : blocks) arena.Free(block, 128);
    for (void*& block : blocks) {
      block = arena.Allocate(128);
      static_cast<void>(arena.TryGrow(block, 128, 256));
      std::fill_n(static_cast<Node**>(block), 16, Collected());
    }
    CHECK(CountTold() == 0);  // raw memory is not looked at
  }
}

/// Held elsewhere, it is promised.
struct Loan {
  Node* from = nullptr;
};
ACRE_LAYOUT(Loan, borrowed(from))

TEST_CASE("a borrowed field that was erased is told no more" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  Arena arena({.audit_one_in = 1});
  acre::Vector<Loan> loans(arena);
  for (int i = 0; i < 500; ++i) {
    loans.push_back({static_cast<Node*>(GC_MALLOC(64))});
  }
  loans.clear();
  CHECK(CountTold() == 0);
}

TEST_CASE("while one arena's records go, another one is audited" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  std::atomic<bool> is_done{false};
  Arena holder({.audit_one_in = 1});
  auto* const node = holder.New<Node>();
  node->leak = Collected();
  std::atomic<Node*> there{nullptr};
  std::thread other([&] {
    const acre::ThreadRegistration registration;
    for (int i = 0; i < 400; ++i) {
      // What has been there never becomes the collector's.
      Arena arena({.source = &acre::MallocSource::Instance(),
                   .first_chunk = std::size_t{1} << 20,
                   .audit_one_in = 1});
      std::vector<Node*> nodes;
      for (int n = 0; n < 200; ++n) nodes.push_back(arena.New<Node>());
      there.store(nodes.back());
      const acre::History history(arena);  // its records go
      // Tables are made and given up meanwhile.
      Arena maps({.audit_one_in = 1});
      for (int n = 0; n < 20; ++n) {
        acre::Map<int, Node*> map(maps);
        for (int k = 0; k < 30; ++k) map[k] = nullptr;
        map = acre::Clone(maps, map);
        map = {};
      }
    }
    is_done.store(true);
  });
  std::size_t told = 0;
  while (!is_done.load()) {
    node->next = there.load();
    told += CountTold();
    // Or else the collector's lock is hardly ever to be had.
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  other.join();
  CHECK(told == 1);
}

TEST_CASE("what is not the arena's is refused as ever" *
          doctest::skip(kSkipped)) {
  constexpr std::size_t kBytes = std::size_t{1} << 20;
  const acre_test::Death death = acre_test::RunInChild([] {
    Arena arena({.name = "audited", .audit_one_in = 1});
    static_cast<void>(arena.Allocate(10));
    arena.Free(std::malloc(kBytes), kBytes);
  });
  INFO("child: " << death.text);
  CHECK(acre_test::Matches(death, "not a block of arena 'audited'"));
}

TEST_CASE("what is told names field and target, and the policy is kept" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  Arena arena({.name = "told", .audit_one_in = 1});
  acre::SetAuditPolicy(arena,
                       {.on_reset = true, .action = acre::AuditAction::kKeep});
  CHECK_FALSE(acre::AuditPolicyOf(arena).on_reset);  // of checked builds
  arena.New<Node>()->leak = Collected();
  CHECK(CountTold() == 0);
  const acre::AuditReport report = acre::TakeFindings(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path.ends_with("Node.leak"));
  CHECK(report.findings[0].what.find("collected object") == 0);
  CHECK(report.note.find("release build") != std::string::npos);
}

TEST_CASE("arenas of every kind can be audited" * doctest::skip(kSkipped)) {
  const Reports reports;
  Arena* const collected = acre::NewCollectedArena({.audit_one_in = 1});
  collected->New<Node>()->leak = Collected();
  acre::BumpArena bump({.audit_one_in = 1});
  bump.New<Node>()->leak = Collected();
  acre::LockedArena locked({.audit_one_in = 1});
  locked.New<Node>()->leak = Collected();
  CHECK(CountTold() == 3);
  GC_reachable_here(collected);
  Arena traced({.trace = acre::Trace::kPointers, .audit_one_in = 1});
  traced.New<Node>()->leak = Collected();
  CHECK(CountTold() == 0);
}

TEST_CASE("threads allocate in audited arenas while others collect" *
          doctest::skip(kSkipped)) {
  const Reports reports;
  acre_test::NeedCollector();  // before there are threads
  acre::LockedArena shared({.audit_one_in = 5});
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 4; ++seed) {
    threads.emplace_back([&shared, seed] {
      const acre::ThreadRegistration registration;
      std::mt19937 random(seed);
      Arena own({.audit_one_in = 3});
      std::vector<Node*> nodes;
      for (int i = 0; i < 30000; ++i) {
        nodes.push_back(own.New<Node>());
        nodes.back()->next = nodes.front();
        if (nodes.size() > 1000) {
          std::swap(nodes[1 + random() % 999], nodes.back());
          own.Free(nodes.back());
          nodes.pop_back();
        }
        if (i % 3 == 0) shared.New<Node>();
        if (i % 5000 == 0) GC_gcollect();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(CountTold() == 0);
}

}  // namespace sampled_audit_test
