// SPDX-License-Identifier: MIT
//
// libgc, as this folder sees it. Nothing outside the folder includes it.

#ifndef ACRE_LIB_COLLECTOR_LIBGC_H_
#define ACRE_LIB_COLLECTOR_LIBGC_H_

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <cstddef>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Initialises libgc where nobody has; lets threads register. Any thread.
void EnsureCollector();

/// True once EnsureCollector, or somebody else, has initialised libgc.
bool IsCollectorThere() noexcept;

/// True while the thread lives in which this copy has initialised libgc, if
/// that is not the main one.
bool HasStarter() noexcept;

/// Whether the host searches for leaks: libgc then runs no finalizers, takes no
/// links, and frees itself what nobody points to, having printed it.
inline bool SearchesForLeaks() noexcept { return GC_get_find_leak() != 0; }

/// Two kinds of object, made once a process, however many copies of acre it
/// has. Both are told from other objects
/// by GC_get_kind_and_size.
struct Kinds {
  unsigned back_link;  ///< the collector scans the first 8 bytes
  unsigned plain;      ///< it scans nothing
};
const Kinds& GetKinds();

/// Why this copy's hooks cannot be taken out, or null; events.cc.
const char* WhyNotDetach() noexcept;
/// Takes out what AddCollectionHook and RunAfterCollections have put in. False,
/// and nothing done, where a finalizer of it is to run and does not.
bool LeaveCollections() noexcept;

/// What acre has written into a scanned object, other than slots and traced
/// chunks: see StartTelling.
inline void TellWritten(const void* object) { GC_end_stubborn_change(object); }

/// Sees to it that an incremental collection learns what acre writes into
/// scanned memory, where the host has promised to say so; manual_dirty.cc.
/// False where there are too many hooks.
bool StartTelling();

/// Functions of OnCollected that are to run, for this copy; collected_arena.cc.
std::size_t CountFarewells() noexcept;

/// Checked builds: fails where the thread must not call the collector.
void CheckThread();

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_LIBGC_H_
