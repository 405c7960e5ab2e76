// SPDX-License-Identifier: MIT

#include "json_walk.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace acre::inline ACRE_ABI::detail {

bool IsTextKey(JsonKind kind) {
  return IsInteger(kind) || kind == JsonKind::kEnum ||
         kind == JsonKind::kText || kind == JsonKind::kTextView;
}

std::uint64_t LoadInteger(JsonKind kind, const void* object) {
  const auto load = [&]<class T>(T value) {
    std::memcpy(&value, object, sizeof value);
    return static_cast<std::uint64_t>(value);
  };
  switch (kind) {
    case JsonKind::kInt8:
      return load(std::int8_t{});
    case JsonKind::kInt16:
      return load(std::int16_t{});
    case JsonKind::kInt32:
      return load(std::int32_t{});
    case JsonKind::kInt64:
      return load(std::int64_t{});
    case JsonKind::kBool:
    case JsonKind::kUint8:
      return load(std::uint8_t{});
    case JsonKind::kUint16:
      return load(std::uint16_t{});
    case JsonKind::kUint32:
      return load(std::uint32_t{});
    default:
      return load(std::uint64_t{});
  }
}

std::size_t FindField(const JsonType& type, std::string_view name) {
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (type.fields[i].name == name) return i;
  }
  return type.field_count;
}

std::string_view EnumeratorName(const JsonType& type, const void* object) {
  const auto value = static_cast<long long>(LoadInteger(type.number, object));
  for (std::size_t i = 0; i < type.enumerator_count; ++i) {
    if (type.enumerators[i].value == value) return type.enumerators[i].name;
  }
  return {};
}

const Enumerator* FindEnumerator(const JsonType& type, std::string_view name) {
  for (std::size_t i = 0; i < type.enumerator_count; ++i) {
    if (name == type.enumerators[i].name) return &type.enumerators[i];
  }
  return nullptr;
}

std::string_view TextOf(JsonKind kind, const JsonType& type,
                        const void* object) {
  switch (kind) {
    case JsonKind::kText:
      return static_cast<const String*>(object)->view();
    case JsonKind::kTextView:
      return *static_cast<const std::string_view*>(object);
    case JsonKind::kCText:
      return *static_cast<const char* const*>(object);
    default: {
      const auto* const chars = static_cast<const char*>(object);
      return {chars, ::strnlen(chars, type.count)};
    }
  }
}

std::string_view KeyText(const JsonType& type, const void* key,
                         std::string& room) {
  JsonKind kind = type.kind;
  if (kind == JsonKind::kText || kind == JsonKind::kTextView) {
    return TextOf(kind, type, key);
  }
  if (kind == JsonKind::kEnum) {
    const std::string_view name = EnumeratorName(type, key);
    if (!name.empty()) return name;
    kind = type.number;
  }
  const std::uint64_t bits = LoadInteger(kind, key);
  room = IsSignedInteger(kind) ? std::to_string(static_cast<std::int64_t>(bits))
                               : std::to_string(bits);
  return room;
}

std::string_view TagOf(const JsonType& type, std::size_t index) {
  static constexpr auto kNumbers = [] {
    std::array<char, 300> numbers{};
    for (std::size_t i = 0; i < 100; ++i) {
      numbers[3 * i] = static_cast<char>('0' + i / 10);
      numbers[3 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return numbers;
  }();
  const std::string_view name = type.fields[index].name;
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (i == index || type.fields[i].name != name) continue;
    const bool is_short = index < 10;
    return {kNumbers.data() + 3 * index + (is_short ? 1 : 0),
            is_short ? std::size_t{1} : std::size_t{2}};
  }
  return name;
}

bool IsBase(const FieldLayout& field, const TypeLayout& type) {
  if (type.kind != TypeKind::kStruct || !type.name.ends_with(field.name)) {
    return false;
  }
  const std::string_view before =
      type.name.substr(0, type.name.size() - field.name.size());
  return before.empty() || before.ends_with("::");
}

std::vector<const char*> SortedEntries(const JsonType& type, const void* map) {
  std::vector<std::pair<std::string, const char*>> sorted;
  const JsonType& key_type = type.key();
  ForEachElementRun(type, map, [&](const void* first, std::size_t count) {
    const auto* entry = static_cast<const char*>(first);
    for (; count != 0; --count, entry += type.element_size) {
      std::string room;
      sorted.emplace_back(KeyText(key_type, entry, room), entry);
    }
    return true;
  });
  std::sort(sorted.begin(), sorted.end());
  std::vector<const char*> entries;
  entries.reserve(sorted.size());
  for (const auto& [text, entry] : sorted) entries.push_back(entry);
  return entries;
}

bool IsNullInJson(const JsonType& type, const void* object) {
  const void* part = nullptr;
  switch (type.kind) {
    case JsonKind::kNull:
      return true;
    case JsonKind::kAny:
      return static_cast<const Json*>(object)->is_null();
    case JsonKind::kNamed:
    case JsonKind::kCText:
      return *static_cast<const void* const*>(object) == nullptr;
    case JsonKind::kPointer:
      part = *static_cast<const void* const*>(object);
      return part == nullptr || IsNullInJson(type.element(), part);
    case JsonKind::kOptional:
      return type.ops->active(object, &part) < 0 ||
             IsNullInJson(type.element(), part);
    case JsonKind::kVariant: {
      const int active = type.ops->active(object, &part);
      return active >= 0 && type.fields[active].kind == JsonKind::kNull;
    }
    default:
      return false;
  }
}

bool LooksLikeReference(const JsonType& type, const void* object) {
  constexpr std::string_view kName = "$ref";
  switch (type.kind) {
    case JsonKind::kAny: {
      const Json& json = *static_cast<const Json*>(object);
      const Json* const only = json.size() == 1 ? json.find(kName) : nullptr;
      return only != nullptr && only->is_text();
    }
    case JsonKind::kStruct:
      return type.field_count == 1 && type.fields[0].name == kName;
    case JsonKind::kMap: {
      if (type.key().kind != JsonKind::kText) return false;
      std::size_t count = 0;
      bool has_name = false;
      ForEachElementRun(type, object, [&](const void* first, std::size_t n) {
        count += n;
        has_name = static_cast<const String*>(first)->view() == kName;
        return count < 2;
      });
      return count == 1 && has_name;
    }
    default:
      return false;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
