// SPDX-License-Identifier: MIT
//
// The median.

#ifndef ACRE_PERF_MEDIAN_H_
#define ACRE_PERF_MEDIAN_H_

#include <algorithm>
#include <cstddef>
#include <vector>

namespace perf {

/// Requires: there is a value.
inline double MedianOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle]
                                : (values[middle - 1] + values[middle]) / 2;
}

}  // namespace perf

#endif  // ACRE_PERF_MEDIAN_H_
