// SPDX-License-Identifier: MIT
//
// ProcessMap: static storage and the stack of this thread, as address ranges.
// A snapshot, taken from the operating system. Internal to acre.

#ifndef ACRE_DETAIL_PROCESS_MAP_H_
#define ACRE_DETAIL_PROCESS_MAP_H_

#include <vector>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

class ProcessMap {
 public:
  ProcessMap();

  bool IsStatic(const void* address) const;
  bool IsStack(const void* address) const;
  /// The end of this thread's stack, where it began; null where not known.
  const char* stack_end() const { return stack_.end; }

 private:
  struct Range {
    const char* begin;
    const char* end;
  };
  static bool Holds(const Range& range, const void* address);

  std::vector<Range> statics_;  // loaded segments of program and libraries
  Range stack_{nullptr, nullptr};
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_PROCESS_MAP_H_
