// SPDX-License-Identifier: MIT
//
// How acre fails: two replaceable handlers, and the checks that call them.
// Running out of memory is a documented result; misuse is a bug of the caller.
//
// Threads: handlers may be replaced at any time from any thread. The only
// throw and the only abort of the library stand behind these functions, in
// libacre, so that headers compile alike with and without exceptions.

#ifndef ACRE_FAILURE_H_
#define ACRE_FAILURE_H_

#include <cstddef>
#include <new>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// What could not be allocated, and where. Text is valid during the call only.
struct OutOfMemoryInfo {
  const char* arena_name;  ///< as given in ArenaOptions
  std::size_t bytes;       ///< the size that was asked for
  std::size_t reserved;    ///< bytes the arena holds from its source
  std::size_t byte_limit;  ///< the arena's limit; SIZE_MAX where none is set
  /// An alignment that cannot be given (ArenaResource); 0: memory ran out.
  std::size_t align = 0;
};

/// What the default handler throws. Copying and what() allocate nothing.
class OutOfMemory : public std::bad_alloc {
 public:
  explicit OutOfMemory(const OutOfMemoryInfo& info) noexcept;

  /// "acre: arena 'game': out of memory: 4096 bytes asked for, 1048576 of a
  /// limit of 1048576 reserved"; long names are cut.
  const char* what() const noexcept override;
  /// True where a byte limit was in the way.
  bool is_byte_limit() const noexcept { return is_byte_limit_; }

 private:
  bool is_byte_limit_;
  char text_[255];  // ends with a zero
};

/// Called by every allocation without `Try` in its name when memory runs out.
/// Must not return: throw, longjmp or end the process. Returning aborts.
using OutOfMemoryHandler = void (*)(const OutOfMemoryInfo& info);

/// Replaces the handler and returns the previous one. Null restores the
/// default: throw OutOfMemory, a std::bad_alloc; or print the same text and
/// abort where libacre has no exceptions.
OutOfMemoryHandler SetOutOfMemoryHandler(OutOfMemoryHandler handler) noexcept;

/// Called with a complete sentence when the caller broke a rule (foreign or
/// double Free, a mark from before a Reset, ...).
/// Must not return: throw, longjmp or end the process. Returning aborts.
/// A throw gets out of what is not noexcept; elsewhere it ends in
/// std::terminate: in data and begin of containers and what reads through
/// them, in clear, swap and move assignment, say.
using MisuseHandler = void (*)(const char* message);

/// Replaces the handler and returns the previous one. Null restores the
/// default: print the message to standard error and abort; or throw it, inside
/// of Guarded (<acre/guarded.h>).
MisuseHandler SetMisuseHandler(MisuseHandler handler) noexcept;

namespace detail {

[[noreturn]] ACRE_COLD void FailOutOfMemory(const OutOfMemoryInfo& info);

/// printf-style; formats into a stack buffer, allocates nothing.
[[noreturn]] ACRE_COLD void FailMisuse(const char* format, ...)
    __attribute__((format(printf, 1, 2)));

/// The same for a reference to what has ended.
[[noreturn]] ACRE_COLD void FailStale(const char* format, ...)
    __attribute__((format(printf, 1, 2)));

/// For at(): throws std::out_of_range, or aborts without exceptions.
[[noreturn]] ACRE_COLD void FailOutOfRange(const char* what, std::size_t index,
                                           std::size_t size);

/// For at() of a container with keys: the same.
[[noreturn]] ACRE_COLD void FailNoSuchKey(const char* what);

/// For sizes beyond max_size(): std::length_error, or abort.
[[noreturn]] ACRE_COLD void FailLength(const char* what, std::size_t wanted,
                                       std::size_t max);

}  // namespace detail
}  // namespace acre::inline ACRE_ABI

/// Cheap misuse, checked in every build.
#define ACRE_CHECK(condition, ...)               \
  (ACRE_LIKELY(condition) ? static_cast<void>(0) \
                          : ::acre::detail::FailMisuse("acre: " __VA_ARGS__))

/// A bug of acre itself, checked in checked builds only.
#if ACRE_CHECKED
#define ACRE_DCHECK(condition)                                          \
  (ACRE_LIKELY(condition)                                               \
       ? static_cast<void>(0)                                           \
       : ::acre::detail::FailMisuse("acre: internal error: %s (%s:%d)", \
                                    #condition, __FILE__, __LINE__))
#else
#define ACRE_DCHECK(condition) static_cast<void>(0)
#endif

#endif  // ACRE_FAILURE_H_
