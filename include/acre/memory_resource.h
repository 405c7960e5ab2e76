// SPDX-License-Identifier: MIT
//
// ArenaResource: an arena behind std::pmr::memory_resource, for std containers
// that live outside and should put their storage into an arena. What they hold
// is not audited: the arena sees raw bytes.
//
//   acre::ArenaResource resource(arena);
//   std::pmr::vector<int> numbers(&resource);
//
// Throws OutOfMemory, a std::bad_alloc, as the arena does (failure.h), and for
// alignments above kMaxAlignment, which an arena does not have.
//
// Ownership: borrows the arena, which must outlive it. Deallocation goes to
// the freelists. Threads: as the arena.

#ifndef ACRE_MEMORY_RESOURCE_H_
#define ACRE_MEMORY_RESOURCE_H_

#include <cstddef>
#include <memory_resource>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

class ArenaResource final : public std::pmr::memory_resource {
 public:
  explicit ArenaResource(Arena& arena) noexcept : arena_(&arena) {}

  Arena& arena() const noexcept { return *arena_; }

 private:
  void* do_allocate(std::size_t bytes, std::size_t align) override;
  void do_deallocate(void* block, std::size_t bytes,
                     std::size_t align) override;
  /// Equal to itself only: telling what `other` is would take RTTI.
  bool do_is_equal(
      const std::pmr::memory_resource& other) const noexcept override;

  Arena* arena_;  // borrowed, never null
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_MEMORY_RESOURCE_H_
