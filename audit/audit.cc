// SPDX-License-Identifier: MIT
//
// The audits that a program asks for. A first pass asks whether there is
// anything to report; only where there is does a second one record the ways.

#include "acre/audit.h"

#include <utility>

#include "acre/failure.h"
#include "auditor.h"
#include "baseline.h"
#include "quick_walk.h"
#include "tell_paths.h"

namespace acre::inline ACRE_ABI {
namespace detail {

void TellPaths(const Arena& arena, std::span<Finding> findings) {
  const AuditOptions options;
  Auditor(arena, options, true).TellPaths(findings);
}

namespace {

/// A report that is clean where there is nothing to report; else only that
/// there is something is right about it.
AuditReport LookAtWhole(const Arena& arena, std::span<const AuditRoot> roots,
                        const AuditOptions& options) {
  if (!kChecked) return Auditor(arena, options, false).RunWhole(roots);
  AuditReport report;
  report.arena = arena.name();
  PerChunk<CoveredWords> covered(&arena);
  QuickWalk walk(arena, options);
  if (!walk.IsWholeClean(roots, covered, report)) {
    report.findings.emplace_back();
    return report;
  }
  if (!options.sweep_raw || !walk.has_rest()) return report;
  AuditReport rest =
      Auditor(arena, options, false).SweepRest(std::move(covered));
  report.findings = std::move(rest.findings);
  report.words = rest.words;
  return report;
}

}  // namespace
}  // namespace detail

AuditReport AuditObject(const Arena& arena, const TypeLayout& type,
                        const void* root, const AuditOptions& options) {
  const AuditRoot roots[] = {{&type, root}};
  AuditReport report;
  report.arena = arena.name();
  if (!detail::QuickWalk(arena, options).IsClean(roots, report)) {
    report = detail::Auditor(arena, options, true).Run(roots);
  }
  detail::ApplyBaseline(report);
  return report;
}

AuditReport AuditAll(const Arena& arena, const AuditOptions& options) {
  return AuditAll(arena, std::span<const AuditRoot>(), options);
}

AuditReport AuditAll(const Arena& arena, std::span<const AuditRoot> roots,
                     const AuditOptions& options) {
  for (const AuditRoot& root : roots) {
    ACRE_CHECK(root.type != nullptr && root.object != nullptr,
               "AuditAll of arena '%s': a root is null", arena.name());
  }
  AuditReport report = detail::LookAtWhole(arena, roots, options);
  if (!report.clean()) {
    report = detail::Auditor(arena, options, true).RunWhole(roots);
  }
  if (options.report_garbage && kChecked) {
    report.garbage = detail::Auditor(arena, options, false).FindGarbage(roots);
  }
  if (!kChecked) {
    report.note =
        "a release build knows no blocks: what the roots do not reach was "
        "swept word by word, garbage is not told";
  }
  detail::ApplyBaseline(report);
  return report;
}

}  // namespace acre::inline ACRE_ABI
