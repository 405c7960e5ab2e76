// SPDX-License-Identifier: MIT
//
// Copies of elements: the way into the engines of deep copy. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_COPY_OBJECT_H_
#define ACRE_CONTAINERS_DETAIL_COPY_OBJECT_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// A copy of `object` and of what it reaches, made by the first engine that
/// can: TreeCopier, SmallCopier, GraphCopier, Copier. Null where memory ran
/// out, for *failed_bytes bytes; then nothing remains. `threads`: see
/// CopyOptions.
void* CopyObject(Arena& arena, const TypeLayout& type, const void* object,
                 std::size_t* failed_bytes, unsigned threads = 1);

/// The same into `to`, with pointers and views kept as they are. False where
/// memory ran out; then the containers in `to` are empty.
bool CopyByValue(Arena& arena, const TypeLayout& type, const void* object,
                 void* to, std::size_t* failed_bytes);

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_COPY_OBJECT_H_
