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
Arena* NewCollectedArena(const ArenaOptions& options = {});

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
