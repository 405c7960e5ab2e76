// SPDX-License-Identifier: MIT

#include "acre/json_writer.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "acre/detail/text.h"
#include "acre/detail/utf8.h"
#include "shortest.h"

namespace acre::inline ACRE_ABI {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kTops = 0x8080808080808080;

/// The top bits, up to that of the first byte, of the lowest, that is no
/// printable ASCII, or a quote or backslash; borrows may set those above it.
std::uint64_t OddBytes(std::uint64_t word) {
  const std::uint64_t quotes = word ^ kOnes * '"';
  const std::uint64_t slashes = word ^ kOnes * '\\';
  const std::uint64_t deletes = word ^ kOnes * 0x7F;
  return (word | (word - kOnes * 0x20) | (quotes - kOnes) | (slashes - kOnes) |
          (deletes - kOnes)) &
         kTops;
}

}  // namespace

void JsonWriter::Flush() {
  if (used_ == 0) return;
  const std::size_t size = used_;
  used_ = 0;
  if (!sink_.write(sink_.to, buffer_, size)) Fail(JsonWriteError::kSink);
}

void JsonWriter::FlushAtEnd() noexcept {
#if ACRE_EXCEPTIONS
  try {
    Flush();
  } catch (...) {  // most likely what was in flight already
  }
#else
  Flush();
#endif
}

void JsonWriter::Put(std::string_view text) {
  if (text.size() > kRoom - used_) {
    Flush();
    if (text.size() > kRoom) {
      if (!sink_.write(sink_.to, text.data(), text.size())) {
        Fail(JsonWriteError::kSink);
      }
      return;
    }
  }
  if (!text.empty()) {
    std::memcpy(buffer_ + used_, text.data(), text.size());
  }
  used_ += text.size();
}

void JsonWriter::NewLine() {
  if (depth_ == 0) return;
  Put('\n');
  for (std::size_t i = 0; i < std::size_t{depth_} * style_.indent; ++i) {
    Put(' ');
  }
}

void JsonWriter::EndLine() {
  Put('\n');
  after_ = After::kOpening;
}

void JsonWriter::Open(char bracket) {
  Separate();
  Put(bracket);
  ++depth_;
  after_ = After::kOpening;
}

void JsonWriter::Close(char bracket) {
  --depth_;
  if (style_.indent != 0 && after_ == After::kValue) {
    Put('\n');
    for (std::size_t i = 0; i < std::size_t{depth_} * style_.indent; ++i) {
      Put(' ');
    }
  }
  Put(bracket);
  after_ = After::kValue;
}

void JsonWriter::Key(std::string_view name) {
  Separate();
  Quote(name);
  Put(':');
  if (style_.indent != 0) Put(' ');
  after_ = After::kKey;
}

void JsonWriter::Value(std::string_view text) {
  Separate();
  Quote(text);
}

void JsonWriter::Value(std::uint64_t value) {
  Separate();
  char* const to = Room(20);
  used_ += static_cast<std::size_t>(detail::WriteInteger(to, value) - to);
}

void JsonWriter::Value(std::int64_t value) {
  Separate();
  char* const to = Room(21);
  const bool is_negative = value < 0;
  to[0] = '-';
  const auto bits = static_cast<std::uint64_t>(value);
  char* const end =
      detail::WriteInteger(to + is_negative, is_negative ? 0 - bits : bits);
  used_ += static_cast<std::size_t>(end - to);
}

void JsonWriter::Value(double value) {
  if (ACRE_UNLIKELY(!std::isfinite(value))) return NotFinite(value);
  Separate();
  char* const to = Room(detail::kDoubleRoom);
  used_ += static_cast<std::size_t>(detail::WriteDouble(to, value) - to);
}

void JsonWriter::Value(float value) {
  if (!std::isfinite(value)) return NotFinite(double{value});
  Separate();
  char* const to = Room(64);
  char* end = std::to_chars(to, to + 60, value).ptr;
  bool is_whole = true;
  for (const char* at = to; at != end; ++at) {
    is_whole = is_whole && *at != '.' && *at != 'e';
  }
  if (is_whole) {
    *end++ = '.';
    *end++ = '0';
  }
  used_ += static_cast<std::size_t>(end - to);
}

void JsonWriter::NotFinite(double value) {
  if (style_.not_finite == JsonNotFinite::kText) {
    return Value(std::isnan(value) ? "NaN"
                 : value > 0       ? "Infinity"
                                   : "-Infinity");
  }
  if (style_.not_finite == JsonNotFinite::kRefuse) {
    Fail(JsonWriteError::kNotFinite);
  }
  Null();
}

