// SPDX-License-Identifier: MIT
//
// Shape<Vector<T>>: how layouts see a Vector. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_VECTOR_SHAPE_H_
#define ACRE_CONTAINERS_DETAIL_VECTOR_SHAPE_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/handle.h"
#include "acre/element.h"
#include "acre/fwd.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

template <class T>
struct Shape<Vector<T>> : PlainShape {
  static constexpr TypeKind kKind = TypeKind::kHandle;
  static constexpr bool kHasSlots = true;
  static constexpr unsigned kHandles = kContainers;
  static constexpr std::array<FieldLayout, 1> kFields{ACRE_PART_("[]", 0, T)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<T>;

  static VectorRep& Rep(void* handle) {
    return static_cast<Vector<T>*>(handle)->rep_;
  }
  static const VectorRep& Rep(const void* handle) {
    return static_cast<const Vector<T>*>(handle)->rep_;
  }
  static void BindTo(void* handle, Arena* arena) {
    Bind(handle, Rep(handle).arena, Rep(handle).data, arena);
  }
  static void Release(void* handle) {
    ReleaseVector(Rep(handle), LayoutOf<T>());  // asking is no error
  }
  static HandleStorage Storage(const void* handle) {
    const VectorRep& rep = Rep(handle);
    return {rep.data,
            rep.capacity * sizeof(T),
            rep.size * sizeof(T),
            alignof(T),
            rep.arena,
            rep.stamp,
            &LayoutOf<T>()};
  }
  static ElementRun InUse(const void* handle) {
    return {Rep(handle).data, Rep(handle).size * sizeof(T)};
  }
  static ElementRun NextRun(const void* handle, std::size_t* cursor) {
    if ((*cursor)++ != 0) return {};
    return {Rep(handle).data, Rep(handle).size};
  }
  static void Adopt(void* handle, Arena* arena, void* block,
                    std::size_t bytes) {
    if (block == nullptr) {
      Rep(handle) = {.arena = arena};
      return;
    }
    Rep(handle) = {block, arena, Rep(handle).size,
                   static_cast<std::uint32_t>(bytes / sizeof(T)),
                   arena->stamp()};
  }
  static StorageCopy CopyStorage(void* handle, Arena* arena) {
    return CopyVector(Rep(handle), *arena, LayoutOf<T>());
  }
  static bool IsSound(const void* handle, const SavedBytes&,
                      HandleStorage* storage) {
    return IsSoundVector(Rep(handle), LayoutOf<T>(), storage);
  }
  static constexpr TypeOps kHandleOps{.form = HandleForm::kVector,
                                      .bind = &BindTo,
                                      .release = &Release,
                                      .storage = &Storage,
                                      .in_use = &InUse,
                                      .next_run = &NextRun,
                                      .adopt = &Adopt,
                                      .copy_storage = &CopyStorage,
                                      .is_sound = &IsSound};
  static constexpr const TypeOps* kOps = &kHandleOps;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_VECTOR_SHAPE_H_
