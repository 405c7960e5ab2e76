// SPDX-License-Identifier: MIT
//
// Guards audits at collections of what the arena alone does not show: elements
// of containers whose handles lie outside it, and the targets of borrowed
// fields. And that a pointer to what is gone is told as that.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/chunk_source.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "malloced.h"
#include "reports.h"

namespace audit_outside_test {

using acre::Arena;
using acre::Map;
using acre::Target;
using acre::Vector;
using acre_test::Collect;
using acre_test::Reports;

struct Thing {
  std::int64_t id = 0;
  std::int64_t pad[5] = {};
};
ACRE_LAYOUT(Thing, id, pad)

/// Known to whoever asked for it alone.
__attribute__((noinline)) Thing* MakeCollected() {
  return ::new (GC_MALLOC(sizeof(Thing))) Thing();
}

/// What the next collection says, of one place: how many findings.
std::size_t CountTold(const Reports&, std::string_view path) {
  Reports::all().clear();
  Collect();
  acre::FlushAudits();
  std::size_t count = 0;
  for (const acre::Finding& finding : Reports::findings()) {
    INFO("told: " << finding.path);
    CHECK(finding.path.find(path) != std::string::npos);
    ++count;
  }
  return count;
}

using Choice = std::variant<int, Thing*>;

struct Row {
  std::optional<Thing*> maybe = {};
  Choice choice = 0;
};
ACRE_LAYOUT(Row, maybe, choice)

struct Node {
  Thing* constant = nullptr;
  std::string_view text = {};
  std::int32_t number = 0;
};
ACRE_LAYOUT(Node, borrowed(constant), borrowed(text), number)

struct Nodes {
  std::optional<Node> first = {};
  std::array<Node, 3> row = {};
  Vector<Node> more = {};
  Map<int, Node> named = {};
};
ACRE_LAYOUT(Nodes, first, row, more, named)

struct Pair {
  Thing* heap = nullptr;
  Thing* other = nullptr;
};
ACRE_LAYOUT(Pair, heap, other)

__attribute__((noinline)) void PlantIn(Thing*& slot) { slot = MakeCollected(); }

TEST_SUITE("audit of what is held from outside") {
  TEST_CASE("a Vector on the stack") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena({.name = "evaluator"});
    Vector<Thing*> arguments(arena);
    for (int i = 0; i < 100; ++i) PlantIn(arguments.emplace_back());
    CHECK(CountTold(reports,
                    "(held from outside) audit_outside_test::Thing*[") == 100);
    CHECK(CountTold(reports, "nothing new") == 0);
    PlantIn(arguments[7]);
    CHECK(CountTold(reports, "Thing*[7]") == 1);
  }

  TEST_CASE("what was erased is no element") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena;
    Vector<Thing*> v(arena);
    v.reserve(64);
    for (int i = 0; i < 20; ++i) PlantIn(v.emplace_back());
    v.pop_back();
    v.erase(v.begin(), v.begin() + 3);
    v.erase_if([n = 0](Thing*) mutable { return ++n % 2 == 0; });
    v.resize(2);
    v.clear();
    CHECK(CountTold(reports, "no element") == 0);
    // Nor is what lay where the storage grows to in place.
    void* raw = arena.Allocate(4096);
    for (int i = 0; i < 512; ++i) PlantIn(static_cast<Thing**>(raw)[i]);
    arena.Free(raw, 4096);
    Vector<Thing*> grown(arena);
    for (int i = 0; i < 200; ++i) grown.push_back(nullptr);
    CHECK(CountTold(reports, "no element") == 0);
  }

  TEST_CASE("in malloc'ed memory, on the collected heap, nested, in a Map") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena;
    const auto owner = std::make_unique<Map<int, Thing*>>(arena);
    PlantIn((*owner)[42]);
    // Kept, or the next one may be the same object in the same place, and that
    // was told.
    static Thing* first = nullptr;
    first = (*owner)[42];
    CHECK(CountTold(reports, ".second") == 1);
    owner->erase(42);
    PlantIn((*owner)[43]);
    CHECK(CountTold(reports, ".second") == 1);
    CHECK((*owner)[43] != first);

    Vector<Vector<Thing*>> rows(arena);
    rows.resize(4);
    for (Vector<Thing*>& row : rows) PlantIn(row.emplace_back());
    CHECK(CountTold(reports, "Thing*") == 4);

    auto* set =
        ::new (GC_MALLOC(sizeof(acre::Set<Thing*>))) acre::Set<Thing*>(arena);
    [&]() __attribute__((noinline)) { set->insert(MakeCollected()); }
    ();
    CHECK(CountTold(reports, "Thing*") == 1);

    Vector<Row> choices(arena);
    choices.resize(3);
    PlantIn(choices[1].maybe.emplace());
    PlantIn(choices[2].choice.emplace<Thing*>());
    CHECK(CountTold(reports, "Row[") == 2);
  }

  TEST_CASE("a copy whose handle is on the stack") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena({.name = "first"});
    Arena other({.name = "second"});
    Map<int, Thing*> map(arena);
    PlantIn(map[1]);
    const Map<int, Thing*> copy = acre::Clone(other, map);
    CHECK(CountTold(reports, ".second") >= 1);
    CHECK(copy.size() == 1);
  }
}

