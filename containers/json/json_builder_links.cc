// SPDX-License-Identifier: MIT
//
// Pointers, and what references lead to.

#include <cstring>
#include <utility>

#include "acre/json.h"
#include "json_builder.h"
#include "json_pointer.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {

// ---- pointers

/// An object whose one member is "$ref": leaves at_ where it is if there is
/// none.
bool JsonBuilder::ReadReference(const void** slot, GetJsonType type,
                                bool* is_reference) {
  *is_reference = Peek() == '{' && tokens_.CountOf(at_.opening) == 1 &&
                  tokens_.IsText(at_.token + 1, "$ref") &&
                  tokens_[at_.token + 3] == '"';
  if (!*is_reference) return true;
  std::string_view path;
  Open();
  const JsonAt start = at_;
  if (!TakeName(&path) || !TakeText(&path) || !TakeClosing('}')) return false;
  if (path.data() == room_.data()) path = paths_.emplace_back(path);
  if (resolves_at_once_) {
    *slot = Resolve(path, type());
    if (*slot == nullptr) at_ = start;
    return *slot != nullptr;
  }
  if (links_.size() == stop_.link) return Fail("");
  links_.push_back({slot, type, path});
  return true;
}

bool JsonBuilder::ReadPointer(const JsonType& type, void* slot) {
  std::memset(slot, 0, sizeof(const void*));
  if (IsNull()) return TakeNull();
  bool is_reference = false;
  if (!ReadReference(static_cast<const void**>(slot), type.element,
                     &is_reference)) {
    return false;
  }
  if (is_reference) return true;
  const JsonType& target = type.element();
  if (!Charge(1, target.size)) return false;
  WillMake();
  void* const object = type.ops->make(arena_);
  made_.push_back({object, 1, type.ops->free});
  std::memcpy(slot, &object, sizeof object);
  // What is in it may wait, also where the pointer is a key.
  const bool before = std::exchange(resolves_at_once_, false);
  const bool is_fine = Read(type.element_kind, type.element, object);
  resolves_at_once_ = before;
  return is_fine;
}

bool JsonBuilder::FillLate() {
  for (std::size_t i = 0; i < late_.size(); ++i) {
    const Late late = late_[i];
    at_ = late.at;
    const bool is_fine = late.type->kind == JsonKind::kSet
                             ? ReadSet(*late.type, late.table, true)
                             : ReadPairs(*late.type, late.table, true);
    if (is_fine) continue;
    failed_.late = i;
    return false;
  }
  return true;
}

bool JsonBuilder::ResolveLinks() {
  for (std::size_t i = 0; i < links_.size(); ++i) {
    const Link& link = links_[i];
    *link.slot = Resolve(link.path, link.type());
    if (*link.slot != nullptr) continue;
    failed_.link = i;
    return false;
  }
  return true;
}

namespace {

/// The object, or the base of it, that has that layout; else null.
const void* AsType(const TypeLayout& type, const void* object,
                   std::uint64_t id) {
  if (type.id == id) return object;
  const void* found = nullptr;
  ForEachBase(type, object, [&](std::uint64_t base_id, const void* base) {
    if (base_id == id && found == nullptr) found = base;
  });
  return found;
}

/// What stands where an optional or a pointer does, or null.
const void* Through(const JsonType*& type, const void* object) {
  const void* part = nullptr;
  if (type->kind == JsonKind::kOptional) {
    if (type->ops->active(object, &part) < 0) return nullptr;
  } else {
    part = *static_cast<const void* const*>(object);
  }
  type = &type->element();
  return part;
}

bool IsPassedThrough(JsonKind kind) {
  return kind == JsonKind::kOptional || kind == JsonKind::kPointer;
}

}  // namespace

