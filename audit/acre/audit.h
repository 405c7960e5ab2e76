// SPDX-License-Identifier: MIT
//
// Audit: walks everything that a root reaches inside an arena, by registered
// layouts, and reports pointers that must not be there: above all leaks, from
// the arena into the collected heap, where the collector does not see them.
//
//   acre::AuditReport report = acre::Audit(arena, *world);
//   if (report.leaks() != 0) fmt::print("{}", acre::ToText(report));
//
// The root may stand anywhere; what is reported are pointers that lie in the
// arena. Fields declared borrowed are not looked at; findings at reviewed
// fields are counted, not listed.
// Threads: the arena's. Nothing is changed. Deterministic: the same graph
// gives the same findings in the same order, shortest path first.
// Complexity: linear in objects and pointers; a second pass where there are
// findings. Memory: about 32 bytes an object. Cycles end; no recursion.

#ifndef ACRE_AUDIT_H_
#define ACRE_AUDIT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/element.h"
#include "acre/finding.h"

namespace acre::inline ACRE_ABI {

struct AuditOptions {
  /// Findings beyond this number are counted in `omitted`, not listed; leaks
  /// are listed before others.
  std::size_t max_findings = 1000;
  /// Report pointers into static storage too; they are harmless to the
  /// collector, and deep copy keeps them.
  bool report_static = false;
};

struct AuditReport {
  std::string arena = {};  ///< its name
  std::vector<Finding> findings = {};
  std::size_t omitted = 0;     ///< findings beyond max_findings
  std::size_t leak_count = 0;  ///< leaks, those omitted included
  std::size_t reviewed = 0;    ///< findings at fields declared reviewed
  std::size_t objects = 0;     ///< objects, arrays and storages walked
  std::size_t pointers = 0;    ///< pointers looked at

  /// How many findings are leaks, listed or not.
  std::size_t leaks() const noexcept { return leak_count; }
  bool clean() const noexcept { return findings.empty(); }
};

/// Audits what `root` reaches.
template <class T>
AuditReport Audit(const Arena& arena, const T& root,
                  const AuditOptions& options = {});

/// The same by layout, for compiled code. Requires: `root` points to an object
/// of that type.
AuditReport AuditObject(const Arena& arena, const TypeLayout& type,
                        const void* root, const AuditOptions& options = {});

/// The report as lines of text: a summary, then three lines a finding.
std::string ToText(const AuditReport& report);

// ------------------------------------------------------------ implementation

template <class T>
AuditReport Audit(const Arena& arena, const T& root,
                  const AuditOptions& options) {
  static_assert(detail::RequireElement<T>());
  return AuditObject(arena, LayoutOf<T>(), &root, options);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_AUDIT_H_
