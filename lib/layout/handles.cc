// SPDX-License-Identifier: MIT
//
// Handles that an object holds by value: bound when it is made, released when
// it is freed.

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

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

namespace {

bool HoldsHandles(const TypeLayout& handle) {
  for (const FieldLayout& part : handle.fields) {
    if (part.type()->has_handles) return true;
  }
  return false;
}

/// A container taken out of where it lay, to be released later: containers in
/// containers may nest deeper than the stack does.
struct Waiting {
  Waiting* next;
  const TypeLayout* type;
  void* bytes() { return this + 1; }
};

constexpr unsigned kMaxDepth = 64;
thread_local unsigned depth = 0;
thread_local Waiting* waiting = nullptr;
struct Deeper {
  Deeper() { ++depth; }
  ~Deeper() { --depth; }
};

void Release(const TypeLayout& type, void* handle) {
  const Deeper deeper;
  type.ops->release(handle);
}

/// False where there is no memory to remember it by.
bool ReleaseLater(const TypeLayout& type, void* handle) {
  void* memory = std::malloc(sizeof(Waiting) + type.size);
  if (memory == nullptr) return false;
  waiting = ::new (memory) Waiting{waiting, &type};
  std::memcpy(waiting->bytes(), handle, type.size);
  type.ops->adopt(handle, type.ops->storage(handle).arena, nullptr, 0);
  return true;
}

void ReleaseNested(const TypeLayout& type, void* handle) {
  if (depth == kMaxDepth && ReleaseLater(type, handle)) return;
  Release(type, handle);
  while (depth == 0 && waiting != nullptr) {
    Waiting* const next = std::exchange(waiting, waiting->next);
    Release(*next->type, next->bytes());
    std::free(next);
  }
}

}  // namespace

void ReleaseHandles(const TypeLayout& type, void* object) {
  auto release = [](const Slot& slot) {
    if (slot.type->kind != TypeKind::kHandle) return;
    if (HoldsHandles(*slot.type)) {
      ReleaseNested(*slot.type, slot.address);
    } else {
      slot.type->ops->release(slot.address);
    }
  };
  ForEachSlot(type, object, release);
}

void ReleaseRefs(const TypeLayout& type, void* object) {
  auto release = [](const Slot& slot) {
    if (slot.type->kind == TypeKind::kHandle && IsRef(*slot.type)) {
      slot.type->ops->release(slot.address);
    }
  };
  ForEachSlot(type, object, release);
}

}  // namespace acre::inline ACRE_ABI::detail
