// SPDX-License-Identifier: MIT
//
// Arenas and the Boehm collector: collected arenas, the source of chunks on
// the collected heap, references for hosts without interior pointers, and
// thread registration. libgc itself is not included here.
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

#ifndef ACRE_GC_H_
#define ACRE_GC_H_

#include <cstddef>
#include <new>

#include "acre/arena.h"
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
/// null. Reset(kRelease) and freed large blocks leave chunks to the collector.
/// Fails like New where memory runs out.
/// No finalizer of libgc's belongs on it: see OnCollected.
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

/// Where the collector does not honour interior pointers (Guile, ECL: see
/// CollectorSeesInteriorPointers), a pointer into a chunk keeps nothing alive.
/// An ArenaRef in scanned memory does, through its second word.
template <class T>
struct ArenaRef {
  T* pointer = nullptr;
  Arena* base = nullptr;  ///< the arena that holds *pointer

  T& operator*() const noexcept { return *pointer; }
  T* operator->() const noexcept { return pointer; }
  explicit operator bool() const noexcept { return pointer != nullptr; }
};

/// The reference to an object in a collected arena; base is null for a pointer
/// into no arena.
template <class T>
ArenaRef<T> RefTo(T* pointer) noexcept {
  return {pointer, ArenaOf(pointer)};
}

/// What the host has set; never changed by acre. Initialises libgc.
bool CollectorSeesInteriorPointers() noexcept;

/// Registers the calling thread with the collector for as long as this object
/// lives. Only threads that libgc started itself are registered without it:
/// std::thread is not. Stands on the thread's stack, near its bottom. Does
/// nothing in a thread that is registered already.
class ThreadRegistration {
 public:
  /// Requires: the main thread has used acre before (an arena with a chunk, or
  /// CollectorSeesInteriorPointers()), or has called
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
