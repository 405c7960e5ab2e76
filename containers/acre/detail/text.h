// SPDX-License-Identifier: MIT
//
// Reading text by words, and comparing it so. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_TEXT_H_
#define ACRE_CONTAINERS_DETAIL_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

using Sixteen [[gnu::vector_size(16)]] = std::uint64_t;

template <class Word>
ACRE_INLINE Word Load(const char* p) {
  Word word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

/// Whether `n` characters are equal, which two words cover: n is the size of a
/// word at least, and twice that at most.
template <class Word>
ACRE_INLINE bool SameByTwo(const char* p, const char* q, std::size_t n) {
  const std::size_t last = n - sizeof(Word);
  const Word difference = (Load<Word>(p) ^ Load<Word>(q)) |
                          (Load<Word>(p + last) ^ Load<Word>(q + last));
  if constexpr (sizeof(Word) == 16) {
    return (difference[0] | difference[1]) == 0;
  } else {
    return difference == 0;
  }
}

/// Copies `n` characters, which two words cover; they may overlap.
template <class Word>
ACRE_INLINE void CopyByTwo(char* to, const char* from, std::size_t n) {
  const std::size_t last = n - sizeof(Word);
  const auto head = Load<Word>(from);
  const auto tail = Load<Word>(from + last);
  std::memcpy(to, &head, sizeof head);
  std::memcpy(to + last, &tail, sizeof tail);
}

/// Copies up to 32 characters; they may overlap. A call of memmove costs more
/// than copying what most texts are.
ACRE_INLINE void CopyShort(char* to, const char* from, std::size_t n) {
  if (n >= 16) return CopyByTwo<Sixteen>(to, from, n);
  if (n >= 8) return CopyByTwo<std::uint64_t>(to, from, n);
  if (n >= 4) return CopyByTwo<std::uint32_t>(to, from, n);
  if (n >= 2) return CopyByTwo<std::uint16_t>(to, from, n);
  if (n == 1) *to = *from;
}

/// Whether two texts are equal. A call of memcmp costs more than comparing what
/// most keys are.
ACRE_INLINE bool SameText(std::string_view a, std::string_view b) {
  const std::size_t n = a.size();
  if (n != b.size()) return false;
  const char* p = a.data();
  const char* q = b.data();
  if (n > 32) return std::memcmp(p, q, n) == 0;
  if (n >= 16) return SameByTwo<Sixteen>(p, q, n);
  if (n >= 8) return SameByTwo<std::uint64_t>(p, q, n);
  if (n >= 4) return SameByTwo<std::uint32_t>(p, q, n);
  if (n >= 2) return SameByTwo<std::uint16_t>(p, q, n);
  return n == 0 || *p == *q;
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TEXT_H_
