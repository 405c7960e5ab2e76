// SPDX-License-Identifier: MIT
//
// The parts of a value as they stand in JSON, each with its place there.

#ifndef ACRE_JSON_WALK_H_
#define ACRE_JSON_WALK_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/json.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// One step of a path.
struct JsonStep {
  enum class Kind : std::uint8_t {
    kNone,   // the part stands where the whole does: an optional's value
    kName,   // a field, an alternative
    kIndex,  // an element
    kKey,    // the value of a Map's entry that has a text for its key
    kPair,   // of one that has not: an element, of that "0" or "1"
  };
  Kind kind = Kind::kNone;
  std::string_view name{};
  std::size_t index = 0;
  const JsonType* key_type = nullptr;
  const void* key = nullptr;
};

/// Whether a Map with such keys is an object in JSON.
bool IsTextKey(JsonKind kind);

/// The text of such a key; `room` holds it where it is made.
std::string_view KeyText(const JsonType& type, const void* key,
                         std::string& room);

/// The integer of a kind that is stored at `object`, by its bits.
std::uint64_t LoadInteger(JsonKind kind, const void* object);
constexpr bool IsInteger(JsonKind kind) {
  return kind >= JsonKind::kInt8 && kind <= JsonKind::kUint64;
}
constexpr bool IsSignedInteger(JsonKind kind) {
  return kind >= JsonKind::kInt8 && kind <= JsonKind::kInt64;
}

/// The index of a field; field_count where there is none of that name.
std::size_t FindField(const JsonType& type, std::string_view name);

/// The name of an enumeration's value; empty where it has none.
std::string_view EnumeratorName(const JsonType& type, const void* object);

/// The enumerator of that name; null where there is none.
const Enumerator* FindEnumerator(const JsonType& type, std::string_view name);

/// Of a variant, the alternative's tag: its name, its index where that is not
/// the only one of that name. Static storage.
std::string_view TagOf(const JsonType& type, std::size_t index);

/// The characters of a text of any kind.
std::string_view TextOf(JsonKind kind, const JsonType& type,
                        const void* object);

/// Where the i-th part of a pair or tuple lies.
inline const void* TuplePart(const JsonType& type, const void* object,
                             std::size_t i) {
  return type.ops->part != nullptr
             ? type.ops->part(object, i)
             : static_cast<const char*>(object) + type.fields[i].offset;
}

/// Whether that field of a layout is a base: it has the name of its type, as
/// members do not.
bool IsBase(const FieldLayout& field, const TypeLayout& type);

/// Calls visit(std::uint64_t id, const void*) for every base that a struct has,
/// and for their bases.
template <class Visit>
void ForEachBase(const TypeLayout& type, const void* object, Visit visit) {
  if (type.kind != TypeKind::kStruct) return;
  for (const FieldLayout& field : type.fields) {
    if (field.note == FieldNote::kOpaque) continue;
    const TypeLayout& part = *field.type();
    if (!IsBase(field, part)) continue;
    const void* const base = static_cast<const char*>(object) + field.offset;
    visit(part.id, base);
    ForEachBase(part, base, visit);
  }
}

/// The entries of a Map with texts for keys, in the order of those.
std::vector<const char*> SortedEntries(const JsonType& type, const void* map);

/// Whether null is what stands for it.
bool IsNullInJson(const JsonType& type, const void* object);

/// Whether it would be taken for a reference: {"$ref": "text"}.
bool LooksLikeReference(const JsonType& type, const void* object);

/// Calls visit(const void* first, std::size_t count) for each run of elements
/// of a list, set, map, array or view.
template <class Visit>
bool ForEachElementRun(const JsonType& type, const void* object, Visit visit) {
  if (type.kind == JsonKind::kArray) return visit(object, type.count);
  const TypeLayout& layout = *type.layout();
  if (type.kind == JsonKind::kView) {
    const ElementRun run = layout.ops->view(object);
    return run.count == 0 || visit(run.data, run.count);
  }
  if constexpr (kChecked) CheckStorage(layout, object);
  std::size_t cursor = 0;
  for (;;) {
    const ElementRun run = layout.ops->next_run(object, &cursor);
    if (run.data == nullptr) return true;
    if (!visit(run.data, run.count)) return false;
  }
}

/// Calls visit(const JsonStep&, const JsonType&, const void*) for every part
/// that stands in the value itself: not for what pointers lead to. False where
/// a visitor returned that.
template <class Visit>
bool ForEachJsonPart(const JsonType& type, const void* object, Visit& visit) {
  const auto* const bytes = static_cast<const char*>(object);
  using Kind = JsonStep::Kind;
  switch (type.kind) {
    case JsonKind::kStruct:
      for (std::size_t i = 0; i < type.field_count; ++i) {
        const JsonField& field = type.fields[i];
        if (!visit(JsonStep{.kind = Kind::kName, .name = field.name},
                   field.type(), bytes + field.offset)) {
          return false;
        }
      }
      return true;
    case JsonKind::kTuple:
      for (std::size_t i = 0; i < type.field_count; ++i) {
        if (!visit(JsonStep{.kind = Kind::kIndex, .index = i},
                   type.fields[i].type(), TuplePart(type, object, i))) {
          return false;
        }
      }
      return true;
    case JsonKind::kOptional:
    case JsonKind::kVariant: {
      const void* part = nullptr;
      const int active = type.ops->active(object, &part);
      if (active < 0) return true;
      if (type.kind == JsonKind::kOptional) {
        return visit(JsonStep{}, type.element(), part);
      }
      const auto index = static_cast<std::size_t>(active);
      return visit(JsonStep{.kind = Kind::kName, .name = TagOf(type, index)},
                   type.fields[index].type(), part);
    }
    case JsonKind::kMap: {
      const JsonType& key_type = type.key();
      const JsonType& value_type = type.element();
      const bool has_texts = IsTextKey(key_type.kind);
      std::size_t index = 0;
      return ForEachElementRun(
          type, object, [&](const void* first, std::size_t count) {
            const auto* entry = static_cast<const char*>(first);
            for (; count != 0; --count, entry += type.element_size, ++index) {
              JsonStep step{.kind = has_texts ? Kind::kKey : Kind::kPair,
                            .name = "0",
                            .index = index,
                            .key_type = &key_type,
                            .key = entry};
              if (!has_texts && !visit(step, key_type, entry)) return false;
              step.name = "1";
              if (!visit(step, value_type, entry + type.value_offset)) {
                return false;
              }
            }
            return true;
          });
    }
    case JsonKind::kAny: {
      const Json& json = *static_cast<const Json*>(object);
      std::size_t index = 0;
      for (const Json& each : json) {
        if (!visit(JsonStep{.kind = Kind::kIndex, .index = index}, type,
                   &each)) {
          return false;
        }
        ++index;
      }
      for (const Json::Member& member : json.members()) {
        if (!visit(JsonStep{.kind = Kind::kName, .name = member.name()}, type,
                   &member.value())) {
          return false;
        }
      }
      return true;
    }
    case JsonKind::kList:
    case JsonKind::kView:
    case JsonKind::kArray:
    case JsonKind::kSet: {
      const JsonType& element = type.element();
      std::size_t index = 0;
      return ForEachElementRun(
          type, object, [&](const void* first, std::size_t count) {
            const auto* at = static_cast<const char*>(first);
            for (; count != 0; --count, at += type.element_size, ++index) {
              if (!visit(JsonStep{.kind = Kind::kIndex, .index = index},
                         element, at)) {
                return false;
              }
            }
            return true;
          });
    }
    default:
      return true;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_WALK_H_
