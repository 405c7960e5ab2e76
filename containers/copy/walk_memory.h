// SPDX-License-Identifier: MIT
//
// WalkMemory: where a walk over a large graph keeps its notes. It gives pages,
// and takes all of them back at the end. From some megabytes on they lie in
// huge pages: with small ones the kernel took a third of the time of a large
// copy. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_WALK_MEMORY_H_
#define ACRE_CONTAINERS_COPY_WALK_MEMORY_H_

#include <cstddef>
#include <vector>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class WalkMemory {
 public:
  static constexpr std::size_t kPage = 1024;  // of a CopyMap

  WalkMemory() = default;
  WalkMemory(const WalkMemory&) = delete;
  WalkMemory& operator=(const WalkMemory&) = delete;
  ~WalkMemory();

  /// kPage zeros, aligned to 16. Fails as operator new does.
  void* NewZeroPage();

 private:
  struct Slab {
    char* memory;
    std::size_t bytes;
    bool is_mapped;  // and zero; else from operator new
  };
  static constexpr std::size_t kFirst = 8192;  // bytes of the first slab
  static constexpr std::size_t kMapped = std::size_t{2} << 20;  // and larger
  static constexpr std::size_t kMost = std::size_t{4} << 20;    // of any

  Slab NewSlab(std::size_t bytes);

  std::vector<Slab> slabs_;
  char* next_ = nullptr;       // in the last slab
  std::size_t left_ = 0;       // bytes from there on
  std::size_t size_ = kFirst;  // of the next one
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_WALK_MEMORY_H_
