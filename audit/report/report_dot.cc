// SPDX-License-Identifier: MIT
//
// The retaining paths of all findings as one Graphviz graph.

#include <fmt/format.h>

#include <cstddef>
#include <map>
#include <set>
#include <tuple>

#include "acre/audit_report.h"
#include "acre/detail/utf8.h"

namespace acre::inline ACRE_ABI {
namespace {

/// Text for a quoted string of DOT: Graphviz reads escapes and HTML entities in
/// labels.
std::string Escaped(std::string_view text) {
  std::string escaped;
  const auto add_byte = [&](unsigned char byte) {
    escaped += fmt::format("\\\\x{:02x}", byte);
  };
  detail::ForEachCharacter(
      text,
      [&](std::string_view character) {
        const char c = character[0];
        if (c == '&') {
          escaped += "&amp;";
        } else if (c == '"' || c == '\\') {
          escaped += '\\';
          escaped += c;
        } else if (c == '\n') {
          escaped += "\\n";
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
          add_byte(static_cast<unsigned char>(c));
        } else {
          escaped += character;
        }
      },
      add_byte);
  return escaped;
}

/// Collects the graph, then writes it. Nodes have the numbers in which they
/// were met first.
class DotWriter {
 public:
  explicit DotWriter(const AuditReport& report) {
    for (const Finding& finding : report.findings) Add(finding);
    text_ += fmt::format(
        "digraph \"{}\" {{\n"
        "  rankdir=LR;\n"
        "  node [shape=box, style=rounded, fontname=\"sans-serif\", "
        "fontsize=11];\n"
        "  edge [fontname=\"sans-serif\", fontsize=10, "
        "color=\"#777777\"];\n",
        Escaped("audit of arena " + report.arena));
  }

  std::string Finish() {
    text_ += nodes_text_ + edges_text_ + "}\n";
    return std::move(text_);
  }

 private:
  void Add(const Finding& finding) {
    std::size_t from = 0;
    for (std::size_t i = 0; i < finding.steps.size(); ++i) {
      const PathStep& step = finding.steps[i];
      const std::size_t to = NodeOf(step, from);
      if (i != 0) AddEdge(from, to, step.part, "");
      from = to;
    }
    // Words of memory that nothing leads to have a path in words only.
    if (finding.steps.empty()) {
      from = NodeOf({finding.path, finding.slot, {}}, from);
    }
    AddEdge(from, TargetNode(finding), finding.field,
            finding.is_leak() ? "color=\"#c62828\", fontcolor=\"#c62828\", "
                                "penwidth=2"
                              : "style=dashed");
  }

  /// An object is one node, however many paths lead through it. What was left
  /// out of a long path has no address: it is told by its text and by the node
  /// before it.
  std::size_t NodeOf(const PathStep& step, std::size_t from) {
    const std::string& label = step.type.empty() ? step.part : step.type;
    const auto [at, is_new] = nodes_.try_emplace(
        {step.address, label, step.address == nullptr ? from : 0}, next_);
    if (!is_new) return at->second;
    nodes_text_ += fmt::format("  n{} [label=\"{}\", tooltip=\"{}\"];\n", next_,
                               Escaped(label), step.address);
    return next_++;
  }

  std::size_t TargetNode(const Finding& finding) {
    const auto [at, is_new] = targets_.try_emplace(finding.target, next_);
    if (!is_new) return at->second;
    nodes_text_ += fmt::format(
        "  n{} [label=\"{}\", shape=ellipse, color=\"{}\"];\n", next_,
        NameOf(finding.target), finding.is_leak() ? "#c62828" : "#777777");
    return next_++;
  }

  void AddEdge(std::size_t from, std::size_t to, const std::string& label,
               std::string_view look) {
    if (!edges_.emplace(from, to, label).second) return;
    edges_text_ += fmt::format("  n{} -> n{} [label=\"{}\"{}{}];\n", from, to,
                               Escaped(label), look.empty() ? "" : ", ", look);
  }

  std::map<std::tuple<const void*, std::string, std::size_t>, std::size_t>
      nodes_;
  std::map<Target, std::size_t> targets_;
  std::set<std::tuple<std::size_t, std::size_t, std::string>> edges_;
  std::size_t next_ = 0;  // number of the next node
  std::string text_;
  std::string nodes_text_;
  std::string edges_text_;
};

}  // namespace

std::string ToDot(const AuditReport& report) {
  return DotWriter(report).Finish();
}

}  // namespace acre::inline ACRE_ABI
