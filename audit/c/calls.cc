// SPDX-License-Identifier: MIT

#include "calls.h"

#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <limits>

#include "acre/detail/location.h"
#include "homes.h"

namespace acre::c_api {
namespace {

// Initial-exec: this is asked in every call that fails, from a library that is
// loaded late. It takes little of what is set aside for those.
thread_local char t_error[1024] __attribute__((tls_model("initial-exec"))) = "";

const char* NameOfKind(std::uint64_t kind) {
  if (kind == kFreed) return "freed object";
  if (kind == kAnyKind) return "map, vector or builder";
  return acre_kind_name(static_cast<std::uint32_t>(kind));
}

}  // namespace

const char* LastError() { return t_error; }

int Fail(int status, const char* format, ...) {
  std::va_list args;
  va_start(args, format);
  std::vsnprintf(t_error, sizeof t_error, format, args);
  va_end(args);
  return status;
}

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kStale:
      return ACRE_STALE;
    case ErrorKind::kOutOfMemory:
      return ACRE_OUT_OF_MEMORY;
    case ErrorKind::kByteLimit:
      return ACRE_BYTE_LIMIT;
    case ErrorKind::kOutOfRange:
      return ACRE_OUT_OF_RANGE;
    case ErrorKind::kMisuse:
    case ErrorKind::kOther:
      break;
  }
  return ACRE_MISUSE;
}

int FailToOpen(const acre_ref* ref, std::uint64_t kind) {
  if (ref == nullptr || ref->base == nullptr || ref->pointer == nullptr) {
    return Fail(ACRE_MISUSE, "acre: a reference to nothing is used as a %s",
                NameOfKind(kind));
  }
  if (!IsLive(*ref)) {
    const bool has_name =
        !kChecked || detail::IsLiveIn(&ArenaOf(*ref), ArenaOf(*ref).stamp());
    return Fail(ACRE_STALE,
                "acre: arena '%s': a %s was used after the reset, the rewind "
                "or the end that gave it up",
                has_name ? ArenaOf(*ref).name() : "?", NameOfKind(kind));
  }
  const std::uint64_t found = *static_cast<const std::uint64_t*>(ref->pointer);
  if (found == kFreed) {
    return Fail(ACRE_STALE,
                "acre: arena '%s': a %s was used after it was freed",
                ArenaOf(*ref).name(), NameOfKind(kind));
  }
  return Fail(ACRE_WRONG_KIND, "acre: arena '%s': a %s was used as a %s",
              ArenaOf(*ref).name(), NameOfKind(found), NameOfKind(kind));
}

int OpenArena(acre_arena* handle, Arena** arena) {
  if (handle == nullptr) return Fail(ACRE_MISUSE, "acre: the arena is null");
  *arena = ArenaOf(handle);
  if (IsInUse(**arena)) return ACRE_OK;
  return Fail(ACRE_STALE, "acre: arena '%s' was used after acre_arena_end",
              (*arena)->name());
}

int CheckChangeable(const acre_ref& ref) {
  Arena& arena = ArenaOf(ref);
  if (ACRE_LIKELY(ref.stamp == arena.stamp()) ||
      detail::IsOfThisLevel(arena, ref.stamp)) {
    return ACRE_OK;
  }
  return Fail(ACRE_MISUSE,
              "acre: arena '%s': what is older than an open mark cannot be "
              "changed until the arena is rewound",
              arena.name());
}

// -------------------------------------------------------------------- values

namespace {

template <class T>
int CheckShared(Arena& arena, const acre_ref& ref) {
  T* object = nullptr;
  const int status = Open(&ref, &object);
  if (status != ACRE_OK) return status;
  if (&ArenaOf(ref) == &arena) return ACRE_OK;
  return Fail(ACRE_OTHER_ARENA,
              "acre: a %s of arena '%s' cannot be kept in arena '%s': copy it "
              "there first",
              NameOfKind(kKindOf<T>), ArenaOf(ref).name(), arena.name());
}

}  // namespace

int CheckOtherKey(Arena& arena, const acre_value& key) {
  const bool is_shared = key.kind >= ACRE_MAP && key.kind <= ACRE_BUILDER;
  if (is_shared && KindAt(key.as.ref) == key.kind &&
      &ArenaOf(key.as.ref) != &arena) {
    return ACRE_ABSENT;
  }
  return CheckValue(arena, key);
}

int CheckValue(Arena& arena, const acre_value& value) {
  switch (value.kind) {
    case ACRE_NULL:
    case ACRE_BOOL:
    case ACRE_INT:
    case ACRE_DOUBLE:
    case ACRE_CHAR:
      return ACRE_OK;
    case ACRE_TEXT:
    case ACRE_SYMBOL:
    case ACRE_BYTES:
      if (value.as.text.data != nullptr || value.as.text.size == 0) {
        return ACRE_OK;
      }
      return Fail(ACRE_MISUSE, "acre: a %s of %zu bytes at a null pointer",
                  NameOfKind(value.kind), value.as.text.size);
    case ACRE_MAP:
      return CheckShared<MapObject>(arena, value.as.ref);
    case ACRE_VECTOR:
      return CheckShared<VectorObject>(arena, value.as.ref);
    case ACRE_BUILDER:
      return CheckShared<BuilderObject>(arena, value.as.ref);
    case ACRE_OBJECT:
      if (HoldsObjects(arena)) return ACRE_OK;
      return Fail(ACRE_NO_OBJECTS,
                  "acre: arena '%s' was not made to hold objects of the host",
                  arena.name());
    default:
      return Fail(ACRE_WRONG_KIND, "acre: %u is no kind of value",
                  static_cast<unsigned>(value.kind));
  }
}

