// SPDX-License-Identifier: MIT

#include "json_text.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "acre/detail/utf8.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";

/// Goes through a text token by token.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    if (text_.starts_with(kMark)) at_ = kMark.size();
  }

  std::size_t at() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }
  bool is_at_end() const { return at_ == text_.size(); }
  char peek() const { return is_at_end() ? '\0' : text_[at_]; }
  void Skip(std::size_t count = 1) { at_ += count; }
  void SkipSpace() {
    while (!is_at_end() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    if (peek() != c || is_at_end()) return false;
    ++at_;
    return true;
  }

  /// The end of a text, number or word at at_; at_ is behind it, or at the
  /// offence, of which these are the words.
  const char* TakeText();
  const char* TakeNumber();
  const char* TakeWord();

  /// Of a text without an offence: past the value that begins at at_.
  void SkipValue();
  /// The same of a text in quotes.
  void SkipText() {
    for (++at_; text_[at_] != '"'; ++at_) at_ += text_[at_] == '\\';
    ++at_;
  }

 private:
  static bool IsSpace(char c) {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
  }
  bool TakeDigits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != start;
  }
  /// Four hexadecimal digits; -1 where they are not there.
  int TakeFour();
  const char* TakeEscape();

  std::string_view text_;
  std::size_t at_ = 0;
};

int Scanner::TakeFour() {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = peek();
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if ((c | 32) >= 'a' && (c | 32) <= 'f') {
      digit = (c | 32) - 'a' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
    ++at_;
  }
  return value;
}

const char* Scanner::TakeEscape() {
  const std::size_t start = at_;
  ++at_;
  const char c = peek();
  if (c != 'u') {
    if (is_at_end() ||
        std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos) {
      at_ = start;
      return "no such escape";
    }
    ++at_;
    return nullptr;
  }
  ++at_;
  const int first = TakeFour();
  if (first < 0) {
    at_ = start;
    return "\\u wants four hexadecimal digits";
  }
  const bool is_low = first >= 0xDC00 && first <= 0xDFFF;
  bool is_whole = !is_low;
  if (first >= 0xD800 && first <= 0xDBFF) {
    is_whole = false;
    if (rest().starts_with("\\u")) {
      at_ += 2;
      const int second = TakeFour();
      is_whole = second >= 0xDC00 && second <= 0xDFFF;
    }
  }
  if (!is_whole) {
    at_ = start;
    return "half of a surrogate pair";
  }
  return nullptr;
}

const char* Scanner::TakeText() {
  ++at_;
  for (;;) {
    if (is_at_end()) return "the text does not end";
    const auto byte = static_cast<unsigned char>(peek());
    if (byte == '"') {
      ++at_;
      return nullptr;
    }
    if (byte == '\\') {
      if (const char* offence = TakeEscape()) return offence;
    } else if (byte < 0x20) {
      return "a control character in a text has to be escaped";
    } else if (byte < 0x80) {
      ++at_;
    } else {
      const std::size_t length = CharacterLength(rest());
      if (length == 0) return "the bytes are no UTF-8";
      at_ += length;
    }
  }
}

const char* Scanner::TakeNumber() {
  const std::size_t start = at_;
  Take('-');
  if (!Take('0') && !TakeDigits()) return "a number wants digits";
  if (Take('.') && !TakeDigits()) return "digits have to follow the point";
  if (peek() == 'e' || peek() == 'E') {
    ++at_;
    if (!Take('+')) Take('-');
    if (!TakeDigits()) return "an exponent wants digits";
  }
  const char c = peek();
  if ((c >= '0' && c <= '9') || c == '.' || (c | 32) == 'e') {
    at_ = start;
    return "numbers do not begin with zeros";
  }
  const std::string number(text_.substr(start, at_ - start));
  if (!std::isfinite(std::strtod(number.c_str(), nullptr))) {
    at_ = start;
    return "the number is larger than any double";
  }
  return nullptr;
}

const char* Scanner::TakeWord() {
  for (const std::string_view word : {"true", "false", "null"}) {
    if (!rest().starts_with(word)) continue;
    const std::string_view behind = rest().substr(word.size());
    if (!behind.empty() &&
        (std::isalnum(static_cast<unsigned char>(behind[0])) != 0)) {
      continue;
    }
    at_ += word.size();
    return nullptr;
  }
  return is_at_end() ? "the text ends where a value should stand"
                     : "expected a value";
}

void Scanner::SkipValue() {
  std::size_t depth = 0;
  do {
    SkipSpace();
    const char c = peek();
    if (c == '"') {
      SkipText();
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at_;
    } else if (c == '}' || c == ']') {
      --depth;
      ++at_;
    } else if (c == ',' || c == ':') {
      ++at_;
    } else {
      while (!is_at_end() && std::string_view(",:]} \n\r\t").find(text_[at_]) ==
                                 std::string_view::npos) {
        ++at_;
      }
    }
    SkipSpace();
  } while (depth != 0);
}

/// A key as paths show it: in one line, and not all of what is long.
std::string Shown(std::string_view key) {
  constexpr std::size_t kMost = 60;
  std::string shown(key.substr(0, kMost));
  for (char& c : shown) {
    if (static_cast<unsigned char>(c) < ' ') c = '?';
  }
  return key.size() <= kMost ? shown : shown + "...";
}

