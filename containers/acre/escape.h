// SPDX-License-Identifier: MIT
//
// Escape: copies a value, and all that it reaches in arenas, into ordinary
// objects of the collected heap, so that a result outlives the arena that it
// was made in without an arena of its own.
//
//   Value* Eval(Form* form) {
//     acre::Scratch scratch;
//     ...
//     return acre::Escape(result);     // the scratch arena ends here
//   }
//
// Each object, array and storage of a container becomes one object of the
// collected heap (GC_malloc; GC_malloc_atomic where nothing in it can hold an
// address), which is collected by itself once nothing refers to it. Sharing,
// cycles and interior pointers are kept. What lies in no arena, and what fields
// declared borrowed refer to, is not copied: the copies refer to it. GcRefs and
// GcWeakRefs become plain references: the collector sees them there, and a
// GcWeakRef in an escaped object holds what it refers to.
//
// Containers in escaped objects work as in an arena: they may be read, changed,
// and grow, by further objects of the collected heap. What they give back the
// collector frees. One thread at a time erases from the Maps and Sets of
// escaped objects. A container that is made in one later, by
// optional::emplace or by a variant's change, has no arena unless it is given
// one: emplace(*other.arena()).
//
// Interior pointers of the source become interior pointers in collected
// objects: where a host has switched those off (see
// CollectorSeesInteriorPointers) they keep nothing, nor does a pointer that the
// host tags; let the whole be referred to.
//
// Where a host has promised libgc to say where it writes
// (GC_set_manual_vdb_allowed), it says so too of what it changes in escaped
// objects later, their containers included.
//
// To copy asks the collector for memory, which may run finalizers: none of them
// may change what is copied.
//
// Ownership: the collector's. Failure: std::bad_alloc as New; nothing is left
// then but garbage. Complexity, memory: as DeepCopy, and a word for each object
// while it is made.
// Threads: those of the arenas that are copied from, registered with the
// collector; not in a callback of it.

#ifndef ACRE_ESCAPE_H_
#define ACRE_ESCAPE_H_

#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/heap_arena.h"
#include "acre/element.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI {

namespace detail {
void* EscapeObject(const TypeLayout& type, const void* object,
                   const HeapAllocator& allocator);
}  // namespace detail

/// The copy of a value. See the top of this file. `allocator`: what the host
/// wants objects made by; they have to be such that the collector sees what
/// they hold.
template <class T>
requires(!std::is_pointer_v<T>) T* Escape(const T& value,
                                          const HeapAllocator& allocator = {}) {
  static_assert(detail::RequireElement<T>());
  return static_cast<T*>(
      detail::EscapeObject(LayoutOf<T>(), &value, allocator));
}

/// The copy of what a pointer leads to; itself where it is null or leads into
/// no arena.
template <class T>
requires(!std::is_pointer_v<T>) T* Escape(T* object,
                                          const HeapAllocator& allocator = {}) {
  if (ArenaOf(object) == nullptr) return object;
  return Escape<std::remove_const_t<T>>(*object, allocator);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ESCAPE_H_
