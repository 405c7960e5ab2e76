// SPDX-License-Identifier: MIT
//
// Guards the JSON lines of an audit: the schema line by line, text of any
// bytes, and the strictness of the reader that all tests of JSON rely on.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <gc/gc.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "support/json.h"

namespace audit_json_test {

using acre::Arena;
using acre::AuditReport;
using acre::ToJsonLines;
using acre_test::Json;
using Kind = Json::Kind;

struct Cell {
  Cell* next = nullptr;
  acre::Map<acre::String, Cell*> named;
};
ACRE_LAYOUT(Cell, next, named)

bool IsJson(std::string_view text) {
  Json json;
  std::string error;
  return acre_test::ParseJson(text, &json, &error);
}

Json Parsed(std::string_view text) {
  Json json;
  std::string error;
  const bool is_good = acre_test::ParseJson(text, &json, &error);
  REQUIRE_MESSAGE(is_good, error << " in " << text);
  return json;
}

/// Every line on its own.
std::vector<Json> Lines(const AuditReport& report) {
  const std::string text = ToJsonLines(report);
  std::vector<Json> lines;
  REQUIRE(text.ends_with('\n'));
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(Parsed(std::string_view(text).substr(at, end - at)));
    REQUIRE(lines.back().kind == Kind::kObject);
    at = end + 1;
  }
  REQUIRE(lines.size() >= 2);
  return lines;
}

using Keys = std::vector<std::string>;

TEST_CASE("ParseJson: takes JSON") {
  CHECK(Parsed(" null ").kind == Kind::kNull);
  CHECK(Parsed("true").is_true);
  CHECK_FALSE(Parsed("false").is_true);
  CHECK(Parsed("[0,-1.5e+2, 10]")[1].number == -150);
  CHECK(Parsed("[0,-1.5e+2, 10]")[2].whole() == 10);
  CHECK(Parsed("1.5").whole() == std::string::npos);
  CHECK(Parsed(R"("\u20ac\ud83d\ude00\n\"")").text == "€😀\n\"");
  CHECK(Parsed(R"({"a":{"b":[]},"c":{}})")["a"]["b"].kind == Kind::kArray);
  CHECK(Parsed(R"({"a":1,"b":2})").keys == Keys{"a", "b"});
}

TEST_CASE("ParseJson: refuses what is none") {
  for (const char* text : {"",
                           " ",
                           "nul",
                           "[1,]",
                           "[1 2]",
                           "[",
                           "]",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "01",
                           "+1",
                           "1.",
                           ".5",
                           "1e",
                           "-",
                           "NaN",
                           "\"a",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\udc00\"",
                           "\"\\ud800\\u0041\"",
                           "\"\n\"",
                           "'a'",
                           "1 2",
                           "{\"a\":1,\"a\":2}",
                           "[1]]",
                           "tru",
                           "\"\\"}) {
    CHECK_MESSAGE(!IsJson(text), text);
  }
}

TEST_CASE("ParseJson: refuses what is not UTF-8") {
  for (const char* text :
       {"\xff", "\x80", "\xc3", "\xc3(", "\xc0\xaf", "\xe0\x80\x80",
        "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xe2\x82",
        "\xf8\x88\x80\x80\x80"}) {
    CHECK_FALSE(acre_test::IsUtf8(text));
    CHECK_FALSE(IsJson(fmt::format("\"{}\"", text)));
  }
  for (const char* text : {"", "a", "é", "€", "😀", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    CHECK(acre_test::IsUtf8(text));
    CHECK(Parsed(fmt::format("\"{}\"", text)).text == text);
  }
}

TEST_CASE("ToJsonLines: a clean report is a header and a summary") {
  Arena arena({.name = "level"});
  Cell* cell = arena.New<Cell>();
  cell->next = arena.New<Cell>();
  const std::vector<Json> lines = Lines(Audit(arena, *cell));
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].keys == Keys{"record", "schema", "version", "arena", "leaks",
                              "findings", "omitted", "reviewed", "known",
                              "objects", "pointers", "words", "note"});
  CHECK(lines[0]["record"].text == "audit");
  CHECK(lines[0]["schema"].text == "acre.audit");
  CHECK(lines[0]["version"].whole() == 1);
  CHECK(lines[0]["arena"].text == "level");
  CHECK(lines[0]["objects"].whole() == 2);
  CHECK(lines[0]["pointers"].whole() == 1);
  CHECK(lines[1].keys == Keys{"record", "leaks", "findings", "omitted", "known",
                              "new", "garbage_blocks", "garbage_bytes"});
  CHECK(lines[1]["record"].text == "summary");
  CHECK(lines[1]["new"].whole() == 0);
}

