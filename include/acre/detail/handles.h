// SPDX-License-Identifier: MIT
//
// What an object holds by value: containers and references, which are bound
// when it is made, and released when it is freed. Internal to acre.

#ifndef ACRE_DETAIL_HANDLES_H_
#define ACRE_DETAIL_HANDLES_H_

#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

/// Binds every unbound handle that `object` holds by value to `arena`.
void BindHandles(const TypeLayout& type, void* object, Arena* arena);
/// Slots for the references in `object`, whose bytes are to come to `place`, of
/// the arena: binding them there then cannot fail, and runs no code. False
/// where the collector was asked for some: finalizers may have run meanwhile,
/// and used them up. Fails like New.
bool ReserveForPlace(const TypeLayout& type, const void* object, Arena& arena,
                     const void* place);
/// Releases the storage of every handle that `object` holds by value.
void ReleaseHandles(const TypeLayout& type, void* object);
/// Gives back the slots of its references alone: of an object whose constructor
/// threw, which was zeros before.
void ReleaseRefs(const TypeLayout& type, void* object);

/// make(), or what it returns by default where memory runs out for what a T,
/// made of these, holds by value.
template <class T, class... Args, class F>
ACRE_INLINE auto NullWithoutMemory(const F& make) -> decltype(make()) {
#if ACRE_EXCEPTIONS
  if constexpr (kHandlesIn<T> && !IsNothrowConstructible<T, Args...>()) {
    try {
      return make();
    } catch (const OutOfMemory&) {
      return {};
    }
  }
#endif
  return make();
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_HANDLES_H_
