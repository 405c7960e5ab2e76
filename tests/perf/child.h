// SPDX-License-Identifier: MIT
//
// Measuring in a child process: what one implementation leaves in the heap, in
// the collector or in the resident set does not disturb the next. The process
// that calls this must have touched the collector as little as possible.

#ifndef ACRE_PERF_CHILD_H_
#define ACRE_PERF_CHILD_H_

#include <cstddef>
#include <functional>
#include <string>

namespace perf {

/// What `measure` returns, called in a child. NaN where the child died.
double InChild(const std::function<double()>& measure);

/// Adds one result, of what `measure` returns in a child.
void AddInChild(const std::string& group, const std::string& cell,
                const std::string& implementation,
                std::function<double()> measure);

/// Bytes of this process that lie in memory.
std::size_t ResidentBytes();

}  // namespace perf

#endif  // ACRE_PERF_CHILD_H_
