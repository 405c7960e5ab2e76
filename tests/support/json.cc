// SPDX-License-Identifier: MIT

#include "support/json.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace acre_test {
namespace {

using Kind = Json::Kind;

/// Decodes by arithmetic, unlike what is tested, which goes by a table.
struct Decoded {
  std::size_t length = 0;  // 0: no character starts here
  std::uint32_t code = 0;
};

Decoded Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, lead};
  std::size_t length = 0;
  while (length < 8 && (lead << length & 0x80) != 0) ++length;
  if (length < 2 || length > 4 || length > text.size()) return {};
  std::uint32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code = code << 6 | (byte & 0x3F);
  }
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[length] || code > 0x10FFFF) return {};
  if (code >= 0xD800 && code < 0xE000) return {};
  return {length, code};
}

void Encode(std::uint32_t code, std::string* text) {
  const auto add = [&](std::uint32_t byte) {
    text->push_back(static_cast<char>(byte));
  };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else {
    if (code < 0x10000) {
      add(0xE0 | code >> 12);
    } else {
      add(0xF0 | code >> 18);
      add(0x80 | (code >> 12 & 0x3F));
    }
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  bool Parse(Json* json, std::string* error) {
    bool is_good = Value(json, 0);
    SkipSpace();
    if (is_good && at_ != text_.size()) is_good = Fail("something behind it");
    if (!is_good) *error = error_ + " at byte " + std::to_string(at_);
    return is_good;
  }

 private:
  static constexpr int kDeepest = 200;

  bool Fail(const char* error) {
    if (error_.empty()) error_ = error;
    return false;
  }

  void SkipSpace() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) !=
                                     std::string_view::npos) {
      ++at_;
    }
  }

  bool Take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool Value(Json* json, int depth) {
    SkipSpace();
    if (depth > kDeepest) return Fail("too deep");
    if (Take("null")) return true;
    if (Take("true") || Take("false")) {
      json->kind = Kind::kBool;
      json->is_true = text_[at_ - 2] == 'u';
      return true;
    }
    switch (Peek()) {
      case '"':
        json->kind = Kind::kText;
        return Text(&json->text);
      case '[':
        json->kind = Kind::kArray;
        return Items(json, ']', depth);
      case '{':
        json->kind = Kind::kObject;
        return Items(json, '}', depth);
      default:
        json->kind = Kind::kNumber;
        return Number(&json->number);
    }
  }

  bool Items(Json* json, char close, int depth) {
    ++at_;
    SkipSpace();
    if (Peek() == close) return ++at_, true;
    for (;;) {
      if (close == '}' && !Key(json)) return false;
      json->items.emplace_back();
      if (!Value(&json->items.back(), depth + 1)) return false;
      SkipSpace();
      if (Peek() == close) return ++at_, true;
      if (!Take(",")) return Fail("no comma");
    }
  }

  bool Key(Json* json) {
    SkipSpace();
    std::string key;
    if (!Text(&key)) return false;
    if (json->Has(key)) return Fail("a key comes twice");
    json->keys.push_back(std::move(key));
    SkipSpace();
    return Take(":") || Fail("no colon");
  }

  bool Text(std::string* text) {
    if (!Take("\"")) return Fail("no string");
    while (!Take("\"")) {
      if (at_ == text_.size()) return Fail("a string does not end");
      if (static_cast<unsigned char>(Peek()) < 0x20) {
        return Fail("a control character");
      }
      if (Peek() == '\\') {
        if (!Escape(text)) return false;
        continue;
      }
      const Decoded character = Decode(text_.substr(at_));
      if (character.length == 0) return Fail("not UTF-8");
      text->append(text_.substr(at_, character.length));
      at_ += character.length;
    }
    return true;
  }

  bool Escape(std::string* text) {
    ++at_;
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    if (!Take("u")) {
      const std::size_t i = kNames.find(Peek());
      if (i == kNames.npos || at_ == text_.size()) return Fail("bad escape");
      text->push_back(kMeanings[i]);
      return ++at_, true;
    }
    std::uint32_t code = 0;
    if (!Hex(&code)) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      if (!Take("\\u") || !Hex(&low)) return Fail("half a surrogate pair");
      if (low < 0xDC00 || low >= 0xE000) return Fail("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code < 0xE000) {
      return Fail("half a surrogate pair");
    }
    Encode(code, text);
    return true;
  }

  bool Hex(std::uint32_t* code) {
    for (int i = 0; i < 4; ++i, ++at_) {
      const std::string_view digits = "0123456789abcdef";
      const char c = Peek() >= 'A' && Peek() <= 'F'
                         ? static_cast<char>(Peek() + ('a' - 'A'))
                         : Peek();
      const std::size_t digit = digits.find(c);
      if (digit == digits.npos) return Fail("bad \\u");
      *code = *code << 4 | static_cast<std::uint32_t>(digit);
    }
    return true;
  }

  bool Digits() {
    const std::size_t begin = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ != begin || Fail("no digits");
  }

  bool Number(double* number) {
    const std::size_t begin = at_;
    Take("-");
    const bool starts_with_zero = Peek() == '0';
    const std::size_t first = at_;
    if (!Digits()) return Fail("no value");
    if (starts_with_zero && at_ != first + 1) return Fail("leading zero");
    if (Take(".") && !Digits()) return false;
    if (Take("e") || Take("E")) {
      if (!Take("+")) Take("-");
      if (!Digits()) return false;
    }
    *number = std::strtod(std::string(text_.substr(begin, at_ - begin)).c_str(),
                          nullptr);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string error_;
};

}  // namespace

bool Json::Has(std::string_view key) const {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

const Json& Json::operator[](std::string_view key) const {
  static const Json null;
  const auto at = std::find(keys.begin(), keys.end(), key);
  if (at == keys.end()) return null;
  return items[static_cast<std::size_t>(at - keys.begin())];
}

const Json& Json::operator[](std::size_t i) const {
  static const Json null;
  return i < items.size() ? items[i] : null;
}

std::size_t Json::whole() const {
  const bool is_whole = kind == Kind::kNumber && number >= 0 && number < 9e15 &&
                        std::floor(number) == number;
  return is_whole ? static_cast<std::size_t>(number) : std::string::npos;
}

bool ParseJson(std::string_view text, Json* json, std::string* error) {
  *json = {};
  return Parser(text).Parse(json, error);
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = Decode(text).length;
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace acre_test
