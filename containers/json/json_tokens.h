// SPDX-License-Identifier: MIT
//
// The tokens of a text: where its brackets, commas, colons, texts and other
// values begin, as simdjson's first stage finds them with the widest vectors
// that the machine has; it also checks UTF-8, that texts end, and that they
// hold no control characters. Everything else is checked by who reads them.
//
// simdjson's own second stage writes a tree, from which objects would have to
// be built; here they are built from the tokens. See DEAD_ENDS.md for what
// that saves. Its DOM parser begins with the same call.

#ifndef ACRE_JSON_TOKENS_H_
#define ACRE_JSON_TOKENS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "acre/config.h"
#include "acre/detail/text.h"

namespace simdjson {
namespace internal {
class dom_parser_implementation;
}  // namespace internal
}  // namespace simdjson

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// A place in the tokens: which one, and how many brackets have opened before.
struct JsonAt {
  std::uint32_t token = 0;
  std::uint32_t opening = 0;
};

/// (Visible, since a public class holds one.)
class __attribute__((visibility("default"))) JsonTokens {
 public:
  enum class Outcome : std::uint8_t { kFine, kOffence, kNoMemory };

  JsonTokens();
  ~JsonTokens();
  JsonTokens(const JsonTokens&) = delete;
  JsonTokens& operator=(const JsonTokens&) = delete;

  /// Borrows the text, behind which kPadding bytes may be read. kOffence: it
  /// breaks the grammar somewhere, or nests deeper; not all that does is found.
  Outcome Find(std::string_view text, unsigned max_depth);
  static const std::size_t kPadding;

  std::size_t size() const { return size_; }
  const char* text() const { return text_.data(); }
  /// The first character of a token: of one before the end.
  char operator[](std::uint32_t token) const {
    return text_.data()[starts_[token]];
  }
  const char* Start(std::uint32_t token) const {
    return text_.data() + starts_[token];
  }

  /// What stands between the quotes of a text; false where something follows on
  /// its heels that is no token. Escapes are as they stand.
  ACRE_INLINE bool GetRaw(std::uint32_t token, std::string_view* raw) const {
    const char* const first = Start(token) + 1;
    const char* last = Start(token + 1) - 1;
    while (ACRE_UNLIKELY(IsSpace(*last))) --last;
    *raw = {first, static_cast<std::size_t>(last - first)};
    return *last == '"' && last >= first;
  }
  /// Whether a token is that text, without escapes.
  ACRE_INLINE bool IsText(std::uint32_t token, std::string_view text) const {
    const char* const start = Start(token);
    const std::size_t size = text.size();
    return start[0] == '"' &&
           static_cast<std::size_t>(Start(token + 1) - start) > size + 1 &&
           start[size + 1] == '"' && SameText({start + 1, size}, text);
  }
  /// Whether a number or a word that ends there, of this token, does.
  ACRE_INLINE bool EndsAt(std::uint32_t token, const char* end) const {
    const char* const next = Start(token + 1);
    while (end < next && IsSpace(*end)) ++end;
    return end == next;
  }

  /// How many members or elements the bracket has that opens as the n-th.
  std::uint32_t CountOf(std::uint32_t opening) const {
    return counts_[opening];
  }

 private:
  /// A bracket that is open, and what had been counted in the one around it.
  struct Open {
    std::uint32_t opening;
    std::uint32_t commas;
  };

  static bool IsSpace(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
  }
  bool CountElements(unsigned max_depth);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser_;
  std::string_view text_;
  const std::uint32_t* starts_ = nullptr;  // size_ of them, and the end
  std::size_t size_ = 0;
  std::vector<std::uint32_t> counts_;  // of each bracket, in their order
  std::vector<Open> open_;
};

/// What a raw text says: itself where it has no escapes, else in `room`. False
/// where an escape is none.
bool Unescape(std::string_view raw, std::string* room, std::string_view* text);

/// Whether there is a backslash. Behind the text kPadding bytes may be read.
ACRE_INLINE bool HasEscapes(std::string_view raw) {
  constexpr std::size_t kShort = 24;
  if (raw.size() > kShort) {
    return std::memchr(raw.data(), '\\', raw.size()) != nullptr;
  }
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const auto found = [&](std::size_t at) {
    auto word = Load<std::uint64_t>(raw.data() + at);
    if constexpr (std::endian::native == std::endian::big) {
      word = __builtin_bswap64(word);
    }
    word ^= kOnes * '\\';
    return (word - kOnes) & ~word & kOnes << 7;
  };
  std::size_t at = 0;
  for (; at + 8 <= raw.size(); at += 8) {
    if (found(at) != 0) return true;
  }
  // Of the last word, what belongs to the text.
  const std::size_t rest = raw.size() - at;
  return rest != 0 && found(at) << (64 - 8 * rest) != 0;
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_TOKENS_H_
