// SPDX-License-Identifier: MIT
//
// ArenaBinding: an arena bound to a scope of this thread, found again further
// down the call chain without handing it through every signature.
//
//   void Handle(const Request& request) {
//     acre::ArenaPool::Lease lease = pool.Acquire();
//     const acre::ArenaBinding bound(*lease);
//     Respond(request);                        // any depth of calls
//   }
//   void Render() {
//     acre::BoundArena<> arena = acre::FindArena();
//     if (!arena) return Fail(arena.message());     // "no arena is bound ..."
//     arena->New<Page>();
//   }
//
// Several may be bound at once, by type: ArenaBinding(tokens) binds a
// TypedArena<Token>, FindArena<TypedArena<Token>>() finds it. The innermost of
// its type wins. For code on a hot path, pass the arena itself.
//
// Another thread sees nothing of it until the arena is handed over:
//
//   std::thread worker([handed = bound.HandOver()]() mutable {
//     acre::ArenaBinding bound(std::move(handed));
//     Respond(request);
//   });
//
// Ownership: borrows the arena, which must outlive the binding. Bindings stand
// on the stack and end in the reverse order of their making.
// Threads: a binding is seen by its own thread only.
// Complexity: binding is constant, finding linear in the bindings around.

#ifndef ACRE_ARENA_BINDING_H_
#define ACRE_ARENA_BINDING_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

/// Why no arena was found.
enum class BindingError {
  kNone,
  kAbsent,     ///< nothing is bound in this thread
  kEmpty,      ///< a null arena was bound, or it was handed over
  kWrongType,  ///< arenas are bound, but none of this type
};

/// A sentence for people.
constexpr const char* ToString(BindingError error) noexcept {
  constexpr const char* kTexts[] = {
      "an arena is bound", "no arena is bound in this thread",
      "the arena bound here is null or was handed to another thread",
      "arenas are bound in this thread, but none of the type asked for"};
  return kTexts[static_cast<int>(error)];
}

template <class A = Arena>
class BoundArena;

/// The innermost arena of this class bound in this thread.
template <class A = Arena>
BoundArena<A> FindArena() noexcept;

/// An arena, or why there is none.
template <class A>
class [[nodiscard]] BoundArena {
 public:
  explicit operator bool() const noexcept { return arena_ != nullptr; }
  A* get() const noexcept { return arena_; }  ///< null where there is none
  BindingError error() const noexcept { return error_; }
  const char* message() const noexcept { return ToString(error_); }

  /// Misuse, with message(), where there is none.
  A& operator*() const {
    ACRE_CHECK(arena_ != nullptr, "%s", message());
    return *arena_;
  }
  A* operator->() const { return &**this; }

 private:
  template <class B>
  friend BoundArena<B> FindArena() noexcept;
  BoundArena(A* arena, BindingError error) : arena_(arena), error_(error) {}

  A* arena_;
  BindingError error_;
};

namespace detail {

/// What a binding knows of the class of its arena; its address tells classes
/// apart. Not const: equal constants may be merged.
struct BindingClass {
  void (*hand_over)(void* arena);
};
template <class A>
inline BindingClass g_binding_class{[]([[maybe_unused]] void* arena) {
  if constexpr (requires(A & a) { a.HandOver(); }) {
    static_cast<A*>(arena)->HandOver();
  }
}};

}  // namespace detail

/// A bound arena on its way to another thread. Movable.
class [[nodiscard]] HandedArena {
 public:
  HandedArena(HandedArena&& other) noexcept
      : arena_(std::exchange(other.arena_, nullptr)), class_(other.class_) {}
  HandedArena& operator=(HandedArena&& other) noexcept {
    std::swap(arena_, other.arena_);
    std::swap(class_, other.class_);
    return *this;
  }

 private:
  friend class ArenaBinding;
  HandedArena(void* arena, const detail::BindingClass& arena_class)
      : arena_(arena), class_(&arena_class) {}

  void* arena_;
  const detail::BindingClass* class_;
};

/// What may be bound besides an Arena: classes of acre with a name, and your
/// own. Not leases and smart pointers: bind what they point to.
template <class A>
concept NamedArena = !std::derived_from<A, Arena> && requires(const A& arena) {
  arena.name();
};

/// See the top of this file.
class [[nodiscard]] ArenaBinding {
 public:
  /// Binds an Arena (a BumpArena too: it is found as an Arena).
  explicit ArenaBinding(Arena& arena) : ArenaBinding(&arena) {}
  /// Null is allowed: FindArena then says kEmpty.
  explicit ArenaBinding(Arena* arena)
      : ArenaBinding(arena, detail::g_binding_class<Arena>, Private{}) {}

  /// Binds an arena of another class: TypedArena<T>, LockedArena, ...
  template <NamedArena A>
  explicit ArenaBinding(A& arena)
      : ArenaBinding(&arena, detail::g_binding_class<A>, Private{}) {}
  template <NamedArena A>
  explicit ArenaBinding(A* arena)
      : ArenaBinding(arena, detail::g_binding_class<A>, Private{}) {}

  /// Binds here what another thread has handed over.
  explicit ArenaBinding(HandedArena&& handed)
      : ArenaBinding(std::exchange(handed.arena_, nullptr), *handed.class_,
                     Private{}) {}

  ArenaBinding(const ArenaBinding&) = delete;
  ArenaBinding& operator=(const ArenaBinding&) = delete;
  ~ArenaBinding();

  /// Takes the arena out of this binding, for another thread. The caller
  /// provides the ordering, as with Arena::HandOver.
  HandedArena HandOver();

 private:
  struct Private {};
  template <class B>
  friend BoundArena<B> FindArena() noexcept;

  ArenaBinding(void* arena, const detail::BindingClass& arena_class, Private);
  static void* Find(const detail::BindingClass& arena_class,
                    BindingError* error) noexcept;

  void* arena_;  // of the class that class_ names; may be null
  const detail::BindingClass* class_;
  ArenaBinding* outer_;  // the binding around this one, or null
};

template <class A>
BoundArena<A> FindArena() noexcept {
  static_assert(std::is_same_v<A, Arena> || NamedArena<A>,
                "acre: every kind of Arena is bound, and found, as an Arena");
  BindingError error = BindingError::kNone;
  void* arena = ArenaBinding::Find(detail::g_binding_class<A>, &error);
  return BoundArena<A>(static_cast<A*>(arena), error);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ARENA_BINDING_H_
