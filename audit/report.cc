// SPDX-License-Identifier: MIT
//
// Names and the text report.

#include <fmt/format.h>

#include <iterator>

#include "acre/audit.h"
#include "path.h"

namespace acre::inline ACRE_ABI {

std::string_view NameOf(Target target) noexcept {
  switch (target) {
    case Target::kCollectedHeap:
      return "collected heap";
    case Target::kCollectedArena:
      return "another collected arena";
    case Target::kOtherArena:
      return "another arena";
    case Target::kFreed:
      return "freed block";
    case Target::kUnused:
      return "unused memory";
    case Target::kMisaligned:
      return "misaligned";
    case Target::kStale:
      return "stale storage";
    case Target::kStack:
      return "stack";
    case Target::kStatic:
      return "static storage";
    case Target::kUnknown:
      return "unknown memory";
  }
  return "?";
}

std::string_view NameOf(FindingKind kind) noexcept {
  switch (kind) {
    case FindingKind::kPointer:
      return "pointer";
    case FindingKind::kSpan:
      return "span";
    case FindingKind::kString:
      return "string";
    case FindingKind::kContainer:
      return "container";
  }
  return "?";
}

std::string ToText(const AuditReport& report) {
  std::string text = fmt::format(
      "audit of arena '{}': {} leak{}, {} finding{}; {} objects, {} pointers\n",
      report.arena, report.leaks(), report.leaks() == 1 ? "" : "s",
      report.findings.size(), report.findings.size() == 1 ? "" : "s",
      report.objects, report.pointers);
  auto out = std::back_inserter(text);
  for (const Finding& finding : report.findings) {
    fmt::format_to(out, "{}: {}\n", finding.is_leak() ? "LEAK" : "finding",
                   finding.path);
    fmt::format_to(out, "    {} at {} to {}, {}: {}\n", NameOf(finding.kind),
                   finding.slot, detail::TypeText(finding.type),
                   NameOf(finding.target), finding.what);
    fmt::format_to(out, "    {}\n", finding.hint);
  }
  if (report.omitted != 0) {
    fmt::format_to(out, "{} more findings are not listed\n", report.omitted);
  }
  if (report.reviewed != 0) {
    fmt::format_to(out, "{} findings at reviewed fields\n", report.reviewed);
  }
  return text;
}

}  // namespace acre::inline ACRE_ABI
