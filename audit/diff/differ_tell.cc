// SPDX-License-Identifier: MIT
//
// Differences and their paths.

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "acre/detail/parts.h"
#include "acre/detail/path.h"
#include "acre/detail/walk.h"
#include "diff/differ.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// As a step of a way: fields of pairs have names that are one already.
std::string FieldText(const FieldLayout& field) {
  return field.name[0] == '.' ? std::string(field.name)
                              : fmt::format(".{}", field.name);
}

/// The way from an object down to the part of that type at the address; false
/// where there is none.
bool FindPart(const TypeLayout& type, const char* object, const char* part,
              const TypeLayout& wanted, std::string& path) {
  if (object == part && SameType(type, wanted)) return true;
  if (part < object || part >= object + type.size) return false;
  const std::size_t length = path.size();
  const auto into = [&](const TypeLayout& inner, const char* at,
                        std::string_view name) {
    path += name;
    if (FindPart(inner, at, part, wanted, path)) return true;
    path.resize(length);
    return false;
  };
  if (type.kind == TypeKind::kStruct) {
    for (const FieldLayout& field : type.fields) {
      if (field.note == FieldNote::kOpaque) continue;
      if (into(*field.type(), object + field.offset, FieldText(field))) {
        return true;
      }
    }
    return false;
  }
  if (IsChoice(type)) {
    const ActivePart active = type.ops->active(object);
    if (active.object == nullptr) return false;
    return into(*type.fields[active.index].type(),
                static_cast<const char*>(active.object),
                type.fields.size() == 1
                    ? ".value()"
                    : fmt::format(".get<{}>()", active.index));
  }
  if (IsTuple(type)) {
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      if (into(*type.fields[i].type(),
               static_cast<const char*>(type.ops->part(object, i)),
               fmt::format(".get<{}>()", i))) {
        return true;
      }
    }
    return false;
  }
  if (IsArray(type)) {
    const TypeLayout& element = *type.element();
    const auto i = static_cast<std::size_t>(part - object) / element.size;
    return into(element, object + i * element.size, fmt::format("[{}]", i));
  }
  return false;
}

std::string Hex(const char* data, std::size_t size) {
  std::string text = "0x";
  for (std::size_t i = 0; i < size; ++i) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(data[i]));
  }
  return text;
}

/// A plain value as one would write it.
std::string ValueText(const TypeLayout& type, const char* value) {
  const auto as = [&]<class T>(T number) {
    std::memcpy(&number, value, sizeof number);
    return number;
  };
  if (type.name == "bool") return as(char{}) != 0 ? "true" : "false";
  if (type.name == "float") return fmt::format("{}", as(float{}));
  if (type.name == "double") return fmt::format("{}", as(double{}));
  if (type.name == "long double") return fmt::format("{}", as(0.0L));
  if (type.name == "char") {
    const char c = as(char{});
    return c >= ' ' && c != '\x7f' ? fmt::format("'{}'", c)
                                   : fmt::format("{}", static_cast<int>(c));
  }
  std::string number = KeyText(type, value, 0);
  if (number[0] != '#') return number;
  // Enumerations, durations and the like: what they are made of.
  switch (type.size) {
    case 1:
      return fmt::format("{}", as(std::uint8_t{}));
    case 2:
      return fmt::format("{}", as(std::int16_t{}));
    case 4:
      return fmt::format("{}", as(std::int32_t{}));
    case 8:
      return fmt::format("{}", as(std::int64_t{}));
    default:
      return Hex(value, std::min<std::size_t>(type.size, 16));
  }
}

}  // namespace

std::string TypeTextOf(const TypeLayout& type) { return TypeText(type.name); }

std::string EntryText(const StateStep& step, const void* element,
                      std::size_t ordinal) {
  const TypeLayout& key = *step.type->fields[0].type();
  const bool is_map = step.type->fields.size() > 1;
  return fmt::format(fmt::runtime(is_map ? "[{}]" : "{{{}}}"),
                     KeyText(key, element, ordinal));
}

/// Notes that there is a difference, at that address; true where it is to be
/// told. An element is met as part of its row, and through pointers to it.
bool Differ::Wants(const void* place) {
  is_different_ = true;
  if (!tells_ || !told_.insert(place).second) return false;
  if (report_->differences.size() < options_.max_differences) return true;
  ++report_->omitted;
  return false;
}

void Differ::Tell(DiffKind kind, Pair at, const TypeLayout& type,
                  std::string path, std::string here, std::string there) {
  report_->differences.push_back({std::move(path), std::move(here),
                                  std::move(there), TypeText(type.name), kind,
                                  at.here, at.there});
}

void Differ::CompareText(const StateStep& step, Pair at, ElementRun here,
                         ElementRun there) {
  if (here.count == there.count &&
      (here.count == 0 ||
       std::memcmp(here.data, there.data, here.count) == 0)) {
    return;
  }
  if (!Wants(at.here)) return;
  constexpr std::size_t kLongestText = 200;
  Tell(DiffKind::kValue, at, *step.type, PathOf(current_, at.here, *step.type),
       Quoted(here, kLongestText), Quoted(there, kLongestText));
}

