// SPDX-License-Identifier: MIT
//
// The allocators of the allocation benchmarks behind one interface:
//
//   template <std::size_t kBytes> void* New(std::uint64_t word);
//   void* Allocate(std::size_t bytes);
//   void Free(void* block, std::size_t bytes);   // where it can
//   void Reset();                                // where it can
//
// New writes the first word of the object; so do callers of Allocate. Blocks
// are aligned to 16 by all of them.

#ifndef ACRE_PERF_ALLOCATORS_H_
#define ACRE_PERF_ALLOCATORS_H_

#include <gc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory_resource>
#include <vector>

#include "acre/arena.h"
#include "acre/bump_arena.h"
#include "bump.h"
#include "loaded.h"

namespace perf {

/// The constructor writes the first word alone, as all other loops do.
template <std::size_t kBytes>
struct Object {
  explicit Object(std::uint64_t first) : word(first) {}
  std::uint64_t word;
  std::byte rest[kBytes - sizeof(std::uint64_t)];
  ACRE_LAYOUT_INSIDE(Object, word, rest)
};

/// New by Allocate, for allocators that know bytes only.
template <class Derived>
struct ByBytes {
  template <std::size_t kBytes>
  __attribute__((always_inline)) void* New(std::uint64_t word) {
    void* block = static_cast<Derived*>(this)->Allocate(kBytes);
    *static_cast<std::uint64_t*>(block) = word;
    return block;
  }
};

/// acre::Arena or acre::BumpArena.
template <class A>
struct Acre {
  A arena;

  template <std::size_t kBytes>
  __attribute__((always_inline)) void* New(std::uint64_t word) {
    return arena.template New<Object<kBytes>>(word);
  }
  void* Allocate(std::size_t bytes) { return arena.Allocate(bytes); }
  void Free(void* block, std::size_t bytes) { arena.Free(block, bytes); }
  void Reset() { arena.Reset(); }
};

struct Bump : ByBytes<Bump> {
  HandBump bump;

  void* Allocate(std::size_t bytes) { return bump.Allocate(bytes); }
  void Reset() { bump.Reset(); }
};

struct Freelists : ByBytes<Freelists> {
  HandFreelists lists;

  void* Allocate(std::size_t bytes) { return lists.Allocate(bytes); }
  void Free(void* block, std::size_t bytes) { lists.Free(block, bytes); }
  void Reset() { lists.Reset(); }
};

/// A buffer that everything fits into.
struct PmrBuffer : ByBytes<PmrBuffer> {
  explicit PmrBuffer(std::size_t bytes) : buffer(bytes) {}
  std::vector<std::byte> buffer;
  std::pmr::monotonic_buffer_resource memory{buffer.data(), buffer.size(),
                                             std::pmr::null_memory_resource()};

  void* Allocate(std::size_t bytes) { return memory.allocate(bytes, 16); }
  void Reset() { memory.release(); }
};

struct PmrDefault : ByBytes<PmrDefault> {
  std::pmr::monotonic_buffer_resource memory;

  void* Allocate(std::size_t bytes) { return memory.allocate(bytes, 16); }
  void Reset() { memory.release(); }
};

struct PmrPool : ByBytes<PmrPool> {
  std::pmr::unsynchronized_pool_resource memory;

  void* Allocate(std::size_t bytes) { return memory.allocate(bytes, 16); }
  void Free(void* block, std::size_t bytes) {
    memory.deallocate(block, bytes, 16);
  }
};

struct MimallocHeap : ByBytes<MimallocHeap> {
  const Mimalloc& mimalloc = *LoadMimalloc();
  void* heap = mimalloc.heap_new();

  ~MimallocHeap() { mimalloc.heap_destroy(heap); }
  void* Allocate(std::size_t bytes) {
    return mimalloc.heap_allocate(heap, bytes);
  }
  void Reset() {
    mimalloc.heap_destroy(heap);
    heap = mimalloc.heap_new();
  }
};

// ------------------------------------------- allocators without a Reset

struct MallocCalls {
  void* Allocate(std::size_t bytes) { return std::malloc(bytes); }
  void Free(void* block, std::size_t) { std::free(block); }
};
struct MimallocCalls {
  const Mimalloc& mimalloc = *LoadMimalloc();
  void* Allocate(std::size_t bytes) { return mimalloc.allocate(bytes); }
  void Free(void* block, std::size_t bytes) {
    mimalloc.free_sized(block, bytes);
  }
};
struct JemallocCalls {
  const Jemalloc& jemalloc = *LoadJemalloc();
  void* Allocate(std::size_t bytes) { return jemalloc.allocate(bytes, 0); }
  void Free(void* block, std::size_t bytes) {
    jemalloc.free_sized(block, bytes, 0);
  }
};
struct CollectorCalls {
  void* Allocate(std::size_t bytes) { return GC_malloc(bytes); }
  void Free(void* block, std::size_t) { GC_free(block); }
};

/// Reset frees what was allocated, one by one, for which it is remembered.
template <class Calls>
struct Listed : Calls, ByBytes<Listed<Calls>> {
  explicit Listed(std::size_t count) : blocks(count) {}
  std::vector<void*> blocks;
  std::size_t used = 0;

  void* Allocate(std::size_t bytes) {
    return blocks[used++] = Calls::Allocate(bytes);
  }
  void Reset() {
    while (used != 0) Calls::Free(blocks[--used], 0);
  }
};
/// Everything is alive until Reset; then the collector may have it.
struct Collected : ByBytes<Collected> {
  explicit Collected(std::size_t count)
      : bytes(count * sizeof(void*)),
        blocks(static_cast<void**>(GC_malloc_uncollectable(bytes))) {}
  ~Collected() { GC_free(blocks); }
  std::size_t bytes;
  void** blocks;
  std::size_t used = 0;

  void* Allocate(std::size_t size) { return blocks[used++] = GC_malloc(size); }
  void Reset() {
    std::memset(static_cast<void*>(blocks), 0, bytes);
    used = 0;
  }
};

}  // namespace perf

#endif  // ACRE_PERF_ALLOCATORS_H_
