// SPDX-License-Identifier: MIT

#include "acre/mmap_source.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "acre/detail/size_class.h"
#include "acre/failure.h"
#include "sources/page.h"

namespace acre::inline ACRE_ABI {

using detail::PageBytes;
using detail::WholePages;

namespace {

// What one entry of x86's tables maps. arm64 has it with any page: where pages
// are longer than 4 KiB it is a run of them (the contiguous bit), while an
// entry maps 32 or 512 MiB, more than an arena should commit at once.
constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

RangeSource::~RangeSource() {
  ACRE_CHECK(size_ == 0,
             "a chunk source at %p ends before the arena that uses it",
             static_cast<void*>(this));
  if (base_ != nullptr) ::munmap(base_, reserved_ + (guard_ ? PageBytes() : 0));
}

void RangeSource::Map(std::size_t bytes, std::size_t align, int fd) {
  if (bytes > PTRDIFF_MAX / 2) {
    error_ = ENOMEM;
    return;
  }
  const std::size_t size = detail::RoundUp(WholePages(bytes), align);
  const std::size_t guard = guard_ ? PageBytes() : 0;
  // Room to align in; addresses without memory cost nothing.
  const std::size_t room = size + guard + (align > PageBytes() ? align : 0);
  void* mapped = ::mmap(nullptr, room, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    error_ = errno;
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(mapped);
  const std::size_t before = detail::RoundUp(address, align) - address;
  char* base = static_cast<char*>(mapped) + before;
  if (before != 0) ::munmap(mapped, before);
  const std::size_t behind = room - before - size - guard;
  if (behind != 0) ::munmap(base + size + guard, behind);
  if (fd >= 0 && ::mmap(base, size, PROT_NONE, MAP_SHARED | MAP_FIXED, fd, 0) ==
                     MAP_FAILED) {
    error_ = errno;
    ::munmap(base, size + guard);
    return;
  }
  base_ = base;
  reserved_ = size;
}

bool RangeSource::CommitTo(std::size_t bytes) {
  bytes = std::min(detail::RoundUp(bytes, PageBytes()), reserved_);
  bytes = std::min((bytes + step_ - 1) / step_ * step_, reserved_);
  if (bytes <= committed_) return true;
  if (::mprotect(base_ + committed_, bytes - committed_,
                 PROT_READ | PROT_WRITE) != 0) {
    return false;
  }
  committed_ = bytes;
  return true;
}

bool RangeSource::Commit(std::size_t bytes) {
  if (bytes > reserved_ || !CommitTo(bytes)) return false;
  if (bytes == 0) return true;
    // Before Linux 5.14 there is no such call: pages fault in one by one.
#if defined(MADV_POPULATE_WRITE)
  if (::madvise(base_, WholePages(bytes), MADV_POPULATE_WRITE) == 0)
    return true;
  if (errno != EINVAL) return false;
#endif
  for (std::size_t at = 0; at < bytes; at += PageBytes()) {
    volatile char* page = base_ + at;
    *page = *page;
  }
  return true;
}

ChunkMemory RangeSource::Acquire(std::size_t min_size, std::size_t wanted) {
  if (size_ != 0 || min_size > reserved_) return {};
  // More than a single large block needs, so that others find room beside it.
  const std::size_t ample =
      std::max(wanted, min_size + std::min(detail::kInlineMax, reserved_));
  for (const std::size_t size : {ample, min_size}) {
    if (!CommitTo(std::min(size, reserved_))) continue;
    size_ = committed_;
    return {base_, size_};
  }
  return {};
}

std::size_t RangeSource::Extend(ChunkMemory memory, std::size_t min_more,
                                std::size_t wanted_more) {
  if (memory.address != base_ || memory.size != size_ ||
      min_more > reserved_ - size_) {
    return 0;
  }
  for (const std::size_t more : {wanted_more, min_more}) {
    if (!CommitTo(size_ + std::min(more, reserved_ - size_))) continue;
    const std::size_t added = committed_ - size_;
    size_ = committed_;
    return added;
  }
  return 0;
}

void RangeSource::Release(ChunkMemory memory) noexcept {
  ACRE_CHECK(size_ != 0 && memory.address == base_,
             "%p is not the chunk of this source", memory.address);
  Decommit();
  static_cast<void>(::mprotect(base_, committed_, PROT_NONE));
  committed_ = 0;
  size_ = 0;
}

MmapSource::MmapSource(const MmapOptions& options)
    // A step beyond all memory is the whole range; rounded up it is still one.
    : RangeSource(WholePages(std::min(options.commit_step, SIZE_MAX / 4)),
                  options.guard_page) {
  if (options.huge_pages) step_ = detail::RoundUp(step_, kHugePage);
  Map(options.reserve, options.huge_pages ? kHugePage : PageBytes(), -1);
  // A refusal costs speed only.
  if (options.huge_pages && base_ != nullptr) {
    static_cast<void>(::madvise(base_, reserved_, MADV_HUGEPAGE));
  }
}

void MmapSource::Decommit() noexcept {
  static_cast<void>(::madvise(base_, committed_, MADV_DONTNEED));
}

}  // namespace acre::inline ACRE_ABI
