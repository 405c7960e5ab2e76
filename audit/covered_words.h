// SPDX-License-Identifier: MIT
//
// CoveredWords: the words of one chunk that a walk has looked at by a layout,
// so that a sweep leaves them out. A bit a word: a 64th of the chunk, however
// many objects lie in it and however often they are reached.

#ifndef ACRE_AUDIT_COVERED_WORDS_H_
#define ACRE_AUDIT_COVERED_WORDS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class CoveredWords {
 public:
  /// `live_end`: nothing from there on is handed out, or swept.
  CoveredWords(const char* begin, std::size_t size, const char* live_end)
      : begin_(begin),
        size_(size),
        live_(static_cast<std::size_t>(live_end - begin)),
        bits_(live_ / kBytesOfBits + 1) {}

  const char* begin() const { return begin_; }
  bool Holds(const void* address) const {
    return OffsetOf(address) < size_;  // one comparison for both ends
  }

  /// Every word of which a byte is among the `bytes` from there on.
  /// Requires: Holds(from).
  void Cover(const char* from, std::size_t bytes) {
    const std::size_t offset = OffsetOf(from);
    if (offset >= live_ || bytes == 0) return;
    const std::size_t last = offset + std::min(bytes, live_ - offset) - 1;
    const std::size_t end = last / sizeof(void*) + 1;
    for (std::size_t at = offset / sizeof(void*); at < end;) {
      const std::size_t bit = at % kBits;
      const std::size_t count = std::min(kBits - bit, end - at);
      bits_[at / kBits] |= (~std::uint64_t{0} >> (kBits - count)) << bit;
      at += count;
    }
  }

  /// Requires: `word` is handed out.
  bool IsCovered(const char* word) const {
    const std::size_t at = OffsetOf(word) / sizeof(void*);
    return (bits_[at / kBits] >> at % kBits & 1) != 0;
  }

 private:
  static constexpr std::size_t kBits = 64;
  static constexpr std::size_t kBytesOfBits = kBits * sizeof(void*);

  std::size_t OffsetOf(const void* address) const {
    return static_cast<std::size_t>(static_cast<const char*>(address) - begin_);
  }

  const char* begin_;
  std::size_t size_;  // bytes of the chunk
  std::size_t live_;  // bytes up to what is handed out last
  std::vector<std::uint64_t> bits_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_COVERED_WORDS_H_
