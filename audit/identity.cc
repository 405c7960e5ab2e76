// SPDX-License-Identifier: MIT
//
// Identities of findings: paths without what changes from run to run.

#include <fmt/format.h>

#include <vector>

#include "acre/finding.h"

namespace acre::inline ACRE_ABI {
namespace {

/// Leaves out what stands between brackets and braces, quoted keys (which may
/// hold brackets) and what was elided.
std::string Generalised(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("...(")) {
      i = std::min(text.find(")...", i) + 3, text.size());
      continue;
    }
    const char open = text[i];
    result += open;
    if (open != '[' && open != '{') continue;
    const char close = open == '[' ? ']' : '}';
    bool is_quoted = false;
    for (++i; i < text.size(); ++i) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        is_quoted = !is_quoted;
      if (text[i] == close && !is_quoted) break;
    }
    result += close;
  }
  return result;
}

/// Circles among the types of a path are cut out: a list's hundredth node has
/// the identity of its second.
std::vector<const PathStep*> WithoutCircles(const Finding& finding) {
  std::vector<const PathStep*> steps;
  for (const PathStep& step : finding.steps) {
    if (step.type.empty()) continue;  // what was left out of a long path
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps[i]->type != step.type) continue;
      steps.resize(i + 1);
      break;
    }
    if (steps.empty() || steps.back()->type != step.type) {
      steps.push_back(&step);
    }
  }
  return steps;
}

}  // namespace

std::string IdentityOf(const Finding& finding) {
  std::string path;
  for (const PathStep* step : WithoutCircles(finding)) {
    path += Generalised(step->part);
  }
  path += Generalised(finding.steps.empty() ? finding.path : finding.field);
  return fmt::format("{} {}->{} {}", path, NameOf(finding.kind),
                     NameOf(finding.target), finding.type);
}

}  // namespace acre::inline ACRE_ABI
