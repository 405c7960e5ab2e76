// SPDX-License-Identifier: MIT
//
// HasMemory: operator new's failure as a value.

#ifndef ACRE_DETAIL_HAS_MEMORY_H_
#define ACRE_DETAIL_HAS_MEMORY_H_

#include <new>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Runs it; false where operator new failed.
template <class Run>
bool HasMemory(Run run) {
#if ACRE_EXCEPTIONS
  try {
    run();
  } catch (const std::bad_alloc&) {
    return false;
  }
#else
  run();
#endif
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_HAS_MEMORY_H_