void JsonWriter::Value(const void* address) {
  if (address == nullptr) return Null();
  Separate();
  char* to = Room(24);
  char* const start = to;
  *to++ = '"';
  *to++ = '0';
  *to++ = 'x';
  to = std::to_chars(to, to + 16, reinterpret_cast<std::uintptr_t>(address), 16)
           .ptr;
  *to++ = '"';
  used_ += static_cast<std::size_t>(to - start);
}

void JsonWriter::Word(std::string_view json) {
  Separate();
  Put(json);
}

void JsonWriter::Quote(std::string_view text) {
  if (QuotePlain(text)) return;
  Put('"');
  for (;;) {
    text.remove_prefix(CopyPlain(text));
    if (text.empty()) break;
    text.remove_prefix(QuoteOne(text));
  }
  Put('"');
}

/// What most texts are: short, and nothing in them to escape. False, and
/// nothing written, where it is not so.
bool JsonWriter::QuotePlain(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  constexpr std::size_t kMost = 256;
  const std::size_t size = text.size();
  if (size > kMost || style_.in_script) return false;
  char* const to = Room(size + 2) + 1;
  const char* const from = text.data();
  std::uint64_t odd = 0;
  if (size >= kWord) {
    const auto take = [&](std::size_t at) {
      const auto word = detail::Load<std::uint64_t>(from + at);
      std::memcpy(to + at, &word, kWord);
      odd |= OddBytes(word);
    };
    for (std::size_t at = 0; at + kWord <= size; at += kWord) take(at);
    take(size - kWord);
  } else if (size != 0) {  // else the text may be at no address
    // Bytes that are no odd ones fill the word up.
    std::uint64_t word = kOnes * 'x';
    std::memcpy(&word, from, size);
    odd = OddBytes(word);
    std::memcpy(to, from, size);
  }
  if (odd != 0) return false;
  to[-1] = '"';
  to[size] = '"';
  used_ += size + 2;
  return true;
}

std::size_t JsonWriter::CopyPlain(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const char* const from = text.data();
  std::size_t taken = 0;
  if (!style_.in_script) {
    while (text.size() - taken >= kWord) {
      auto word = detail::Load<std::uint64_t>(from + taken);
      std::memcpy(Room(kWord), &word, kWord);
      if constexpr (std::endian::native == std::endian::big) {
        word = __builtin_bswap64(word);
      }
      const std::uint64_t odd = OddBytes(word);
      const std::size_t plain =
          odd == 0 ? kWord : static_cast<std::size_t>(__builtin_ctzll(odd)) / 8;
      used_ += plain;
      taken += plain;
      if (odd != 0) return taken;
    }
  }
  for (; taken != text.size(); ++taken) {
    const auto byte = static_cast<unsigned char>(from[taken]);
    const bool is_markup = byte == '<' || byte == '>' || byte == '&';
    if (byte < 0x20 || byte >= 0x7F || byte == '"' || byte == '\\' ||
        (is_markup && style_.in_script)) {
      break;
    }
    Put(from[taken]);
  }
  return taken;
}

std::size_t JsonWriter::QuoteOne(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte >= 0x80) {
    const std::size_t length = detail::CharacterLength(text);
    if (length != 0) {
      Put(text.substr(0, length));
      return length;
    }
    if (style_.bytes == JsonBytes::kShow) {
      const char shown[] = {'\\', '\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      Put({shown, sizeof shown});
    } else {
      if (style_.bytes == JsonBytes::kRefuse) Fail(JsonWriteError::kNotUtf8);
      Put(kReplacement);
    }
    return 1;
  }
  const auto escape = [&](char c) {
    Put('\\');
    Put(c);
  };
  switch (byte) {
    case '"':
    case '\\':
      escape(text[0]);
      break;
    case '\n':
      escape('n');
      break;
    case '\t':
      escape('t');
      break;
    case '\r':
      escape('r');
      break;
    case '\b':
      escape('b');
      break;
    case '\f':
      escape('f');
      break;
    default: {
      const char escaped[] = {'\\',           'u', '0', '0', kHex[byte >> 4],
                              kHex[byte & 15]};
      Put({escaped, sizeof escaped});
    }
  }
  return 1;
}

}  // namespace acre::inline ACRE_ABI
