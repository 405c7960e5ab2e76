// SPDX-License-Identifier: MIT

#include "acre/to_json.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <vector>

#include "acre/json.h"
#include "json_links.h"
#include "json_maker.h"
#include "json_walk.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Writes one value. With a path it looks for the place of an error that was
/// found without: most texts have none, and none pays for it.
class Emitter {
 public:
  Emitter(JsonWriter& json, JsonLinks* links, std::vector<JsonStep>* path)
      : json_(json), links_(links), path_(path) {}

  /// False where it ended with an error.
  bool Emit(JsonKind kind, GetJsonType get_type, const void* object);

  JsonError error;

 private:
  bool EmitFields(const JsonType& type, const void* object);
  bool EmitElements(const JsonType& type, const void* object);
  bool EmitMap(const JsonType& type, const void* object);
  bool EmitEntry(const JsonType& type, const char* entry, std::size_t index);
  bool EmitSorted(const JsonType& type, const void* object);
  bool EmitPairs(const JsonType& type, const void* object);
  bool EmitTuple(const JsonType& type, const void* object);
  bool EmitVariant(const JsonType& type, const void* object);
  bool EmitPointer(const JsonType& type, const void* object);
  bool EmitAny(const Json& json);
  bool EmitAnyObject(const Json& json);
  bool EmitAnyPart(const JsonStep& step, const Json& json) {
    if (path_ == nullptr) return EmitAny(json);
    path_->push_back(step);
    if (!EmitAny(json) || json_.error() != JsonWriteError::kNone) return false;
    path_->pop_back();
    return true;
  }
  /// `step` makes the JsonStep that leads there: asked for with a path only.
  template <class Step>
  ACRE_INLINE bool EmitPart(Step step, JsonKind kind, GetJsonType type,
                            const void* object) {
    if (ACRE_LIKELY(path_ == nullptr)) return Emit(kind, type, object);
    path_->push_back(step());
    if (!Emit(kind, type, object)) return false;
    path_->pop_back();
    return true;
  }
  /// A level deeper; false, with an error, where that is too deep.
  bool Enter();
  bool Fail(const char* what) {
    error.what = what;
    return false;
  }

  JsonWriter& json_;
  JsonLinks* const links_;             // null: no pointers
  std::vector<JsonStep>* const path_;  // null: no places are noted
  unsigned depth_ = 0;
};

template <class T>
T Load(const void* object) {
  T value;
  std::memcpy(&value, object, sizeof value);
  return value;
}

bool Emitter::Enter() {
  if (++depth_ <= json_.style().max_depth) return true;
  error.what = "nests deeper than " + std::to_string(json_.style().max_depth) +
               " levels (a list linked by pointers nests, too: keep its "
               "objects in a Vector)";
  return false;
}

