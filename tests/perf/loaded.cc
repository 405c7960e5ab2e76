// SPDX-License-Identifier: MIT
//
// Loads the two allocators. jemalloc wants more static thread-local storage
// than glibc keeps for libraries that come late; tests/perf/run raises it by
// GLIBC_TUNABLES.

#include "loaded.h"

#include <dlfcn.h>

#include <cstdio>

namespace perf {
namespace {

void* Open(const char* library) {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) std::fprintf(stderr, "left out: %s\n", dlerror());
  return handle;
}

template <class Function>
bool Find(void* library, const char* name, Function** function) {
  *function = reinterpret_cast<Function*>(dlsym(library, name));
  return *function != nullptr;
}

bool Fill(void* library, Mimalloc* to) {
  return Find(library, "mi_malloc", &to->allocate) &&
         Find(library, "mi_free_size", &to->free_sized) &&
         Find(library, "mi_heap_new", &to->heap_new) &&
         Find(library, "mi_heap_malloc", &to->heap_allocate) &&
         Find(library, "mi_heap_destroy", &to->heap_destroy);
}
bool Fill(void* library, Jemalloc* to) {
  return Find(library, "mallocx", &to->allocate) &&
         Find(library, "sdallocx", &to->free_sized);
}

template <class Table>
const Table* Load(const char* library) {
  static Table table;
  void* handle = Open(library);
  return handle != nullptr && Fill(handle, &table) ? &table : nullptr;
}

}  // namespace

const Mimalloc* LoadMimalloc() {
  static const Mimalloc* const loaded = Load<Mimalloc>("libmimalloc.so.2");
  return loaded;
}
const Jemalloc* LoadJemalloc() {
  static const Jemalloc* const loaded = Load<Jemalloc>("libjemalloc.so.2");
  return loaded;
}

}  // namespace perf
