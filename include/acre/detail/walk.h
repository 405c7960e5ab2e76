// SPDX-License-Identifier: MIT
//
// ForEachSlot: visits every pointer, view and handle that an object holds by
// value. The one walk over layouts that deep free, deep copy, the audit and
// the binding of handles share. Recursion is as deep as types nest by value.
// Internal to acre.

#ifndef ACRE_DETAIL_WALK_H_
#define ACRE_DETAIL_WALK_H_

#include <cstddef>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// One slot of an object.
struct Slot {
  const TypeLayout* type;    // kPointer, kView or kHandle
  void* address;             // of the slot itself
  const FieldLayout* field;  // innermost registered field around it, or null
};

/// What a walk over the fields of all kinds goes on with: neither holes nor
/// what lies outside on purpose, nor what keeps its value.
inline bool IsFollowed(const FieldLayout& field) {
  return field.note != FieldNote::kOpaque &&
         field.note != FieldNote::kBorrowed && !field.is_transient;
}

/// The registered field around `slot`, a field of a part; `outer`: that around
/// the part, or null. Parts that nobody registered have names with a dot.
inline const FieldLayout* InnermostField(const FieldLayout& slot,
                                         const FieldLayout* outer) {
  return slot.name[0] == '.' && outer != nullptr ? outer : &slot;
}

/// Calls `visit(Slot)`. Fields declared borrowed are left out.
template <class Visit>
void ForEachSlot(const TypeLayout& type, void* object, Visit& visit,
                 const FieldLayout* field = nullptr) {
  char* const bytes = static_cast<char*>(object);
  switch (type.kind) {
    case TypeKind::kPlain:
      return;
    case TypeKind::kPointer:
    case TypeKind::kView:
    case TypeKind::kHandle:
      return visit(Slot{&type, object, field});
    case TypeKind::kStruct:
      for (const FieldLayout& slot : type.slots) {
        ForEachSlot(*slot.type(), bytes + slot.offset, visit,
                    InnermostField(slot, field));
      }
      return;
    case TypeKind::kArray: {
      const TypeLayout& element = *type.element();
      for (std::size_t i = 0; i < type.count; ++i) {
        ForEachSlot(element, bytes + i * element.size, visit, field);
      }
      return;
    }
    case TypeKind::kTuple:
      for (std::size_t i = 0; i < type.fields.size(); ++i) {
        const TypeLayout& part = *type.fields[i].type();
        if (!part.has_slots) continue;
        ForEachSlot(part, const_cast<void*>(type.ops->part(object, i)), visit,
                    field);
      }
      return;
    case TypeKind::kChoice: {
      const ActivePart active = type.ops->active(object);
      if (active.object == nullptr) return;
      ForEachSlot(*type.fields[active.index].type(),
                  const_cast<void*>(active.object), visit, field);
      return;
    }
  }
}

/// Calls visit(offset, type, field) for every slot of a type, so that a walk
/// over many objects is one loop instead of a recursion each; `field` as in
/// Slot. Tuples, choices and arrays
/// longer than 16, whose slots only an object tells, are given whole.
template <class Visit>
void ForEachSlotType(const TypeLayout& type, std::size_t offset, Visit visit,
                     const FieldLayout* field = nullptr) {
  constexpr std::size_t kMaxUnrolled = 16;
  if (!type.has_slots) return;
  if (type.kind == TypeKind::kStruct) {
    for (const FieldLayout& slot : type.slots) {
      ForEachSlotType(*slot.type(), offset + slot.offset, visit,
                      InnermostField(slot, field));
    }
  } else if (type.kind == TypeKind::kArray && type.count <= kMaxUnrolled) {
    const TypeLayout& element = *type.element();
    for (std::size_t i = 0; i < type.count; ++i) {
      ForEachSlotType(element, offset + i * element.size, visit, field);
    }
  } else {
    visit(offset, type, field);
  }
}

/// How many types deep the address of an object of that type is the address of
/// its parts, too: more than for any part that takes the same bytes.
inline unsigned DepthOf(const TypeLayout& type) {
  if (type.kind == TypeKind::kArray) return 1 + DepthOf(*type.element());
  unsigned deepest = 0;
  if (type.kind == TypeKind::kStruct) {
    for (const FieldLayout& field : type.fields) {
      if (field.offset != 0 || field.type == nullptr) continue;
      const unsigned depth = 1 + DepthOf(*field.type());
      if (depth > deepest) deepest = depth;
    }
  }
  return deepest;
}

/// What a pointer or view leads to. Null data: nothing.
inline ElementRun PointedTo(const Slot& slot) {
  if (slot.type->kind == TypeKind::kPointer) {
    return {*static_cast<void* const*>(slot.address), 1};
  }
  const ElementRun run = slot.type->ops->view(slot.address);
  return run.count == 0 ? ElementRun{} : run;
}

/// Calls visit(run, ordinal) for every run of elements of a container. The
/// container must not change meanwhile.
template <class Visit>
void ForEachRun(const TypeLayout& handle, const void* object, Visit visit) {
  std::size_t cursor = 0;
  for (std::size_t ordinal = 0;; ++ordinal) {
    const ElementRun run = handle.ops->next_run(object, &cursor);
    if (run.data == nullptr) return;
    visit(run, ordinal);
  }
}

/// True for a Map or Set, whose runs are entries.
inline bool IsTable(const TypeLayout& handle) {
  return handle.fields.size() > 1 ||
         (!handle.fields.empty() && handle.fields[0].name == "{key}");
}

/// True for a GcRef or GcWeakRef, which has no storage and no elements.
inline bool IsRef(const TypeLayout& handle) {
  return handle.ops->form == HandleForm::kRef ||
         handle.ops->form == HandleForm::kWeakRef;
}

/// True for a container whose storage is neither a row of its elements nor a
/// table: what there is in it only its runs tell. And for references.
inline bool HasOwnForm(const TypeLayout& handle) {
  return handle.ops->form != HandleForm::kVector &&
         handle.ops->form != HandleForm::kString && !IsTable(handle);
}

/// ForEachSlot over the elements of a run.
template <class Visit>
void ForEachSlotIn(const TypeLayout& element, ElementRun run, Visit& visit,
                   const FieldLayout* field = nullptr) {
  if (!element.has_slots) return;
  char* at = static_cast<char*>(const_cast<void*>(run.data));
  for (std::size_t i = 0; i < run.count; ++i, at += element.size) {
    ForEachSlot(element, at, visit, field);
  }
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_WALK_H_