bool Emitter::Emit(JsonKind kind, GetJsonType get_type, const void* object) {
  switch (kind) {
    case JsonKind::kNull:
    case JsonKind::kNone:
      json_.Null();
      break;
    case JsonKind::kBool:
      json_.Value(Load<std::uint8_t>(object) != 0);
      break;
    case JsonKind::kInt8:
      json_.Value(std::int64_t{Load<std::int8_t>(object)});
      break;
    case JsonKind::kInt16:
      json_.Value(std::int64_t{Load<std::int16_t>(object)});
      break;
    case JsonKind::kInt32:
      json_.Value(std::int64_t{Load<std::int32_t>(object)});
      break;
    case JsonKind::kInt64:
      json_.Value(Load<std::int64_t>(object));
      break;
    case JsonKind::kUint8:
      json_.Value(std::uint64_t{Load<std::uint8_t>(object)});
      break;
    case JsonKind::kUint16:
      json_.Value(std::uint64_t{Load<std::uint16_t>(object)});
      break;
    case JsonKind::kUint32:
      json_.Value(std::uint64_t{Load<std::uint32_t>(object)});
      break;
    case JsonKind::kUint64:
      json_.Value(Load<std::uint64_t>(object));
      break;
    case JsonKind::kFloat:
      json_.Value(Load<float>(object));
      break;
    case JsonKind::kDouble:
      json_.Value(Load<double>(object));
      break;
    case JsonKind::kText:
      json_.Value(static_cast<const String*>(object)->view());
      break;
    case JsonKind::kTextView:
      json_.Value(Load<std::string_view>(object));
      break;
    case JsonKind::kCText: {
      const auto* const text = Load<const char*>(object);
      if (text == nullptr) {
        json_.Null();
      } else {
        json_.Value(text);
      }
      break;
    }
    case JsonKind::kChars:
      json_.Value(TextOf(kind, get_type(), object));
      break;
    case JsonKind::kNamed: {
      const void* const target = Load<const void*>(object);
      if (target == nullptr) {
        json_.Null();
      } else {
        json_.Value(get_type().ops->name(target));
      }
      break;
    }
    case JsonKind::kEnum: {
      const JsonType& type = get_type();
      const std::string_view name = EnumeratorName(type, object);
      if (name.empty()) return Emit(type.number, nullptr, object);
      json_.Value(name);
      break;
    }
    case JsonKind::kOptional: {
      const JsonType& type = get_type();
      const void* part = nullptr;
      if (type.ops->active(object, &part) >= 0) {
        return Emit(type.element_kind, type.element, part);
      }
      json_.Null();
      break;
    }
    case JsonKind::kPointer:
      return EmitPointer(get_type(), object);
    case JsonKind::kVariant:
      return EmitVariant(get_type(), object);
    case JsonKind::kAny:
      if (!EmitAny(*static_cast<const Json*>(object))) return false;
      break;
    default: {
      if (!Enter()) return false;
      const JsonType& type = get_type();
      bool is_fine = false;
      switch (kind) {
        case JsonKind::kStruct:
          is_fine = EmitFields(type, object);
          break;
        case JsonKind::kMap:
          is_fine = EmitMap(type, object);
          break;
        case JsonKind::kTuple:
          is_fine = EmitTuple(type, object);
          break;
        default:
          is_fine = EmitElements(type, object);
      }
      --depth_;
      return is_fine;
    }
  }
  // Where the writer has noted an error, this was the value.
  return path_ == nullptr || json_.error() == JsonWriteError::kNone;
}

bool Emitter::EmitFields(const JsonType& type, const void* object) {
  const auto* const bytes = static_cast<const char*>(object);
  json_.BeginObject();
  for (std::size_t i = 0; i < type.field_count; ++i) {
    const JsonField& field = type.fields[i];
    if (field.is_plain) {
      json_.PlainKey(field.name);
    } else {
      json_.Key(field.name);
    }
    if (!EmitPart(
            [&] {
              return JsonStep{.kind = JsonStep::Kind::kName,
                              .name = field.name};
            },
            field.kind, field.type, bytes + field.offset)) {
      return false;
    }
  }
  json_.EndObject();
  return true;
}

bool Emitter::EmitElements(const JsonType& type, const void* object) {
  std::size_t index = 0;
  json_.BeginArray();
  const bool is_fine = ForEachElementRun(
      type, object, [&](const void* first, std::size_t count) {
        const auto* at = static_cast<const char*>(first);
        for (; count != 0; --count, at += type.element_size, ++index) {
          if (!EmitPart(
                  [&] {
                    return JsonStep{.kind = JsonStep::Kind::kIndex,
                                    .index = index};
                  },
                  type.element_kind, type.element, at)) {
            return false;
          }
        }
        return true;
      });
  json_.EndArray();
  return is_fine;
}

bool Emitter::EmitTuple(const JsonType& type, const void* object) {
  json_.BeginArray();
  for (std::size_t i = 0; i < type.field_count; ++i) {
    if (!EmitPart(
            [&] {
              return JsonStep{.kind = JsonStep::Kind::kIndex, .index = i};
            },
            type.fields[i].kind, type.fields[i].type,
            TuplePart(type, object, i))) {
      return false;
    }
  }
  json_.EndArray();
  return true;
}

