// SPDX-License-Identifier: MIT
//
// A plot of a group of cells as SVG.

#ifndef ACRE_PERF_PLOT_H_
#define ACRE_PERF_PLOT_H_

#include <string>

#include "results.h"

namespace perf {

/// One row a cell, one dot an implementation: its median over that of acre,
/// on a logarithmic axis. To the right of 1: slower, or larger, than acre.
bool WritePlot(const std::string& path, const Results& results,
               const std::string& group);

}  // namespace perf

#endif  // ACRE_PERF_PLOT_H_