void AppendStep(std::string& path, const JsonLevel& level,
                std::string_view raw_key) {
  const std::string key = Shown(raw_key);
  switch (level.form) {
    case JsonLevel::Form::kIndex:
      path += '[' + std::to_string(level.ordinal) + ']';
      return;
    case JsonLevel::Form::kField:
      if (!path.empty()) path += '.';
      path += key;
      return;
    case JsonLevel::Form::kKey:
      path += "[\"";
      path += key;
      path += "\"]";
      return;
    case JsonLevel::Form::kNumber:
      path += '[';
      path += key;
      path += ']';
      return;
  }
}

/// What stands there, in a few words.
std::string Describe(std::string_view text) {
  constexpr std::size_t kMost = 40;
  if (text.empty()) return "nothing";
  if (text[0] == '{') return "an object";
  if (text[0] == '[') return "a list";
  Scanner scanner(text);
  scanner.SkipValue();
  std::string_view value = text.substr(0, scanner.at());
  while (!value.empty() && value.back() <= ' ') value.remove_suffix(1);
  if (value.size() <= kMost) return std::string(value);
  std::size_t cut = kMost - 3;
  while ((static_cast<unsigned char>(value[cut]) & 0xC0) == 0x80) --cut;
  return std::string(value.substr(0, cut)) + "...";
}

}  // namespace

void SetPlace(JsonError& error, std::string_view text, std::size_t offset) {
  offset = std::min(offset, text.size());
  const std::string_view before = text.substr(0, offset);
  error.offset = offset;
  error.line =
      static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')) +
      1;
  const std::size_t line = before.rfind('\n');
  const std::size_t start = line == std::string_view::npos ? 0 : line + 1;
  error.column = offset - start + 1;
  if (start == 0 && text.starts_with(kMark) && offset >= kMark.size()) {
    error.column -= kMark.size();
  }
}

JsonError FindOffence(std::string_view text, unsigned max_depth) {
  struct Open {
    bool is_object;
    std::size_t ordinal = 0;
    std::string_view key{};
  };
  Scanner scanner(text);
  std::vector<Open> open;
  JsonError error;
  const auto fail = [&](const char* what) {
    error.what = what;
    for (const Open& each : open) {
      AppendStep(error.path,
                 {each.ordinal, each.is_object ? JsonLevel::Form::kField
                                               : JsonLevel::Form::kIndex},
                 each.key);
    }
    SetPlace(error, text, scanner.at());
    return error;
  };
  // At a key of the innermost object; leaves the scanner at its value.
  const auto take_key = [&]() -> const char* {
    scanner.SkipSpace();
    if (scanner.peek() != '"') return "expected a key in quotes";
    const std::size_t start = scanner.at();
    if (const char* offence = scanner.TakeText()) return offence;
    open.back().key = text.substr(start + 1, scanner.at() - start - 2);
    scanner.SkipSpace();
    if (!scanner.Take(':')) return "expected ':' behind a key";
    return nullptr;
  };
  for (;;) {
    scanner.SkipSpace();
    const char c = scanner.peek();
    const char* offence = nullptr;
    if (c == '{' || c == '[') {
      if (open.size() == max_depth) {
        return fail("nests deeper than is allowed (JsonRules::max_depth)");
      }
      scanner.Skip();
      scanner.SkipSpace();
      const bool is_object = c == '{';
      if (!scanner.Take(is_object ? '}' : ']')) {
        open.push_back({is_object});
        if (is_object) offence = take_key();
        if (offence != nullptr) return fail(offence);
        continue;
      }
    } else if (c == '"') {
      offence = scanner.TakeText();
    } else if (c == '-' || (c >= '0' && c <= '9')) {
      offence = scanner.TakeNumber();
    } else {
      offence = scanner.TakeWord();
    }
    if (offence != nullptr) return fail(offence);
    // Behind a value: the next one, or the end of what holds it.
    for (;;) {
      scanner.SkipSpace();
      if (open.empty()) {
        if (scanner.is_at_end()) return {};
        return fail("something stands behind the value");
      }
      Open& holder = open.back();
      if (scanner.Take(',')) {
        ++holder.ordinal;
        if (holder.is_object) offence = take_key();
        if (offence != nullptr) return fail(offence);
        break;
      }
      if (!scanner.Take(holder.is_object ? '}' : ']')) {
        return fail(holder.is_object ? "expected ',' or '}' behind a member"
                                     : "expected ',' or ']' behind an element");
      }
      open.pop_back();
    }
  }
}

JsonPlace FindPlace(std::string_view text, const std::vector<JsonLevel>& levels,
                    bool names_it) {
  JsonPlace place;
  Scanner scanner(text);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const JsonLevel& level = levels[i];
    scanner.SkipSpace();
    const bool is_object = scanner.peek() == '{';
    scanner.Skip();
    for (std::size_t passed = 0;; ++passed) {
      scanner.SkipSpace();
      const std::size_t start = scanner.at();
      std::string_view key;
      if (is_object) {
        scanner.SkipText();
        key = text.substr(start + 1, scanner.at() - start - 2);
        scanner.SkipSpace();
        scanner.Skip();
      }
      if (passed == level.ordinal) {
        AppendStep(place.path, level, key);
        if (names_it && is_object && i + 1 == levels.size()) {
          place.offset = start;
          place.found = Describe(text.substr(start));
          return place;
        }
        break;
      }
      scanner.SkipValue();
      scanner.Skip();
    }
  }
  scanner.SkipSpace();
  place.offset = scanner.at();
  place.found = Describe(scanner.rest());
  return place;
}

}  // namespace acre::inline ACRE_ABI::detail
