// SPDX-License-Identifier: MIT

#include "json_tokens.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace acre::inline ACRE_ABI::detail {

const std::size_t JsonTokens::kPadding = simdjson::SIMDJSON_PADDING;

JsonTokens::JsonTokens() = default;
JsonTokens::~JsonTokens() = default;

JsonTokens::Outcome JsonTokens::Find(std::string_view text,
                                     unsigned max_depth) {
  if (parser_ == nullptr || parser_->capacity() < text.size()) {
    // Capacity, not size: a growing line does not allocate each time.
    const std::size_t capacity = std::min<std::size_t>(
        std::max<std::size_t>(text.size() + text.size() / 2, 4096),
        simdjson::SIMDJSON_MAXSIZE_BYTES);
    parser_.reset();
    // The depth is of its second stage.
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(
            capacity, 1, parser_) != simdjson::SUCCESS) {
      parser_.reset();
      return Outcome::kNoMemory;
    }
  }
  text_ = text;
  const simdjson::error_code status =
      parser_->stage1(reinterpret_cast<const std::uint8_t*>(text.data()),
                      text.size(), simdjson::stage1_mode::regular);
  if (status == simdjson::MEMALLOC) return Outcome::kNoMemory;
  if (status != simdjson::SUCCESS) return Outcome::kOffence;
  size_ = parser_->n_structural_indexes;
  starts_ = parser_->structural_indexes.get();
  return CountElements(max_depth) ? Outcome::kFine : Outcome::kOffence;
}

/// Those who build lists have to know how long they get.
bool JsonTokens::CountElements(unsigned max_depth) {
  counts_.clear();
  open_.resize(std::size_t{max_depth} + 1);
  std::size_t depth = 0;
  std::uint32_t commas = 0;  // at this depth
  for (std::uint32_t i = 0; i < size_; ++i) {
    const char c = (*this)[i];
    if (c == ',') {
      ++commas;
    } else if ((c & 0x5F) == 0x5B) {  // '[' or '{'
      if (depth == max_depth) return false;
      open_[depth++] = {static_cast<std::uint32_t>(counts_.size()), commas};
      counts_.push_back(0);
      commas = 0;
    } else if ((c & 0x5F) == 0x5D) {  // ']' or '}'
      if (depth == 0) return false;
      const Open& open = open_[--depth];
      const bool is_empty = ((*this)[i - 1] & 0x5F) == 0x5B;
      if (!is_empty) counts_[open.opening] = commas + 1;
      commas = open.commas;
    }
  }
  return depth == 0;
}

namespace {

int HexOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const int letter = c | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/// Four digits at `at`; -1 where they are not there.
int FourHex(std::string_view raw, std::size_t at) {
  if (raw.size() < at + 4) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const int digit = HexOf(raw[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

char* WriteCharacter(char* to, int c) {
  const auto add = [&](int byte) { *to++ = static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6);
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3F));
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  }
  return to;
}

/// What a backslash and that character stand for; zero: nothing.
constexpr auto kMeanings = [] {
  std::array<char, 256> meanings{};
  for (const char c : {'"', '\\', '/'}) {
    meanings[static_cast<unsigned char>(c)] = c;
  }
  meanings['b'] = '\b';
  meanings['f'] = '\f';
  meanings['n'] = '\n';
  meanings['r'] = '\r';
  meanings['t'] = '\t';
  return meanings;
}();

}  // namespace

bool Unescape(std::string_view raw, std::string* room, std::string_view* text) {
  // No escape stands for more bytes than it has.
  if (room->size() < raw.size()) room->resize(raw.size() * 2);
  char* to = room->data();
  std::size_t at = 0;
  while (at < raw.size()) {
    const std::string_view rest = raw.substr(at);
    const void* const found = std::memchr(rest.data(), '\\', rest.size());
    const std::size_t plain =
        found == nullptr ? rest.size()
                         : static_cast<std::size_t>(
                               static_cast<const char*>(found) - rest.data());
    std::memcpy(to, rest.data(), plain);
    to += plain;
    at += plain;
    if (found == nullptr) break;
    if (at + 1 == raw.size()) return false;
    const char escape = raw[at + 1];
    at += 2;
    if (escape != 'u') {
      const char meaning = kMeanings[static_cast<unsigned char>(escape)];
      if (meaning == '\0') return false;
      *to++ = meaning;
      continue;
    }
    int c = FourHex(raw, at);
    at += 4;
    if (c < 0 || (c >= 0xDC00 && c < 0xE000)) return false;
    if (c >= 0xD800 && c < 0xDC00) {
      if (raw.substr(std::min(at, raw.size()), 2) != "\\u") return false;
      const int low = FourHex(raw, at + 2);
      if (low < 0xDC00 || low >= 0xE000) return false;
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    }
    to = WriteCharacter(to, c);
  }
  *text = {room->data(), static_cast<std::size_t>(to - room->data())};
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
