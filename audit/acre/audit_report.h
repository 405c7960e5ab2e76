// SPDX-License-Identifier: MIT
//
// Reports of an audit: text for a terminal, JSON lines for a program, a page
// for a browser, a heap snapshot for Chrome DevTools, DOT for Graphviz.
//
//   fmt::print("{}", acre::ToText(report));
//   acre::WriteHtml(file, arena, report);
//
// Writers take a FILE* and stream; false: writing failed, errno says why. The
// signals of a closed pipe and of RLIMIT_FSIZE, SIGPIPE and SIGXFSZ, come as
// for anything that a program writes: ignore them to get false instead. What is
// written is UTF-8; other bytes in names and keys are written as \xNN. Threads:
// the arena's.

#ifndef ACRE_AUDIT_REPORT_H_
#define ACRE_AUDIT_REPORT_H_

#include <cstdio>
#include <initializer_list>
#include <span>
#include <string>

#include "acre/audit.h"
#include "acre/config.h"
#include "acre/holders.h"

namespace acre::inline ACRE_ABI {

struct TextOptions {
  bool color = false;  ///< ANSI escapes; see WantsColor
};

/// The report as lines of text: a summary, then three lines for each fault.
/// Findings of one identity (see IdentityOf) are one fault, told once, with the
/// first path and how many more there are like it. The other reports have all.
std::string ToText(const AuditReport& report, const TextOptions& options = {});

/// Who holds, a line each, and what was not looked at.
std::string ToText(const HolderReport& report);

/// True where `file` is a terminal and the environment has no NO_COLOR.
bool WantsColor(std::FILE* file) noexcept;

/// The report as JSON lines: one object a line. `record` says which:
///
///   audit     the first line: schema "acre.audit", version 1, arena, leaks,
///             findings (listed below), omitted, reviewed, known, objects,
///             pointers, words, note
///   finding   identity (as IdentityOf, stable from run to run), path, field,
///             kind and target (as NameOf), certainty ("exact", "ambiguous"),
///             is_leak, is_known, slot, address, type, what, hint, and steps,
///             an array of {part, type, address}
///   garbage   type, blocks, bytes
///   summary   the last line: leaks, findings, omitted, known, new (that no
///             baseline lists), garbage_blocks, garbage_bytes
///
/// Addresses are strings, "0x7f00", or null; other numbers are plain. Keys may
/// be added within a version; a reader leaves out what it does not know. A file
/// without its last line was cut short.
std::string ToJsonLines(const AuditReport& report);

/// The report as DOT, for Graphviz: the retaining paths of the findings merged
/// into one graph, an object one node; leaks are red, to one node a target.
std::string ToDot(const AuditReport& report);

/// The report as one HTML page that needs nothing else, no network either:
/// findings with their retaining paths (at first one of each identity), memory
/// by type, a map of every chunk.
/// Release builds know chunks, not blocks; there the page says so.
/// Complexity: linear in blocks, and in the text of the findings; memory for
/// the map is bounded. Requires: the report is of this arena, which has not
/// been changed since.
bool WriteHtml(std::FILE* file, const Arena& arena, const AuditReport& report);

/// A heap snapshot for the Memory panel of Chrome DevTools; the file's name has
/// to end in .heapsnapshot. Nodes are the arena's live blocks (release builds:
/// chunks), and the roots; findings are edges to a node for each target:
/// "collected heap" for leaks. What nothing leads to hangs from the root. Self
/// sizes add up to ArenaStats::live (release builds: carved); what is lost to
/// rounding is a node of its own. Besides, checked builds: objects of the
/// collector that GcRefs and the pointers of a traced arena lead to are nodes,
/// "Texture (collected)", with what the collector gives for them, so that
/// retained sizes tell what an object of the arena keeps; edges of GcWeakRefs
/// are weak ones, which keep nothing.
/// Complexity: n log n in blocks and pointers, memory in the number of blocks.
/// Requires: as WriteHtml.
bool WriteHeapSnapshot(std::FILE* file, const Arena& arena,
                       std::span<const AuditRoot> roots,
                       const AuditReport& report);
inline bool WriteHeapSnapshot(std::FILE* file, const Arena& arena,
                              std::initializer_list<AuditRoot> roots,
                              const AuditReport& report) {
  return WriteHeapSnapshot(
      file, arena, std::span<const AuditRoot>(roots.begin(), roots.end()),
      report);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_AUDIT_REPORT_H_
