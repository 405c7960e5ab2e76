// SPDX-License-Identifier: MIT
//
// RunTogether: a function in several threads, which are there for its time.
// Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_RUN_TOGETHER_H_
#define ACRE_CONTAINERS_COPY_RUN_TOGETHER_H_

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Calls run(data, member) for each member: 0 in this thread, the others in
/// threads of their own, which block all signals but those for what a thread
/// does itself, and are not known to the collector: they must not call it, and
/// may go on while it has stopped the world. This one is not cancelled
/// meanwhile. Returns when all have. What one throws is thrown here, the first
/// by number. False, and nothing was called, where so many threads cannot be
/// had.
bool RunTogether(unsigned members, void (*run)(void* data, unsigned member),
                 void* data);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_RUN_TOGETHER_H_
