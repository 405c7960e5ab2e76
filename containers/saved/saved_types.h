// SPDX-License-Identifier: MIT
//
// The layouts that a saved arena is for, in words, so that one which does not
// fit is refused by name:
//
//   TYPE 40 8 1 4 Player            size, align, count, TypeKind, name
//   FIELD 0 32 0 name <tab> acre::String       offset, size, note, name, type
//   FIELD 32 4 0 hp <tab> int
//
// Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_TYPES_H_
#define ACRE_CONTAINERS_SAVED_SAVED_TYPES_H_

#include <string>
#include <string_view>

#include "acre/config.h"
#include "acre/saved_arena.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

std::string DescribeTypes(const SavedPlans& plans);

/// How `theirs`, a file's, differs from `ours`. Requires: it does.
SaveError ExplainTypes(std::string_view ours, std::string_view theirs);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_TYPES_H_