TEST_SUITE("audit of borrowed fields") {
  TEST_CASE("told when the collector takes the target, once") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena({.name = "tree"});
    const auto nodes = arena.NewArray<Node>(50);
    for (Node& node : nodes) PlantIn(node.constant);
    // A stale word on the stack may hold one or two for a while.
    std::size_t told = CountTold(reports, ".constant");
    CHECK(told >= 47);
    const acre::Finding finding = Reports::findings().at(0);
    for (int i = 0; i < 4; ++i) told += CountTold(reports, ".constant");
    CHECK(told <= 50);
    CHECK(finding.target == Target::kFreedObject);
    CHECK(finding.is_leak());
    CHECK(finding.path.starts_with("audit_outside_test::Node"));
    CHECK(finding.what.find("which nobody held") != std::string::npos);
    CHECK(finding.hint.find("declare the field borrowed") ==
          std::string_view::npos);
  }

  TEST_CASE("not while somebody holds it, told when nobody does any more") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena;
    auto** holders =
        static_cast<Thing**>(GC_malloc_uncollectable(20 * sizeof(Thing*)));
    const auto nodes = arena.NewArray<Node>(20);
    [&]() __attribute__((noinline)) {
      for (std::size_t i = 0; i < 20; ++i) {
        PlantIn(holders[i]);
        nodes[i].constant = holders[i];
      }
    }
    ();
    CHECK(CountTold(reports, "held") == 0);
    CHECK(CountTold(reports, "held, and nothing has changed") == 0);
    for (std::size_t i = 0; i < 20; ++i) holders[i] = nullptr;
    // The arena has not changed.
    const std::size_t told = CountTold(reports, "constant");
    CHECK(told + CountTold(reports, "constant") >= 17);
    GC_free(holders);
  }

  TEST_CASE("inside optionals, arrays, containers; views; freed by hand") {
    if (!acre::kChecked) return;
    const Reports reports;
    Arena arena;
    // Many of each: a stale word on the stack may hold one or two.
    constexpr std::size_t kMany = 20;
    const auto count = [&](const auto& plant, std::string_view path) {
      const auto all = arena.NewArray<Nodes>(kMany);
      for (Nodes& each : all) plant(each);
      const std::size_t told = CountTold(reports, path);
      arena.Free(all);
      return told;
    };
    CHECK(count([](Nodes& n) { PlantIn(n.first.emplace().constant); },
                "first.value().constant") >= kMany - 3);
    CHECK(count([](Nodes& n) { PlantIn(n.row[2].constant); },
                "row[2].constant") >= kMany - 3);
    CHECK(count([](Nodes& n) { PlantIn(n.more.emplace_back().constant); },
                ".constant") >= kMany - 3);
    CHECK(count([](Nodes& n) { PlantIn(n.named[5].constant); },
                ".second.constant") >= kMany - 3);
    CHECK(
        count(
            [](Nodes& n) {
              n.row[0].text = {static_cast<char*>(GC_MALLOC_ATOMIC(400)), 400};
            },
            "row[0].text") >= kMany - 3);
    Vector<Node> outside(arena);
    for (std::size_t i = 0; i < kMany; ++i) {
      PlantIn(outside.emplace_back().constant);
    }
    CHECK(CountTold(reports, "(held from outside)") >= kMany - 3);
    outside.Release();
    acre_test::Collect();
    acre::FlushAudits();
    auto* nodes = arena.New<Nodes>();
    // Static storage, malloc, and other arenas are nobody's business.
    static Thing constant;
    const auto owned = std::make_unique<Thing>();
    Arena other;
    nodes->row[0] = {};
    nodes->row[0].constant = &constant;
    nodes->row[1].constant = owned.get();
    nodes->row[2].constant = other.New<Thing>();
    CHECK(CountTold(reports, "nothing") == 0);
  }
}

