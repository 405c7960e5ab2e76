// SPDX-License-Identifier: MIT
//
// Handles that an object holds by value: bound when it is made, released when
// it is freed.

#include "acre/arena.h"
#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {

void BindHandles(const TypeLayout& type, void* object, Arena* arena) {
  auto bind = [arena](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) {
      slot.type->ops->bind(slot.address, arena);
    }
  };
  ForEachSlot(type, object, bind);
}

void ReleaseHandles(const TypeLayout& type, void* object) {
  auto release = [](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle) {
      slot.type->ops->release(slot.address);
    }
  };
  ForEachSlot(type, object, release);
}

}  // namespace acre::inline ACRE_ABI::detail