bool Emitter::EmitVariant(const JsonType& type, const void* object) {
  const void* part = nullptr;
  const int active = type.ops->active(object, &part);
  if (active < 0) return Fail("a variant that has lost its value");
  const auto index = static_cast<std::size_t>(active);
  const JsonField& alternative = type.fields[index];
  if (alternative.kind == JsonKind::kNull) {
    json_.Null();
    return true;
  }
  if (!Enter()) return false;
  const std::string_view tag = TagOf(type, index);
  json_.BeginObject();
  json_.Key(tag);
  if (!EmitPart(
          [&] { return JsonStep{.kind = JsonStep::Kind::kName, .name = tag}; },
          alternative.kind, alternative.type, part)) {
    return false;
  }
  json_.EndObject();
  --depth_;
  return true;
}

bool Emitter::EmitMap(const JsonType& type, const void* object) {
  if (!IsTextKey(type.key().kind)) return EmitPairs(type, object);
  json_.BeginObject();
  bool is_fine = true;
  if (json_.style().sort_keys) {
    is_fine = EmitSorted(type, object);
  } else {
    std::size_t index = 0;
    is_fine = ForEachElementRun(
        type, object, [&](const void* first, std::size_t count) {
          const auto* entry = static_cast<const char*>(first);
          for (; count != 0; --count, entry += type.element_size, ++index) {
            if (!EmitEntry(type, entry, index)) return false;
          }
          return true;
        });
  }
  json_.EndObject();
  return is_fine;
}

bool Emitter::EmitEntry(const JsonType& type, const char* entry,
                        std::size_t index) {
  const JsonType& key_type = type.key();
  if (key_type.kind == JsonKind::kText) {
    json_.Key(reinterpret_cast<const String*>(entry)->view());
  } else {
    std::string room;
    json_.Key(KeyText(key_type, entry, room));
  }
  return EmitPart(
      [&] {
        return JsonStep{.kind = JsonStep::Kind::kKey,
                        .index = index,
                        .key_type = &key_type,
                        .key = entry};
      },
      type.element_kind, type.element, entry + type.value_offset);
}

bool Emitter::EmitSorted(const JsonType& type, const void* object) {
  std::size_t index = 0;
  for (const char* entry : SortedEntries(type, object)) {
    if (!EmitEntry(type, entry, index++)) return false;
  }
  return true;
}

bool Emitter::EmitPairs(const JsonType& type, const void* object) {
  const JsonType& key_type = type.key();
  std::size_t index = 0;
  json_.BeginArray();
  const bool is_fine = ForEachElementRun(
      type, object, [&](const void* first, std::size_t count) {
        const auto* entry = static_cast<const char*>(first);
        for (; count != 0; --count, entry += type.element_size, ++index) {
          JsonStep step{.kind = JsonStep::Kind::kPair,
                        .name = "0",
                        .index = index,
                        .key_type = &key_type,
                        .key = entry};
          if (!Enter()) return false;
          json_.BeginArray();
          if (!EmitPart([&] { return step; }, key_type.kind, type.key, entry))
            return false;
          step.name = "1";
          if (!EmitPart([&] { return step; }, type.element_kind, type.element,
                        entry + type.value_offset)) {
            return false;
          }
          json_.EndArray();
          --depth_;
        }
        return true;
      });
  json_.EndArray();
  return is_fine;
}

bool Emitter::EmitPointer(const JsonType& type, const void* slot) {
  const void* const target = Load<const void*>(slot);
  // What is null has no place that a reference could lead to.
  if (target == nullptr || IsNullInJson(type.element(), target)) {
    json_.Null();
    return true;
  }
  switch (links_->FormOf(slot, type.element(), target)) {
    case JsonLinks::Form::kObject:
      if (LooksLikeReference(type.element(), target)) {
        return Fail(
            "what it points to would be taken for a reference: its one member "
            "is named $ref");
      }
      return Emit(type.element_kind, type.element, target);
    case JsonLinks::Form::kReference:
      json_.BeginObject();
      json_.Field("$ref", links_->path());
      json_.EndObject();
      return true;
    case JsonLinks::Form::kNowhere:
      break;
  }
  return Fail(
      "points into an object that nothing but its own inside points to: there "
      "is no place in the text where it could stand");
}

