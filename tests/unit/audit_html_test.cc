// SPDX-License-Identifier: MIT
//
// Guards the HTML page of an audit as far as no browser is needed: it is
// complete and loads nothing, its data is right, and no name can break out of
// it. How it behaves: tests/hygiene/html_report.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/json.h"
#include "support/scaled.h"
#include "support/written.h"

namespace audit_html_test {

using acre::Arena;
using acre::AuditReport;
using acre_test::Json;
using acre_test::Scaled;

struct Cell {
  Cell* next = nullptr;
  acre::Map<acre::String, Cell*> named;
};
ACRE_LAYOUT(Cell, next, named)

std::string PageOf(const Arena& arena, const AuditReport& report) {
  return acre_test::Written(
      [&](std::FILE* file) { return acre::WriteHtml(file, arena, report); });
}

/// What the scripts read.
std::string_view DataIn(std::string_view page) {
  constexpr std::string_view kOpen =
      "<script type=\"application/json\" id=\"audit-data\">";
  const std::size_t begin = page.find(kOpen);
  REQUIRE(begin != page.npos);
  page.remove_prefix(begin + kOpen.size());
  return page.substr(0, page.find("</script>"));
}

Json DataOf(const Arena& arena, const AuditReport& report) {
  const std::string page = PageOf(arena, report);
  Json data;
  std::string error;
  const bool is_good = acre_test::ParseJson(DataIn(page), &data, &error);
  REQUIRE_MESSAGE(is_good, error);
  return data;
}

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos;
       at = text.find(part, at + part.size())) {
    ++n;
  }
  return n;
}

/// What the cells of a chunk add up to.
struct Sum {
  std::size_t cells = 0;
  std::size_t live = 0;   // bytes
  std::size_t freed = 0;  // bytes
};

/// A run of cells: how many, type, blocks, live, freed, block, its bytes.
Sum SumOf(const Json& chunk) {
  Sum sum;
  for (const Json& run : chunk["cells"].items) {
    REQUIRE(run.items.size() == 7);
    sum.cells += run[0u].whole();
    sum.live += run[0u].whole() * run[3].whole();
    sum.freed += run[0u].whole() * run[4].whole();
  }
  return sum;
}

/// The run that holds cell number `cell`.
const Json& CellAt(const Json& chunk, std::size_t cell) {
  for (const Json& run : chunk["cells"].items) {
    if (cell < run[0u].whole()) return run;
    cell -= run[0u].whole();
  }
  return chunk["none"];
}

TEST_CASE("WriteHtml: one page that loads nothing") {
  Arena arena({.name = "level"});
  arena.New<Cell>();
  const std::string page = PageOf(arena, AuditAll(arena));
  CHECK(page.starts_with("<!doctype html>\n<html lang=\"en\">"));
  CHECK(page.ends_with("</html>\n"));
  CHECK(acre_test::IsUtf8(page));
  CHECK(page.find("Content-Security-Policy") != page.npos);
  for (const char* text : {"http:", "https:", "//cdn", "@import", "src=\"",
                           "url(", "fetch(", "XMLHttp", "innerHTML",
                           "insertAdjacentHTML", "document.write", "eval("}) {
    CHECK_MESSAGE(page.find(text) == page.npos, text);
  }
}

