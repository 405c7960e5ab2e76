// SPDX-License-Identifier: MIT

#include "copy/walk_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

/// Zeros on a border of huge pages; null where there is no memory. `bytes` is a
/// multiple of kHugePage, as kHugePage is of any system's page.
char* Map(std::size_t bytes) {
  const std::size_t room = bytes + kHugePage;
  void* mapped = ::mmap(nullptr, room, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const std::size_t before =
      -reinterpret_cast<std::uintptr_t>(mapped) & (kHugePage - 1);
  char* begin = static_cast<char*>(mapped) + before;
  if (before != 0) ::munmap(mapped, before);
  ::munmap(begin + bytes, kHugePage - before);
#if defined(MADV_HUGEPAGE)
  ::madvise(begin, bytes, MADV_HUGEPAGE);  // small ones do as well
#endif
  return begin;
}

}  // namespace

WalkMemory::~WalkMemory() {
  for (const Slab& slab : slabs_) {
    if (slab.is_mapped) {
      ::munmap(slab.memory, slab.bytes);
    } else {
      ::operator delete(slab.memory);
    }
  }
}

void* WalkMemory::NewZeroPage() {
  if (left_ < kPage) {
    slabs_.reserve(slabs_.size() + 1);
    slabs_.push_back(NewSlab(size_));
    next_ = slabs_.back().memory;
    left_ = size_;
    size_ = std::min(2 * size_, kMost);
  }
  char* page = next_;
  next_ += kPage;
  left_ -= kPage;
  if (!slabs_.back().is_mapped) std::memset(page, 0, kPage);
  return page;
}

WalkMemory::Slab WalkMemory::NewSlab(std::size_t bytes) {
  if (bytes >= kMapped) {
    if (char* memory = Map(bytes)) return {memory, bytes, true};
  }
  return {static_cast<char*>(::operator new(bytes)), bytes, false};
}

}  // namespace acre::inline ACRE_ABI::detail