bool Emitter::EmitAny(const Json& json) {
  switch (json.kind()) {
    case Json::Kind::kNull:
      json_.Null();
      return true;
    case Json::Kind::kBool:
      json_.Value(*json.get_if<bool>());
      return true;
    case Json::Kind::kInt:
      json_.Value(JsonMaker::IntegerOf(json));
      return true;
    case Json::Kind::kUint:
      json_.Value(static_cast<std::uint64_t>(JsonMaker::IntegerOf(json)));
      return true;
    case Json::Kind::kDouble:
      json_.Value(*json.get_if<double>());
      return true;
    case Json::Kind::kText:
      json_.Value(JsonMaker::TextOf(json));
      return true;
    default:
      break;
  }
  if (!Enter()) return false;
  if (json.is_object()) {
    if (!EmitAnyObject(json)) return false;
  } else {
    std::size_t index = 0;
    json_.BeginArray();
    for (const Json& each : json) {
      if (!EmitAnyPart({.kind = JsonStep::Kind::kIndex, .index = index},
                       each)) {
        return false;
      }
      ++index;
    }
    json_.EndArray();
  }
  --depth_;
  return true;
}

bool Emitter::EmitAnyObject(const Json& json) {
  json_.BeginObject();
  const auto emit = [this](const Json::Member& member) {
    json_.Key(member.name());
    return EmitAnyPart({.kind = JsonStep::Kind::kName, .name = member.name()},
                       member.value());
  };
  const auto members = json.members();
  if (json_.style().sort_keys) {
    std::vector<const Json::Member*> sorted;
    for (const Json::Member& member : members) sorted.push_back(&member);
    std::sort(sorted.begin(), sorted.end(),
              [](const Json::Member* a, const Json::Member* b) {
                return a->name() < b->name();
              });
    for (const Json::Member* member : sorted) {
      if (!emit(*member)) return false;
    }
  } else {
    for (const Json::Member& member : members) {
      if (!emit(member)) return false;
    }
  }
  json_.EndObject();
  return true;
}

const char* WordsFor(JsonWriteError error) {
  switch (error) {
    case JsonWriteError::kNotFinite:
      return "JSON has no number for NaN and infinities (see "
             "JsonStyle::not_finite)";
    case JsonWriteError::kNotUtf8:
      return "the text is no UTF-8 (see JsonStyle::bytes)";
    case JsonWriteError::kSink:
      return "not all of the text could be written";
    case JsonWriteError::kNone:
      break;
  }
  return "";
}

/// The same once more into nothing, up to the error.
std::string PathOfError(const JsonStyle& style, GetJsonType type,
                        const void* object, JsonLinks* links) {
  const JsonSink nothing{[](void*, const char*, std::size_t) { return true; },
                         nullptr};
  JsonWriter json(nothing, style);
  std::vector<JsonStep> steps;
  static_cast<void>(
      Emitter(json, links, &steps).Emit(type().kind, type, object));
  std::string path;
  for (const JsonStep& step : steps) AppendPath(path, step);
  return path;
}

}  // namespace

JsonError WriteJsonValue(JsonWriter& json, GetJsonType type,
                         const void* object) {
  const JsonWriteError before = json.error();
  std::optional<JsonLinks> links;
  if (PlanOf(type()).has_pointers) {
    links.emplace(type(), object, json.style());
  }
  JsonLinks* const known = links ? &*links : nullptr;
  Emitter emitter(json, known, nullptr);
  JsonError error;
  if (!emitter.Emit(type().kind, type, object)) {
    error = std::move(emitter.error);
  } else if (json.error() != before) {
    error.what = WordsFor(json.error());
    if (json.error() == JsonWriteError::kSink) return error;
  } else {
    return error;
  }
  error.path = PathOfError(json.style(), type, object, known);
  return error;
}

JsonOr<std::string> JsonTextOf(const JsonStyle& style, GetJsonType type,
                               const void* object) {
  std::string text;
  JsonError error;
  {
    JsonWriter json(text, style);
    error = WriteJsonValue(json, type, object);
    json.Flush();
  }
  if (error) return error;
  return text;
}

}  // namespace acre::inline ACRE_ABI::detail
