// SPDX-License-Identifier: MIT

#include "collector/stopped_threads.h"

#include "acre/detail/gc_query.h"
#include "acre/detail/unscanned_array.h"

#if defined(__linux__)
#include <dirent.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#endif

namespace acre::inline ACRE_ABI::detail {

#if defined(__linux__)

namespace {

struct Texts {
  char maps[std::size_t{1} << 18];  // of /proc/self/maps
  char entries[8192];               // of /proc/self/task
};
UnscannedArray<Texts, 1> g_texts;

/// Reads a file, ended by a zero; 0 where that fails.
std::size_t ReadFile(const char* path, char* buffer, std::size_t size) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  std::size_t length = 0;
  for (;;) {
    const ssize_t n = read(file, buffer + length, size - 1 - length);
    if (n <= 0) break;
    length += static_cast<std::size_t>(n);
  }
  close(file);
  buffer[length] = '\0';
  return length;
}

/// False where that fails. Requires: g_texts is made.
bool ReadMaps() {
  Texts& texts = g_texts[0];
  return ReadFile("/proc/self/maps", texts.maps, sizeof texts.maps) != 0;
}

const char* ParseHex(const char* text, std::uintptr_t* value) {
  if (text[0] == '0' && text[1] == 'x') text += 2;
  for (*value = 0;; ++text) {
    const char c = *text;
    if (c >= '0' && c <= '9') {
      *value = *value * 16 + static_cast<std::uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      *value = *value * 16 + static_cast<std::uintptr_t>(c - 'a' + 10);
    } else {
      return text;
    }
  }
}

/// The end of the mapping around an address, or 0.
std::uintptr_t MappingEnd(std::uintptr_t address) {
  for (const char* line = g_texts[0].maps; *line != '\0';) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    const char* at = ParseHex(line, &begin);
    if (*at == '-') ParseHex(at + 1, &end);
    if (address >= begin && address < end) return end;
    line = std::strchr(line, '\n');
    if (line == nullptr) return 0;
    ++line;
  }
  return 0;
}

using Clock = std::chrono::steady_clock;

// Of all threads together. Who is stopped gets there in microseconds, on a busy
// machine in one turn of the scheduler. Who is not, being unknown to libgc, may
// run on for ever.
constexpr std::chrono::milliseconds kPatience{100};

/// Where the stack of a thread that waits in the kernel ends, or 0. The file
/// says "running", or: number, arguments, stack pointer, program counter.
std::uintptr_t StackPointerOf(long thread, Clock::time_point deadline) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%ld/syscall", thread);
  // A thread that has just been stopped is not yet where it will wait.
  for (;;) {
    char text[512];
    if (ReadFile(path, text, sizeof text) == 0) return 0;
    if (text[0] != 'r') {
      char* last = std::strrchr(text, ' ');
      if (last == nullptr) return 0;
      *last = '\0';
      last = std::strrchr(text, ' ');
      if (last == nullptr) return 0;
      std::uintptr_t pointer = 0;
      ParseHex(last + 1, &pointer);
      return pointer;
    }
    if (Clock::now() > deadline) return 0;
    const timespec pause{0, 50'000};
    nanosleep(&pause, nullptr);
  }
}

/// One of libgc's own, which know no arenas and which no collection stops or
/// scans: the thread that answers write faults, from 8.3 on in incremental
/// mode, and the markers, on whose stacks the last collection has left pointers
/// to what it marked.
bool IsOfCollector(long thread) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%ld/comm", thread);
  char name[32];
  constexpr std::string_view kMarker = "GC-marker-";
  return ReadFile(path, name, sizeof name) != 0 &&
         (std::strcmp(name, "GC-uffdwp\n") == 0 ||
          std::string_view(name).starts_with(kMarker));
}

struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[1];
};

long ToNumber(const char* text) {
  long number = 0;
  for (; *text >= '0' && *text <= '9'; ++text) {
    number = number * 10 + (*text - '0');
  }
  return number;
}

}  // namespace

const char* StackEnd(const void* frame) {
  const auto at = reinterpret_cast<std::uintptr_t>(frame);
  const std::uintptr_t mapped =
      g_texts.Make() && ReadMaps() ? MappingEnd(at) : 0;
  const auto bottom = reinterpret_cast<std::uintptr_t>(CollectedStackBottom());
  if (bottom > at && (mapped == 0 || bottom < mapped)) {
    return reinterpret_cast<const char*>(bottom);
  }
  return reinterpret_cast<const char*>(mapped == 0 ? at : mapped);
}

long ThisThreadNumber() { return syscall(SYS_gettid); }

std::size_t ForEachOtherStack(void (*visit)(void*, const char*, const char*,
                                            long),
                              void* context) {
  if (g_texts.data() == nullptr || !ReadMaps()) return 1;
  const int directory = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
  if (directory < 0) return 1;
  const long self = ThisThreadNumber();
  std::size_t unread = 0;
  const Clock::time_point deadline = Clock::now() + kPatience;
  char* const entries = g_texts[0].entries;
  for (long n; (n = syscall(SYS_getdents64, directory, entries,
                            sizeof g_texts[0].entries)) > 0;) {
    for (long at = 0; at < n;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(entries + at);
      at += entry->length;
      const long thread = ToNumber(entry->name);
      if (thread == 0 || thread == self || IsOfCollector(thread)) continue;
      const std::uintptr_t begin = StackPointerOf(thread, deadline);
      const std::uintptr_t end = MappingEnd(begin);
      if (end == 0) {
        ++unread;
        continue;
      }
      visit(context, reinterpret_cast<const char*>(begin),
            reinterpret_cast<const char*>(end), thread);
    }
  }
  close(directory);
  return unread;
}

#else

// Elsewhere other stacks are not read, and the report says so.
const char* StackEnd(const void* frame) {
  const void* bottom = CollectedStackBottom();
  return static_cast<const char*>(bottom > frame ? bottom : frame);
}
long ThisThreadNumber() { return 0; }
std::size_t ForEachOtherStack(void (*)(void*, const char*, const char*, long),
                              void*) {
  return 1;
}

#endif

}  // namespace acre::inline ACRE_ABI::detail
