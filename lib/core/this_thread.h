// SPDX-License-Identifier: MIT
//
// ThisThread: names the calling thread, for comparison. No system call.

#ifndef ACRE_LIB_CORE_THIS_THREAD_H_
#define ACRE_LIB_CORE_THIS_THREAD_H_

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Never null; the same for as long as the thread lives.
inline const void* ThisThread() {
  thread_local char thread;
  return &thread;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_THIS_THREAD_H_
