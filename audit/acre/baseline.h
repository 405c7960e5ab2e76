// SPDX-License-Identifier: MIT
//
// Baseline: findings that are known and for now accepted, so that only new ones
// fail a build. A text file, one identity a line (see IdentityOf); what follows
// a '#' at the start of a line is a comment.
//
//   ACRE_AUDIT_BASELINE=audit.baseline ./game     # read at the first audit
//   return acre::ExitStatus(report);              # 1 where something is new
//
// A finding that is accepted for good belongs into the layout, with the reason:
// reviewed(field, "reason").
// Threads: any.

#ifndef ACRE_BASELINE_H_
#define ACRE_BASELINE_H_

#include <string>

#include "acre/audit.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// What a baseline that accepts all findings of the report looks like: sorted,
/// each identity once. What the baseline in force lists and the report has
/// found again is kept. Requires: report.omitted is 0, or those are missing.
std::string ToBaseline(const AuditReport& report);

/// Puts the file in force, in place of ACRE_AUDIT_BASELINE. False where it
/// cannot be read: `error` says why, and what was in force stays.
bool LoadBaseline(const char* path, std::string* error);

/// Nothing is known any more.
void ClearBaseline();

/// Findings that no baseline lists; those omitted count.
std::size_t NewFindings(const AuditReport& report) noexcept;

/// For main: 0 where nothing is new, 1 where something is.
int ExitStatus(const AuditReport& report) noexcept;

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_BASELINE_H_
