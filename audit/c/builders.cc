// SPDX-License-Identifier: MIT
//
// The C API: builders of texts; and what holds for all three kinds of object.

#include <cmath>
#include <string>
#include <string_view>

#include "acre/acre.h"
#include "acre/audit.h"
#include "acre/audit_report.h"
#include "acre/deep_copy.h"
#include "acre/json_writer.h"
#include "calls.h"
#include "homes.h"

namespace acre::c_api {
namespace {

/// Calls f(object), whatever its kind.
template <class F>
int CallForAny(const acre_ref* ref, F f) {
  switch (ref == nullptr ? 0 : KindAt(*ref)) {
    case ACRE_MAP:
      return f(*static_cast<MapObject*>(ref->pointer));
    case ACRE_VECTOR:
      return f(*static_cast<VectorObject*>(ref->pointer));
    case ACRE_BUILDER:
      return f(*static_cast<BuilderObject*>(ref->pointer));
    default:
      return FailToOpen(ref, kAnyKind);
  }
}

void EmptyObject(Arena& arena, MapObject& map) { EmptyMap(arena, map); }
void EmptyObject(Arena& arena, VectorObject& vector) {
  EmptyVector(arena, vector);
}
void EmptyObject(Arena&, BuilderObject& builder) { builder.text.Release(); }

// -------------------------------------------------------------- their texts

void AppendCharacter(std::string& to, std::uint32_t character) {
  const auto byte = [&](std::uint32_t bits) {
    to.push_back(static_cast<char>(bits));
  };
  if (character < 0x80) {
    byte(character);
    return;
  }
  const int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
  static constexpr std::uint32_t kFirst[] = {0, 0xC0, 0xE0, 0xF0};
  byte(kFirst[more] | character >> (6 * more));
  for (int i = more - 1; i >= 0; --i) {
    byte(0x80 | (character >> (6 * i) & 0x3F));
  }
}

/// ACRE_OK and the text of a value that is none itself.
int ToText(const acre_value& value, std::string& text) {
  switch (value.kind) {
    case ACRE_NULL:
      text = "null";
      return ACRE_OK;
    case ACRE_BOOL:
      text = value.as.boolean ? "true" : "false";
      return ACRE_OK;
    case ACRE_INT:
      text = std::to_string(value.as.integer);
      return ACRE_OK;
    case ACRE_DOUBLE:
      if (std::isfinite(value.as.number)) {
        JsonWriter json(text);
        json.Value(value.as.number);
        json.Flush();
      } else {
        text = "null";
      }
      return ACRE_OK;
    case ACRE_CHAR:
      if (value.as.character > 0x10FFFF ||
          (value.as.character >= 0xD800 && value.as.character < 0xE000)) {
        return Fail(ACRE_OUT_OF_RANGE, "acre: %#x is no character",
                    static_cast<unsigned>(value.as.character));
      }
      AppendCharacter(text, value.as.character);
      return ACRE_OK;
    default:
      return Fail(ACRE_WRONG_KIND,
                  "acre: nothing of the kind '%s' can be appended to a text",
                  acre_kind_name(value.kind));
  }
}

}  // namespace
}  // namespace acre::c_api

using namespace acre;         // NOLINT(google-build-using-namespace)
using namespace acre::c_api;  // NOLINT(google-build-using-namespace)

int acre_builder_new(acre_arena* arena, acre_ref* builder) {
  return New<BuilderObject>(arena, builder);
}

int acre_builder_append(const acre_ref* builder, const char* data,
                        size_t size) {
  if (size != 0) ACRE_C_REQUIRE(data);
  return Call([&]() -> int {
    BuilderObject* object = nullptr;
    const int status = OpenToChange(builder, &object);
    if (status != ACRE_OK || size == 0) return status;
    object->text.append(std::string_view(data, size));
    return ACRE_OK;
  });
}

int acre_builder_append_value(const acre_ref* builder,
                              const acre_value* value) {
  ACRE_C_REQUIRE(value);
  if (value->kind >= ACRE_TEXT && value->kind <= ACRE_BYTES) {
    return acre_builder_append(builder, value->as.text.data,
                               value->as.text.size);
  }
  if (value->kind == ACRE_BUILDER) {
    const char* data = nullptr;
    size_t size = 0;
    const int status = acre_builder_text(&value->as.ref, &data, &size);
    return status == ACRE_OK ? acre_builder_append(builder, data, size)
                             : status;
  }
  return Call([&]() -> int {
    std::string text;
    const int status = ToText(*value, text);
    return status == ACRE_OK
               ? acre_builder_append(builder, text.data(), text.size())
               : status;
  });
}

int acre_builder_text(const acre_ref* builder, const char** data,
                      size_t* size) {
  ACRE_C_REQUIRE(data);
  ACRE_C_REQUIRE(size);
  return CallReader([&]() -> int {
    BuilderObject* object = nullptr;
    const int status = Open(builder, &object);
    if (status != ACRE_OK) return status;
    *data = object->text.c_str();
    *size = object->text.size();
    return ACRE_OK;
  });
}

int acre_builder_truncate(const acre_ref* builder, size_t size) {
  return Call([&]() -> int {
    BuilderObject* object = nullptr;
    const int status = OpenToChange(builder, &object);
    if (status != ACRE_OK) return status;
    if (size > object->text.size()) {
      return Fail(ACRE_OUT_OF_RANGE,
                  "acre: arena '%s': a text of %zu bytes cannot be cut to %zu",
                  ArenaOf(*builder).name(), object->text.size(), size);
    }
    object->text.resize(size);
    return ACRE_OK;
  });
}

// ---------------------------------------------------------- all three kinds

int acre_ref_kind(const acre_ref* ref, uint32_t* kind) {
  ACRE_C_REQUIRE(kind);
  return Call([&] {
    return CallForAny(ref, [&](const auto& object) -> int {
      *kind = static_cast<uint32_t>(object.kind);
      return ACRE_OK;
    });
  });
}

bool acre_ref_is_live(const acre_ref* ref) {
  const std::uint64_t kind = ref == nullptr ? 0 : KindAt(*ref);
  return kind != 0 && kind != kFreed;
}

int acre_ref_free(const acre_ref* ref) {
  return Call([&] {
    return CallForAny(ref, [&](auto& object) -> int {
      const int status = CheckChangeable(*ref);
      if (status != ACRE_OK) return status;
      EmptyObject(ArenaOf(*ref), object);
      object.kind = kFreed;
      return ACRE_OK;
    });
  });
}

int acre_ref_copy(const acre_ref* ref, acre_arena* arena, acre_ref* copy) {
  ACRE_C_REQUIRE(copy);
  return CallFor(arena, [&](Arena& to) -> int {
    return CallForAny(ref, [&](const auto& object) -> int {
      if (HoldsObjects(ArenaOf(*ref)) && !HoldsObjects(to)) {
        return Fail(ACRE_NO_OBJECTS,
                    "acre: arena '%s' holds objects of the host, arena '%s' "
                    "was not made to",
                    ArenaOf(*ref).name(), to.name());
      }
      *copy = {DeepCopy(to, object), arena, to.stamp()};
      return ACRE_OK;
    });
  });
}

int acre_ref_audit(const acre_ref* ref, acre_write write, void* data) {
  ACRE_C_REQUIRE(write);
  return Call([&] {
    return CallForAny(ref, [&](const auto& object) -> int {
      const std::string lines = ToJsonLines(Audit(ArenaOf(*ref), object));
      write(data, lines.data(), lines.size());
      return ACRE_OK;
    });
  });
}
