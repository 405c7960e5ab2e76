// SPDX-License-Identifier: MIT
//
// What audits ask of the baseline.

#ifndef ACRE_AUDIT_BASELINE_H_
#define ACRE_AUDIT_BASELINE_H_

#include "acre/audit.h"
#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Marks the findings that the baseline in force lists, and counts them.
void ApplyBaseline(AuditReport& report);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_BASELINE_H_
