// SPDX-License-Identifier: MIT
//
// mimalloc and jemalloc, loaded at run time: each of them defines malloc, so
// that linked they would replace it for everyone. Calls go through a pointer,
// as they would through the table of a shared library.

#ifndef ACRE_PERF_LOADED_H_
#define ACRE_PERF_LOADED_H_

#include <cstddef>

namespace perf {

struct Mimalloc {
  void* (*allocate)(std::size_t) = nullptr;
  void (*free_sized)(void*, std::size_t) = nullptr;
  void* (*heap_new)() = nullptr;
  void* (*heap_allocate)(void* heap, std::size_t) = nullptr;
  void (*heap_destroy)(void* heap) = nullptr;
};
struct Jemalloc {
  void* (*allocate)(std::size_t, int flags) = nullptr;          // mallocx
  void (*free_sized)(void*, std::size_t, int flags) = nullptr;  // sdallocx
};

/// Null where it is not installed (said once, on stderr). They stay loaded.
const Mimalloc* LoadMimalloc();
const Jemalloc* LoadJemalloc();

}  // namespace perf

#endif  // ACRE_PERF_LOADED_H_