/// The plain parts in [begin, end) of an object that differ.
void Differ::TellBytes(const TypeLayout& type, Pair object, std::size_t begin,
                       std::size_t end, const std::string& path) {
  const auto part_of = [&](const TypeLayout& part, std::size_t offset,
                           const std::string& name) {
    if (offset >= end || offset + part.size <= begin) return;
    const std::size_t from = begin > offset ? begin - offset : 0;
    TellBytes(part, {object.here + offset, object.there + offset}, from,
              end - offset, path + name);
  };
  if (IsArray(type)) {
    const TypeLayout& element = *type.element();
    for (std::size_t i = 0; i < type.count; ++i) {
      part_of(element, i * element.size, fmt::format("[{}]", i));
    }
    return;
  }
  if (type.kind == TypeKind::kStruct) {
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
      const FieldLayout& field = type.fields[i];
      if (field.note == FieldNote::kOpaque) {
        const HoleBytes hole = HoleAt(type, i);
        const std::size_t from = std::max(begin, hole.offset);
        const std::size_t to = std::min(end, hole.offset + hole.size);
        if (from < to &&
            std::memcmp(object.here + from, object.there + from, to - from) !=
                0 &&
            Wants(object.here + from)) {
          Tell(DiffKind::kValue, {object.here + from, object.there + from},
               type, path + "." + std::string(field.name),
               Hex(object.here + from, to - from),
               Hex(object.there + from, to - from));
        }
        continue;
      }
      if (field.is_transient || field.note == FieldNote::kBorrowed) continue;
      part_of(*field.type(), field.offset, FieldText(field));
    }
    return;
  }
  if (type.kind != TypeKind::kPlain || type.ops != nullptr) return;
  const std::size_t size = std::min(type.size, end);
  if (std::memcmp(object.here, object.there, size) == 0 ||
      !Wants(object.here)) {
    return;
  }
  std::string here = ValueText(type, object.here);
  std::string there = ValueText(type, object.there);
  if (here == there) {
    // NaNs, and what is longer than is shown.
    const auto at = static_cast<std::size_t>(
        std::mismatch(object.here, object.here + size, object.there).first -
        object.here);
    const std::size_t from = at - at % 8;
    const std::size_t shown = std::min<std::size_t>(8, size - from);
    const std::string where = from == 0 ? "" : fmt::format("at +{}: ", from);
    here = where + Hex(object.here + from, shown);
    there = where + Hex(object.there + from, shown);
  }
  Tell(DiffKind::kValue, object, type, path, std::move(here), std::move(there));
}

/// Of a part of an item's objects.
std::string Differ::PathOf(std::uint32_t item, const char* part,
                           const TypeLayout& type) const {
  constexpr std::size_t kFirst = 16;
  constexpr std::size_t kLast = 32;
  // From the part up to the root, since ways may be long.
  std::vector<std::string> pieces;
  for (const TypeLayout* wanted = &type;;) {
    const Item& objects = items_[item];
    const Origin& origin = origins_[item];
    const std::size_t size = objects.plan->type->size;
    const auto i = static_cast<std::size_t>(part - objects.at.here) / size;
    std::string piece;
    const char* const object = objects.at.here + i * size;
    std::string inside;
    FindPart(*objects.plan->type, object, part, *wanted, inside);
    switch (origin.via) {
      case Via::kRoot:
        piece = TypeText(objects.plan->type->name);
        break;
      case Via::kPointer:
        break;
      case Via::kElements:
        piece = fmt::format("[{}]", origin.ordinal + i);
        break;
      case Via::kEntry: {
        const bool is_map = origin.type->fields.size() > 1;
        const TypeLayout& key = *origin.type->fields[0].type();
        const std::string name = KeyText(key, object, origin.ordinal);
        constexpr std::string_view kValue = ".second";
        if (is_map && inside.starts_with(kValue)) {
          piece = fmt::format("[{}]", name);
          inside.erase(0, kValue.size());
        } else {
          piece = fmt::format("{{{}}}", name);
          if (is_map && inside.starts_with(".first")) inside.erase(0, 6);
        }
        break;
      }
    }
    pieces.push_back(piece + inside);
    if (origin.via == Via::kRoot) break;
    part = origin.slot;
    wanted = origin.type;
    item = origin.parent;
  }
  std::string path;
  for (std::size_t i = pieces.size(); i-- > 0;) {
    if (pieces.size() - i > kFirst && i >= kLast) {
      path += fmt::format("...({} more)...", i + 1 - kLast);
      i = kLast;
      continue;
    }
    path += pieces[i];
  }
  return path;
}

void Differ::Note(std::uint64_t number, std::uint32_t item, const char* at,
                  const StatePlan& plan) {
  if (!tells_) return;
  if (met_.size() <= number) met_.resize(number + 1);
  met_[number] = {item, at, plan.type};
}

std::string Differ::WhereIs(std::uint64_t number) const {
  if (number >= met_.size() || met_[number].type == nullptr ||
      met_[number].item >= items_.size()) {
    return "an object met before";
  }
  const Met& met = met_[number];
  return PathOf(met.item, met.at, *met.type);
}

}  // namespace acre::inline ACRE_ABI::detail
