// SPDX-License-Identifier: MIT
//
// Reports of an audit: text for a terminal, JSON lines for a program, a page
// for a browser, a heap snapshot for Chrome DevTools, DOT for Graphviz.
//
//   fmt::print("{}", acre::ToText(report));
//   acre::WriteHtml(file, arena, report);
//
// Writers take a FILE* and stream; false: writing failed, errno says why. What
// is written is UTF-8; other bytes in names and keys are written as \xNN.
// Threads: the arena's.

#ifndef ACRE_AUDIT_REPORT_H_
#define ACRE_AUDIT_REPORT_H_

#include <cstdio>
#include <string>

#include "acre/audit.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

struct TextOptions {
  bool color = false;  ///< ANSI escapes; see WantsColor
};

/// The report as lines of text: a summary, then three lines a finding.
std::string ToText(const AuditReport& report, const TextOptions& options = {});

/// True where `file` is a terminal and the environment has no NO_COLOR.
bool WantsColor(std::FILE* file) noexcept;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_AUDIT_REPORT_H_
