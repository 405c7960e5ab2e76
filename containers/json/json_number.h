// SPDX-License-Identifier: MIT
//
// Numbers of JSON from their text, exactly: integers to the edges of 64 bits,
// doubles as the nearest one. After Daniel Lemire, "Number Parsing at a
// Gigabyte per Second" (2021), with powers of ten that writing needs as well;
// what that cannot decide, and what has more than 19 digits, is left to the
// standard library.

#ifndef ACRE_JSON_NUMBER_H_
#define ACRE_JSON_NUMBER_H_

#include <cstdint>

#include "acre/config.h"

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

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_JSON_NUMBER_H_
