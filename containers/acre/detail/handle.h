// SPDX-License-Identifier: MIT
//
// What all containers share: how a handle finds its arena, gets, grows and
// gives back its storage. Type-erased, compiled once (containers/handle.cc).
// Internal to acre.
//
//   handle (inside a struct, or on a stack)      storage (in the arena)
//   | data | arena | size, capacity | stamp |  ->  | element | element | ...
//
// A handle is trivially destructible. Its stamp says in which stretch between
// two Resets or marks the storage was allocated; storage of a stretch that has
// ended is never given back, so that a handle may be assigned after a Reset.

#ifndef ACRE_CONTAINERS_DETAIL_HANDLE_H_
#define ACRE_CONTAINERS_DETAIL_HANDLE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/aside.h"
#include "acre/detail/construct.h"
#include "acre/detail/fill.h"
#include "acre/detail/size_class.h"
#include "acre/element.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// The arena a handle without one lies in. Fails (misuse) where there is none:
/// `what` is "Vector", "Map", ...
Arena& FindArena(const void* handle, const char* what);

/// A bound handle keeps its arena, an unbound one gets `arena`. Fails (checked
/// builds) where a handle in one arena has storage in another.
void Bind(const void* handle, Arena*& bound, const void* storage, Arena* arena);

/// For move assignment, in checked builds: a handle that lies in one arena
/// must not take storage of another.
void CheckTakes(const void* handle, const Arena* from, const void* storage);

/// Checked builds: fails where a handle that lies in one arena would get
/// storage in another, or one that is older than the open mark would get any:
/// Rewind would take it away.
void CheckMayAllocate(const void* handle, const Arena& arena, const char* what);

/// Fails where storage of this stamp is gone, and in checked builds where a
/// mark has been opened since.
void CheckMayGrow(const Arena& arena, std::uint64_t stamp, const char* what);

/// Checked builds: a container is used whose storage Reset or Rewind has ended.
[[noreturn]] ACRE_COLD void FailDead(const Arena& arena, const char* what);

/// Checked builds: fails where the container at `handle` lies in memory that
/// was given up, or where its arena, or its storage, is gone. `arena` and
/// `storage`: what the handle says; either may be null.
void CheckUse(const void* handle, const Arena* arena, const void* storage,
              std::uint64_t stamp, const char* what);
/// The same where there is no storage to look at and little time: only whether
/// the handle lies in memory that was given up.
ACRE_INLINE void CheckPlace(const void* handle, const Arena* arena,
                            const char* what);
[[noreturn]] ACRE_COLD void FailPlace(const void* handle, const char* what);
/// The same, and whether the arena has ended: before it is asked for memory.
void CheckArena(const void* handle, const Arena* arena, const char* what);

/// Gives the storage back, unless Reset or Rewind has done so already.
void GiveStorage(Arena& arena, std::uint64_t stamp, void* block,
                 std::size_t bytes, std::size_t align, const TypeLayout* type);

ACRE_INLINE void CheckPlace(const void* handle, const Arena* arena,
                            const char* what) {
  if constexpr (kChecked) {
    if (IsFillWord(arena)) FailPlace(handle, what);
  }
}

/// BindHandles and ReleaseHandles for a type that is known: a container is not
/// looked for by a walk of layouts.
template <class T>
ACRE_INLINE void BindIn(T& object, Arena* arena) {
  if constexpr (kHandlesIn<T>) {
    if constexpr (Shape<T>::kKind == TypeKind::kHandle) {
      Shape<T>::BindTo(&object, arena);
    } else {
      BindHandles(LayoutOf<T>(), &object, arena);
    }
  }
}
template <class T>
ACRE_INLINE void ReleaseIn(const T& object) {
  if constexpr (kHandlesIn<T>) {
    void* at = const_cast<void*>(static_cast<const void*>(&object));
    if constexpr (Shape<T>::kKind == TypeKind::kHandle) {
      Shape<T>::Release(at);
    } else {
      ReleaseHandles(LayoutOf<T>(), at);
    }
  }
}
template <class A, class B>
ACRE_INLINE void ReleaseIn(const std::pair<A, B>& pair) {
  ReleaseIn(pair.first);
  ReleaseIn(pair.second);
}

/// Calls fill(), which puts elements into a new container. Where that fails the
/// container is gone, and so must be what it has.
template <class C, class F>
void FillNew([[maybe_unused]] C& container, const F& fill) {
#if ACRE_EXCEPTIONS
  try {
    fill();
  } catch (...) {
    container.Release();
    throw;
  }
#else
  fill();
#endif
}

/// An object that was made aside: what it still holds at the end is given back.
template <class T>
class ReleasedAtEnd {
 public:
  explicit ReleasedAtEnd(const T& object) : object_(object) {}
  ReleasedAtEnd(const ReleasedAtEnd&) = delete;
  ReleasedAtEnd& operator=(const ReleasedAtEnd&) = delete;
  ~ReleasedAtEnd() { ReleaseIn(object_); }

 private:
  const T& object_;
};

/// Constructs a T that belongs to `arena`, wherever it lies: a container from
/// text, a count and a value, a list. Anything else as ConstructAt does.
template <class T, class... Args>
ACRE_INLINE T* ConstructWith([[maybe_unused]] Arena& arena, void* at,
                             Args&&... args) {
  constexpr bool kTakesArena = std::is_constructible_v<T, Arena&, Args...>;
  constexpr bool kPrefersArena = Shape<T>::kKind == TypeKind::kHandle &&
                                 sizeof...(Args) != 0 &&
                                 !kMovesFrom<T, Args...>;
  if constexpr (kTakesArena &&
                (kPrefersArena || !std::is_constructible_v<T, Args...>)) {
    return ::new (at) T(arena, std::forward<Args>(args)...);
  } else {
    return ConstructAt<T>(at, std::forward<Args>(args)...);
  }
}

