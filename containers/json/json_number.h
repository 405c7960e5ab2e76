// SPDX-License-Identifier: MIT
//
// Numbers of JSON from their text, exactly: integers to the edges of 64 bits,
// doubles as the nearest one. After Daniel Lemire, "Number Parsing at a
// Gigabyte per Second" (2021), with powers of ten that writing needs as well;
// what that cannot decide, and what has more than 19 digits, is left to the
// standard library.

#ifndef ACRE_JSON_NUMBER_H_
#define ACRE_JSON_NUMBER_H_

#include <bit>
#include <cstdint>

#include "acre/config.h"
#include "acre/detail/text.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

struct JsonNumber {
  enum class Form : std::uint8_t {
    kNone,      // no number: against the grammar, or larger than any double
    kUnsigned,  // `integer`, not negative
    kNegative,  // `integer`, below zero, as two's complement
    kDouble,    // `real`: it has a point or exponent, is -0, or too large
  };
  Form form = Form::kNone;
  union {
    std::uint64_t integer = 0;
    double real;
  };
};

/// The number that begins at `text`, a digit or a minus, and its end, where
/// something must stand that is no part of it; after at most 64 KiB of digits
/// nothing is read past the end.
JsonNumber ParseNumber(const char* text, const char** end);

/// A number with a point or exponent as an integer, by its digits. kNone: it is
/// none; kDouble: it is one, but larger.
JsonNumber ParseWhole(const char* text, const char* end);

/// The same as ParseNumber where a double is wanted; false for Form::kNone.
bool ParseDouble(const char* text, const char** end, double* value);

// ---- digits, eight at a time

ACRE_INLINE bool IsDigit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Ten to the power of up to eight.
inline constexpr std::uint64_t kTen[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/// Eight characters; those in front that are digits, and how many.
struct Eight {
  std::uint64_t word;  // a byte each, the first the lowest, digits as numbers
  unsigned count;
};
ACRE_INLINE Eight LoadEight(const char* text) {
  auto word = Load<std::uint64_t>(text);
  if constexpr (std::endian::native == std::endian::big) {
    word = __builtin_bswap64(word);
  }
  word ^= 0x3030303030303030;
  // A carry reaches bytes behind the first that is no digit only.
  const std::uint64_t others =
      (word | (word + 0x0606060606060606)) & 0xF0F0F0F0F0F0F0F0;
  const unsigned count =
      others == 0 ? 8 : static_cast<unsigned>(__builtin_ctzll(others)) / 8;
  return {word, count};
}
/// The number that eight digits are. Neighbours are joined to pairs, those to
/// fours, those to eight.
ACRE_INLINE std::uint64_t ValueOf(std::uint64_t word) {
  word = word * 10 + (word >> 8);
  return (((word & 0x000000FF000000FF) * 0x000F424000000064) +
          ((word >> 16 & 0x000000FF000000FF) * 0x0000271000000001)) >>
         32;
}

/// Appends the digits at `text` to a number, and returns their end. No branch
/// on how many the last few are: nobody can foretell that.
ACRE_INLINE const char* TakeDigits(const char* text, std::uint64_t* digits) {
  Eight eight = LoadEight(text);
  while (eight.count == 8) {
    *digits = *digits * kTen[8] + ValueOf(eight.word);
    text += 8;
    eight = LoadEight(text);
  }
  // Zeros in front; in two steps, for none of them would be 64 bits.
  const std::uint64_t word = eight.word << 8 << (56 - 8 * eight.count);
  *digits = *digits * kTen[eight.count] + ValueOf(word);
  return text + eight.count;
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_NUMBER_H_
