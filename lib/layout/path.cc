// SPDX-License-Identifier: MIT

#include "acre/detail/path.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

bool Holds(const void* begin, std::size_t size, const void* address) {
  const auto* p = static_cast<const char*>(begin);
  return address >= p && address < p + size;
}

bool IsText(const TypeLayout& type) {
  return (type.kind == TypeKind::kView || type.kind == TypeKind::kHandle) &&
         type.element != nullptr && type.element()->name == "char";
}

bool IsSignedName(std::string_view name) {
  return name == "int" || name == "long" || name == "long int" ||
         name == "short" || name == "short int" || name == "long long" ||
         name == "long long int" || name == "signed char";
}

bool IsUnsignedName(std::string_view name) {
  return name.find("unsigned") != std::string_view::npos;
}

/// Sign-extends from the size of the type.
std::string NumberText(const TypeLayout& type, const void* key) {
  std::uint64_t bits = 0;
  // To where the low bytes are.
  const std::size_t at =
      std::endian::native == std::endian::big ? sizeof bits - type.size : 0;
  std::memcpy(reinterpret_cast<char*>(&bits) + at, key, type.size);
  if (IsUnsignedName(type.name)) return std::to_string(bits);
  const unsigned shift = 64 - 8 * static_cast<unsigned>(type.size);
  return std::to_string(static_cast<std::int64_t>(bits << shift) >> shift);
}

std::string InBrackets(std::size_t i) {
  return Joined({"[", std::to_string(i), "]"});
}

std::string Alternative(std::size_t i) {
  return Joined({".get<", std::to_string(i), ">()"});
}

/// The part of a struct, tuple or choice that holds the address; empty where
/// it is in padding.
std::string PartPath(const TypeLayout& type, const void* object,
                     const void* address, bool may_read) {
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const FieldLayout& field = type.fields[i];
    if (field.note == FieldNote::kOpaque) continue;
    const void* part = static_cast<const char*>(object) + field.offset;
    if (type.kind == TypeKind::kTuple) part = type.ops->part(object, i);
    if (!Holds(part, field.size, address)) continue;
    std::string name(field.name);
    if (type.kind == TypeKind::kTuple) name = Alternative(i);
    if (name[0] != '.') name.insert(0, 1, '.');
    if (field.note == FieldNote::kBorrowed) return name;
    return name + PathInside(*field.type(), part, address, may_read);
  }
  return {};
}

}  // namespace

std::string PathInside(const TypeLayout& type, const void* object,
                       const void* address, bool may_read) {
  switch (type.kind) {
    case TypeKind::kStruct:
    case TypeKind::kTuple:
      return PartPath(type, object, address, may_read);
    case TypeKind::kArray: {
      const TypeLayout& element = *type.element();
      const auto* begin = static_cast<const char*>(object);
      const auto i =
          static_cast<std::size_t>(static_cast<const char*>(address) - begin) /
          element.size;
      return InBrackets(i) +
             PathInside(element, begin + i * element.size, address, may_read);
    }
    case TypeKind::kChoice: {
      if (!may_read) return {};
      const ActivePart active = type.ops->active(object);
      const TypeLayout& part = *type.fields[active.index].type();
      const std::string name =
          type.fields.size() == 1 ? ".value()" : Alternative(active.index);
      return name + PathInside(part, active.object, address);
    }
    case TypeKind::kPlain:
    case TypeKind::kPointer:
    case TypeKind::kView:
    case TypeKind::kHandle:
      return {};
  }
  return {};
}

std::string Joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string Quoted(ElementRun run, std::size_t longest) {
  const std::string_view text(static_cast<const char*>(run.data), run.count);
  std::string quoted = "\"";
  for (const char c : text.substr(0, longest)) {
    if (c == '"' || c == '\\') quoted += '\\';
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      quoted += {'\\', 'x', kDigits[byte / 16], kDigits[byte % 16]};
    } else {
      quoted += c;
    }
  }
  return quoted + (text.size() <= longest ? "\"" : "...\"");
}

std::string KeyText(const TypeLayout& type, const void* key,
                    std::size_t ordinal) {
  if (IsText(type)) {
    constexpr std::size_t kLongest = 40;
    std::size_t cursor = 0;
    return Quoted(type.kind == TypeKind::kView
                      ? type.ops->view(key)
                      : type.ops->next_run(key, &cursor),
                  kLongest);
  }
  if (type.kind == TypeKind::kPlain && type.size <= 8 &&
      (IsSignedName(type.name) || IsUnsignedName(type.name))) {
    return NumberText(type, key);
  }
  return Joined({"#", std::to_string(ordinal)});
}

EntryWay WayIntoEntry(const TypeLayout& element, const void* entry,
                      std::size_t ordinal, std::string within) {
  constexpr std::string_view kKey = ".first";
  constexpr std::string_view kValue = ".second";
  const bool is_pair =
      element.fields.size() == 2 && element.fields[0].name == kKey;
  const TypeLayout& key = is_pair ? *element.fields[0].type() : element;
  const std::string name = KeyText(key, entry, ordinal);
  if (is_pair && !within.starts_with(kKey)) {
    within.erase(0, kValue.size());
    return {Joined({"[", name, "]"}), std::move(within)};
  }
  if (is_pair) within.erase(0, kKey.size());
  return {Joined({"{", name, "}"}), std::move(within)};
}

std::string TypeText(std::string_view name) {
  std::string text(name);
  // What one compiler writes and the other does not: the identities of findings
  // are to be the same.
  for (const std::string_view gap : {" *", " &", " >"}) {
    for (std::size_t at; (at = text.find(gap)) != std::string::npos;) {
      text.erase(at, 1);
    }
  }
  for (std::size_t at; (at = text.find("{anonymous}")) != std::string::npos;) {
    text.replace(at, 11, "(anonymous namespace)");
  }
  for (const std::string_view inline_name : {"release_v1::", "checked_v1::"}) {
    for (std::size_t at; (at = text.find(inline_name)) != std::string::npos;) {
      text.erase(at, inline_name.size());
    }
  }
  return text;
}

std::string BlockTypeText(const TypeLayout* type, bool is_storage) {
  if (is_storage) {
    return type == nullptr ? "storage of a Map or Set"
                           : Joined({"storage of ", TypeText(type->name)});
  }
  return type == nullptr ? "raw bytes" : TypeText(type->name);
}

}  // namespace acre::inline ACRE_ABI::detail
