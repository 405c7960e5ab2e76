// SPDX-License-Identifier: MIT
//
// Guards what a person reads of an audit: the names, and the text report line
// by line.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <gc/gc.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/holders.h"
#include "acre/layout.h"
#include "acre/vector.h"

namespace audit_report_test {

using acre::Arena;
using acre::AuditReport;
using acre::FindingKind;
using acre::NameOf;
using acre::Target;
using acre::ToText;

struct Cell {
  Cell* next = nullptr;
  Cell* other = nullptr;
  Cell* known = nullptr;
};
ACRE_LAYOUT(Cell, next, other, reviewed(known, "the host keeps it"))

struct Crowd {
  acre::Vector<Cell> cells;
};
ACRE_LAYOUT(Crowd, cells)

TEST_CASE("NameOf: every target and kind has a name of its own") {
  CHECK(NameOf(Target::kCollectedHeap) == "collected heap");
  CHECK(NameOf(Target::kCollectedArena) == "another collected arena");
  CHECK(NameOf(Target::kOtherArena) == "another arena");
  CHECK(NameOf(Target::kFreed) == "freed block");
  CHECK(NameOf(Target::kUnused) == "unused memory");
  CHECK(NameOf(Target::kMisaligned) == "misaligned");
  CHECK(NameOf(Target::kOtherType) == "block of another type");
  CHECK(NameOf(Target::kInterior) == "inside of a block");
  CHECK(NameOf(Target::kStale) == "stale memory");
  CHECK(NameOf(Target::kStack) == "stack");
  CHECK(NameOf(Target::kStatic) == "static storage");
  CHECK(NameOf(Target::kUnknown) == "unknown memory");
  CHECK(NameOf(static_cast<Target>(200)) == "?");

  CHECK(NameOf(FindingKind::kPointer) == "pointer");
  CHECK(NameOf(FindingKind::kSpan) == "span");
  CHECK(NameOf(FindingKind::kString) == "string");
  CHECK(NameOf(FindingKind::kContainer) == "container");
  CHECK(NameOf(FindingKind::kWord) == "word");
  CHECK(NameOf(static_cast<FindingKind>(200)) == "?");
}

TEST_CASE("ToText: a clean report is one line") {
  Arena arena({.name = "level"});
  Cell* cell = arena.New<Cell>();
  cell->next = arena.New<Cell>();
  CHECK(ToText(Audit(arena, *cell)) ==
        "audit of arena 'level': 0 leaks, 0 findings; 2 objects, 1 pointers\n");
}

TEST_CASE("ToText: a leak is three lines, with path, addresses and hint") {
  Arena arena({.name = "level"});
  Cell* cell = arena.New<Cell>();
  void* target = GC_MALLOC(10'000);
  cell->other = reinterpret_cast<Cell*>(static_cast<char*>(target) + 800);
  const AuditReport report = Audit(arena, *cell);
  CHECK(ToText(report) ==
        fmt::format(
            "audit of arena 'level': 1 leak, 1 finding; 1 objects, 1 "
            "pointers\n"
            "LEAK: audit_report_test::Cell.other\n"
            "    pointer at {} to audit_report_test::Cell, collected heap: "
            "collected object of {} bytes at {}, +800\n"
            "    make the object with arena.New, hold it by a GcRef, or copy "
            "it in with "
            "DeepCopy\n",
            fmt::ptr(&cell->other), GC_size(target), target));
  GC_reachable_here(target);
}

TEST_CASE("ToText: a small collected object is told as possibly freed") {
  Arena arena;
  Cell* cell = arena.New<Cell>();
  cell->next = static_cast<Cell*>(GC_MALLOC(sizeof(Cell)));
  const std::string text = ToText(Audit(arena, *cell));
  CHECK(text.find("(possibly freed)") != std::string::npos);
  CHECK(text.find("LEAK: ") != std::string::npos);
}

TEST_CASE("ToText: other findings, what is omitted and what is reviewed") {
  Arena arena({.name = "level"});
  Arena other({.name = "menu"});
  Cell* cell = arena.New<Cell>();
  cell->next = other.New<Cell>();
  cell->other = other.New<Cell>();
  cell->known = cell->other;
  const std::string text = ToText(Audit(arena, *cell, {.max_findings = 1}));
  CHECK(text.starts_with("audit of arena 'level': 0 leaks, 1 finding; "));
  CHECK(text.find("\nfinding: audit_report_test::Cell.next\n") !=
        std::string::npos);
  CHECK(text.find("another arena: arena 'menu'\n") != std::string::npos);
  CHECK(
      text.ends_with("1 more findings are not listed\n"
                     "1 findings at reviewed fields\n"));
}

TEST_CASE("ToText: what is wrong a hundred times is told once") {
  Arena arena({.name = "level"});
  Crowd* crowd = arena.New<Crowd>();
  for (int i = 0; i < 100; ++i) {
    crowd->cells.emplace_back().next =
        static_cast<Cell*>(GC_MALLOC(sizeof(Cell)));
  }
  Arena other;
  crowd->cells[7].other = other.New<Cell>();
  crowd->cells[9].other = crowd->cells[7].other;
  const AuditReport report = Audit(arena, *crowd, {.max_findings = 1000});
  CHECK(report.findings.size() == 102);  // all of them are there
  const std::string text = ToText(report);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 * 4);
  CHECK(text.starts_with("audit of arena 'level': 100 leaks, 102 findings; "));
  CHECK(text.find("\nLEAK: audit_report_test::Crowd.cells[0].next\n") !=
        std::string::npos);
  CHECK(text.find("\n    (and 99 more like it)\n") != std::string::npos);
  CHECK(text.find("\nfinding: audit_report_test::Crowd.cells[7].other\n") !=
        std::string::npos);
  CHECK(text.ends_with("\n    (and 1 more like it)\n"));
}

TEST_CASE("ToText: findings that a baseline knows are told apart") {
  AuditReport report;
  report.arena = "level";
  for (const bool is_known : {false, true, true, false}) {
    acre::Finding finding;
    finding.path = "World.a";
    finding.target = Target::kCollectedHeap;
    finding.is_known = is_known;
    report.findings.push_back(finding);
  }
  const std::string text = ToText(report);
  const std::size_t leak = text.find("\nLEAK: World.a\n");
  const std::size_t known = text.find("\nknown: World.a\n");
  REQUIRE(leak != std::string::npos);
  CHECK(leak < known);
  CHECK(known != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 1 + 2 * 4);
}

TEST_CASE("AuditReport: leaks are counted apart from other findings") {
  Arena arena;
  Arena other;
  Cell* cell = arena.New<Cell>();
  cell->next = other.New<Cell>();
  cell->other = static_cast<Cell*>(GC_MALLOC(10'000));
  const AuditReport report = Audit(arena, *cell);
  CHECK(report.findings.size() == 2);
  CHECK(report.leaks() == 1);
  CHECK_FALSE(report.clean());
}

TEST_CASE("ToText: holders, a line each, and what was not looked at") {
  acre::HolderReport report;
  report.arena = "level";
  acre::Holder holder;
  holder.kind = acre::HolderKind::kStatic;
  holder.name = "game::g_world+0x8";
  report.holders.push_back(holder);
  holder = {};
  holder.kind = acre::HolderKind::kCollected;
  holder.base = &report;
  holder.bytes = 48;
  report.holders.push_back(holder);
  holder = {};
  holder.kind = acre::HolderKind::kStack;
  holder.thread = 17;
  report.holders.push_back(holder);
  report.omitted = 3;
  report.unread_stacks = 1;
  const std::string text = ToText(report);
  CHECK(text.starts_with("holders of arena 'level': 6 possible\n"));
  CHECK(text.find("    static storage game::g_world+0x8: at ") !=
        std::string::npos);
  CHECK(text.find(fmt::format("    collected object of 48 bytes at {}: at ",
                              fmt::ptr(&report))) != std::string::npos);
  CHECK(text.find("    stack of thread 17: at ") != std::string::npos);
  CHECK(text.find("\n3 more are not listed\n1 stacks could not be read\n") !=
        std::string::npos);
  CHECK(text.ends_with("hidden pointers\n"));
  report.error = "the collector is disabled";
  CHECK(ToText(report) ==
        "holders of arena 'level': the collector is disabled\n");
}

}  // namespace audit_report_test
