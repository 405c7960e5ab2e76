// SPDX-License-Identifier: MIT
//
// One registered layout against one definition of its type, as the compiler
// describes it. What disagrees is a finding. May touch the layouts and the
// debug information; prints nothing.
//
// What is no finding: pointers in fields noted borrowed; an alternative of an
// anonymous union that holds no pointer and shares its place with a listed one;
// members and bases without data.

#ifndef ACRE_LAYOUT_CHECK_COMPARE_H_
#define ACRE_LAYOUT_CHECK_COMPARE_H_

#include <string>
#include <vector>

#include "debug_info.h"
#include "layouts.h"

namespace layout_check {

/// A disagreement.
struct Finding {
  std::string kind;      ///< "hidden pointer", "missing field", "offset", ...
  std::string type;      ///< whose layout
  std::string field;     ///< path inside of it; empty: the type as a whole
  std::string layout;    ///< what the layout says
  std::string compiler;  ///< what the compiler says
  Place place;           ///< where the type is declared
  /// Full names of the classes in which a hidden pointer is.
  std::vector<std::string> holders = {};
};

struct Comparison {
  std::vector<Finding> findings;
  /// Classes that could not be looked into.
  std::vector<std::string> undefined;
};

/// `layout`, one of `layouts`, is of a struct; `definition` is a class.
Comparison CompareStruct(const DebugInfo& info,
                         const std::vector<Layout>& layouts,
                         const Layout& layout, Die definition);

/// `layout` says that the class is plain data.
Comparison ComparePlain(const DebugInfo& info, const Layout& layout,
                        Die definition);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_COMPARE_H_