namespace {

template <class T>
T* MakeText(Arena& arena, const acre_value& from) {
  return arena.New<T>(String(arena, TextOf(from)));
}

Value Make(Arena& arena, const acre_value& from) {
  switch (from.kind) {
    case ACRE_BOOL:
      return from.as.boolean;
    case ACRE_INT:
      return from.as.integer;
    case ACRE_DOUBLE:
      return from.as.number;
    case ACRE_CHAR:
      return static_cast<char32_t>(from.as.character);
    case ACRE_TEXT:
      return MakeText<Text>(arena, from);
    case ACRE_SYMBOL:
      return MakeText<Symbol>(arena, from);
    case ACRE_BYTES:
      return MakeText<Bytes>(arena, from);
    case ACRE_MAP:
      return static_cast<MapObject*>(from.as.ref.pointer);
    case ACRE_VECTOR:
      return static_cast<VectorObject*>(from.as.ref.pointer);
    case ACRE_BUILDER:
      return static_cast<BuilderObject*>(from.as.ref.pointer);
    case ACRE_OBJECT:
      return arena.New<Held>(from.as.object);
    default:
      return {};
  }
}

void SetText(std::string_view text, acre_value* to) {
  to->as.text.data = text.data();
  to->as.text.size = text.size();
}

void SetRef(Arena& arena, void* object, acre_value* to) {
  to->as.ref.pointer = object;
  to->as.ref.base = HandleOf(arena);
  to->as.ref.stamp = detail::StampOf(arena, object);
}

}  // namespace

MadeValue::MadeValue(Arena& arena, const acre_value& from)
    : arena_(arena), value_(Make(arena, from)) {}

void Free(Arena& arena, const Value& value) {
  switch (value.index()) {
    case ACRE_TEXT:
      return arena.Free(std::get<Text*>(value));
    case ACRE_SYMBOL:
      return arena.Free(std::get<Symbol*>(value));
    case ACRE_BYTES:
      return arena.Free(std::get<Bytes*>(value));
    case ACRE_OBJECT:
      return arena.Free(std::get<Held*>(value));
    default:
      return;
  }
}

void FarView(Arena& arena, const Value& value, acre_value* to) {
  to->kind = static_cast<std::uint32_t>(value.index());
  to->reserved = 0;
  switch (value.index()) {
    case ACRE_BOOL:
      to->as.boolean = std::get<bool>(value);
      break;
    case ACRE_INT:
      to->as.integer = std::get<std::int64_t>(value);
      break;
    case ACRE_DOUBLE:
      to->as.number = std::get<double>(value);
      break;
    case ACRE_CHAR:
      to->as.character = std::get<char32_t>(value);
      break;
    case ACRE_TEXT:
      SetText(std::get<Text*>(value)->text, to);
      break;
    case ACRE_SYMBOL:
      SetText(std::get<Symbol*>(value)->text, to);
      break;
    case ACRE_BYTES:
      SetText(std::get<Bytes*>(value)->text, to);
      break;
    case ACRE_MAP:
      SetRef(arena, std::get<MapObject*>(value), to);
      break;
    case ACRE_VECTOR:
      SetRef(arena, std::get<VectorObject*>(value), to);
      break;
    case ACRE_BUILDER:
      SetRef(arena, std::get<BuilderObject*>(value), to);
      break;
    case ACRE_OBJECT:
      to->as.object = std::get<Held*>(value)->object.get();
      break;
    default:
      to->as.integer = 0;
  }
}

// ---------------------------------------------------------------------- keys

namespace {

std::string_view BytesOf(const std::uint64_t& bits) {
  return {reinterpret_cast<const char*>(&bits), sizeof bits};
}

std::uint64_t BitsOf(const acre_value& key) {
  switch (key.kind) {
    case ACRE_BOOL:
      return key.as.boolean ? 1 : 0;
    case ACRE_DOUBLE:
      return std::bit_cast<std::uint64_t>(
          std::isnan(key.as.number) ? std::numeric_limits<double>::quiet_NaN()
                                    : key.as.number);
    case ACRE_CHAR:
      return key.as.character;
    default:
      return 0;
  }
}

}  // namespace

Probe::Probe(const acre_value& key) : view_{static_cast<char>(key.kind), {}} {
  if (key.kind == ACRE_BYTES) {
    view_.bytes = TextOf(key);
  } else if (key.kind != ACRE_NULL) {
    bits_ = BitsOf(key);
    view_.bytes = BytesOf(bits_);
  }
}

acre_value View(const KeyView& key) {
  const auto kind = static_cast<acre_kind>(key.kind);
  if (kind == ACRE_NULL) return acre_null();
  if (kind == ACRE_BYTES) return acre_bytes(key.bytes.data(), key.bytes.size());
  std::uint64_t bits = 0;
  std::memcpy(&bits, key.bytes.data(), sizeof bits);
  switch (kind) {
    case ACRE_BOOL:
      return acre_bool(bits != 0);
    case ACRE_DOUBLE:
      return acre_double(std::bit_cast<double>(bits));
    default:
      return acre_char(static_cast<std::uint32_t>(bits));
  }
}

}  // namespace acre::c_api
