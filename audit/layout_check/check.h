// SPDX-License-Identifier: MIT
//
// One binary, checked: every layout that it holds against every definition of
// the type. Puts together what the files beside it do; prints nothing.

#ifndef ACRE_LAYOUT_CHECK_CHECK_H_
#define ACRE_LAYOUT_CHECK_CHECK_H_

#include <cstddef>
#include <string>
#include <vector>

#include "compare.h"

namespace layout_check {

/// A layout that was compared, for those who ask for all of them.
struct Checked {
  std::string type;
  std::uint64_t size = 0;
  std::size_t fields = 0;
  std::size_t definitions = 0;
  Place place;
};

struct CheckResult {
  std::string error;  ///< why nothing could be checked; empty: it could
  std::vector<Checked> checked;
  std::vector<Finding> findings;
  std::vector<std::string> unchecked;  ///< layouts, and why they were not
  std::vector<std::string> ignored;    ///< layouts left out as asked
};

struct CheckOptions {
  std::vector<std::string> ignored;  ///< types whose layouts are left out
  std::string debug_directory;       ///< where debug files are looked for too
};

CheckResult Check(const std::string& path, const CheckOptions& options);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_CHECK_H_
