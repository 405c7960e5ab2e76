// SPDX-License-Identifier: MIT
//
// DeepCopy: copies a value and everything its layout reaches into an arena.
//
//   World* snapshot = acre::DeepCopy(arena, *world);
//   acre::Map<acre::String, acre::Vector<int>>* m =
//       acre::DeepCopy(arena, std_map_of_strings_to_vectors);
//
// Sharing, cycles and interior pointers (line->sector = &sectors[3]) are kept:
// the copy has the shape of the source. Pointers in fields declared borrowed,
// and pointers into static storage, are kept as they are. The source may lie
// anywhere: in this arena, another one, the collected heap, malloc, a stack.
// Maps and Sets keyed by pointers find their keys' copies, and pointers into
// their entries follow; keys that point into such entries are refused (misuse).
// Std sources: strings, vectors, deques, lists, maps, sets, optionals, pairs
// and arrays of them become acre's containers (NativeOf). Not taken: multimaps
// and multisets, vector<bool>, tuples and variants of std types, structs with
// members of std types.
//
// Ownership: the copy is the arena's. Free(copy) gives back the root and what
// its containers hold, FreeGraph what owned fields reach besides.
// Elements of std containers need a default constructor. Keys that the
// source tells apart by other means than == have to differ by == too: two that
// do not are refused (misuse). TryDeepCopy takes elements only, no std sources.
// Failure: nothing remains of a copy that did not fit, or where the hash of a
// key throws; where operator new fails some of it may stay in the arena until
// Reset. In an arena without freelists all of it may. Pointers must be null or
// point to objects, not past the end of an array: what they point to is copied.
//
// Complexity, and memory besides the copy while it is made; no recursion:
//   trees (no pointer or view, however containers nest)   linear, no memory
//   up to 32 objects and storages of containers, in arenas, pointers to their
//   starts only         linear but for their order; on the stack
//   graphs in arenas    linear; a seventh of the pages that are copied from
//   all other sources, and pieces that turn out to be parts of larger ones
//   after they were met   n log n in objects; about 100 bytes an object. Spans
//   that overlap are gone through one by one.
// Threads: as both arenas; CopyOptions has more work at one copy. The source
// must not change meanwhile, by a finalizer neither: in a collected arena, or
// beside one, an allocation may run it.

#ifndef ACRE_DEEP_COPY_H_
#define ACRE_DEEP_COPY_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/copy_object.h"
#include "acre/detail/native.h"
#include "acre/detail/std_copy.h"
#include "acre/element.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace acre::inline ACRE_ABI {

/// What a source becomes in an arena: itself where it is an element, else the
/// arena-native counterpart.
template <class T>
using NativeOf = typename detail::Native<std::remove_const_t<T>>::Type;

/// How a copy is made.
struct CopyOptions {
  /// At most so many threads work at it, the calling one among them; more than
  /// 16 are 16. The others are there for the time of the copy. They take no
  /// signals, and the collector does not know them: they go on while it has
  /// stopped the world, and must not call it. So one, where operator new or
  /// malloc are the collector's (libgccpp). Not for std sources.
  ///
  /// Worth it for graphs of 10,000 objects and more: a million nodes take two
  /// thirds of the time with two. Each thread finds what is to be copied in
  /// chunks of its own; where all is one list, or pointers lead into storage
  /// that is met later, the calling one begins anew, alone. There are no more
  /// threads than megabytes and chunks in use in the arena in which the root
  /// lies; one where that is in none, at trees (see above), and where no others
  /// can be had.
  unsigned threads = 1;
};

/// Copies an element. See the top of this file.
template <Element T>
T* DeepCopy(Arena& arena, const T& value, const CopyOptions& options = {}) {
  std::size_t failed_bytes = 0;
  void* copy = detail::CopyObject(arena, LayoutOf<T>(), &value, &failed_bytes,
                                  options.threads);
  if (copy == nullptr) detail::Blocks::Fail(arena, failed_bytes);
  return static_cast<T*>(copy);
}

/// As DeepCopy; null where memory runs out.
template <Element T>
[[nodiscard]] T* TryDeepCopy(Arena& arena, const T& value,
                             const CopyOptions& options = {}) {
  std::size_t failed_bytes = 0;
  return static_cast<T*>(detail::CopyObject(arena, LayoutOf<T>(), &value,
                                            &failed_bytes, options.threads));
}

/// Copies a std source into its arena-native counterpart.
template <class T>
requires(!Element<T>) NativeOf<T>
*DeepCopy(Arena& arena, const T& value) {
  using To = NativeOf<T>;
  static_assert(detail::RequireElement<To>());
  detail::StdCopy copier(arena);
  To* copy = arena.New<To>();
#if ACRE_EXCEPTIONS
  try {
#endif
    detail::Native<T>::Convert(copier, value, copy);
    copier.Run();
#if ACRE_EXCEPTIONS
  } catch (...) {
    copier.Abandon();
    arena.Free(copy);
    throw;
  }
#endif
  return copy;
}

/// A copy of a container by value, in `arena`: its elements and the containers
/// inside them. Pointers and views are copied as they are, not followed.
template <class C>
requires(LayoutOf<C>().kind == TypeKind::kHandle) C
    Clone(Arena& arena, const C& container) {
  static_assert(detail::RequireElement<C>());
  C copy(arena);
  std::size_t failed_bytes = 0;
  if (!detail::CopyByValue(arena, LayoutOf<C>(), &container, &copy,
                           &failed_bytes)) {
    detail::Blocks::Fail(arena, failed_bytes);
  }
  return copy;
}

/// Releases the containers inside `value`, which may be an optional or a
/// variant (whose reset does not), and leaves a T{}.
template <class T>
void Clear(T& value) {
  detail::ReleaseIn(value);
  ::new (static_cast<void*>(&value)) T{};
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_DEEP_COPY_H_
