// SPDX-License-Identifier: MIT
//
// A reporter or misuse handler may throw. Out of a destructor, a finalizer or
// exit that would end the program: what it threw there is kept, and comes out
// of the next operation that may throw. Threads: any.

#ifndef ACRE_AUDIT_AUTOMATIC_LATE_THROW_H_
#define ACRE_AUDIT_AUTOMATIC_LATE_THROW_H_

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// To be called in a handler: keeps the exception, where none is kept yet.
void KeepThrown() noexcept;

/// Throws what was kept, once. Cheap where nothing was.
void ThrowLate();

/// Runs what must not throw here.
template <class Fn>
void RunKeeping(Fn run) noexcept {
#if ACRE_EXCEPTIONS
  try {
    run();
  } catch (...) {
    KeepThrown();
  }
#else
  run();
#endif
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_LATE_THROW_H_
