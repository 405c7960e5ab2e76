// SPDX-License-Identifier: MIT
//
// Guards what audits at collections do with arenas of threads that the
// collector does not stop: such a thread goes on while others stand, so nobody
// may look into what it uses (audit_policy.h). And that its arenas are audited
// as soon as somebody uses them who stands.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "acre/arena.h"
#include "acre/audit_policy.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/scratch.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "reports.h"
#include "support/scaled.h"

namespace running_threads_test {

using acre::Arena;
using acre_test::Reports;

struct Node {
  Node* leak = nullptr;
};
ACRE_LAYOUT(Node, leak)

/// An object of the collector; the test keeps it.
Node* Collected() {
  static void* kept = GC_MALLOC(64);
  return static_cast<Node*>(kept);
}

/// Explicit, on memory of malloc, and audited in both modes: what a thread may
/// use that the collector does not know.
acre::ArenaOptions Options() {
  return {.name = "running on",
          .source = &acre::MallocSource::Instance(),
          .audit_one_in = 1};
}

TEST_CASE("audits: a thread that the collector does not stop is left alone") {
  const Reports reports;
  Node* const target = Collected();
  Arena first(Options());  // from its second object on audits have begun
  for (int i = 0; i < 2; ++i) static_cast<void>(first.New<Node>());
  Arena arena(Options());
  Node* node = nullptr;
  std::thread([&] {
    node = arena.New<Node>();
    node->leak = target;
  }).join();
  const std::uint64_t busy = acre::CollectionAuditsSoFar().busy;
  GC_gcollect();
  acre::FlushAudits();
  CHECK(acre::CollectionAuditsSoFar().busy > busy);
  CHECK(Reports::findings().empty());

  arena.HandOver();
  static_cast<void>(arena.New<Node>());  // used by this thread from now on
  GC_gcollect();
  acre::FlushAudits();
  REQUIRE(Reports::findings().size() == 1);
  CHECK(Reports::findings()[0].slot == &node->leak);
}

TEST_CASE("audits: what a thread uses that has registered is audited") {
  const Reports reports;
  Node* const target = Collected();
  std::atomic<bool> is_planted{false};
  std::atomic<bool> is_seen{false};
  std::thread worker([&] {
    const acre::ThreadRegistration registered;
    Arena arena(Options());
    arena.New<Node>()->leak = target;
    is_planted = true;
    while (!is_seen) std::this_thread::yield();
  });
  while (!is_planted) std::this_thread::yield();
  const std::uint64_t found = acre::CollectionAuditsSoFar().findings;
  GC_gcollect();
  CHECK(acre::CollectionAuditsSoFar().findings > found);
  is_seen = true;
  worker.join();
  acre::FlushAudits();
}

TEST_CASE("audits: threads that run on make, change and end arenas meanwhile") {
  const Reports reports;
  std::atomic<bool> stop{false};
  const auto use = [](Arena& arena) {
    auto* texts = arena.New<acre::Map<int, acre::String>>();
    auto* numbers = arena.New<acre::Vector<int>>();
    for (int k = 0; k < 200; ++k) {
      (*texts)[k] = "a text of more than twenty-three characters";
      numbers->push_back(k);
    }
  };
  std::thread of_scratches([&] {
    while (!stop) {
      std::thread([&] {
        for (int i = 0; i < 10; ++i) {
          acre::Scratch scratch;
          use(*scratch);
        }
      }).join();
    }
  });
  std::thread of_arenas([&] {
    while (!stop) {
      Arena arena(Options());
      use(arena);
      arena.Reset();
      use(arena);
    }
  });
  Arena arena;
  for (int i = 0; i < acre_test::Scaled(100, 60); ++i) {
    for (int k = 0; k < 100; ++k) arena.New<Node>();
    GC_gcollect();
  }
  stop = true;
  of_scratches.join();
  of_arenas.join();
  CHECK(Reports::findings().empty());
}

}  // namespace running_threads_test
