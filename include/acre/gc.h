// SPDX-License-Identifier: MIT
//
// Arenas and the Boehm collector: collected arenas, the source of chunks on
// the collected heap, and thread registration. References for hosts are in
// <acre/arena_ref.h>. libgc itself is not included here.
//
//   acre::Arena* arena = acre::NewCollectedArena();
//   Node* root = arena->New<Node>();     // keeps the whole arena alive
//
// A collected arena is one object to the collector: the first word of every
// chunk points to the arena, the arena points to its chunks, and nothing else
// is scanned. One live pointer into any chunk, wherever the collector looks
// (stacks, registers, statics, the collected heap), keeps all of it.
// Not seen by the collector: malloc'ed memory, thread_local variables, stacks
// of threads that are not registered, and other arenas.
//
// fork: the child has one thread. It may use the arenas that this thread used,
// make new ones, and end them; those of other threads may be in the middle of a
// change, and are not to be touched. No lock of acre's is left held. Memory of
// every source is the child's own copy, but for SharedMemorySource: there both
// processes write to the same bytes, so one of them must stop using the arena.

#ifndef ACRE_GC_H_
#define ACRE_GC_H_

#include <cstddef>
#include <new>

#include "acre/arena.h"
#include "acre/arena_ref.h"
#include "acre/chunk_source.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// Chunks on the collected heap for explicit arenas: never scanned, kept until
/// released wherever the Arena stands. Writable by system calls in incremental
/// mode. The default source. Initialises libgc at the first Acquire.
/// Threads: any registered one.
class CollectedSource final : public ChunkSource {
 public:
  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override;
  void Release(ChunkMemory memory) noexcept override;

  /// One instance that lives as long as the process.
  static CollectedSource& Instance() noexcept;
};

/// An arena that lives while the collector sees a pointer into it or to it.
/// There is nothing to delete; no destructor runs. Requires: options.source is
/// null; the process does not search for leaks (GC_FIND_LEAK), as libgc then
/// runs no finalizers, and frees what is dropped as leaked. Reset(kRelease) and
/// freed large blocks leave chunks to the collector. Fails like New where
/// memory runs out. No finalizer of libgc's belongs on it: see OnCollected.
Arena* NewCollectedArena(const ArenaOptions& options = {});

/// Calls run(data) once, after the collector has freed the arena: its memory is
/// gone by then, and must not be touched. It runs where the program runs
/// finalizers (inside an allocation by default, in a thread of its own in
/// Guile), outside the collector's callbacks and locks: it may allocate, and
/// use other arenas. `data` is kept alive until then; where it leads into the
/// arena, that is never collected. Several functions may wait for one arena;
/// their order is not said.
/// Why not GC_register_finalizer: an arena and its chunks point to each other,
/// and libgc never runs an ordered finalizer on a cycle (nor _ignore_self, nor
/// _unreachable), and never frees the cycle either: the arena would stay for
/// ever. With _no_order it would go, but the finalizer would be handed memory
/// that is freed.
/// Requires: a collected arena. Fails like New where memory runs out; then
/// nothing is registered. Constant. Threads: the arena's.
void OnCollected(Arena& arena, void (*run)(void* data), void* data = nullptr);

/// What the host has set; never changed by acre. Initialises libgc. To be
/// called (or an arena to get a chunk) where a host has switched interior
/// pointers off after acre has begun, before the next collection: libgc 8.2.2
/// then loses all large objects, those of acre too, until it is told anew that
/// offset 0 counts.
bool CollectorSeesInteriorPointers() noexcept;

/// How the collector is set, for a host that wants to know whom it shares it
/// with. Does not initialise it. Any thread that may call the collector.
///
/// Boot the host first: some (Guile 3.0.8, ECL 21.2.1) set the collector up and
/// expect to be the first in the process; an arena's first chunk, or whatever
/// else initialises libgc, comes after them. Where a host switches interior
/// pointers off later, see CollectorSeesInteriorPointers; from then on a
/// pointer into an arena keeps it alive from a stack alone, elsewhere an
/// ArenaRef does.
struct CollectorSettings {
  bool is_initialised = false;
  bool acre_has_begun = false;      ///< acre has initialised it, or met it
  unsigned version = 0;             ///< 0x80202 is 8.2.2
  bool interior_pointers = false;   ///< see CollectorSeesInteriorPointers
  bool scans_libraries = false;     ///< statics of shared libraries are roots
  bool finalize_on_demand = false;  ///< finalizers run where the host says
  bool is_incremental = false;
  bool is_disabled = false;
};
CollectorSettings GetCollectorSettings() noexcept;

/// For a plugin with a static acre of its own, before it is unloaded. Such a
/// copy keeps its module loaded (dlclose does nothing) from the moment on at
/// which the collector calls it: at the first audit, collected arena,
/// OnCollected or FindHolders. Detach takes out of the collector what this copy
/// has put in, and lets the module go; a later use begins anew. Other copies
/// of acre go on. Does nothing, and returns true, in the program itself and in
/// the shared libacre, which stay loaded.
///
/// Returns: false, and a reason, where the module must stay: an arena that it
/// made, or whose source is of it, is alive (dead ones are looked for, by a
/// collection); a function given to OnCollected is to run; the host has set a
/// collection callback that calls acre's; libgc was initialised by this copy,
/// in a thread other than the main one that has not ended. Nothing is changed
/// then. Requires: no other thread uses this copy meanwhile.
bool Detach(const char** reason = nullptr) noexcept;

/// Registers the calling thread with the collector for as long as this object
/// lives. Only threads that libgc started itself are registered without it:
/// std::thread is not. Stands on the thread's stack, near its bottom. Does
/// nothing in a thread that is registered already.
class ThreadRegistration {
 public:
  /// Initialises libgc where nobody has; so one in main() is a good first use
  /// of acre. Where the first use is in another thread, libgc does not know the
  /// main thread, which then registers like any other.
  /// Requires: where the host has initialised libgc, and other threads use it
  /// by now, somebody has used acre before (as above), or has called
  /// GC_allow_register_threads(): libgc cannot be told safely while several
  /// threads run. Fails (misuse) where libgc refuses.
  ThreadRegistration();
  ThreadRegistration(const ThreadRegistration&) = delete;
  ThreadRegistration& operator=(const ThreadRegistration&) = delete;
  ~ThreadRegistration();

 private:
  bool registered_here_ = false;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_GC_H_
