// SPDX-License-Identifier: MIT
//
// Guarded: the line that nothing of acre's crosses. For hosts whose frames know
// no C++ exceptions, and whose process must not end for what a script did
// wrong: interpreters, plugins, callbacks from C.
//
//   SCM Push(SCM vector, SCM value) {
//     return acre::Guarded(
//         [&] { return PushInto(*vector_of(vector), value); },
//         [](const acre::GuardedError& error) { return Raise(error.text); });
//   }
//
// What is thrown in the first function becomes a value, with its text, for the
// second. Misuse, for which acre ends the process by default, is thrown there,
// and there alone; a handler set by SetMisuseHandler is called as always, and
// what it throws is taken like the rest.
//
// Not turned into values: misuse noticed in what may not throw (see
// SetMisuseHandler), which ends the process with its text; the end of a thread
// by pthread_cancel or pthread_exit, which goes on (with libc++ it ends the
// process: nothing tells it from an exception there); everything where libacre
// was built without exceptions, where it does as it does without Guarded.

#ifndef ACRE_GUARDED_H_
#define ACRE_GUARDED_H_

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

enum class ErrorKind : std::uint8_t {
  kMisuse,       ///< a rule was broken
  kStale,        ///< an ArenaRef was used after a Reset or Rewind
  kOutOfMemory,  ///< also a size that is impossible: std::length_error
  kByteLimit,    ///< the arena's byte_limit is reached
  kOutOfRange,   ///< an index or key that is not there: std::out_of_range
  kOther,        ///< any other exception
};

/// "misuse", "stale", ...
const char* NameOf(ErrorKind kind) noexcept;

struct GuardedError {
  ErrorKind kind = ErrorKind::kOther;
  /// A complete sentence. Valid during the call.
  const char* text = "";
};

/// What misuse throws inside of Guarded. Copying and what() allocate nothing.
class MisuseError : public std::exception {
 public:
  MisuseError(ErrorKind kind, const char* text) noexcept;

  ErrorKind kind() const noexcept { return kind_; }
  const char* what() const noexcept override { return text_; }

 private:
  ErrorKind kind_;
  char text_[1023];  // ends with a zero; longer texts are cut
};

namespace detail {

/// Room for the text of an error, so that nothing is allocated for it.
struct GuardedFailure {
  ErrorKind kind;
  char text[1024];
};

/// Calls run(context). False where something was thrown: *failure says what.
bool RunGuarded(void (*run)(void* context), void* context,
                GuardedFailure* failure);

}  // namespace detail

/// f(), or on_error(const GuardedError&) where f threw. When on_error is
/// called f's frames are gone and no exception is being handled: it may jump
/// away, as the error functions of hosts do (longjmp, scm_throw), or throw.
/// Returns: what f does, to which what on_error returns must convert.
/// Requires: nothing jumps out of f. Costs two additions where nothing is
/// thrown. May be nested. Any thread.
template <class F, class OnError>
auto Guarded(F&& f, OnError&& on_error) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  detail::GuardedFailure failure;
  if constexpr (std::is_void_v<Result>) {
    struct Call {
      std::remove_reference_t<F>* f;
    } call{std::addressof(f)};
    const bool ok = detail::RunGuarded(
        [](void* context) { (*static_cast<Call*>(context)->f)(); }, &call,
        &failure);
    if (!ok) on_error(GuardedError{failure.kind, failure.text});
  } else {
    static_assert(std::is_trivially_destructible_v<Result>,
                  "on_error may jump away: what Guarded returns must need no "
                  "destructor");
    struct Call {
      std::remove_reference_t<F>* f;
      alignas(Result) unsigned char result[sizeof(Result)];
    } call;
    call.f = std::addressof(f);
    const bool ok = detail::RunGuarded(
        [](void* context) {
          auto& to = *static_cast<Call*>(context);
          ::new (static_cast<void*>(to.result)) Result((*to.f)());
        },
        &call, &failure);
    if (!ok) return on_error(GuardedError{failure.kind, failure.text});
    return *reinterpret_cast<Result*>(call.result);
  }
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_GUARDED_H_
