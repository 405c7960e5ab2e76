// SPDX-License-Identifier: MIT
//
// Guards findings as values: a host that shows them in its own way gets each
// once, and none is lost where it never asks.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <string>
#include <thread>

#include "acre/arena.h"
#include "acre/audit_policy.h"
#include "acre/audit_report.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "collecting.h"
#include "reports.h"
#include "support/audited.h"

namespace take_findings_test {

using acre::Arena;
using acre::AuditReport;
using acre::TakeFindings;
using acre_test::Reports;

struct Thing {
  Thing* target = nullptr;
};
ACRE_LAYOUT(Thing, target)
struct Things {
  acre::Vector<Thing> all;
};
ACRE_LAYOUT(Things, all)

__attribute__((noinline)) void Plant(Thing*& slot) {
  slot = static_cast<Thing*>(GC_MALLOC(200));
}

void Keep(Arena& arena) {
  acre::AuditPolicy policy;
  policy.action = acre::AuditAction::kKeep;
  acre::SetAuditPolicy(arena, policy);
}

TEST_CASE("take findings: release builds find nothing by themselves" *
          doctest::skip(acre_test::IsAuditedByDefault())) {
  Arena arena({.name = "game"});
  Keep(arena);
  if (!acre::kChecked) Plant(arena.New<Thing>()->target);
  acre_test::Collect();
  const AuditReport report = TakeFindings(arena);
  CHECK(report.clean());
  CHECK(report.arena == "game");
}

TEST_CASE("take findings: each once, and nobody else is told") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "game"});
  Keep(arena);
  auto* things = arena.New<Things>();
  things->all.resize(3);
  Plant(things->all[1].target);
  acre_test::Collect();
  Plant(things->all[2].target);
  acre_test::Collect(2);
  static_cast<void>(arena.New<int>(1));  // tells elsewhere
  acre::FlushAudits();
  CHECK(reports.findings().empty());

  const AuditReport report = TakeFindings(arena);
  REQUIRE(report.findings.size() == 2);
  CHECK(report.leak_count == 2);
  CHECK(report.arena == "game");
  CHECK(report.findings[0].path == "take_findings_test::Things.all[1].target");
  CHECK(report.findings[1].path == "take_findings_test::Things.all[2].target");
  CHECK(TakeFindings(arena).clean());
  acre_test::Collect();
  CHECK(TakeFindings(arena).clean());
  CHECK(reports.findings().empty());
}

TEST_CASE("take findings: another arena's are its own") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena kept({.name = "kept"});
  Arena told({.name = "told"});
  Keep(kept);
  Plant(kept.New<Thing>()->target);
  Plant(told.New<Thing>()->target);
  acre_test::Collect();
  acre::FlushAudits();
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.all()[0].arena == "told");
  CHECK(TakeFindings(told).clean());
  CHECK(TakeFindings(kept).findings.size() == 1);
}

TEST_CASE("take findings: what waits to be told can be taken before") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "game", .use = acre::ArenaUse::kHostLocked});
  Plant(arena.New<Thing>()->target);
  acre_test::Collect();
  REQUIRE(reports.findings().empty());  // nobody holds the lock
  CHECK(TakeFindings(arena).findings.size() == 1);
  acre::FlushAudits();
  CHECK(reports.findings().empty());
}

TEST_CASE("take findings: what nobody takes is told at the arena's end") {
  if (!acre::kChecked) return;
  const Reports reports;
  {
    Arena arena({.name = "game"});
    Keep(arena);
    Plant(arena.New<Thing>()->target);
    acre_test::Collect();
    static_cast<void>(arena.New<int>(1));
    CHECK(reports.findings().empty());
  }
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.all()[0].arena == "game");
}

TEST_CASE("take findings: Reset does not lose them, nor tell them twice") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "game"});
  Keep(arena);
  Plant(arena.New<Thing>()->target);
  acre_test::Collect();
  arena.Reset();
  CHECK(TakeFindings(arena).findings.size() == 1);
  Plant(arena.New<Thing>()->target);  // the same place again: a new finding
  acre_test::Collect();
  CHECK(TakeFindings(arena).findings.size() == 1);
  CHECK(reports.findings().empty());
}

TEST_CASE("take findings: a host-locked arena, by whoever holds the lock") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "locked", .use = acre::ArenaUse::kHostLocked});
  Keep(arena);
  Plant(arena.New<Thing>()->target);
  acre_test::Collect();
  std::size_t found = 0;
  std::thread other([&] {
    const acre::ThreadRegistration here;
    found = TakeFindings(arena).findings.size();
  });
  other.join();
  CHECK(found == 1);
  CHECK(TakeFindings(arena).clean());
}

TEST_CASE("take findings: of more than 1000 the rest is counted") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "game"});
  Keep(arena);
  auto* things = arena.New<Things>();
  things->all.resize(1500);
  for (Thing& thing : things->all) Plant(thing.target);
  for (int i = 0; i < 50; ++i) acre_test::Collect();
  const AuditReport report = TakeFindings(arena);
  CHECK(report.findings.size() == 1000);
  // What an audit had no room for is counted again when it is found again.
  CHECK(report.leak_count == 1000 + report.omitted);
  CHECK(report.omitted >= 500);
  CHECK(report.omitted < 700);
}

}  // namespace take_findings_test
