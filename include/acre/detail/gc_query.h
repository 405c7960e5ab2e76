// SPDX-License-Identifier: MIT
//
// What the auditor asks the collector. Nothing here allocates or locks.
// Internal to acre.

#ifndef ACRE_DETAIL_GC_QUERY_H_
#define ACRE_DETAIL_GC_QUERY_H_

#include <cstddef>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// The start of the collected object around `address`, or null. Objects that
/// were freed explicitly, small ones above all, may still look allocated.
const void* CollectedBase(const void* address) noexcept;

/// True for memory of the collected heap in which no object is: one was freed
/// there, or none was made yet. Where a large object was it may be missed.
bool IsFreeHeapMemory(const void* address) noexcept;

/// Where libgc takes the stack of this thread to begin, at its highest address;
/// a host that switches fibers says so to libgc. Null: not registered.
const void* CollectedStackBottom() noexcept;

/// With the world stopped and marked: true where something holds the object.
/// Requires: CollectedBase returned `base`.
bool IsMarked(const void* base) noexcept;

/// Bytes of the object. Requires: CollectedBase returned `base`.
std::size_t CollectedSize(const void* base) noexcept;

/// True for objects that the collector never frees by itself
/// (GC_malloc_uncollectable). Requires: CollectedBase returned `base`.
bool IsUncollectable(const void* base) noexcept;

/// True for objects that the collector does not scan (GC_malloc_atomic).
/// Requires: CollectedBase returned `base`.
bool IsPointerFree(const void* base) noexcept;

/// True for chunks of acre, of living and of dead arenas.
bool IsArenaChunk(const void* base) noexcept;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_GC_QUERY_H_
