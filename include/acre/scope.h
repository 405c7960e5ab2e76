// SPDX-License-Identifier: MIT
//
// Scope: everything made in an arena inside a block goes when the block ends,
// by return, break or exception.
//
//   {
//     acre::Scope scope(arena);
//     auto* matrix = arena.New<Matrix>();
//   }                                         // gone
//
//   float mean = acre::WithScope(arena, [&] { return Mean(arena); });
//
// Scopes nest. A Scope is a mark (Arena::Checkpoint) that closes itself, so the
// rules of marks hold: what is older than the scope may be freed in it, and is
// re-used after it; containers older than the scope must not grow in it.
// A result leaves by value, or by DeepCopy into another arena.
//
// Ownership: borrows the arena, which must outlive it.
// Failure: opening one takes a few bytes of the arena; fails like New.
// Complexity: opening is constant (and one step for each freelist in use),
// closing linear in the chunks put to use since.

#ifndef ACRE_SCOPE_H_
#define ACRE_SCOPE_H_

#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/checked_call.h"
#include "acre/detail/location.h"

namespace acre::inline ACRE_ABI {

/// See the top of this file.
class [[nodiscard]] Scope {
 public:
  explicit Scope(Arena& arena) : arena_(arena), mark_(arena.Checkpoint()) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { Close(); }

  /// Ends the scope early. Does nothing where it has ended: by Close, by a
  /// Reset of the arena, or by the end of a scope around it.
  void Close() {
    if (arena_.IsOpen(mark_)) arena_.Rewind(mark_);
  }

  /// Where the scope began.
  Mark mark() const noexcept { return mark_; }

 private:
  Arena& arena_;
  Mark mark_;
};

/// Calls fn(arena), or fn(), in a Scope and returns what it returns. Checked
/// builds refuse a pointer or reference to something that the scope has freed.
template <class Fn>
decltype(auto) WithScope(Arena& arena, Fn&& fn) {
  Scope scope(arena);
  return detail::CheckedCall(
      [&](const void* p) { return detail::IsYounger(arena, scope.mark(), p); },
      arena.name(),
      [&]() -> decltype(auto) {
        if constexpr (std::is_invocable_v<Fn, Arena&>) {
          return std::forward<Fn>(fn)(arena);
        } else {
          return std::forward<Fn>(fn)();
        }
      });
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SCOPE_H_
