// SPDX-License-Identifier: MIT
//
// The shortest decimal that reads back as the same double; of several, the one
// nearest to it. Raffaele Giulietti's Schubfach ("The Schubfach way to render
// doubles", 2020): one 128-bit power of ten and three products. The standard
// library's conversion takes three to five times as long.

#ifndef ACRE_CONTAINERS_SHORTEST_H_
#define ACRE_CONTAINERS_SHORTEST_H_

#include <cstdint>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// digits * 10^exponent. The digits may end in zeros.
struct Decimal {
  std::uint64_t digits = 0;  // at most 17 of them
  int exponent = 0;
};

/// Requires: positive and finite.
Decimal ShortestDecimal(double value);

/// The room that WriteDouble wants. The longest text is "-0." with five zeros
/// and 17 digits; behind its end it leaves a few bytes of its own.
inline constexpr int kDoubleRoom = 48;

/// Writes the number as JSON does, and as JavaScript prints it: plain from
/// 1e-6 up to 1e21, with an exponent elsewhere. Whole numbers get a ".0", so
/// that they are read back as doubles. Requires: finite, kDoubleRoom bytes.
/// Returns the end.
char* WriteDouble(char* to, double value);

/// Writes the digits of a number; room for 20. Returns the end.
char* WriteInteger(char* to, std::uint64_t value);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SHORTEST_H_
