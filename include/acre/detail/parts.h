// SPDX-License-Identifier: MIT
//
// Parts of objects by address: is there an object of this type at that place
// inside a block of that one? A pointer to a member, to an element or to a base
// is fine; one to the middle of something else is not. For the auditor and for
// what checked builds verify. Internal to acre.

#ifndef ACRE_DETAIL_PARTS_H_
#define ACRE_DETAIL_PARTS_H_

#include <algorithm>
#include <cstddef>

#include "acre/config.h"
#include "acre/detail/location.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// Bytes of anything may be looked at through these.
inline bool IsByte(const TypeLayout& type) {
  return type.size == 1 &&
         (type.name == "std::byte" || type.name == "unsigned char");
}

/// Where the bytes of an opaque hole lie: behind the field before it, up to the
/// next one.
struct HoleBytes {
  std::size_t offset = 0;
  std::size_t size = 0;
};
inline HoleBytes HoleAt(const TypeLayout& type, std::size_t index) {
  std::size_t begin = 0;
  std::size_t end = type.size;
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    const bool is_hole = field.note == FieldNote::kOpaque;
    if (i < index) {
      begin = is_hole ? begin + field.size
                      : std::max<std::size_t>(
                            begin, std::size_t{field.offset} + field.size);
    } else if (i > index && !is_hole) {
      end = field.offset;
      break;
    }
  }
  const std::size_t room = end > begin ? end - begin : 0;
  return {begin, std::min<std::size_t>(type.fields[index].size, room)};
}

/// True where an object of `type` may lie `offset` bytes into the block, which
/// holds a row of `block_type`. Bytes that no layout describes may be anything,
/// plain data may be looked at as other plain data, pointers as pointers that
/// differ in const alone, and everything as std::byte or unsigned char.
bool HoldsPart(const TypeLayout& block_type, const void* block,
               std::size_t offset, const TypeLayout& type);

/// The same for a row of `count`, not 0, that begins `offset` bytes into a
/// block of which the type is known. Requires: the row ends inside the block.
bool HoldsRow(const Location& where, std::size_t offset, std::size_t count,
              const TypeLayout& type);

/// As HoldsPart, for who must not be deceived: `count` objects of that very
/// type lie in a row there, within one object of `whole`; of a choice they are
/// of the part that it has now. A number may be looked at as others, what is
/// made of numbers alone by bytes; nothing else may.
bool HoldsExactly(const TypeLayout& whole, const char* object,
                  std::size_t offset, const TypeLayout& type,
                  std::size_t count);

/// The smallest part of an object that the bytes at an offset belong to; of a
/// choice, of the part that it has now.
struct PartAt {
  const TypeLayout* type;
  const char* object;
};
PartAt InnermostPart(const TypeLayout& whole, const char* object,
                     std::size_t offset);

/// True for numbers, and what is made of them alone: whatever their bytes are,
/// they are values. A bool is none, nor is what may be one thing or another.
bool IsAnyBytes(const TypeLayout& type);

/// Calls visit(begin, end) for the bytes of an object that no layout describes:
/// opaque holes and padding, those of its parts included.
template <class Visit>
void ForEachGap(const TypeLayout& type, const char* object, Visit& visit) {
  if (type.kind == TypeKind::kArray) {
    const TypeLayout& element = *type.element();
    for (std::size_t i = 0; i < type.count; ++i) {
      ForEachGap(element, object + i * element.size, visit);
    }
  }
  if (type.kind != TypeKind::kStruct) return;
  std::size_t end = 0;
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kOpaque) continue;
    if (field.offset > end) visit(object + end, object + field.offset);
    if (field.offset + field.size > end) end = field.offset + field.size;
    if (field.note != FieldNote::kBorrowed) {
      ForEachGap(*field.type(), object + field.offset, visit);
    }
  }
  if (end < type.size && !type.fields.empty()) {
    visit(object + end, object + type.size);
  }
}

/// True where a pointer may lie in a gap of such an object.
inline bool MayHaveGaps(const TypeLayout& type, const char* object) {
  bool may_have = false;
  auto note = [&may_have](const char* begin, const char* end) {
    if (end - begin >= static_cast<std::ptrdiff_t>(sizeof(void*))) {
      may_have = true;
    }
  };
  ForEachGap(type, object, note);
  return may_have;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_PARTS_H_
