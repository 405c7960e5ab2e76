// SPDX-License-Identifier: MIT
//
// TellPaths: the paths of findings that were made where none could be told.

#ifndef ACRE_AUDIT_TELL_PATHS_H_
#define ACRE_AUDIT_TELL_PATHS_H_

#include <span>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/finding.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Fills path, field, steps and type of each finding whose slot is still a slot
/// of a live block; the others stay as they are. Checked builds. Linear in the
/// arena.
void TellPaths(const Arena& arena, std::span<Finding> findings);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_TELL_PATHS_H_
