// SPDX-License-Identifier: MIT

#include "acre/memory_resource.h"

#include "acre/arena.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

void* ArenaResource::do_allocate(std::size_t bytes, std::size_t align) {
  if (align > kMaxAlignment) {
    detail::FailOutOfMemory({arena_->name(), bytes, arena_->stats().reserved,
                             arena_->byte_limit(), align});
  }
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
