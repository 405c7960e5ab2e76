// SPDX-License-Identifier: MIT
//
// FromJson: builds what a text describes, straight into an arena.
//
//   acre::JsonOr<World*> world = acre::FromJson<World>(arena, text);
//   if (!world) fmt::print(stderr, "{}\n", world.error().text());
//   world->Play();
//
//   things[3].health: expected int32, found "many" (line 12, column 19)
//
// Reads what ToJson writes (its table: <acre/to_json.h>), and more: members in
// any order, numbers as any program writes them. Numbers are exact: a double is
// the one nearest to its text, however long that is; an integer is refused
// where it does not fit, and 1e3 is one. Strict as RFC 8259 is (a byte order
// mark is passed over). What a struct has and the text has not keeps the value
// that the struct begins with.
//
// On an error nothing stays in the arena. Out of memory is told as everywhere
// (<acre/failure.h>); nothing stays then, either.
// Complexity: linear, the error's place included. Threads: as the arena.

#ifndef ACRE_FROM_JSON_H_
#define ACRE_FROM_JSON_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/json_type.h"
#include "acre/json_error.h"

namespace acre::inline ACRE_ABI {

/// What is taken for an error, and where reading ends.
struct JsonRules {
  /// Members that a struct has no field for: an error, or passed over.
  bool ignore_unknown = false;
  /// Fields that the text does not have (optionals aside) are an error.
  bool require_fields = false;
  /// Of members of one name the last counts, or they are an error.
  bool refuse_duplicates = false;
  /// Levels of arrays and objects in each other; at most 1024, which take up to
  /// 768 KiB of the stack in release builds.
  unsigned max_depth = 512;
  /// Of the text. Never more than 4 GiB.
  std::size_t max_bytes = SIZE_MAX;
  /// Of what is built from it, as it is asked of the arena.
  std::size_t max_memory = SIZE_MAX;
};

namespace detail {
class JsonParser;
}

/// Reads one text after another, and keeps its room: for many texts, or lines.
/// Movable. Threads: one at a time.
class JsonReader {
 public:
  JsonReader() = default;
  JsonReader(JsonReader&& other) noexcept : parser_(other.parser_) {
    other.parser_ = nullptr;
  }
  JsonReader& operator=(JsonReader&&) = delete;
  ~JsonReader();

  /// The value of the text, in the arena.
  template <class T>
  JsonOr<T*> Read(Arena& arena, std::string_view text,
                  const JsonRules& rules = {}) {
    return Typed<T>(ReadText(arena, &detail::JsonTypeOf<T*>, text, rules));
  }
  /// The same of a file.
  template <class T>
  JsonOr<T*> ReadFile(Arena& arena, const char* path,
                      const JsonRules& rules = {}) {
    return Typed<T>(ReadPath(arena, &detail::JsonTypeOf<T*>, path, rules));
  }

 private:
  template <class T>
  static JsonOr<T*> Typed(const JsonOr<void*>& read) {
    static_assert(RequireRoot<T>());
    if (!read) return read.error();
    return static_cast<T*>(*read);
  }
  template <class T>
  static consteval bool RequireRoot() {
    static_assert(!std::is_array_v<T> && !std::is_const_v<T>,
                  "acre: FromJson makes an object: use std::array or Vector");
    return detail::RequireElement<T>();
  }
  JsonOr<void*> ReadText(Arena& arena, detail::GetJsonType type,
                         std::string_view text, const JsonRules& rules);
  JsonOr<void*> ReadPath(Arena& arena, detail::GetJsonType type,
                         const char* path, const JsonRules& rules);

  detail::JsonParser* parser_ = nullptr;  // owned; made when it is needed
};

/// The value of one text, in the arena. `arena.Free` takes it back; what its
/// pointers point to goes with Reset, or with FreeGraph where it is `owned`.
template <class T>
JsonOr<T*> FromJson(Arena& arena, std::string_view text,
                    const JsonRules& rules = {}) {
  return JsonReader().Read<T>(arena, text, rules);
}

/// The same of a file.
template <class T>
JsonOr<T*> ReadJson(Arena& arena, const char* path,
                    const JsonRules& rules = {}) {
  return JsonReader().ReadFile<T>(arena, path, rules);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_FROM_JSON_H_
