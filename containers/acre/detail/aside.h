// SPDX-License-Identifier: MIT
//
// Making an element aside: before its place in a container is known. What makes
// an element may ask the arena for memory, whose source may run a collection,
// and that finalizers which use the very container. So the place is chosen
// afterwards, and the bytes are moved there. What can run no such code is made
// in its place. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_ASIDE_H_
#define ACRE_CONTAINERS_DETAIL_ASIDE_H_

#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/shape.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

template <class T, class... Args>
inline constexpr bool kMovesFrom = false;
template <class T, class A>
inline constexpr bool kMovesFrom<T, A> =
    std::is_same_v<A, T> || std::is_same_v<A, T&&>;

/// A T without arguments can be made by the compiler, so it runs no code.
template <class T>
constexpr bool IsMade() {
  [[maybe_unused]] const T made = T();
  return true;
}
template <class T>
concept ConstantDefault = std::is_default_constructible_v<T> && requires {
  typename std::bool_constant<IsMade<T>()>;
};

/// A text of the language's, of std's (or what has its names) or of acre's: to
/// look at it runs no code of a user's.
template <class A, class Decayed = std::decay_t<A>>
inline constexpr bool kKnownText =
    std::is_same_v<A, String> || std::is_same_v<A, std::string_view> ||
    std::is_same_v<Decayed, char*> || std::is_same_v<Decayed, const char*>;
template <class A>
requires requires {
  typename A::traits_type;
  typename A::allocator_type;
  A::npos;
}
inline constexpr bool kKnownText<A> = true;

/// Making a T of these arguments runs no code but the language's and that of
/// texts, views and containers that are moved: none of a user's, which may
/// throw, collect garbage, or use the very container. (A class may have a move
/// constructor of its own; what is moved by bytes hardly needs one. What has
/// GcRefs may say that it moves without throwing, and asks for slots then.)
template <class T, class... Args>
inline constexpr bool kRunsNoCode =
    std::is_trivially_constructible_v<T, Args...> ||
    (sizeof...(Args) == 0 && ConstantDefault<T>) ||
    (kMovesFrom<T, Args...> && std::is_nothrow_move_constructible_v<T> &&
     !kRefsIn<T>) ||
    (Shape<T>::kKind == TypeKind::kView &&
     (kKnownText<std::remove_cvref_t<Args>> && ...));

/// A T made of these has containers that find their arena by where they lie.
template <class T, class... Args>
inline constexpr bool kNeedsPlace =
    kHandlesIn<T> && !kRunsNoCode<T, Args...> &&
    !std::is_constructible_v<T, Arena&, Args...>;

/// Making a T may get storage, which is of the newest level; not so where it
/// has references alone, whose slots are of the level of their place.
template <class T>
inline constexpr bool kMayGetStorage = !kHandlesIn<T> || kContainersIn<T>;

/// The characters that a String keeps inside itself.
inline constexpr std::size_t kInlineText = 23;

/// True where a String is made of this text, without memory of an arena.
template <class T, class... Args>
ACRE_INLINE bool IsShortText([[maybe_unused]] const Args&... args) {
  if constexpr (std::is_same_v<T, String> && sizeof...(Args) == 1 &&
                (kKnownText<std::remove_cvref_t<Args>> && ...)) {
    return (std::string_view(args).size() + ...) <= kInlineText;
  } else {
    return false;
  }
}

/// Room for one T, on the stack, or in the arena where it needs that.
template <class T, bool InArena>
class Aside {
 public:
  explicit Aside(Arena&) {}
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  T* get() { return reinterpret_cast<T*>(bytes_); }

 private:
  alignas(T) std::byte bytes_[sizeof(T)];
};
template <class T>
class Aside<T, true> {
 public:
  explicit Aside(Arena& arena)
      : arena_(arena),
        block_(Blocks::Take(arena, sizeof(T), alignof(T), nullptr)) {
    Blocks::NoteRow(arena, block_, sizeof(T), 0, LayoutOf<T>());
  }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside() { Blocks::Give(arena_, block_, sizeof(T), alignof(T), nullptr); }
  T* get() { return static_cast<T*>(block_); }

 private:
  Arena& arena_;
  void* const block_;
};

/// A large one would take too much of the stack.
template <class T, bool MustBeInArena = false>
using AsideOf = Aside<T, MustBeInArena || (sizeof(T) > 1024)>;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_ASIDE_H_
