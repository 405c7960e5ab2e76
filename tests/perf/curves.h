// SPDX-License-Identifier: MIT
//
// Cells that differ in size alone, as curves over the size, in one SVG.

#ifndef ACRE_PERF_CURVES_H_
#define ACRE_PERF_CURVES_H_

#include <string>

#include "results.h"

namespace perf {

/// A panel for each operation of the group, or of GROUP-between, that was
/// measured at three sizes or more ("int random 1e3 hit", "... 1e4 hit"):
/// medians over the size, both on logarithmic axes. Peers with the same hash,
/// and acre. Writes nothing where there is no such operation. False where the
/// file cannot be written.
bool WriteCurves(const std::string& path, const Results& results,
                 const std::string& group);

}  // namespace perf

#endif  // ACRE_PERF_CURVES_H_
