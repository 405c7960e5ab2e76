// SPDX-License-Identifier: MIT
//
// Borrowed fields: those that a layout declares to point outside on purpose.
// The walk of slots leaves them out; checked builds look whether their targets
// are kept alive. Internal to acre.

#ifndef ACRE_DETAIL_BORROWED_H_
#define ACRE_DETAIL_BORROWED_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// Calls visit(const char* word) for every aligned word of the borrowed fields
/// that an object holds by value: what such a field is may not be known.
template <class Visit>
void ForEachBorrowedWord(const TypeLayout& type, const char* object,
                         Visit& visit) {
  switch (type.kind) {
    case TypeKind::kStruct:
      for (const FieldLayout& field : type.fields) {
        const char* const at = object + field.offset;
        if (field.note == FieldNote::kBorrowed) {
          const char* const end = at + field.size;
          const auto bits = reinterpret_cast<std::uintptr_t>(at);
          for (const char* word = at + (-bits % sizeof(void*));
               word + sizeof(void*) <= end; word += sizeof(void*)) {
            visit(word);
          }
        } else if (field.note != FieldNote::kOpaque) {
          ForEachBorrowedWord(*field.type(), at, visit);
        }
      }
      return;
    case TypeKind::kArray: {
      const TypeLayout& element = *type.element();
      for (std::size_t i = 0; i < type.count; ++i) {
        ForEachBorrowedWord(element, object + i * element.size, visit);
      }
      return;
    }
    case TypeKind::kTuple:
      for (std::size_t i = 0; i < type.fields.size(); ++i) {
        ForEachBorrowedWord(*type.fields[i].type(),
                            static_cast<const char*>(type.ops->part(object, i)),
                            visit);
      }
      return;
    case TypeKind::kChoice: {
      const ActivePart active = type.ops->active(object);
      if (active.object == nullptr) return;
      ForEachBorrowedWord(*type.fields[active.index].type(),
                          static_cast<const char*>(active.object), visit);
      return;
    }
    case TypeKind::kPlain:
    case TypeKind::kPointer:
    case TypeKind::kView:
    case TypeKind::kHandle:
      return;
  }
}

/// True where an object of the type may hold a borrowed field by value.
inline bool MayBorrow(const TypeLayout& type) {
  if (type.kind == TypeKind::kArray) return MayBorrow(*type.element());
  if (type.kind != TypeKind::kStruct && type.kind != TypeKind::kTuple &&
      type.kind != TypeKind::kChoice) {
    return false;
  }
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kBorrowed) return true;
    if (field.note != FieldNote::kOpaque && MayBorrow(*field.type())) {
      return true;
    }
  }
  return false;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_BORROWED_H_
