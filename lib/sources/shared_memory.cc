// SPDX-License-Identifier: MIT
//
// The 16 bytes before the first block belong to the source. Here:
//
//   word 0:  type id, low half  | the writer's base address | kMagic
//   word 1:  type id, high half | the writer's root address, or 0
//
// A base address leaves 12 bits free below (or more: a page) and 16 above
// (48-bit addresses); 32 bits of the root's type id fill what is free above.

#include "acre/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "acre/failure.h"
#include "sources/page.h"

namespace acre::inline ACRE_ABI {
namespace {

constexpr std::uint64_t kMagic = 0xACE;
constexpr std::uint64_t kPageMask = kMaxAlignment - 1;
constexpr unsigned kAddressBits = 48;
constexpr std::uint64_t kAddressMask = (std::uint64_t{1} << kAddressBits) - 1;

struct Header {
  std::uint64_t words[2];
};
static_assert(sizeof(Header) == kChunkHeader);

std::uint64_t AddressOf(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

Header MakeHeader(const void* base, const void* root, std::uint64_t type_id) {
  const std::uint64_t low = type_id & 0xffff;
  const std::uint64_t high = type_id >> 16 & 0xffff;
  return {{AddressOf(base) | kMagic | low << kAddressBits,
           AddressOf(root) | high << kAddressBits}};
}

/// 0, or why a file cannot be so large. Beyond the limit on the size of files
/// ftruncate does not just fail: it sends SIGXFSZ, which ends the process.
int SetSize(int fd, std::size_t bytes) {
  rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur) {
    return EFBIG;
  }
  return ::ftruncate(fd, static_cast<off_t>(bytes)) == 0 ? 0 : errno;
}

/// From now on nobody can change the size: whoever maps memory that a file has
/// lost dies of SIGBUS when he touches it.
int KeepSize(int fd) {
  constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
  return ::fcntl(fd, F_ADD_SEALS, kSeals) == 0 ? 0 : errno;
}

}  // namespace

SharedMemorySource::SharedMemorySource(const SharedMemoryOptions& options)
    : RangeSource(detail::WholePages(std::size_t{64} << 10), true) {
  const std::size_t bytes = detail::WholePages(
      std::clamp<std::size_t>(options.bytes, 1, PTRDIFF_MAX / 2));
  fd_ = ::memfd_create(options.name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  int error = fd_ < 0 ? errno : SetSize(fd_, bytes);
  if (error == 0) error = KeepSize(fd_);
  if (error == 0) {
    Map(bytes, detail::PageBytes(), fd_);
  } else {
    set_error(error);
  }
  if (base() == nullptr && fd_ >= 0) {
    ::close(fd_);
    fd_ = -1;
  }
}

SharedMemorySource::~SharedMemorySource() {
  if (fd_ >= 0) ::close(fd_);
}

ChunkMemory SharedMemorySource::Acquire(std::size_t min_size,
                                        std::size_t wanted) {
  const ChunkMemory memory = RangeSource::Acquire(min_size, wanted);
  if (memory.address != nullptr) SetRootObject(nullptr, 0);
  return memory;
}

void SharedMemorySource::Decommit() noexcept {
  // Readers that still map it see zeros, and no root.
  static_cast<void>(::fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                0, static_cast<off_t>(committed_)));
}

void SharedMemorySource::SetRootObject(const void* object,
                                       std::uint64_t type_id) {
  if (object == nullptr && size_ == 0) return;  // no memory has no root
  const std::uint64_t offset = AddressOf(object) - AddressOf(base());
  ACRE_CHECK(size_ != 0 && (object == nullptr || offset < size_),
             "SetRoot(%p): not an object in this shared memory", object);
  const Header header = MakeHeader(base(), object, type_id);
  std::memcpy(base_, &header, sizeof header);
}

// --------------------------------------------------------------------- views

SharedMemoryView::SharedMemoryView(int fd, Access access) {
  struct stat status;
  if (::fstat(fd, &status) != 0) {
    error_ = errno;
    return;
  }
  const auto size = static_cast<std::size_t>(status.st_size);
  if (!S_ISREG(status.st_mode) || size < sizeof(Header)) {
    error_ = EINVAL;
    return;
  }
  const int protection =
      access == Access::kRead ? PROT_READ : PROT_READ | PROT_WRITE;
  void* mapped = ::mmap(nullptr, size, protection, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) {
    error_ = errno;
    return;
  }
  base_ = static_cast<std::byte*>(mapped);
  size_ = size;
}

SharedMemoryView::~SharedMemoryView() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

void SharedMemoryView::Swap(SharedMemoryView& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(error_, other.error_);
}

const void* SharedMemoryView::Translate(const void* writers,
                                        std::size_t bytes) const {
  if (base_ == nullptr) return nullptr;
  Header header;
  std::memcpy(&header, base_, sizeof header);
  if ((header.words[0] & kPageMask) != kMagic) return nullptr;
  const std::uint64_t base = header.words[0] & kAddressMask & ~kPageMask;
  const std::uint64_t offset = AddressOf(writers) - base;
  if (offset < sizeof(Header) || offset > size_ || bytes > size_ - offset) {
    return nullptr;
  }
  return base_ + offset;
}

const void* SharedMemoryView::RootObject(std::uint64_t type_id,
                                         std::size_t bytes) const {
  if (base_ == nullptr) return nullptr;
  Header header;
  std::memcpy(&header, base_, sizeof header);
  const std::uint64_t root = header.words[1] & kAddressMask;
  const std::uint64_t type =
      header.words[0] >> kAddressBits | header.words[1] >> kAddressBits << 16;
  if (root == 0 || type != (type_id & 0xffffffff)) return nullptr;
  return Translate(reinterpret_cast<const void*>(root), bytes);
}

std::span<std::byte> SharedMemoryView::Bytes(std::size_t offset,
                                             std::size_t bytes) const {
  if (offset > size_ || bytes > size_ - offset) return {};
  return {base_ + offset, bytes};
}

}  // namespace acre::inline ACRE_ABI
