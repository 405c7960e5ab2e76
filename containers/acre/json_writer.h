// SPDX-License-Identifier: MIT
//
// JsonWriter: JSON, value by value, into a string, a file or a stream. Builds
// no tree, and allocates nothing itself.
//
//   std::string text;
//   acre::JsonWriter json(text);
//   json.BeginObject();
//   json.Field("name", "Ann");
//   json.Field("hp", 100);
//   json.EndObject();
//   json.Flush();                    // or its destructor, which tells no error
//
// What has a layout is written by ToJson (<acre/to_json.h>).
//
// The caller sees to the order of calls: a key before each value of an object,
// as many ends as beginnings. Texts come out as valid UTF-8 whatever goes in.
// Ownership: borrows where it writes to, which is complete after Flush() only.
// Errors: the first one is kept (error()), and what follows is still written.
// Threads: as what it writes to. Bounds: depth up to 2^32 - 1.

#ifndef ACRE_JSON_WRITER_H_
#define ACRE_JSON_WRITER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// What becomes of bytes that are no UTF-8.
enum class JsonBytes : std::uint8_t {
  kReplace,  ///< U+FFFD for each
  kShow,     ///< "\\xNN": a backslash, an x and two digits
  kRefuse,   ///< as kReplace, and an error
};

/// What becomes of NaN and the infinities, which JSON has no numbers for.
enum class JsonNotFinite : std::uint8_t {
  kRefuse,  ///< null, and an error
  kNull,
  kText,  ///< "NaN", "Infinity", "-Infinity"; FromJson reads them
};

/// How a text looks.
struct JsonStyle {
  unsigned indent = 0;  ///< spaces a level; 0: no space at all, in one line
  JsonBytes bytes = JsonBytes::kReplace;
  JsonNotFinite not_finite = JsonNotFinite::kRefuse;
  /// Inside <script>: '<', '>' and '&' are escaped too.
  bool in_script = false;
  /// Of ToJson: members of objects that were Maps stand in the order of their
  /// texts, byte by byte.
  bool sort_keys = false;
  /// Of ToJson: levels of arrays and objects in each other, at most 1024. More
  /// is an error: what is deeper, no reader that minds its stack would take.
  unsigned max_depth = 512;
};

/// What a JsonWriter did not write as it was asked.
enum class JsonWriteError : std::uint8_t {
  kNone,
  kNotFinite,  ///< JsonNotFinite::kRefuse
  kNotUtf8,    ///< JsonBytes::kRefuse
  kSink,       ///< what it writes to took less than it got: a full disk, say
};

/// Where text goes: `write` appends it, and returns whether it could.
struct JsonSink {
  bool (*write)(void* to, const char* text, std::size_t size) = nullptr;
  void* to = nullptr;
};

/// Sinks for what has append(text, size), as strings do, or write(text, size)
/// and a state, as streams do.
template <class Out>
requires requires(Out& out, const char* text) {
  out.append(text, std::size_t{});
}
JsonSink SinkFor(Out& out) {
  return {[](void* to, const char* text, std::size_t size) {
            static_cast<Out*>(to)->append(text, size);
            return true;
          },
          &out};
}
template <class Out>
requires requires(Out& out, const char* text) {
  { out.write(text, std::ptrdiff_t{}).good() } -> std::same_as<bool>;
}
JsonSink SinkFor(Out& out) {
  return {[](void* to, const char* text, std::size_t size) {
            auto& stream = *static_cast<Out*>(to);
            return stream.write(text, static_cast<std::ptrdiff_t>(size)).good();
          },
          &out};
}
inline JsonSink SinkFor(std::FILE& file) {
  return {[](void* to, const char* text, std::size_t size) {
            return std::fwrite(text, 1, size, static_cast<std::FILE*>(to)) ==
                   size;
          },
          &file};
}

/// See the top of this file. 1 KiB.
class JsonWriter {
 public:
  explicit JsonWriter(const JsonSink& sink, const JsonStyle& style = {})
      : sink_(sink), style_(style) {}
  /// Appends to a string or a stream.
  template <class Out>
  requires(!std::is_same_v<std::remove_cv_t<Out>, JsonSink> &&
           requires(Out & out) {
             SinkFor(out);
           }) explicit JsonWriter(Out& out, const JsonStyle& style = {})
      : JsonWriter(SinkFor(out), style) {}
  JsonWriter(const JsonWriter&) = delete;
  JsonWriter& operator=(const JsonWriter&) = delete;
  /// Flushes. What cannot be written then, since a string finds no memory, is
  /// left out without a word: Flush says so.
  ~JsonWriter() {
    if (used_ != 0) FlushAtEnd();
  }

