// SPDX-License-Identifier: MIT
//
// ThisThread: names the calling thread, for comparison. No system call. The
// same in all copies of acre in the process, which the address of a
// thread_local variable is not.

#ifndef ACRE_LIB_CORE_THIS_THREAD_H_
#define ACRE_LIB_CORE_THIS_THREAD_H_

#include "acre/config.h"

#if !defined(__linux__)
#include <pthread.h>
#endif

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Never null; the same for as long as the thread lives.
inline const void* ThisThread() {
#if defined(__linux__)
  return __builtin_thread_pointer();
#else
  return reinterpret_cast<const void*>(pthread_self());
#endif
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_CORE_THIS_THREAD_H_
