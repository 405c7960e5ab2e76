// SPDX-License-Identifier: MIT
//
// Scratch: memory for the work of one function, from arenas that every thread
// keeps for the purpose. What is made in it is gone when it ends.
//
//   std::size_t CountWords(std::string_view text) {
//     acre::Scratch scratch;
//     auto* seen = scratch->New<acre::Set<acre::String>>();
//     ...
//   }
//
// A function that makes its result in an arena of its caller, which may be a
// scratch itself, names that arena; its own scratch is then another one, and
// the result survives:
//
//   Node* Parse(acre::Arena& result, std::string_view text) {
//     acre::Scratch scratch(result);
//     ...
//   }
//
// A thread has two scratch arenas, so one arena can be kept out of the way. A
// Scratch is a Scope of one of them: it nests, and it may be rewound early.
//
// Ownership: the thread owns the arenas; they end with it. Nothing made in a
// Scratch may be used after it.
// Threads: a Scratch stays in the thread that made it.
// Memory: malloc, not the collected heap, so any thread may use it, registered
// or not. When a thread's outermost Scratch ends, what its arenas hold above
// 1 MiB each goes back.
// Failure: as Scope.

#ifndef ACRE_SCRATCH_H_
#define ACRE_SCRATCH_H_

#include <cstdint>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/checked_call.h"
#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI {

/// See the top of this file.
class [[nodiscard]] Scratch {
 public:
  Scratch() : Scratch(nullptr) {}
  /// A scratch that is not `result`, whichever arena that is.
  explicit Scratch(const Arena& result) : Scratch(&result) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  Arena& operator*() const noexcept { return arena_; }
  Arena* operator->() const noexcept { return &arena_; }
  Arena& arena() const noexcept { return arena_; }
  /// Where the Scratch began.
  Mark mark() const noexcept { return mark_; }

  /// Ends the life of everything made since the mark (Arena::Checkpoint), or
  /// since this Scratch began; the Scratch goes on.
  void Rewind();
  void Rewind(Mark mark) { arena_.Rewind(mark); }
  [[nodiscard]] Mark Checkpoint() { return arena_.Checkpoint(); }

 private:
  explicit Scratch(const Arena* result);

  Arena& arena_;
  Mark mark_;
  std::uint64_t resets_;  // of the arena when mark_ was taken
};

namespace detail {
template <class Fn>
decltype(auto) CallWith(const Scratch& scratch, Fn&& fn) {
  return CheckedCall(
      [&](const void* p) {
        return IsYounger(scratch.arena(), scratch.mark(), p);
      },
      scratch.arena().name(),
      [&]() -> decltype(auto) { return std::forward<Fn>(fn)(*scratch); });
}
}  // namespace detail

/// Calls fn(Arena&) with a scratch arena and returns what it returns, which
/// must not point into it: checked builds refuse a pointer or reference.
template <class Fn>
decltype(auto) WithScratch(Fn&& fn) {
  const Scratch scratch;
  return detail::CallWith(scratch, std::forward<Fn>(fn));
}
/// The same, with a scratch other than `result`.
template <class Fn>
decltype(auto) WithScratch(const Arena& result, Fn&& fn) {
  const Scratch scratch(result);
  return detail::CallWith(scratch, std::forward<Fn>(fn));
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SCRATCH_H_