/// ConstructWith and BindIn of an object that nobody owns yet: where that
/// fails, the slots that its references have got are given back, and where all
/// but a slot is there, what it holds.
template <class T, class... Args>
ACRE_INLINE void ConstructMade(Arena& arena, void* at, Args&&... args) {
#if ACRE_EXCEPTIONS
  if constexpr (kRefsIn<T>) {
    std::memset(at, 0, sizeof(T));
    bool is_made = false;
    try {
      ConstructWith<T>(arena, at, std::forward<Args>(args)...);
      is_made = true;
      BindIn(*static_cast<T*>(at), &arena);
    } catch (...) {
      if (is_made) {
        ReleaseIn(*static_cast<T*>(at));
      } else {
        ReleaseRefs(LayoutOf<T>(), at);
      }
      throw;
    }
    return;
  }
#endif
  ConstructWith<T>(arena, at, std::forward<Args>(args)...);
  BindIn(*static_cast<T*>(at), &arena);
}

/// True where there are slots for an object whose bytes are to come to `place`;
/// false where code has run to get some.
template <class T>
bool HasSlotsAt([[maybe_unused]] const void* place,
                [[maybe_unused]] const T& object,
                [[maybe_unused]] Arena& arena) {
  if constexpr (kRefsIn<T>) {
    return ReserveForPlace(LayoutOf<T>(), &object, arena, place);
  } else {
    return true;
  }
}
/// Puts `made` in the place of an object, by bytes, as elements move: whatever
/// an optional or a variant was is released with `made`. Requires: HasSlotsAt.
template <class T>
void Exchange([[maybe_unused]] Arena& arena, T& object, T& made) {
  alignas(T) std::byte bytes[sizeof(T)];
  std::memcpy(bytes, static_cast<void*>(&object), sizeof(T));
  std::memcpy(static_cast<void*>(&object), static_cast<void*>(&made),
              sizeof(T));
  std::memcpy(static_cast<void*>(&made), bytes, sizeof(T));
  if constexpr (kRefsIn<T>) BindIn(object, &arena);
}

/// A number of elements, as an enumeration: a store to an int element may then
/// not change it, and loops keep it in a register.
class Count {
 public:
  constexpr Count(std::uint32_t count = 0) noexcept : count_(Bits{count}) {}
  constexpr operator std::uint32_t() const noexcept {
    return static_cast<std::uint32_t>(count_);
  }
  constexpr Count& operator+=(std::uint32_t n) { return *this = *this + n; }
  constexpr Count& operator-=(std::uint32_t n) { return *this = *this - n; }
  constexpr Count& operator++() { return *this += 1; }
  constexpr Count& operator--() { return *this -= 1; }

 private:
  enum class Bits : std::uint32_t {};
  Bits count_;
};

/// The representation of a Vector; 32 bytes.
///   data 8 | arena 8 | size 4 | capacity 4 | stamp 8
struct VectorRep {
  void* data = nullptr;    // null exactly when capacity is 0
  Arena* arena = nullptr;  // null: not bound yet
  Count size = 0;          // elements; <= capacity
  Count capacity = 0;
  std::uint64_t stamp = 0;  // of data
};
static_assert(sizeof(VectorRep) == 32);

inline constexpr std::size_t kVectorMaxSize = UINT32_MAX;

/// Room that is being made. To get it may run code that uses the very Vector (a
/// source that runs finalizers): the rep is read anew after it, and there is
/// room for as many more elements as were wanted. Between Start and Finish the
/// elements are where they were, so that a new one may be constructed from them
/// in the new block.
struct VectorGrowth {
  void* block;             // rep.data where it grew in place
  std::uint32_t capacity;  // of block
};
ACRE_COLD VectorGrowth StartGrowth(VectorRep& rep, std::size_t wanted,
                                   const TypeLayout& element, bool exact);
void FinishGrowth(VectorRep& rep, const VectorGrowth& growth,
                  const TypeLayout& element);
/// Leaves `rep` as it was before StartGrowth, except for room in place.
void AbandonGrowth(VectorRep& rep, const VectorGrowth& growth,
                   const TypeLayout& element);

/// Room for `wanted` elements at least; grows geometrically unless `exact`.
ACRE_COLD void GrowVector(VectorRep& rep, std::size_t wanted,
                          const TypeLayout& element, bool exact);
/// Appends an element that was made elsewhere, as bytes. Where there is no room
/// and none to be had, what it holds is given back.
void AppendMade(VectorRep& rep, void* made, const TypeLayout& element);
/// Moves those from `tail` on, if there are as many, to index i, and the ones
/// between up behind them. Where the first of them is then.
std::size_t MoveTail(VectorRep& rep, std::size_t i, std::size_t tail,
                     const TypeLayout& element);
/// Gives the storage back and leaves an empty, bound handle.
void ReleaseVector(VectorRep& rep, const TypeLayout& element);
/// Copies the block of a handle to `arena`, for TypeOps::copy_storage; false
/// where memory ran out.
bool CopyBlock(Arena& arena, const void* block, std::size_t bytes,
               std::size_t align, const TypeLayout* type, StorageCopy& copy);
/// See TypeOps::copy_storage. Room without elements is not copied.
StorageCopy CopyVector(VectorRep& rep, Arena& arena, const TypeLayout& element);
/// See TypeOps::is_sound.
bool IsSoundVector(const VectorRep& rep, const TypeLayout& element,
                   HandleStorage* storage);
/// Gives back what `size` does not need, where that saves a size class.
void ShrinkVector(VectorRep& rep, const TypeLayout& element);

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_HANDLE_H_
