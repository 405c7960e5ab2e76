// SPDX-License-Identifier: MIT

#include "acre/detail/parts.h"

#include "acre/detail/walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

bool IsCharacter(const TypeLayout& type) { return type.size == 1; }

/// std::array<T, n> has the kind of T[n].
bool IsCArray(const TypeLayout& type) {
  return type.kind == TypeKind::kArray && type.name.ends_with(']');
}

/// True where the types differ in const alone, behind pointers and in arrays:
/// the language lets one be looked at as the other. Pointees and elements have
/// the layouts of their types without const; volatile ones are no elements.
bool IsSimilar(const TypeLayout& a, const TypeLayout& b) {
  if (SameType(a, b)) return true;
  const bool are_pointers =
      a.kind == TypeKind::kPointer && b.kind == TypeKind::kPointer;
  const bool are_arrays = IsCArray(a) && IsCArray(b) && a.count == b.count;
  return (are_pointers || are_arrays) && IsSimilar(*a.element(), *b.element());
}

/// A struct lies where all its fields lie: a base whose fields the derived
/// class lists by name.
bool HoldsFields(const TypeLayout& whole, const char* object,
                 std::size_t offset, const TypeLayout& type) {
  if (type.kind != TypeKind::kStruct || type.fields.empty()) return false;
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kOpaque || field.size == 0) continue;
    if (!HoldsPart(whole, object, offset + field.offset, *field.type())) {
      return false;
    }
  }
  return true;
}

bool HoldsField(const TypeLayout& whole, const char* object, std::size_t offset,
                const TypeLayout& type) {
  bool is_described = false;
  for (std::size_t i = 0; i < whole.fields.size(); ++i) {
    const FieldLayout& field = whole.fields[i];
    if (field.note == FieldNote::kOpaque) continue;
    std::size_t begin = field.offset;
    if (whole.kind == TypeKind::kTuple) {
      begin = static_cast<std::size_t>(
          static_cast<const char*>(whole.ops->part(object, i)) - object);
    }
    const TypeLayout& part = *field.type();
    if (offset < begin || offset >= begin + part.size) continue;
    is_described = true;
    if (HoldsPart(part, object + begin, offset - begin, type)) return true;
  }
  if (is_described) return HoldsFields(whole, object, offset, type);
  // A hole, or the padding around one: nobody knows what is there.
  for (const FieldLayout& field : whole.fields) {
    if (field.note == FieldNote::kOpaque) return true;
  }
  return false;
}

}  // namespace

bool HoldsPart(const TypeLayout& block_type, const void* block,
               std::size_t offset, const TypeLayout& type) {
  if (IsByte(type)) return true;
  if (block_type.size == 0) return true;
  const std::size_t whole = offset - offset % block_type.size;
  const char* object = static_cast<const char*>(block) + whole;
  offset -= whole;
  if (offset == 0 && IsSimilar(block_type, type)) return true;
  switch (block_type.kind) {
    case TypeKind::kPlain:
      return !type.has_slots && offset + type.size <= block_type.size;
    case TypeKind::kPointer:
    case TypeKind::kView:
      return false;
    case TypeKind::kHandle:
      return IsCharacter(type);  // the text of a short String lies in it
    case TypeKind::kArray:
      return HoldsPart(*block_type.element(), object, offset, type);
    case TypeKind::kChoice:  // any part may be the live one
      for (const FieldLayout& field : block_type.fields) {
        const TypeLayout& part = *field.type();
        if (offset < part.size && HoldsPart(part, object, offset, type)) {
          return true;
        }
      }
      return false;
    case TypeKind::kStruct:
    case TypeKind::kTuple:
      return HoldsField(block_type, object, offset, type);
  }
  return false;
}

bool HoldsRow(const Location& where, std::size_t offset, std::size_t count,
              const TypeLayout& type) {
  const std::size_t last = offset + (count - 1) * type.size;
  return HoldsPart(*where.block_type, where.block, offset, type) &&
         (last == offset ||
          HoldsPart(*where.block_type, where.block, last, type));
}

PartAt InnermostPart(const TypeLayout& whole, const char* object,
                     std::size_t offset) {
  const bool has_items = whole.ops != nullptr && whole.ops->part != nullptr;
  if (whole.ops != nullptr && whole.ops->active != nullptr) {
    const ActivePart active = whole.ops->active(object);
    const auto* const part = static_cast<const char*>(active.object);
    if (part != nullptr && active.index < whole.fields.size() &&
        object + offset >= part) {
      const TypeLayout& type = *whole.fields[active.index].type();
      const auto inside = static_cast<std::size_t>(object + offset - part);
      if (inside < type.size) return InnermostPart(type, part, inside);
    }
  } else if (whole.kind == TypeKind::kArray) {
    const TypeLayout& element = *whole.element();
    const std::size_t inside = offset % element.size;
    return InnermostPart(element, object + (offset - inside), inside);
  } else if (whole.kind == TypeKind::kStruct || has_items) {
    for (std::size_t i = 0; i < whole.fields.size(); ++i) {
      const FieldLayout& field = whole.fields[i];
      if (!IsFollowed(field)) continue;
      const char* const part =
          has_items ? static_cast<const char*>(whole.ops->part(object, i))
                    : object + field.offset;
      if (object + offset >= part && object + offset < part + field.size) {
        return InnermostPart(*field.type(), part,
                             static_cast<std::size_t>(object + offset - part));
      }
    }
  }
  return {&whole, object};
}

