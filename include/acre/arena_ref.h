// SPDX-License-Identifier: MIT
//
// References to arenas and into them, for what lies outside: the values of a
// host, caches, indices, callbacks.
//
//   acre::ArenaRef<Node> node = acre::RefTo(arena.New<Node>());
//   node->value = 1;                  // misuse once a Reset has passed it
//   if (Node* still = node.get()) ... // null then
//
//   acre::WeakArenaRef level(*arena);
//   if (acre::Arena* still = level.lock()) ...  // null once the arena is gone

#ifndef ACRE_ARENA_REF_H_
#define ACRE_ARENA_REF_H_

#include <cstdint>
#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/fwd.h"
#include "acre/layout.h"

namespace acre::inline ACRE_ABI {

namespace detail {
/// Of the stretch in which the block around `address` was made. Fails (checked
/// builds) where nothing live is there.
std::uint64_t StampOf(const Arena& arena, const void* address);
/// False where the arena has ended (checked builds know), or a Reset or Rewind
/// has passed that stamp.
bool IsLiveIn(const Arena* arena, std::uint64_t stamp) noexcept;
[[noreturn]] ACRE_COLD void FailStaleRef(const Arena* arena,
                                         const void* pointer);
}  // namespace detail

/// A reference to an object in an arena that knows whether a Reset or Rewind
/// has ended it. Three words; may be copied and compared by them. In memory
/// that the collector scans it keeps a collected arena alive, through its
/// second word also where the host has switched interior pointers off (Guile,
/// ECL: see CollectorSeesInteriorPointers) and scans aligned addresses alone.
/// Not noticed: Free of the one object; what a TypedArena, a pool or a
/// StackArena takes back by itself; that a History has gone back behind the
/// object (the address does not tell since when it is there); in release builds
/// the end of an explicit arena. Converts to a reference to const, or to a
/// base. No element: inside of arenas a plain pointer does. Complexity: an
/// access is one comparison; for what is older than an open mark, the logarithm
/// of the number of open marks. Threads: as the arena.
template <class T>
struct ArenaRef {
  T* pointer = nullptr;
  Arena* base = nullptr;    ///< the arena that holds *pointer; null: none does
  std::uint64_t stamp = 0;  ///< of the object, see Arena::IsLive

  /// False for null and for what has ended.
  bool IsLive() const noexcept {
    if (base == nullptr) return pointer != nullptr;
    if constexpr (kChecked) return detail::IsLiveIn(base, stamp);
    return base->IsLive(stamp);
  }
  /// Null where it is not live.
  T* get() const noexcept { return IsLive() ? pointer : nullptr; }
  /// Fail (misuse) where it is not live, in every build.
  T& operator*() const { return *Checked(); }
  T* operator->() const { return Checked(); }
  /// Whether it refers to anything, live or not.
  explicit operator bool() const noexcept { return pointer != nullptr; }

  template <class U>
  requires(!std::is_same_v<T, U> && std::is_convertible_v<T*, U*>)
  operator ArenaRef<U>() const noexcept {  // NOLINT: as pointers do
    return {pointer, base, stamp};
  }
  friend bool operator==(const ArenaRef&, const ArenaRef&) = default;

 private:
  T* Checked() const {
    if (ACRE_UNLIKELY(!IsLive())) detail::FailStaleRef(base, pointer);
    return pointer;
  }
};

/// The reference to an object, or part of one; base is null for a pointer into
/// no arena. Requires: the object is live (checked builds verify it where an
/// arena still has its memory). Constant; in an arena with open marks the
/// logarithm of their number. Threads: as the arena.
template <class T>
ArenaRef<T> RefTo(T* pointer) {
  Arena* const base = ArenaOf(pointer);
  if (base == nullptr) return {pointer, nullptr, 0};
  return {pointer, base, detail::StampOf(*base, pointer)};
}

template <class T>
inline constexpr const char* kHostValue<ArenaRef<T>> =
    "acre::ArenaRef is for what lies outside of arenas: use a plain pointer, "
    "or acre::WeakArenaRef for another arena";

/// Names an arena without keeping it alive: null once the collector has taken
/// it, or once the Arena has ended, whatever is made at its address afterwards.
/// Two words without an address of the arena. May be copied, and lie anywhere:
/// in malloc'ed memory, in another arena.
class WeakArenaRef {
 public:
  WeakArenaRef() = default;  // of no arena
  /// Fails like New where memory runs out, which it needs where the arena has
  /// had no chunk yet. Threads: the arena's.
  explicit WeakArenaRef(Arena& arena);

  /// The arena, or null. A collected one is kept alive by what is returned, on
  /// the stack. Takes the collector's lock for a moment (some 20 ns) where the
  /// arena is a collected one. Threads: any that is registered with the
  /// collector; for explicit arenas any that knows that the arena does not end
  /// meanwhile. Not in a callback of the collector.
  Arena* lock() const noexcept;

  friend bool operator==(const WeakArenaRef&, const WeakArenaRef&) = default;

 private:
  std::uintptr_t entry_ = 0;  // the address of an ArenaEntry, never freed
  std::uint64_t life_ = 0;    // twice its number of lives, and is collected
};

}  // namespace acre::inline ACRE_ABI

ACRE_PLAIN(acre::WeakArenaRef);

#endif  // ACRE_ARENA_REF_H_