  void BeginObject() { Open('{'); }
  void EndObject() { Close('}'); }
  void BeginArray() { Open('['); }
  void EndArray() { Close(']'); }
  /// Ends a line of a file; the next value stands for itself.
  void EndLine();

  void Key(std::string_view name);
  /// A key that is known to need no escapes: printable ASCII without quotes,
  /// backslashes and markup.
  ACRE_INLINE void PlainKey(std::string_view name);

  void Value(std::string_view text);
  void Value(const char* text) { Value(std::string_view(text)); }
  void Value(bool value) { Word(value ? "true" : "false"); }
  void Value(std::uint64_t value);
  void Value(std::int64_t value);
  void Value(std::integral auto value);
  /// The shortest text that reads back as the same number. Whole numbers end in
  /// ".0".
  void Value(double value);
  /// The shortest that reads back as the same float.
  void Value(float value);
  /// As a text in hexadecimal: "0x7f00"; null as null.
  void Value(const void* address);
  void Null() { Word("null"); }
  /// A finished value, as it stands.
  void Word(std::string_view json);

  template <class T>
  void Field(std::string_view name, const T& value) {
    Key(name);
    Value(value);
  }

  /// Hands over what is still held back.
  void Flush();

  JsonWriteError error() const { return error_; }
  const JsonStyle& style() const { return style_; }

 private:
  static constexpr std::size_t kRoom = 960;

  enum class After : std::uint8_t { kOpening, kKey, kValue };

  void FlushAtEnd() noexcept;
  void Open(char bracket);
  void Close(char bracket);
  ACRE_INLINE void Separate();
  ACRE_COLD void NewLine();
  void Quote(std::string_view text);
  bool QuotePlain(std::string_view text);
  /// What stands for itself, at the start of `text`; how much that was.
  std::size_t CopyPlain(std::string_view text);
  /// The character that it starts with; how many bytes that was.
  std::size_t QuoteOne(std::string_view text);
  void NotFinite(double value);
  void Put(char c) {
    *Room(1) = c;
    ++used_;
  }
  void Put(std::string_view text);
  /// Where `count` bytes may be written; used_ grows by what was. Requires: at
  /// most kRoom.
  ACRE_INLINE char* Room(std::size_t count) {
    if (ACRE_UNLIKELY(kRoom - used_ < count)) Flush();
    return buffer_ + used_;
  }
  void Fail(JsonWriteError error) {
    if (error_ == JsonWriteError::kNone) error_ = error;
  }

  JsonSink sink_;
  JsonStyle style_;
  JsonWriteError error_ = JsonWriteError::kNone;
  After after_ = After::kOpening;
  std::uint32_t depth_ = 0;
  std::size_t used_ = 0;  // [0, used_) of buffer_ is held back
  char buffer_[kRoom];
};

inline void JsonWriter::Value(std::integral auto value) {
  if constexpr (std::signed_integral<decltype(value)>) {
    Value(static_cast<std::int64_t>(value));
  } else {
    Value(static_cast<std::uint64_t>(value));
  }
}

ACRE_INLINE void JsonWriter::Separate() {
  if (after_ == After::kValue && depth_ != 0) Put(',');
  if (ACRE_UNLIKELY(style_.indent != 0 && after_ != After::kKey)) NewLine();
  after_ = After::kValue;
}

ACRE_INLINE void JsonWriter::PlainKey(std::string_view name) {
  if (ACRE_UNLIKELY(style_.indent != 0 || name.size() > 250)) return Key(name);
  char* to = Room(name.size() + 4);
  char* const start = to;
  if (after_ == After::kValue) *to++ = ',';
  *to++ = '"';
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  *to++ = '"';
  *to++ = ':';
  used_ += static_cast<std::size_t>(to - start);
  after_ = After::kKey;
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_JSON_WRITER_H_