TEST_SUITE("audit of pointers to what is gone") {
  TEST_CASE("a freed object of the collected heap") {
    acre_test::NeedCollector();
    const Reports reports;
    Arena arena({.name = "keeper"});
    Pair* pair = arena.New<Pair>();
    PlantIn(pair->heap);
    Collect(2);
    const acre::AuditReport report = acre::Audit(arena, *pair);
    REQUIRE(report.findings.size() == 1);
    const acre::Finding& finding = report.findings[0];
    // What was freed may look like an object still.
    const bool is_told = finding.target == Target::kFreedObject ||
                         finding.target == Target::kCollectedHeap;
    CHECK(is_told);
    CHECK(finding.is_leak());
    CHECK(acre::ToText(report).find("declare the field borrowed") ==
          std::string::npos);
  }

  // libgc joins free heap blocks and describes the first of each run alone.
  TEST_CASE("objects that filled many blocks of the collected heap") {
    acre_test::NeedCollector();
    const Reports reports;
    Arena arena({.name = "keeper"});
    const std::span<Pair> pairs = arena.NewArray<Pair>(900);
    for (Pair& pair : pairs) PlantIn(pair.heap);
    Collect(3);
    const acre::AuditReport report = acre::Audit(arena, pairs);
    REQUIRE(report.findings.size() == pairs.size());
    std::size_t freed = 0;
    for (const acre::Finding& finding : report.findings) {
      CHECK(finding.target != Target::kUnknown);
      // An arena of another test may have been there before.
      freed += finding.target == Target::kFreedObject ||
               finding.target == Target::kEndedArena;
    }
    CHECK(freed > 200);  // more than three blocks hold: some are joined
  }

  TEST_CASE("malloc'ed memory beside the collected heap is not told as freed") {
    acre_test::NeedCollector();
    const Reports reports;
    Arena arena({.name = "keeper"});
    Pair* pair = arena.New<Pair>();
    // Above M_MMAP_THRESHOLD: where libgc's heap lies too.
    const acre_test::Malloced things(std::size_t{100'000} * sizeof(Thing));
    pair->other = reinterpret_cast<Thing*>(things.get()) + 50'000;
    const acre::AuditReport report = acre::Audit(arena, *pair);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].target == Target::kUnknown);
  }

  TEST_CASE("the memory of an arena that has ended") {
    Arena arena({.name = "keeper"});
    Pair* pair = arena.New<Pair>();
    [&]() __attribute__((noinline)) {
      Arena worker(
          {.name = "worker", .source = &acre::MallocSource::Instance()});
      pair->other = worker.New<Thing>();
    }
    ();
    const acre::AuditReport report = acre::Audit(arena, *pair);
    REQUIRE(report.findings.size() == 1);
    const acre::Finding& finding = report.findings[0];
    if (!acre::kChecked) {
      CHECK(finding.target == Target::kUnknown);
      return;
    }
    CHECK(finding.target == Target::kEndedArena);
    CHECK(finding.what == "memory of arena 'worker', which has ended");
    CHECK(finding.hint.find("borrowed") == std::string_view::npos);
  }

  TEST_CASE("memory that an arena has given back") {
    if (!acre::kChecked) return;
    Arena arena({.name = "keeper"});
    Pair* pair = arena.New<Pair>();
    Arena worker({.name = "worker", .source = &acre::MallocSource::Instance()});
    pair->other = worker.New<Thing>();
    worker.Reset(acre::ResetMode::kRelease);
    const acre::AuditReport report = acre::Audit(arena, *pair);
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].what ==
          "memory of arena 'worker', which gave it back");
  }
}

}  // namespace audit_outside_test
