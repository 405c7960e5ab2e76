// SPDX-License-Identifier: MIT
//
// The pointers that a value of a type holds, however deep, with the path of
// each. May touch the debug information.

#ifndef ACRE_LAYOUT_CHECK_POINTERS_H_
#define ACRE_LAYOUT_CHECK_POINTERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "debug_info.h"

namespace layout_check {

/// A pointer by value in a type.
struct Pointer {
  std::string path;          ///< ".next", "[].head.next", empty: itself one
  std::uint64_t offset = 0;  ///< bytes; of the first element in an array
  std::string type;          ///< as told to the user: "pointer to Node"
  /// Full names of the classes that it is in, outermost first.
  std::vector<std::string> holders;
};

/// What a type holds.
struct Contents {
  std::vector<Pointer> pointers;
  /// Classes that the debug information declares only: not looked into.
  std::vector<std::string> undefined;
};

/// References and virtual tables are pointers too; pointers to members are
/// not. A pointer disguised as an integer is an integer.
Contents ContentsOf(const DebugInfo& info, Die type);

/// A class without data.
bool IsEmpty(const DebugInfo& info, Die type);

/// A type as it is told to the user.
std::string Told(const DebugInfo& info, Die type);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_POINTERS_H_