bool IsAnyBytes(const TypeLayout& type) {
  if (type.has_slots) return false;
  const auto all_fields = [&] {
    for (const FieldLayout& field : type.fields) {
      if (field.note == FieldNote::kOpaque) continue;
      if (field.note == FieldNote::kBorrowed || !IsAnyBytes(*field.type())) {
        return false;
      }
    }
    return true;
  };
  switch (type.kind) {
    case TypeKind::kPlain:
      // A choice, a tuple or an array of plain parts is plain, too.
      if (type.ops != nullptr && type.ops->active != nullptr) return false;
      if (type.ops != nullptr && type.ops->part != nullptr) return all_fields();
      if (type.element != nullptr) return IsAnyBytes(*type.element());
      return type.name != "bool";
    case TypeKind::kStruct:
      return all_fields();
    case TypeKind::kArray:
      return IsAnyBytes(*type.element());
    case TypeKind::kTuple:
    case TypeKind::kPointer:
    case TypeKind::kView:
    case TypeKind::kChoice:
    case TypeKind::kHandle:
      return false;
  }
  return false;
}

namespace {

/// In one of the parts of a struct or tuple.
bool PartHoldsExactly(const TypeLayout& whole, const char* object,
                      std::size_t offset, const TypeLayout& type,
                      std::size_t count) {
  for (std::size_t i = 0; i < whole.fields.size(); ++i) {
    const FieldLayout& field = whole.fields[i];
    if (!IsFollowed(field)) continue;
    std::size_t begin = field.offset;
    if (whole.ops != nullptr && whole.ops->part != nullptr) {
      begin = static_cast<std::size_t>(
          static_cast<const char*>(whole.ops->part(object, i)) - object);
    }
    const TypeLayout& part = *field.type();
    if (offset >= begin && offset - begin < part.size &&
        HoldsExactly(part, object + begin, offset - begin, type, count)) {
      return true;
    }
  }
  return false;
}

/// A base whose fields the derived class lists by name.
bool FieldsAreExactly(const TypeLayout& whole, const char* object,
                      std::size_t offset, const TypeLayout& type) {
  if (type.kind != TypeKind::kStruct || type.fields.empty() ||
      type.size > whole.size - offset) {
    return false;
  }
  for (const FieldLayout& field : type.fields) {
    if (field.note != FieldNote::kNone || field.is_transient) return false;
    if (!HoldsExactly(whole, object, offset + field.offset, *field.type(), 1)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool HoldsExactly(const TypeLayout& whole, const char* object,
                  std::size_t offset, const TypeLayout& type,
                  std::size_t count) {
  const std::size_t bytes = count * type.size;
  if (offset > whole.size || bytes > whole.size - offset) return false;
  if (offset == 0 && count == 1 && IsSimilar(whole, type)) return true;
  if (IsAnyBytes(whole)) {
    const bool is_number = whole.kind == TypeKind::kPlain &&
                           whole.element == nullptr && whole.ops == nullptr;
    if (IsByte(type) || is_number) return IsAnyBytes(type);
  }
  if (whole.ops != nullptr && whole.ops->active != nullptr) {
    const ActivePart active = whole.ops->active(object);
    if (active.object == nullptr || active.index >= whole.fields.size()) {
      return false;
    }
    const auto* const part = static_cast<const char*>(active.object);
    const auto before = static_cast<std::size_t>(part - object);
    return offset >= before && HoldsExactly(*whole.fields[active.index].type(),
                                            part, offset - before, type, count);
  }
  const bool has_items = whole.ops != nullptr && whole.ops->part != nullptr;
  if (whole.element != nullptr && !has_items &&
      (whole.kind == TypeKind::kArray || whole.kind == TypeKind::kPlain)) {
    const TypeLayout& element = *whole.element();
    if (offset % element.size == 0 && IsSimilar(element, type)) return true;
    const std::size_t inside = offset % element.size;
    return HoldsExactly(element, object + (offset - inside), inside, type,
                        count);
  }
  if (whole.kind != TypeKind::kStruct && !has_items) return false;
  return PartHoldsExactly(whole, object, offset, type, count) ||
         (count == 1 && FieldsAreExactly(whole, object, offset, type));
}

}  // namespace acre::inline ACRE_ABI::detail
