// SPDX-License-Identifier: MIT
//
// Pointers, and what references lead to.

#include <charconv>
#include <cstring>
#include <utility>

#include "json_builder.h"
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
  if (IsNull()) return TakeNull();
  bool is_reference = false;
  if (!ReadReference(static_cast<const void**>(slot), type.element,
                     &is_reference)) {
    return false;
  }
  if (is_reference) return true;
  const JsonType& target = type.element();
  if (!Charge(1, target.size)) return false;
  void* const object = type.ops->make(arena_);
  made_.push_back({object, 1, type.ops->free});
  std::memcpy(slot, &object, sizeof object);
  return Read(type.element_kind, type.element, object);
}

bool JsonBuilder::FillLate() {
  resolves_at_once_ = true;
  for (std::size_t i = 0; i < late_.size(); ++i) {
    const Late late = late_[i];
    at_ = late.at;
    const bool is_fine = late.type->kind == JsonKind::kSet
                             ? ReadSet(*late.type, late.table)
                             : ReadPairs(*late.type, late.table);
    if (is_fine) continue;
    failed_.late = i;
    return false;
  }
  resolves_at_once_ = false;
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

/// The next part of a path, with ~0 and ~1 replaced; `room` holds it.
std::string_view NextSegment(std::string_view& path, std::string& room) {
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  if (segment.find('~') == std::string_view::npos) return segment;
  room.clear();
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '~' || i + 1 == segment.size()) {
      room += segment[i];
    } else {
      room += segment[++i] == '1' ? '/' : '~';
    }
  }
  return room;
}

bool ReadIndex(std::string_view segment, std::size_t* index) {
  const char* const end = segment.data() + segment.size();
  const auto [to, result] = std::from_chars(segment.data(), end, *index);
  return result == std::errc() && to == end &&
         (segment.size() == 1 || segment[0] != '0');
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
    default:
      break;
  }
  return nullptr;
}

bool JsonBuilder::GoTo(std::string_view path) {
  std::string room;
  at_ = {};
  while (!path.empty()) {
    const std::string_view segment = NextSegment(path, room);
    const bool is_object = Peek() == '{';
    if (!is_object && Peek() != '[') return false;
    bool is_fine = true;
    bool has_more = Open();
    std::size_t index = 0;
    if (!is_object && !ReadIndex(segment, &index)) return false;
    for (;; has_more = HasNext(is_object ? '}' : ']', &is_fine)) {
      if (!has_more) return false;
      std::string_view name;
      if (is_object && !TakeName(&name)) return false;
      if (is_object ? name == segment : index-- == 0) break;
      if (!Skip()) return false;
    }
  }
  return true;
}

/// Elements of tables whose keys are no texts are where their keys put them:
/// what the text has at their place is looked up.
const void* JsonBuilder::FindInTable(const JsonType*& type, const void* table,
                                     std::string_view element_path,
                                     std::string_view* rest) {
  if (!GoTo(element_path)) return nullptr;
  const bool is_set = type->kind == JsonKind::kSet;
  std::string room;
  std::string_view part;
  if (!is_set) {
    if (rest->empty()) return nullptr;
    part = NextSegment(*rest, room);
    if ((part != "0" && part != "1") || Peek() != '[') return nullptr;
    Open();
  }
  const GetJsonType key_type = is_set ? type->element : type->key;
  KeySource source{this, key_type().kind, key_type};
  const bool at_once = std::exchange(resolves_at_once_, true);
  const State before = state();
  const void* found = type->ops->find(
      table,
      [](void* context, void* key) {
        const auto& from = *static_cast<KeySource*>(context);
        return from.builder->Read(from.kind, from.type, key);
      },
      &source);
  resolves_at_once_ = at_once;
  Return(before);
  levels_.clear();
  tells_found_ = false;
  if (found != nullptr && part == "0") {
    found = static_cast<const char*>(found) - type->value_offset;
  }
  type = is_set || part == "1" ? &type->element() : &type->key();
  return found;
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
      object = FindInTable(type, object,
                           path.substr(0, path.size() - rest.size()), &rest);
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
