// SPDX-License-Identifier: MIT
//
// What the auditor asks the collector. Nothing here allocates, and nothing but
// HeapGapAround locks. Internal to acre.

#ifndef ACRE_DETAIL_GC_QUERY_H_
#define ACRE_DETAIL_GC_QUERY_H_

#include <cstddef>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// The start of the collected object around `address`, or null. Objects that
/// were freed explicitly, small ones above all, may still look allocated.
const void* CollectedBase(const void* address) noexcept;

/// True for memory of the collected heap in which no object is: one was freed
/// there, or none was made yet. Constant: of a free run of heap blocks it knows
/// the first alone, HeapGapAround the rest.
bool IsFreeHeapMemory(const void* address) noexcept;

/// Memory of which libgc has no description block by block: the inside of a
/// free run of heap blocks, or what is none of the heap.
struct HeapGap {
  const char* begin;  // of a free run with its first block
  const char* end;
  bool is_free;  // a free run of the heap
};

/// The gap that holds `address`. Linear in its blocks. Takes the collector's
/// lock: not for callbacks of the collector.
/// Requires: CollectedBase returned null, and IsFreeHeapMemory false.
HeapGap HeapGapAround(const void* address) noexcept;

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
