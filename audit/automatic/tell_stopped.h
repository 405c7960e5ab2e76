// SPDX-License-Identifier: MIT
//
// The words for what a collection has found, and a list of them.

#ifndef ACRE_AUDIT_AUTOMATIC_TELL_STOPPED_H_
#define ACRE_AUDIT_AUTOMATIC_TELL_STOPPED_H_

#include "acre/audit.h"
#include "automatic/stopped_sweep.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// With the field and the object around it; TellPaths finds the way there.
/// Without `may_read` no memory of the arena is looked at.
Finding FindingFrom(const StoppedFinding& stopped, bool may_read);

/// Moves those of `report` to the others in `to`, up to as many as an audit
/// lists; the rest is counted.
void AppendFindings(AuditReport& to, AuditReport& report);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_TELL_STOPPED_H_
