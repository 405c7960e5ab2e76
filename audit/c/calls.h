// SPDX-License-Identifier: MIT
//
// What the functions of the C API share: how a reference is opened, how a
// failure becomes a code and a text, how values go in and out. Internal to the
// C API.

#ifndef ACRE_AUDIT_C_CALLS_H_
#define ACRE_AUDIT_C_CALLS_H_

#include <string>
#include <type_traits>

#include "acre/acre.h"
#include "acre/arena.h"
#include "acre/arena_ref.h"
#include "acre/guarded.h"
#include "objects.h"

namespace acre::c_api {

// ------------------------------------------------------------------ failures

/// Keeps the sentence for acre_error, and returns the status.
ACRE_COLD int Fail(int status, const char* format, ...)
    __attribute__((format(printf, 2, 3)));

int StatusOf(ErrorKind kind);

/// The sentence that Fail has kept for this thread.
const char* LastError();

/// f(), which returns a status; what it throws becomes one.
template <class F>
int Call(F f) {
  return Guarded(f, [](const GuardedError& error) {
    return Fail(StatusOf(error.kind), "%s", error.text);
  });
}

/// The same for what can fail in checked builds alone.
template <class F>
int CallReader(F f) {
  if constexpr (kChecked) return Call(f);
  return f();
}

// ---------------------------------------------------------------- references

inline Arena& ArenaOf(const acre_ref& ref) {
  return *reinterpret_cast<Arena*>(ref.base);
}
inline Arena* ArenaOf(acre_arena* arena) {
  return reinterpret_cast<Arena*>(arena);
}
inline acre_arena* HandleOf(Arena& arena) {
  return reinterpret_cast<acre_arena*>(&arena);
}

template <class T>
inline constexpr std::uint64_t kKindOf = kFreed;
template <>
inline constexpr std::uint64_t kKindOf<MapObject> = ACRE_MAP;
template <>
inline constexpr std::uint64_t kKindOf<VectorObject> = ACRE_VECTOR;
template <>
inline constexpr std::uint64_t kKindOf<BuilderObject> = ACRE_BUILDER;

inline bool IsLive(const acre_ref& ref) {
  return ArenaRef<const std::uint64_t>{
      static_cast<const std::uint64_t*>(ref.pointer),
      reinterpret_cast<Arena*>(ref.base), ref.stamp}
      .IsLive();
}

/// What the reference names: its kind, or kFreed; 0 for nothing, and for what
/// has ended in another way. Not of a null reference.
inline std::uint64_t KindAt(const acre_ref& ref) {
  return ref.pointer == nullptr || ref.base == nullptr || !IsLive(ref)
             ? 0
             : *static_cast<const std::uint64_t*>(ref.pointer);
}

/// Says why a reference cannot be opened as that kind.
ACRE_COLD int FailToOpen(const acre_ref* ref, std::uint64_t kind);

/// ACRE_OK and the object, or why not. To be read.
template <class T>
int Open(const acre_ref* ref, T** object) {
  if (ACRE_UNLIKELY(ref == nullptr || ref->base == nullptr || !IsLive(*ref))) {
    return FailToOpen(ref, kKindOf<T>);
  }
  auto* const opened = static_cast<T*>(ref->pointer);
  if (ACRE_UNLIKELY(opened->kind != kKindOf<T>)) {
    return FailToOpen(ref, kKindOf<T>);
  }
  *object = opened;
  return ACRE_OK;
}

/// Fails where the object is older than an open mark.
int CheckChangeable(const acre_ref& ref);

/// The same, to be changed.
template <class T>
int OpenToChange(const acre_ref* ref, T** object) {
  const int status = Open(ref, object);
  return status == ACRE_OK ? CheckChangeable(*ref) : status;
}

/// ACRE_OK and the arena, or why it cannot be used.
int OpenArena(acre_arena* handle, Arena** arena);

/// f(arena), which returns a status.
template <class F>
int CallFor(acre_arena* handle, F f) {
  return Call([&] {
    Arena* arena = nullptr;
    const int status = OpenArena(handle, &arena);
    return status == ACRE_OK ? f(*arena) : status;
  });
}

/// Makes an empty T.
template <class T>
int New(acre_arena* arena, acre_ref* ref) {
  if (ref == nullptr) return Fail(ACRE_MISUSE, "acre: the reference is null");
  return CallFor(arena, [&](Arena& opened) -> int {
    *ref = {opened.New<T>(), arena, opened.stamp()};
    return ACRE_OK;
  });
}

/// Gives back what an object holds.
void EmptyMap(Arena& arena, MapObject& map);
void EmptyVector(Arena& arena, VectorObject& vector);

/// An argument that may not be null.
#define ACRE_C_REQUIRE(argument)                                             \
  do {                                                                       \
    if (ACRE_UNLIKELY((argument) == nullptr)) {                              \
      return Fail(ACRE_MISUSE, "acre: %s: %s is null", __func__, #argument); \
    }                                                                        \
  } while (false)

// -------------------------------------------------------------------- values

/// Fails for what the arena cannot hold.
int CheckValue(Arena& arena, const acre_value& value);

/// The same of a key of a rarer kind that is looked up: ACRE_ABSENT for what is
/// another arena's.
int CheckOtherKey(Arena& arena, const acre_value& key);

/// Of any key that is looked up, which need not be held.
inline int CheckKey(Arena& arena, const acre_value& key) {
  if (ACRE_LIKELY(key.kind < ACRE_TEXT || key.kind == ACRE_OBJECT ||
                  (key.kind == ACRE_TEXT && key.as.text.data != nullptr))) {
    return ACRE_OK;
  }
  return CheckOtherKey(arena, key);
}

/// Gives back what the value owns.
void Free(Arena& arena, const Value& value);

/// A value for the arena, not in its place yet. Gives back what it owns, unless
/// it was placed.
class MadeValue {
 public:
  /// Fails as New does. Requires: CheckValue.
  MadeValue(Arena& arena, const acre_value& from);
  MadeValue(const MadeValue&) = delete;
  MadeValue& operator=(const MadeValue&) = delete;
  ~MadeValue() {
    if (!is_placed_) Free(arena_, value_);
  }

  const Value& value() const { return value_; }
  void Placed() { is_placed_ = true; }
  /// In place of another value.
  void Replace(Value& to) {
    const Value old = to;
    to = value_;
    is_placed_ = true;
    Free(arena_, old);
  }

 private:
  Arena& arena_;
  const Value value_;
  bool is_placed_ = false;
};

/// What lies there, borrowed. `arena`: around it. Written field by field into
/// its place: a struct that is made elsewhere and then copied costs a dozen
/// cycles more, as processors do not forward small stores to a large load.
void FarView(Arena& arena, const Value& value, acre_value* to);

ACRE_INLINE void View(Arena& arena, const Value& value, acre_value* to) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    to->kind = ACRE_INT;
    to->reserved = 0;
    to->as.integer = *integer;
  } else {
    FarView(arena, value, to);
  }
}

/// Of a key of a rarer kind.
acre_value View(const KeyView& key);

inline std::string_view TextOf(const acre_value& value) {
  return value.as.text.size == 0
             ? std::string_view()
             : std::string_view(value.as.text.data, value.as.text.size);
}

/// The bytes by which a key of a rarer kind is looked up.
class Probe {
 public:
  explicit Probe(const acre_value& key);

  const KeyView& view() const { return view_; }

 private:
  std::uint64_t bits_ = 0;
  KeyView view_;
};

}  // namespace acre::c_api

#endif  // ACRE_AUDIT_C_CALLS_H_
