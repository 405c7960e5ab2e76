// SPDX-License-Identifier: MIT
//
// To preload: lets a program believe that the system's pages are as long as the
// environment's ACRE_TEST_PAGE says (bytes), and treats it as such a kernel
// does. What begins within a page is refused, EINVAL; what ends within a page
// concerns the whole of it. Built and used by tests/hygiene/large_pages.

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

// The compiler may know that these throw nothing; they are C's.
#define SHIM extern "C" __attribute__((visibility("default")))

namespace {

std::size_t Page() {
  static const std::size_t page = [] {
    const char* told = std::getenv("ACRE_TEST_PAGE");
    const long bytes = told != nullptr ? std::atol(told) : 0;
    if (bytes < 4096 || (bytes & (bytes - 1)) != 0) std::abort();
    return static_cast<std::size_t>(bytes);
  }();
  return page;
}

template <class Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void* SystemMap(void* address, std::size_t size, int protection, int flags,
                int fd, off_t offset) {
  static auto* const next =
      Next<void*(void*, std::size_t, int, int, int, off_t)>("mmap");
  return next(address, size, protection, flags, fd, offset);
}
int SystemUnmap(void* address, std::size_t size) {
  static auto* const next = Next<int(void*, std::size_t)>("munmap");
  return next(address, size);
}

bool IsPage(std::uintptr_t value) { return value % Page() == 0; }
bool IsPage(const void* address) {
  return IsPage(reinterpret_cast<std::uintptr_t>(address));
}
std::size_t WholePages(std::size_t bytes) {
  return (bytes + Page() - 1) / Page() * Page();
}

template <class Result>
Result Refuse(Result result, int error) {
  errno = error;
  return result;
}

/// Addresses of whole pages, with nothing behind them.
char* Reserve(std::size_t bytes) {
  const std::size_t room = bytes + Page();
  if (room < bytes) return Refuse<char*>(nullptr, ENOMEM);
  void* mapped = SystemMap(nullptr, room, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  const std::size_t before =
      -reinterpret_cast<std::uintptr_t>(mapped) & (Page() - 1);
  char* begin = static_cast<char*>(mapped) + before;
  if (before != 0) SystemUnmap(mapped, before);
  if (before != Page()) SystemUnmap(begin + bytes, Page() - before);
  return begin;
}

void* Map(void* address, std::size_t size, int protection, int flags, int fd,
          off_t offset) {
  if (size == 0 || !IsPage(static_cast<std::uintptr_t>(offset))) {
    return Refuse(MAP_FAILED, EINVAL);
  }
  const std::size_t whole = WholePages(size);
  if (whole < size) return Refuse(MAP_FAILED, ENOMEM);
  const bool is_alone = (flags & MAP_FIXED_NOREPLACE) != 0;
  const bool is_fixed = is_alone || (flags & MAP_FIXED) != 0;
  if (is_fixed && !IsPage(address)) return Refuse(MAP_FAILED, EINVAL);
  char* at = is_fixed ? static_cast<char*>(address) : Reserve(whole);
  if (at == nullptr) return MAP_FAILED;
  const bool is_anonymous = (flags & MAP_ANONYMOUS) != 0;
  const std::size_t asked = is_anonymous ? whole : size;
  void* mapped = SystemMap(at, asked, protection,
                           is_alone ? flags : flags | MAP_FIXED, fd, offset);
  if (mapped == MAP_FAILED) {
    const int error = errno;
    if (!is_fixed) SystemUnmap(at, whole);
    return Refuse(MAP_FAILED, error);
  }
  // The last page of a file is filled up with zeros.
  const std::size_t has = (asked + 4095) / 4096 * 4096;
  if (has < whole) {
    SystemMap(at + has, whole - has, protection,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  }
  return mapped;
}

}  // namespace

SHIM long sysconf(int name) noexcept {
  static auto* const next = Next<long(int)>("sysconf");
  return name == _SC_PAGESIZE ? static_cast<long>(Page()) : next(name);
}
SHIM int getpagesize() noexcept { return static_cast<int>(Page()); }

SHIM void* mmap(void* address, std::size_t size, int protection, int flags,
                int fd, off_t offset) noexcept {
  return Map(address, size, protection, flags, fd, offset);
}
SHIM void* mmap64(void* address, std::size_t size, int protection, int flags,
                  int fd, off_t offset) noexcept {
  return Map(address, size, protection, flags, fd, offset);
}
SHIM int munmap(void* address, std::size_t size) noexcept {
  if (!IsPage(address)) return Refuse(-1, EINVAL);
  return SystemUnmap(address, WholePages(size));
}
SHIM int mprotect(void* address, std::size_t size, int protection) noexcept {
  static auto* const next = Next<int(void*, std::size_t, int)>("mprotect");
  if (!IsPage(address)) return Refuse(-1, EINVAL);
  return next(address, WholePages(size), protection);
}
SHIM int madvise(void* address, std::size_t size, int advice) noexcept {
  static auto* const next = Next<int(void*, std::size_t, int)>("madvise");
  if (!IsPage(address)) return Refuse(-1, EINVAL);
  return next(address, WholePages(size), advice);
}
SHIM int mincore(void* address, std::size_t size,
                 unsigned char* states) noexcept {
  static auto* const next =
      Next<int(void*, std::size_t, unsigned char*)>("mincore");
  if (!IsPage(address)) return Refuse(-1, EINVAL);
  // One state a page: that of its beginning.
  for (std::size_t at = 0; at < size; at += Page()) {
    if (next(static_cast<char*>(address) + at, 1, states++) != 0) return -1;
  }
  return 0;
}
