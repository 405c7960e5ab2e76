// SPDX-License-Identifier: MIT
//
// Audit: walks what a root reaches inside an arena, by registered layouts, and
// reports pointers that must not be there: above all leaks, from the arena into
// the collected heap, where the collector does not see them. AuditAll walks
// every live block, reached or not.
//
//   acre::AuditReport report = acre::Audit(arena, *world);
//   if (report.leaks() != 0) fmt::print("{}", acre::ToText(report));
//
//   acre::AuditAll(arena);  // all of it, without a root: checked builds
//   acre::AuditAll(arena, {acre::RootOf(*world)});
//
// Roots may stand anywhere; what is reported are pointers that lie in the
// arena. Fields declared borrowed are not looked at; findings at reviewed
// fields are counted, not listed. Audits that run by themselves, at each
// collection above all: <acre/audit_policy.h>. Reports: <acre/audit_report.h>.
// Threads: the arena's. Nothing is changed. Deterministic: the same graph
// gives the same findings in the same order, shortest path first.
// Complexity: linear in objects and pointers; a second pass where there are
// findings. Cycles end; no recursion. AuditAll remembers what not to sweep: a
// bit a word, a 64th of the arena.

#ifndef ACRE_AUDIT_H_
#define ACRE_AUDIT_H_

#include <cstddef>
#include <initializer_list>
#include <span>
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
  /// AuditAll: look at every aligned word of memory that no layout describes
  /// (blocks of Allocate, opaque holes, storage whose container was not met).
  /// Where it equals the address of a collected object it is an ambiguous
  /// finding.
  bool sweep_raw = true;
  /// AuditAll with roots: tell the blocks that no root reaches.
  bool report_garbage = false;
};

/// Blocks of one type that no root reaches.
struct Garbage {
  std::string type;  ///< "Thing", "storage of Thing", "raw bytes"
  std::size_t blocks = 0;
  std::size_t bytes = 0;
};

struct AuditReport {
  std::string arena = {};  ///< its name
  std::vector<Finding> findings = {};
  std::size_t omitted = 0;            ///< findings beyond max_findings
  std::size_t leak_count = 0;         ///< leaks, those omitted included
  std::size_t reviewed = 0;           ///< findings at fields declared reviewed
  std::size_t objects = 0;            ///< objects, arrays and storages walked
  std::size_t pointers = 0;           ///< pointers looked at
  std::size_t words = 0;              ///< words of undescribed memory looked at
  std::size_t known = 0;              ///< findings that the baseline lists
  std::vector<Garbage> garbage = {};  ///< most bytes first
  std::string note = {};  ///< what could not be audited, if anything

  /// How many findings are leaks, listed or not.
  std::size_t leaks() const noexcept { return leak_count; }
  bool clean() const noexcept { return findings.empty(); }
};

/// An object to start from. Borrows it. Neither may be null.
struct AuditRoot {
  const TypeLayout* type = nullptr;
  const void* object = nullptr;
};

template <class T>
AuditRoot RootOf(const T& object) {
  static_assert(detail::RequireElement<T>());
  return {&LayoutOf<T>(), &object};
}

/// Audits what `root` reaches.
template <class T>
AuditReport Audit(const Arena& arena, const T& root,
                  const AuditOptions& options = {});

/// The same by layout, for compiled code. Requires: `root` points to an object
/// of that type.
AuditReport AuditObject(const Arena& arena, const TypeLayout& type,
                        const void* root, const AuditOptions& options = {});

/// Audits every live block of the arena. Paths start at the roots; blocks that
/// no root reaches have paths from a block that no pointer leads to.
/// Checked builds know the type of every block. Release builds do not: there
/// the roots are walked, all other memory handed out is swept word by word, and
/// the report's note says so. Other memory is what no layout describes on the
/// way from the roots: objects that they do not reach, with their borrowed and
/// reviewed fields; opaque holes; bytes (std::byte, unsigned char); what was
/// freed.
AuditReport AuditAll(const Arena& arena, const AuditOptions& options = {});
AuditReport AuditAll(const Arena& arena, std::span<const AuditRoot> roots,
                     const AuditOptions& options = {});
inline AuditReport AuditAll(const Arena& arena,
                            std::initializer_list<AuditRoot> roots,
                            const AuditOptions& options = {}) {
  return AuditAll(arena, std::span<const AuditRoot>(roots.begin(), roots.end()),
                  options);
}

// ------------------------------------------------------------ implementation

template <class T>
AuditReport Audit(const Arena& arena, const T& root,
                  const AuditOptions& options) {
  static_assert(detail::RequireElement<T>());
  return AuditObject(arena, LayoutOf<T>(), &root, options);
}

}  // namespace acre::inline ACRE_ABI

#include "acre/audit_report.h"  // IWYU pragma: export

#endif  // ACRE_AUDIT_H_