const void* JsonBuilder::Step(const JsonType*& type, const void* object,
                              std::string_view segment) {
  const auto* const bytes = static_cast<const char*>(object);
  std::size_t index = 0;
  switch (type->kind) {
    case JsonKind::kStruct: {
      const std::size_t i = FindField(*type, segment);
      if (i == type->field_count) return nullptr;
      const JsonField& field = type->fields[i];
      type = &field.type();
      return bytes + field.offset;
    }
    case JsonKind::kTuple:
      if (!ReadIndex(segment, &index) || index >= type->field_count) {
        return nullptr;
      }
      object = TuplePart(*type, object, index);
      type = &type->fields[index].type();
      return object;
    case JsonKind::kVariant: {
      const void* part = nullptr;
      const int active = type->ops->active(object, &part);
      if (active < 0) return nullptr;
      const auto i = static_cast<std::size_t>(active);
      if (TagOf(*type, i) != segment) return nullptr;
      type = &type->fields[i].type();
      return part;
    }
    case JsonKind::kArray:
    case JsonKind::kList:
    case JsonKind::kView: {
      if (!ReadIndex(segment, &index)) return nullptr;
      const void* found = nullptr;
      const std::size_t size = type->element_size;
      ForEachElementRun(
          *type, object, [&](const void* first, std::size_t count) {
            if (index < count) {
              found = static_cast<const char*>(first) + index * size;
            }
            return false;  // they lie in one run
          });
      type = &type->element();
      return found;
    }
    case JsonKind::kMap: {
      if (!IsTextKey(type->key().kind)) break;
      struct Key {
        JsonBuilder* builder;
        const JsonType* type;
        std::string_view text;
      } key{this, &type->key(), segment};
      const State before = state();
      const void* const value = type->ops->find(
          object,
          [](void* context, void* made) {
            const Key& source = *static_cast<Key*>(context);
            return source.builder->ReadKeyText(*source.type, source.text, made);
          },
          &key);
      Return(before);  // a key that is a view was made for this
      tells_found_ = false;
      type = &type->element();
      return value;
    }
    case JsonKind::kAny: {
      auto& json = *static_cast<Json*>(const_cast<void*>(object));
      if (json.is_object()) return json.find(segment);
      if (!ReadIndex(segment, &index) || index >= json.size()) return nullptr;
      return &json.at(index);
    }
    default:
      break;
  }
  return nullptr;
}

/// An element of a Set, or the key ("0") or value ("1") of an entry.
const void* JsonBuilder::FindInTable(const JsonType*& type, const void* table,
                                     std::string_view segment,
                                     std::string_view* rest) {
  const auto known = entries_.find(table);
  std::size_t index = 0;
  if (known == entries_.end() || !ReadIndex(segment, &index) ||
      index >= known->second.size()) {
    return nullptr;
  }
  const void* const entry = known->second[index];
  if (type->kind == JsonKind::kSet) {
    type = &type->element();
    return entry;
  }
  if (rest->empty()) return nullptr;
  std::string room;
  const std::string_view part = NextSegment(*rest, room);
  if (part == "0") {
    type = &type->key();
    return entry;
  }
  if (part != "1") return nullptr;
  const std::size_t offset = type->value_offset;
  type = &type->element();
  return static_cast<const char*>(entry) + offset;
}

const void* JsonBuilder::Resolve(std::string_view path,
                                 const JsonType& wanted) {
  const auto fail = [&](const std::string& why) -> const void* {
    Fail("the reference \"" + std::string(path) + "\" " + why);
    return nullptr;
  };
  if (!path.empty() && path[0] != '/') {
    return fail("is no JSON Pointer: they are empty or begin with a '/'");
  }
  const std::uint64_t id = wanted.layout()->id;
  const JsonType* type = root_type_;
  const void* object = root_;
  std::string_view rest = path;
  std::string room;
  // Most often beside where one led lately.
  const std::string_view prefix =
      path.empty() ? path : path.substr(0, path.rfind('/'));
  const unsigned last =
      prefix.empty() ? 0 : static_cast<unsigned char>(prefix.back());
  Prefix& known = prefixes_[(prefix.size() + last) % prefixes_.size()];
  if (known.type != nullptr && prefix == known.path) {
    type = known.type;
    object = known.object;
    rest.remove_prefix(prefix.size());
  }
  while (!rest.empty()) {
    while (object != nullptr && IsPassedThrough(type->kind)) {
      object = Through(type, object);
    }
    if (rest.size() == path.size() - prefix.size()) {
      known = {prefix, object == nullptr ? nullptr : type, object};
    }
    const std::string_view segment = NextSegment(rest, room);
    const bool is_table =
        type->kind == JsonKind::kSet ||
        (type->kind == JsonKind::kMap && !IsTextKey(type->key().kind));
    if (object != nullptr && is_table) {
      object = FindInTable(type, object, segment, &rest);
    } else if (object != nullptr) {
      object = Step(type, object, segment);
    }
    if (object == nullptr) return fail("leads nowhere");
  }
  for (;;) {
    const void* const found = AsType(*type->layout(), object, id);
    if (found != nullptr) return found;
    if (!IsPassedThrough(type->kind)) break;
    const JsonType* const outer = type;
    object = Through(type, object);
    if (object != nullptr) continue;
    type = outer;
    break;
  }
  return fail("leads to what is no " + std::string(wanted.name));
}

}  // namespace acre::inline ACRE_ABI::detail
