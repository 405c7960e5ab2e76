// SPDX-License-Identifier: MIT

#include <cstdlib>
#include <new>

#include "acre/chunk_source.h"
#include "acre/detail/size_class.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

std::size_t ChunkSource::Extend(ChunkMemory, std::size_t, std::size_t) {
  return 0;
}

ChunkMemory MallocSource::Acquire(std::size_t min_size, std::size_t wanted) {
  // So aligned where possible: such a chunk shares none of the pages that the
  // index goes by (core/chunk_index.h) with another, however long the system's
  // are.
  constexpr std::size_t kPage = kMaxAlignment;
  for (const std::size_t size : {wanted, min_size}) {
    void* address =
        size % kPage == 0 ? std::aligned_alloc(kPage, size) : std::malloc(size);
    if (address != nullptr) return {address, size};
  }
  return {};
}

void MallocSource::Release(ChunkMemory memory) noexcept {
  std::free(memory.address);
}

MallocSource& MallocSource::Instance() noexcept {
  // Never destroyed: arenas of static duration may outlive any destructor.
  alignas(MallocSource) static std::byte storage[sizeof(MallocSource)];
  static MallocSource* const instance = ::new (storage) MallocSource;
  return *instance;
}

FixedSource::FixedSource(std::span<std::byte> buffer) noexcept
    : buffer_(buffer.data()), size_(buffer.size()) {}

ChunkMemory FixedSource::Acquire(std::size_t min_size, std::size_t) {
  const auto begin = reinterpret_cast<std::uintptr_t>(buffer_);
  const std::size_t lost = detail::RoundUp(begin, kGranule) - begin;
  if (taken_ || size_ < lost || size_ - lost < min_size) {
    return {};
  }
  taken_ = true;
  return {buffer_ + lost, size_ - lost};
}

void FixedSource::Release(ChunkMemory memory) noexcept {
  ACRE_CHECK(taken_ && memory.size <= size_,
             "FixedSource: %p is not its buffer", memory.address);
  taken_ = false;
}

}  // namespace acre::inline ACRE_ABI
