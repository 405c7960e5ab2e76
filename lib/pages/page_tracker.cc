// SPDX-License-Identifier: MIT

#include "pages/page_tracker.h"

#include <unistd.h>

#include <cstdio>

#include "acre/detail/gc_events.h"

#if defined(__linux__)
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#endif

namespace acre::inline ACRE_ABI::detail {

bool PageTracker::is_ours() const noexcept {
  return process_ == static_cast<long>(::getpid());
}

#if defined(__linux__) && defined(SYS_userfaultfd)

namespace {

// Of Linux 6.7; the headers of older systems lack them (Documentation/
// admin-guide/mm/pagemap.rst, userfaultfd.rst).
constexpr std::uint64_t kFeatureUnpopulated = 1u << 13;
constexpr std::uint64_t kFeatureAsync = 1u << 15;
constexpr int kUserModeOnly = 1;
constexpr std::uint64_t kIsWritten = 1u << 1;
constexpr std::uint64_t kProtectMatching = 1u << 0;
// Without it a range that was unmapped and mapped anew reports nothing.
constexpr std::uint64_t kCheckAsync = 1u << 1;

struct PageRegion {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t categories;
};

struct ScanArguments {
  std::uint64_t size;
  std::uint64_t flags;
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t walk_end;
  std::uint64_t vec;
  std::uint64_t vec_len;
  std::uint64_t max_pages;
  std::uint64_t category_inverted;
  std::uint64_t category_mask;
  std::uint64_t category_anyof_mask;
  std::uint64_t return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);

std::uint64_t Number(const char* address) {
  return reinterpret_cast<std::uintptr_t>(address);
}
char* Address(std::uint64_t number) {
  return reinterpret_cast<char*>(static_cast<std::uintptr_t>(number));
}
std::uint64_t Bytes(PageRange range) {
  return static_cast<std::uint64_t>(range.end - range.begin);
}

/// Of /proc/self/maps: false where any part of the range is mapped shared, or
/// where that cannot be told.
bool IsPrivate(PageRange range) noexcept {
  const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  if (maps < 0) return false;
  // A line: 7f00-7fff rw-p ...; only what stands before the second blank
  // counts, so the buffer may be short. It is read as a stream of characters.
  enum { kBegin, kEnd, kFlags, kRest } part = kBegin;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_private = true;
  char text[4096] = {};
  NoteStackUse(text);
  for (ssize_t got;
       is_private && (got = ::read(maps, text, sizeof text)) != 0;) {
    if (got < 0) {
      is_private = false;
      break;
    }
    for (ssize_t i = 0; i < got; ++i) {
      const char c = text[i];
      if (c == '\n') {
        part = kBegin;
        begin = end = 0;
      } else if (part == kRest) {
        continue;
      } else if (c == ' ') {
        part = part == kEnd ? kFlags : kRest;
      } else if (part == kFlags) {
        if (c == 's' && begin < Number(range.end) &&
            end > Number(range.begin)) {
          is_private = false;
        }
      } else if (c == '-') {
        part = kEnd;
      } else {
        std::uint64_t& number = part == kBegin ? begin : end;
        number = number << 4 |
                 static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
      }
    }
  }
  ::close(maps);
  return is_private;
}

}  // namespace

bool PageTracker::Open() noexcept {
  if (faults_ >= 0) return is_ours();
  if (is_refused_) return false;
  is_refused_ = true;
  process_ = ::getpid();
  const long fd =
      ::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | kUserModeOnly);
  if (fd < 0) return false;
  faults_ = static_cast<int>(fd);
  uffdio_api api = {};
  api.api = UFFD_API;
  api.features = kFeatureAsync | kFeatureUnpopulated;
  if (::ioctl(faults_, UFFDIO_API, &api) == 0) {
    pagemap_ = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  }
  if (pagemap_ >= 0) return true;
  ::close(faults_);
  faults_ = -1;
  return false;
}

PageTracker::~PageTracker() {
  if (faults_ < 0) return;
  ::close(faults_);
  ::close(pagemap_);
}

bool PageTracker::Watch(PageRange range) {
  if (!Open() || !IsPrivate(range)) return false;
  uffdio_register wanted = {};
  wanted.range.start = Number(range.begin);
  wanted.range.len = Bytes(range);
  wanted.mode = UFFDIO_REGISTER_MODE_WP;
  if (::ioctl(faults_, UFFDIO_REGISTER, &wanted) != 0) return false;
  // Whether the kernel lets us read it (PAGEMAP_SCAN may be missing).
  PageRange found;
  char* done = nullptr;
  if (Scan(range, false, &found, 1, &done) >= 0) return true;
  Unwatch(range);
  return false;
}

void PageTracker::Unwatch(PageRange range) noexcept {
  if (faults_ < 0 || !is_ours()) return;
  uffdio_range given = {Number(range.begin), Bytes(range)};
  ::ioctl(faults_, UFFDIO_UNREGISTER, &given);
}

long PageTracker::Scan(PageRange range, bool protect, PageRange* found,
                       std::size_t most, char** done) noexcept {
  constexpr std::size_t kMost = 256;
  PageRegion regions[kMost] = {};
  NoteStackUse(regions);
  ScanArguments scan = {};
  scan.size = sizeof scan;
  scan.flags = kCheckAsync | (protect ? kProtectMatching : 0);
  scan.start = Number(range.begin);
  scan.end = Number(range.end);
  scan.vec = reinterpret_cast<std::uintptr_t>(regions);
  scan.vec_len = most < kMost ? most : kMost;
  scan.category_mask = kIsWritten;
  scan.return_mask = kIsWritten;
  if (faults_ < 0 || !is_ours()) return -1;
  const long count = ::ioctl(pagemap_, kPagemapScan, &scan);
  if (count < 0 || (count == 0 && scan.walk_end == scan.start)) return -1;
  for (long i = 0; i < count; ++i) {
    found[i] = {Address(regions[i].start), Address(regions[i].end)};
  }
  *done = Address(scan.walk_end);
  return count;
}

#else

// Pages are compared.
PageTracker::~PageTracker() = default;
bool PageTracker::Open() noexcept { return false; }
bool PageTracker::Watch(PageRange) { return false; }
void PageTracker::Unwatch(PageRange) noexcept {}
long PageTracker::Scan(PageRange, bool, PageRange*, std::size_t,
                       char**) noexcept {
  return -1;
}

#endif

}  // namespace acre::inline ACRE_ABI::detail
