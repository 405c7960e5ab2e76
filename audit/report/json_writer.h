// SPDX-License-Identifier: MIT
//
// JsonWriter: JSON, value by value, onto the end of a string. What comes out is
// valid UTF-8 whatever goes in; the caller sees to the order of calls.
//
//   JsonWriter json(text);
//   json.BeginObject();
//   json.Field("arena", name);
//   json.EndObject();

#ifndef ACRE_AUDIT_JSON_WRITER_H_
#define ACRE_AUDIT_JSON_WRITER_H_

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Where the text will stand.
enum class JsonPlace : std::uint8_t {
  kFile,
  kScript,  ///< inside <script>: '<', '>' and '&' are escaped too
};

class JsonWriter {
 public:
  /// Borrows `out`, which may be emptied between calls.
  explicit JsonWriter(std::string& out, JsonPlace place = JsonPlace::kFile)
      : out_(out), is_in_script_(place == JsonPlace::kScript) {}

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  /// Ends a line of a file; the next value stands for itself.
  void EndLine();

  void Key(std::string_view name);

  void Value(std::string_view text);
  void Value(const char* text) { Value(std::string_view(text)); }
  void Value(bool value) { Plain(value ? "true" : "false"); }
  void Value(std::uint64_t value);
  void Value(std::int64_t value);
  void Value(std::integral auto value);
  /// As a string in hexadecimal: "0x7f00"; null as null.
  void Value(const void* address);
  void Null() { Plain("null"); }

  template <class T>
  void Field(std::string_view name, const T& value) {
    Key(name);
    Value(value);
  }

 private:
  void Open(char bracket);
  void Close(char bracket);
  void Plain(std::string_view text);  // a number or a word
  void Separate();
  void Quote(std::string_view text);
  void QuoteAscii(char c);

  std::string& out_;
  const bool is_in_script_;
  bool needs_comma_ = false;  // a value stands before, in the same brackets
};

inline void JsonWriter::Value(std::integral auto value) {
  if constexpr (std::signed_integral<decltype(value)>) {
    Value(static_cast<std::int64_t>(value));
  } else {
    Value(static_cast<std::uint64_t>(value));
  }
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_JSON_WRITER_H_
