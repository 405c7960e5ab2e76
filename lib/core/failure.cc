// SPDX-License-Identifier: MIT
//
// The only throw and the only abort of the library.

#include "acre/failure.h"

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <stdexcept>

#if ACRE_EXCEPTIONS
#include <cxxabi.h>
#endif

#include "acre/detail/size_class.h"
#include "acre/guarded.h"

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

#if ACRE_EXCEPTIONS
// How many calls of Guarded this thread is in.
thread_local int t_guards = 0;
#endif

[[noreturn]] void TellMisuse(ErrorKind kind, const char* message) {
  if (const MisuseHandler handler = g_misuse.load()) {
    handler(message);
    Die(message);
  }
#if ACRE_EXCEPTIONS
  if (t_guards != 0) throw MisuseError(kind, message);
#else
  static_cast<void>(kind);
#endif
  Die(message);
}

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
  // Chunks come with more than was asked for.
  constexpr std::size_t kMore = 4096;
  const std::size_t left =
      info.byte_limit - std::min(info.reserved, info.byte_limit);
  is_byte_limit_ = info.align == 0 && info.byte_limit != SIZE_MAX &&
                   (left < kMore || (left - kMore) / 2 < info.bytes);
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

MisuseError::MisuseError(ErrorKind kind, const char* text) noexcept
    : kind_(kind) {
  std::snprintf(text_, sizeof text_, "%s", text);
}

const char* NameOf(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::kMisuse:
      return "misuse";
    case ErrorKind::kStale:
      return "stale";
    case ErrorKind::kOutOfMemory:
      return "out of memory";
    case ErrorKind::kByteLimit:
      return "byte limit";
    case ErrorKind::kOutOfRange:
      return "out of range";
    case ErrorKind::kOther:
      break;
  }
  return "other";
}

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
  TellMisuse(ErrorKind::kMisuse, message);
}

void FailStale(const char* format, ...) {
  char message[kMessageSize];
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(message, sizeof message, format, args);
  va_end(args);
  TellMisuse(ErrorKind::kStale, message);
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

#if ACRE_EXCEPTIONS

namespace {

/// One Guarded more while it lives.
class Guard {
 public:
  Guard() { ++t_guards; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { --t_guards; }
};

void Fill(GuardedFailure* failure, ErrorKind kind, const char* text) {
  failure->kind = kind;
  std::snprintf(failure->text, sizeof failure->text, "%s", text);
}

}  // namespace

// What ends a thread has no object behind it: g++'s sanitizer takes the
// reference for one to null.
__attribute__((no_sanitize("null"))) bool RunGuarded(void (*run)(void* context),
                                                     void* context,
                                                     GuardedFailure* failure) {
  try {
    const Guard guard;
    run(context);
    return true;
  } catch (const MisuseError& error) {
    Fill(failure, error.kind(), error.what());
  } catch (const OutOfMemory& error) {
    Fill(
        failure,
        error.is_byte_limit() ? ErrorKind::kByteLimit : ErrorKind::kOutOfMemory,
        error.what());
  } catch (const std::bad_alloc&) {
    Fill(failure, ErrorKind::kOutOfMemory, "out of memory: std::bad_alloc");
  } catch (const std::length_error& error) {
    Fill(failure, ErrorKind::kOutOfMemory, error.what());
  } catch (const std::out_of_range& error) {
    Fill(failure, ErrorKind::kOutOfRange, error.what());
  } catch (const std::exception& error) {
    Fill(failure, ErrorKind::kOther, error.what());
#if defined(__GLIBCXX__)
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread ends
#endif
  } catch (...) {
    Fill(failure, ErrorKind::kOther, "an exception that has no text");
  }
  return false;
}

#else

bool RunGuarded(void (*run)(void* context), void* context, GuardedFailure*) {
  run(context);
  return true;
}

#endif

}  // namespace detail
}  // namespace acre::inline ACRE_ABI