TEST_CASE("ToJsonLines: a finding has all that the report knows of it") {
  Arena arena({.name = "level"});
  Cell* cell = arena.New<Cell>();
  cell->named["a"] = arena.New<Cell>();
  void* target = GC_MALLOC(10'000);
  cell->named["a"]->next = static_cast<Cell*>(target);
  const AuditReport report = Audit(arena, *cell);
  const std::vector<Json> lines = Lines(report);
  REQUIRE(lines.size() == 3);
  const Json& finding = lines[1];
  const acre::Finding& expected = report.findings[0];
  CHECK(finding.keys == Keys{"record", "identity", "path", "field", "kind",
                             "target", "certainty", "is_leak", "is_known",
                             "slot", "address", "type", "what", "hint",
                             "steps"});
  CHECK(finding["record"].text == "finding");
  CHECK(finding["identity"].text == acre::IdentityOf(expected));
  CHECK(finding["path"].text == "audit_json_test::Cell.named[\"a\"].next");
  CHECK(finding["field"].text == ".next");
  CHECK(finding["kind"].text == "pointer");
  CHECK(finding["target"].text == "collected heap");
  CHECK(finding["certainty"].text == "exact");
  CHECK(finding["is_leak"].is_true);
  CHECK_FALSE(finding["is_known"].is_true);
  CHECK(finding["slot"].text ==
        fmt::format("{}", fmt::ptr(&cell->named["a"]->next)));
  CHECK(finding["address"].text == fmt::format("{}", target));
  CHECK(finding["type"].text == "audit_json_test::Cell");
  CHECK(finding["what"].text == expected.what);
  CHECK(finding["hint"].text == expected.hint);
  const Json& steps = finding["steps"];
  REQUIRE(steps.items.size() == expected.steps.size());
  for (std::size_t i = 0; i < steps.items.size(); ++i) {
    CHECK(steps[i].keys == Keys{"part", "type", "address"});
    CHECK(steps[i]["part"].text == expected.steps[i].part);
    CHECK(steps[i]["type"].text == expected.steps[i].type);
    CHECK(steps[i]["address"].text ==
          fmt::format("{}", expected.steps[i].address));
  }
  CHECK(lines[2]["leaks"].whole() == 1);
  CHECK(lines[2]["new"].whole() == 1);
  GC_reachable_here(target);
}

TEST_CASE("ToJsonLines: garbage by type, and what is known") {
  AuditReport report;
  report.garbage = {{"storage of Thing", 3, 4096}, {"Thing", 1, 48}};
  report.findings.resize(3);
  report.findings[1].is_known = true;
  report.known = 1;
  report.omitted = 7;
  const std::vector<Json> lines = Lines(report);
  REQUIRE(lines.size() == 7);
  CHECK(lines[2]["is_known"].is_true);
  CHECK(lines[2]["slot"].kind == Kind::kNull);
  CHECK(lines[4].keys == Keys{"record", "type", "blocks", "bytes"});
  CHECK(lines[4]["record"].text == "garbage");
  CHECK(lines[4]["type"].text == "storage of Thing");
  CHECK(lines[4]["bytes"].whole() == 4096);
  CHECK(lines[6]["garbage_blocks"].whole() == 4);
  CHECK(lines[6]["garbage_bytes"].whole() == 4144);
  CHECK(lines[6]["new"].whole() == report.omitted + 2);
}

TEST_CASE("ToJsonLines: text of any bytes comes out as UTF-8") {
  AuditReport report;
  report.arena = "\xff\" \\ \n \x01 \x7f é € 😀 \xc3( </script>";
  report.note = std::string("a\0b", 3);
  const std::vector<Json> lines = Lines(report);
  CHECK(lines[0]["arena"].text ==
        "\\xff\" \\ \n \x01 \x7f é € 😀 \\xc3( </script>");
  CHECK(lines[0]["note"].text == report.note);
}

TEST_CASE("ToJsonLines: every byte and every pair of bytes is harmless") {
  AuditReport report;
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      report.note += {static_cast<char>(first), static_cast<char>(second), ' '};
    }
  }
  const std::string text = ToJsonLines(report);
  CHECK(acre_test::IsUtf8(text));
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(Lines(report)[0]["note"].text.size() >= report.note.size());
}

}  // namespace audit_json_test