TEST_CASE("WriteHtml: the data says what the report says") {
  Arena arena({.name = "level"});
  Cell* cell = arena.New<Cell>();
  cell->named["a"] = arena.New<Cell>();
  cell->named["a"]->next = static_cast<Cell*>(GC_MALLOC(10'000));
  AuditReport report = Audit(arena, *cell);
  report.garbage = {{"Thing", 2, 96}};
  report.note = "a note";
  const Json data = DataOf(arena, report);
  CHECK(data["arena"].text == "level");
  CHECK(data["checked"].is_true == acre::kChecked);
  CHECK(data["note"].text == "a note");
  CHECK(data["leaks"].whole() == 1);
  CHECK(data["stats"]["live"].whole() == arena.stats().live());
  CHECK(data["stats"]["reserved"].whole() == arena.stats().reserved);
  REQUIRE(data["listed"].items.size() == 1);
  const Json& finding = data["listed"][0u];
  CHECK(finding["path"].text == "audit_html_test::Cell.named[\"a\"].next");
  CHECK(finding["steps"].items.size() == report.findings[0].steps.size());
  CHECK(data["garbage"][0u]["bytes"].whole() == 96);

  REQUIRE(finding["at"].items.size() == 2);
  const Json& chunk = data["chunks"][finding["at"][0u].whole()];
  const auto* begin = reinterpret_cast<const char*>(
      std::stoull(chunk["address"].text, nullptr, 16));
  const auto* slot = reinterpret_cast<const char*>(&cell->named["a"]->next);
  CHECK(finding["at"][1].whole() ==
        static_cast<std::size_t>(slot - begin) / data["cell_bytes"].whole());
}

TEST_CASE("WriteHtml: cells and types add up to the blocks") {
  Arena arena;
  Cell* cell = arena.New<Cell>();
  for (int i = 0; i < 1000; ++i) {
    cell->named[acre::String(arena, std::to_string(i))] = arena.New<Cell>();
  }
  for (int i = 0; i < 1000; i += 2) {
    arena.Free(cell->named[acre::String(arena, std::to_string(i))]);
    cell->named.erase(std::to_string(i));
  }
  static_cast<void>(arena.Allocate(std::size_t{9} << 20));
  const Json data = DataOf(arena, AuditReport{});
  const std::size_t cell_bytes = data["cell_bytes"].whole();
  std::size_t cells = 0;
  std::size_t live = 0;
  std::size_t freed = 0;
  for (const Json& chunk : data["chunks"].items) {
    const Sum sum = SumOf(chunk);
    CHECK(sum.cells ==
          (chunk["capacity"].whole() + cell_bytes - 1) / cell_bytes);
    cells += sum.cells;
    live += sum.live;
    freed += sum.freed;
  }
  CHECK(cells <= 16384);
  if (!acre::kChecked) {
    CHECK(live == arena.stats().carved);
    CHECK(data["types"].items.empty());
    return;
  }
  CHECK(freed >= 500 * sizeof(Cell));
  std::size_t by_type = 0;
  std::size_t largest = SIZE_MAX;
  for (const Json& type : data["types"].items) {
    by_type += type["bytes"].whole();
    CHECK(type["bytes"].whole() <= largest);
    largest = type["bytes"].whole();
  }
  CHECK(by_type == live);
  CHECK(live <= arena.stats().live());
  CHECK(data["types"][0u]["name"].text == "raw bytes");
  CHECK(data["types"][0u]["blocks"].whole() == 1);
}

TEST_CASE("WriteHtml: a cell tells its block") {
  if (!acre::kChecked) return;
  Arena arena;
  Cell* cell = arena.New<Cell>();
  const std::size_t raw_bytes = 100;
  static_cast<void>(arena.Allocate(raw_bytes));
  arena.Free(arena.New<Cell>());
  const Json data = DataOf(arena, AuditReport{});
  REQUIRE(data["cell_bytes"].whole() == acre::kGranule);
  const Json& chunk = data["chunks"][0u];
  const Json& first = CellAt(chunk, 0);
  CHECK(first[0u].whole() == sizeof(Cell) / acre::kGranule);
  CHECK(data["types"][first[1].whole()]["name"].text ==
        "audit_html_test::Cell");
  CHECK(first[2].whole() == 1);
  CHECK(first[5].whole() == 0);
  CHECK(first[6].whole() == sizeof(Cell));
  const Json& raw = CellAt(chunk, sizeof(Cell) / acre::kGranule);
  CHECK(data["types"][raw[1].whole()]["name"].text == "raw bytes");
  CHECK(raw[6].whole() == raw_bytes);
  const Json& freed =
      CellAt(chunk, (chunk["used"].whole() - 1) / acre::kGranule);
  CHECK(freed[1].number == -1);
  CHECK(freed[4].whole() == acre::kGranule);
  const Json& unused = CellAt(chunk, chunk["used"].whole() / acre::kGranule);
  CHECK(unused[2].whole() == 0);
  CHECK(unused[3].whole() == 0);
  static_cast<void>(cell);
}

TEST_CASE("WriteHtml: an arena of many chunks fits into the map") {
  Arena arena({.first_chunk = 4096, .max_chunk = 4096});
  for (int i = 0; i < Scaled(20'000, 6'000); ++i) {
    static_cast<void>(arena.Allocate(2000));
  };
  const Json data = DataOf(arena, AuditReport{});
  const auto& chunks = data["chunks"].items;
  CHECK(chunks.size() == arena.stats().chunks);
  for (const Json& chunk : chunks) CHECK(SumOf(chunk).cells >= 1);
  CHECK(std::is_sorted(chunks.begin(), chunks.end(),
                       [](const Json& a, const Json& b) {
                         return a["address"].text < b["address"].text;
                       }));
}

TEST_CASE("WriteHtml: names cannot break out") {
  Arena arena({.name = "</script><script>alert(1)</script>"});
  Cell* cell = arena.New<Cell>();
  for (const char* key : {"</script><script>alert(2)", "<!--<script>", "&lt;",
                          "\xff\xe2\x80", "\xe2\x80\xa8", "\" onload=\"x"}) {
    Cell* named = arena.New<Cell>();
    named->next = static_cast<Cell*>(GC_MALLOC(10'000));
    cell->named[acre::String(arena, key)] = named;
  }
  const AuditReport report = Audit(arena, *cell);
  REQUIRE(report.findings.size() == 6);
  const std::string page = PageOf(arena, report);
  CHECK(acre_test::IsUtf8(page));
  CHECK(CountOf(page, "alert(1)<") == 0);
  CHECK(CountOf(page, "<script") == 2);
  CHECK(CountOf(page, "</script") == 2);
  CHECK(DataIn(page).find('<') == std::string_view::npos);
  CHECK(DataOf(arena, report)["arena"].text == arena.name());
}

TEST_CASE("WriteHtml: an arena without memory, a report without findings") {
  const Arena arena;
  const Json data = DataOf(arena, AuditReport{});
  CHECK(data["chunks"].items.empty());
  CHECK(data["types"].items.empty());
  CHECK(data["listed"].items.empty());
}

TEST_CASE("WriteHtml: findings elsewhere have no place in the map") {
  const Arena arena;
  AuditReport report;
  report.findings.resize(1);
  report.findings[0].slot = &report;
  const Json data = DataOf(arena, report);
  CHECK(data["listed"][0u]["at"].kind == Json::Kind::kNull);
}

TEST_CASE("WriteHtml: says that writing failed") {
  Arena arena;
  arena.New<Cell>();
  const AuditReport report = AuditAll(arena);
  CHECK(acre_test::FailsOnFullDisk(
      [&](std::FILE* file) { return acre::WriteHtml(file, arena, report); }));
}

}  // namespace audit_html_test
