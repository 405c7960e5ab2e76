// SPDX-License-Identifier: MIT
//
// The only throw and the only abort of the library.

#include "acre/failure.h"

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "acre/detail/size_class.h"

namespace acre::inline ACRE_ABI {
namespace {

[[noreturn]] void Die(const char* message) {
  std::fputs(message, stderr);
  std::fputc('\n', stderr);
  std::fflush(stderr);
  std::abort();
}

std::atomic<OutOfMemoryHandler> g_out_of_memory{nullptr};
std::atomic<MisuseHandler> g_misuse{nullptr};

[[noreturn]] void ThrowOutOfRange(const char* message) {
#if ACRE_EXCEPTIONS
  throw std::out_of_range(message);
#else
  Die(message);
#endif
}

// One line of text; longer messages are cut, never allocated.
constexpr std::size_t kMessageSize = 1024;

}  // namespace

OutOfMemoryHandler SetOutOfMemoryHandler(OutOfMemoryHandler handler) noexcept {
  return g_out_of_memory.exchange(handler);
}

MisuseHandler SetMisuseHandler(MisuseHandler handler) noexcept {
  return g_misuse.exchange(handler);
}

// The parts are as long as numbers are, 20 digits, and 64 for a name, so that
// the end of the sentence is never cut.
OutOfMemory::OutOfMemory(const OutOfMemoryInfo& info) noexcept {
  constexpr std::size_t kSize = sizeof text_;
  if (info.align != 0) {
    std::snprintf(text_, kSize,
                  "acre: arena '%.64s': %zu bytes at a multiple of %zu asked "
                  "for, %zu is the largest alignment",
                  info.arena_name, info.bytes, info.align, kMaxAlignment);
  } else if (info.byte_limit == SIZE_MAX) {
    std::snprintf(text_, kSize,
                  "acre: arena '%.64s': out of memory: %zu bytes asked for, "
                  "%zu reserved, no limit",
                  info.arena_name, info.bytes, info.reserved);
  } else {
    std::snprintf(text_, kSize,
                  "acre: arena '%.64s': out of memory: %zu bytes asked for, "
                  "%zu of a limit of %zu reserved",
                  info.arena_name, info.bytes, info.reserved, info.byte_limit);
  }
}

const char* OutOfMemory::what() const noexcept { return text_; }

namespace detail {

void FailOutOfMemory(const OutOfMemoryInfo& info) {
  if (const OutOfMemoryHandler handler = g_out_of_memory.load()) {
    handler(info);
    Die("acre: the out-of-memory handler returned");
  }
#if ACRE_EXCEPTIONS
  throw OutOfMemory(info);
#else
  Die(OutOfMemory(info).what());
#endif
}

void FailMisuse(const char* format, ...) {
  char message[kMessageSize];
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(message, sizeof message, format, args);
  va_end(args);
  if (const MisuseHandler handler = g_misuse.load()) handler(message);
  Die(message);
}

void FailOutOfRange(const char* what, std::size_t index, std::size_t size) {
  char message[kMessageSize];
  std::snprintf(message, sizeof message,
                "acre: %s: index %zu is out of range, size is %zu", what, index,
                size);
  ThrowOutOfRange(message);
}

void FailNoSuchKey(const char* what) {
  char message[kMessageSize];
  std::snprintf(message, sizeof message, "acre: %s: no such key", what);
  ThrowOutOfRange(message);
}

void FailLength(const char* what, std::size_t wanted, std::size_t max) {
  char message[kMessageSize];
  std::snprintf(message, sizeof message,
                "acre: %s: %zu elements wanted, at most %zu are possible", what,
                wanted, max);
#if ACRE_EXCEPTIONS
  throw std::length_error(message);
#else
  Die(message);
#endif
}

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
