// SPDX-License-Identifier: MIT

#include "acre/memory_resource.h"

#include "acre/arena.h"

namespace acre::inline ACRE_ABI {

void* ArenaResource::do_allocate(std::size_t bytes, std::size_t align) {
  return arena_->Allocate(bytes, align);
}

void ArenaResource::do_deallocate(void* block, std::size_t bytes,
                                  std::size_t align) {
  arena_->Free(block, bytes, align);
}

bool ArenaResource::do_is_equal(
    const std::pmr::memory_resource& other) const noexcept {
  return this == &other;
}

}  // namespace acre::inline ACRE_ABI
