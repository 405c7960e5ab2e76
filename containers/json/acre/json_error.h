// SPDX-License-Identifier: MIT
//
// What went wrong with JSON, and where; and a value or such an error.

#ifndef ACRE_JSON_ERROR_H_
#define ACRE_JSON_ERROR_H_

#include <cstddef>
#include <string>
#include <type_traits>
#include <utility>

#include "acre/config.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

/// What went wrong. Without text: nothing did.
class JsonError {
 public:
  JsonError() = default;

  /// Whether this is an error.
  explicit operator bool() const { return !what.empty(); }

  /// All of it, in one line: `things[3].health: expected int32, found "many"
  /// (line 12, column 19)`.
  std::string text() const;

  std::string path;  ///< in the value: `things[3].health`; empty: the whole
  std::string what;  ///< `expected int32, found "many"`
  /// Of a text that was read: where it stands. Lines and columns (in bytes)
  /// count from 1; 0 where the error has no place.
  std::size_t line = 0;
  std::size_t column = 0;
  std::size_t offset = 0;  ///< in bytes, from 0
};

namespace detail {
[[noreturn]] ACRE_COLD void FailJsonValue(const JsonError& error);
}  // namespace detail

/// A value, or why there is none.
///
///   acre::JsonOr<World*> world = acre::FromJson<World>(arena, text);
///   if (!world) return Report(world.error().text());
///   world->Play();                             // of pointers, the object's
template <class T>
class [[nodiscard]] JsonOr {
 public:
  JsonOr(T value) : value_(std::move(value)) {}                    // NOLINT
  JsonOr(JsonError error) : value_(), error_(std::move(error)) {}  // NOLINT

  explicit operator bool() const { return !error_; }
  bool has_value() const { return !error_; }
  /// Without text where there is a value.
  const JsonError& error() const { return error_; }

  /// Misuse, with the error's text, where there is none.
  T& value() {
    if (error_) detail::FailJsonValue(error_);
    return value_;
  }
  const T& value() const { return const_cast<JsonOr*>(this)->value(); }
  T& operator*() { return value(); }
  const T& operator*() const { return value(); }
  /// The value's members; of a pointer, those of what it points to.
  auto operator->() {
    if constexpr (std::is_pointer_v<T>) {
      return value();
    } else {
      return &value();
    }
  }
  auto operator->() const {
    if constexpr (std::is_pointer_v<T>) {
      return value();
    } else {
      return &value();
    }
  }

 private:
  T value_;
  JsonError error_;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_JSON_ERROR_H_
