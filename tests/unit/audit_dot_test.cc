// SPDX-License-Identifier: MIT
//
// Guards the DOT of an audit: paths merged into one graph, one node a target,
// and text that Graphviz reads as text.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <string>
#include <string_view>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "support/json.h"

namespace audit_dot_test {

using acre::Arena;
using acre::AuditReport;
using acre::ToDot;

struct Node {
  Node* left = nullptr;
  Node* right = nullptr;
};
ACRE_LAYOUT(Node, left, right)

std::size_t CountOf(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != text.npos;
       at = text.find(part, at + part.size())) {
    ++n;
  }
  return n;
}

/// Every line outside the braces is a statement; quotes are closed, and what
/// stands in them is escaped.
bool IsWellFormed(std::string_view dot) {
  bool is_quoted = false;
  int depth = 0;
  for (std::size_t i = 0; i < dot.size(); ++i) {
    if (is_quoted && dot[i] == '\\') {
      ++i;
    } else if (dot[i] == '"') {
      is_quoted = !is_quoted;
    } else if (is_quoted) {
      if (static_cast<unsigned char>(dot[i]) < 0x20) return false;
    } else if (dot[i] == '{' || dot[i] == '}') {
      depth += dot[i] == '{' ? 1 : -1;
    }
  }
  return !is_quoted && depth == 0 && acre_test::IsUtf8(dot);
}

AuditReport ReportOf(const std::string& text) {
  AuditReport report;
  report.arena = text;
  acre::Finding& finding = report.findings.emplace_back();
  finding.path = text;
  finding.field = text;
  finding.steps = {{text, &report, text}, {text, nullptr, {}}};
  return report;
}

TEST_CASE("ToDot: a clean report is a graph without nodes") {
  AuditReport report;
  report.arena = "level";
  const std::string dot = ToDot(report);
  CHECK(dot.starts_with("digraph \"audit of arena level\" {\n"));
  CHECK(IsWellFormed(dot));
  CHECK(CountOf(dot, "label=") == 0);
  CHECK(CountOf(dot, "->") == 0);
}

TEST_CASE("ToDot: paths share their objects, leaks share one target") {
  Arena arena({.name = "level"});
  Node* root = arena.New<Node>();
  root->left = arena.New<Node>();
  root->right = arena.New<Node>();  // in no path
  root->left->left = static_cast<Node*>(GC_MALLOC(10'000));
  root->left->right = static_cast<Node*>(GC_MALLOC(10'000));
  const std::string dot = ToDot(Audit(arena, *root));
  CHECK(IsWellFormed(dot));
  CHECK(CountOf(dot, "[label=\"audit_dot_test::Node\"") == 2);
  CHECK(CountOf(dot, "[label=\"collected heap\"") == 1);
  CHECK(CountOf(dot, "->") == 3);
  CHECK(CountOf(dot, "n0 -> n1 [label=\".left\"]") == 1);
  CHECK(CountOf(dot, "n1 -> n2 [label=\".left\", color=\"#c62828\"") == 1);
  CHECK(CountOf(dot, "n1 -> n2 [label=\".right\", color=\"#c62828\"") == 1);
}

TEST_CASE("ToDot: other findings lead to their own targets, not in red") {
  Arena arena;
  Arena other;
  Node* root = arena.New<Node>();
  root->left = static_cast<Node*>(GC_MALLOC(10'000));
  root->right = other.New<Node>();
  const std::string dot = ToDot(Audit(arena, *root));
  CHECK(CountOf(dot, "[label=\"collected heap\"") == 1);
  CHECK(CountOf(dot, "[label=\"another arena\"") == 1);
  CHECK(CountOf(dot, "[label=\".right\", style=dashed]") == 1);
}

TEST_CASE("ToDot: a long path is told as shortened") {
  Arena arena;
  Node* root = arena.New<Node>();
  Node* last = root;
  for (int i = 0; i < 1000; ++i) last = last->left = arena.New<Node>();
  last->left = static_cast<Node*>(GC_MALLOC(10'000));
  last->right = last->left;
  const std::string dot = ToDot(Audit(arena, *root));
  CHECK(IsWellFormed(dot));
  CHECK(CountOf(dot, " more)...\"") == 2);  // a node and the edge to it
  CHECK(CountOf(dot, "->") < 60);
}

TEST_CASE("ToDot: words without a path are nodes of their own") {
  AuditReport report;
  for (const char* path : {"memory of the arena at 0x10", "raw block[+8]"}) {
    acre::Finding& finding = report.findings.emplace_back();
    finding.path = path;
    finding.kind = acre::FindingKind::kWord;
    finding.target = acre::Target::kCollectedHeap;
  }
  const std::string dot = ToDot(report);
  CHECK(IsWellFormed(dot));
  CHECK(CountOf(dot, "[label=\"raw block[+8]\"") == 1);
  CHECK(CountOf(dot, "->") == 2);
}

TEST_CASE("ToDot: text is escaped") {
  const std::string dot = ToDot(ReportOf("a\"b\\N &lt; \n\x01\xff}"));
  CHECK(IsWellFormed(dot));
  CHECK(CountOf(dot, "a\\\"b\\\\N &amp;lt; \\n\\\\x01\\\\xff}") >= 3);
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  CHECK(IsWellFormed(ToDot(ReportOf(all))));
}

}  // namespace audit_dot_test
