// SPDX-License-Identifier: MIT

#include "json_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "utf8.h"

namespace acre::inline ACRE_ABI::detail {

void JsonWriter::EndLine() {
  out_ += '\n';
  needs_comma_ = false;
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  Quote(name);
  out_ += ':';
  needs_comma_ = false;
}

void JsonWriter::Value(std::string_view text) {
  Separate();
  Quote(text);
}

void JsonWriter::Value(std::uint64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::Value(std::int64_t value) {
  Separate();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::Value(const void* address) {
  if (address == nullptr) return Null();
  Separate();
  fmt::format_to(std::back_inserter(out_), "\"{}\"", address);
}

void JsonWriter::Open(char bracket) {
  Separate();
  out_ += bracket;
  needs_comma_ = false;
}

void JsonWriter::Close(char bracket) {
  out_ += bracket;
  needs_comma_ = true;
}

void JsonWriter::Plain(std::string_view text) {
  Separate();
  out_ += text;
}

void JsonWriter::Separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

void JsonWriter::Quote(std::string_view text) {
  out_ += '"';
  ForEachCharacter(
      text,
      [this](std::string_view character) {
        if (character.size() == 1) return QuoteAscii(character[0]);
        out_ += character;
      },
      [this](unsigned char byte) { out_ += '\\' + ByteText(byte); });
  out_ += '"';
}

void JsonWriter::QuoteAscii(char c) {
  const bool is_markup = c == '<' || c == '>' || c == '&';
  if (c == '"' || c == '\\') {
    out_ += '\\';
    out_ += c;
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F ||
             (is_in_script_ && is_markup)) {
    fmt::format_to(std::back_inserter(out_), "\\u{:04x}",
                   static_cast<unsigned>(c));
  } else {
    out_ += c;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
