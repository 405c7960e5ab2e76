// SPDX-License-Identifier: MIT
//
// What happens around a collection, for audits. What the host has set stays in
// force: its callback is called first. Internal to acre.

#ifndef ACRE_DETAIL_GC_EVENTS_H_
#define ACRE_DETAIL_GC_EVENTS_H_

#include <cstddef>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

enum class CollectionEvent {
  kStopped,  ///< all other registered threads stand; nothing is marked yet
  kMarked,   ///< they stand, and what is reachable is marked
};

/// Called with the collector's lock held: must not allocate, lock, or call
/// malloc. What it leaves on the stack is cleared behind it, before marking
/// reads the stack: as deep as NoteStackUse was told of, and a bit more.
using CollectionHook = void (*)(CollectionEvent event);

/// For hooks that recurse: this frame is in use. Cheap.
void NoteStackUse(const void* frame) noexcept;

/// Calls `hook` from now on. Idempotent. Initialises libgc. False where no room
/// is left: 32 hooks, of all copies of acre. A module that can be unloaded is
/// kept loaded from now on; see Detach.
bool AddCollectionHook(CollectionHook hook);

/// Calls `run` after each collection from now on, outside callbacks and without
/// locks: where and when the program runs finalizers, on the allocating thread
/// by default. Idempotent; one `run` for each copy of acre. May be late by a
/// collection. False where this thread must not call the collector.
bool RunAfterCollections(void (*run)());

/// True once somebody has initialised libgc.
bool IsCollectorRunning() noexcept;

/// True where the calling thread may call the collector.
bool IsThreadRegistered() noexcept;

/// True where collections stop the calling thread, those before the collector
/// has begun included.
bool StandsInCollections() noexcept;

/// Returns when no hook runs. For threads that collections do not stop; others
/// have nothing to wait for.
void AwaitHooks() noexcept;

/// A full collection, now. False where the host has disabled them.
bool CollectNow();

/// Bytes of the collected heap, those given back to the system included. Only
/// in hooks.
std::size_t CollectedHeapBytes() noexcept;

/// In a hook, at kMarked: calls visit(context, object, bytes) for everything
/// marked that the collector scans, chunks of acre left out.
void ForEachScannedObject(void (*visit)(void* context, const void* object,
                                        std::size_t bytes),
                          void* context);

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_GC_EVENTS_H_
