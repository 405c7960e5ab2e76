// SPDX-License-Identifier: MIT
//
// The stacks of the other threads, while the collector has stopped them. Uses
// system calls and static buffers alone: a collector callback may call it.

#ifndef ACRE_LIB_COLLECTOR_STOPPED_THREADS_H_
#define ACRE_LIB_COLLECTOR_STOPPED_THREADS_H_

#include <cstddef>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Where the stack that `frame` stands on ends: as libgc knows it, which hosts
/// with fibers tell; where they do not, at the end of the mapping. Never beyond
/// that. Not while the world is stopped. One caller at a time, of this and of
/// ForEachOtherStack.
const char* StackEnd(const void* frame);

/// Calls visit(context, begin, end, thread) for the live part of each stack but
/// the caller's. Returns the number of stacks that could not be read. Requires:
/// StackEnd was called before.
std::size_t ForEachOtherStack(void (*visit)(void* context, const char* begin,
                                            const char* end, long thread),
                              void* context);

/// The kernel's number of the calling thread.
long ThisThreadNumber();

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_STOPPED_THREADS_H_
