// SPDX-License-Identifier: MIT

#include "shortest.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "acre/detail/powers_of_ten.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

struct Product {
  std::uint64_t high;
  std::uint64_t low;
};

__extension__ typedef unsigned __int128 Wide;

Product Multiply(std::uint64_t a, std::uint64_t b) {
  const Wide product = Wide{a} * b;
  return {static_cast<std::uint64_t>(product >> 64),
          static_cast<std::uint64_t>(product)};
}

// ---- the paper's arithmetic

// Of the logarithms only whole parts are asked for; the factors are exact for
// every exponent of a double (section 9 of the paper has larger ones).
int FloorLog10Pow2(int e) { return (e * 1262611) >> 22; }
int FloorLog10ThreeQuartersPow2(int e) { return (e * 1262611 - 524031) >> 22; }
int FloorLog2Pow10(int e) { return (e * 1741647) >> 19; }

/// power * factor >> 128, its last bit set where bits were lost.
ACRE_INLINE std::uint64_t RoundToOdd(const Power& power, std::uint64_t factor) {
  const Product low = Multiply(power.low, factor);
  Product high = Multiply(power.high, factor);
  high.low += low.high;
  if (high.low < low.high) ++high.high;
  return high.high | static_cast<std::uint64_t>(high.low > 1);
}

constexpr int kFractionBits = 52;
constexpr std::uint64_t kHidden = std::uint64_t{1} << kFractionBits;

/// Six places behind the point are what most data has. A decimal of up to 15
/// digits is the only one of that size that its double is nearest to, hence the
/// shortest; and the quotient of two exact doubles is rounded once.
ACRE_INLINE bool HasSixPlaces(double value, Decimal& decimal) {
  constexpr double kMillion = 1e6;
  if (!(value < 1e9)) return false;
  // Where this rounds another way, the quotient below is another.
  const auto millionths =
      static_cast<std::int64_t>(value * kMillion + 0.5);  // NOLINT
  decimal = {static_cast<std::uint64_t>(millionths), -6};
  return static_cast<double>(millionths) / kMillion == value;
}

ACRE_INLINE Decimal Shortest(double value) {
  Decimal decimal;
  if (HasSixPlaces(value, decimal)) return decimal;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const std::uint64_t fraction = bits & (kHidden - 1);
  const int biased = static_cast<int>(bits >> kFractionBits & 0x7FF);
  std::uint64_t c = fraction;
  int q = 1 - 1075;
  if (biased != 0) {
    c |= kHidden;
    q = biased - 1075;
    // Whole numbers below 2^53 are their own shortest decimals.
    if (q <= 0 && q > -53 && (c & ((std::uint64_t{1} << -q) - 1)) == 0) {
      return {c >> -q, 0};
    }
  }
  const bool is_even = c % 2 == 0;
  // At a power of two the gap below is half of the one above.
  const bool is_closer = fraction == 0 && biased > 1;
  const std::uint64_t below = 4 * c - 2 + static_cast<std::uint64_t>(is_closer);
  const std::uint64_t at = 4 * c;
  const std::uint64_t above = 4 * c + 2;
  const int k = is_closer ? FloorLog10ThreeQuartersPow2(q) : FloorLog10Pow2(q);
  const int shift = q + FloorLog2Pow10(-k) + 1;
  Power power = powers_of_ten[-k];
  if (++power.low == 0) ++power.high;
  const std::uint64_t lower = RoundToOdd(power, below << shift) + !is_even;
  const std::uint64_t middle = RoundToOdd(power, at << shift);
  const std::uint64_t upper = RoundToOdd(power, above << shift) - !is_even;

  // A digit less, if one of the two neighbours reads back. Nobody can foretell
  // which it is: both are worked out, and one is chosen without a branch.
  const std::uint64_t s = middle / 4;
  const std::uint64_t tens = s / 10;
  const bool ten_down_is_in = lower <= 40 * tens;
  const bool ten_up_is_in = 40 * tens + 40 <= upper;
  const bool is_shorter = s >= 10 && ten_down_is_in != ten_up_is_in;
  const bool down_is_in = lower <= 4 * s;
  const bool up_is_in = 4 * s + 4 <= upper;
  const std::uint64_t half = 4 * s + 2;
  const bool rounds_up = middle > half || (middle == half && s % 2 != 0);
  const std::uint64_t full =
      s +
      static_cast<std::uint64_t>(down_is_in != up_is_in ? up_is_in : rounds_up);
  const std::uint64_t fewer = tens + static_cast<std::uint64_t>(ten_up_is_in);
  const std::uint64_t choice = -static_cast<std::uint64_t>(is_shorter);
  return {full ^ ((full ^ fewer) & choice), k + static_cast<int>(is_shorter)};
}

/// "00" to "99".
constexpr auto kPairs = [] {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

constexpr auto kTens = [] {
  std::array<std::uint64_t, 20> tens{};
  std::uint64_t ten = 1;
  for (std::uint64_t& each : tens) {
    each = ten;
    ten *= 10;
  }
  return tens;
}();

/// How many digits: 1 to 20, 1 for zero.
int DigitsOf(std::uint64_t value) {
  // 1233 / 4096 is a little above log10(2).
  const unsigned width = 64 - static_cast<unsigned>(__builtin_clzll(value | 1));
  const int guess = static_cast<int>(width * 1233 >> 12);
  // No number has more than 20; behind the last power stands the largest.
  return guess + static_cast<int>((value | 1) >=
                                  kTens[static_cast<std::size_t>(guess)]);
}

/// Eight digits, each a byte of the result, the first the lowest: halves, then
/// quarters, then digits are divided side by side.
ACRE_INLINE std::uint64_t SpreadDigits(std::uint32_t value) {
  const std::uint64_t halves =
      value / 10000 | static_cast<std::uint64_t>(value % 10000) << 32;
  // Of what is below 10000, the whole part of a hundredth; below 100, a tenth.
  const std::uint64_t hundreds =
      (halves * 10486 >> 20) & 0x0000007F'0000007Full;
  const std::uint64_t pairs = hundreds | (halves - 100 * hundreds) << 16;
  const std::uint64_t tens = (pairs * 103 >> 10) & 0x000F'000F'000F'000Full;
  return tens | (pairs - 10 * tens) << 8;
}

/// Zero bits before the first that is set. Requires: there is one.
ACRE_INLINE unsigned Leading(std::uint64_t word) {
  return static_cast<unsigned>(__builtin_clzll(word));
}

constexpr std::uint64_t kZeros = 0x3030303030303030;  // "00000000"

/// Bytes of text in registers, the first the lowest. (What is written byte by
/// byte and read as a word has to go through memory first.)
template <class Word>
void StoreText(char* to, Word bytes) {
  if constexpr (std::endian::native == std::endian::big) {
    for (std::size_t i = 0; i < sizeof bytes; ++i, bytes >>= 8) {
      to[i] = static_cast<char>(bytes);
    }
  } else {
    std::memcpy(to, &bytes, sizeof bytes);
  }
}

/// 17 digits: 16 of them as text, the last by itself.
struct Digits {
  static constexpr int kCount = 17;
  Wide text;
  char last;
  int count;  // without the zeros at the end

  explicit Digits(std::uint64_t value) {
    const auto first = static_cast<std::uint32_t>(value / kTens[9]);
    const auto rest = static_cast<std::uint32_t>(value % kTens[9]);
    const std::uint64_t high = SpreadDigits(first);
    const std::uint64_t low = SpreadDigits(rest / 10);
    const std::uint32_t digit = rest % 10;
    text = Wide{low | kZeros} << 64 | (high | kZeros);
    last = static_cast<char>('0' + digit);
    // Which of the three ends it cannot be foretold: no branches.
    const unsigned in_high = 8 - Leading(high) / 8;
    const unsigned in_low = 16 - Leading(low | 1) / 8;
    count = static_cast<int>(digit != 0 ? 17 : low != 0 ? in_low : in_high);
  }
  /// Writes all; room for 17.
  void Store(char* to) const {
    StoreText(to, text);
    to[16] = last;
  }
};

}  // namespace

Decimal ShortestDecimal(double value) { return Shortest(value); }

char* WriteInteger(char* to, std::uint64_t value) {
  const int count = DigitsOf(value);
  char* end = to + count;
  while (value >= 100) {
    end -= 2;
    std::memcpy(end, &kPairs[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    std::memcpy(to, &kPairs[2 * value], 2);
  } else {
    *to = static_cast<char>('0' + value);
  }
  return to + count;
}

namespace {

void Append(char* to, std::string_view text) {
  std::memcpy(to, text.data(), text.size());
}

}  // namespace

char* WriteDouble(char* to, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  *to = '-';
  to += bits >> 63;
  value = std::bit_cast<double>(bits << 1 >> 1);
  if (value == 0) {
    Append(to, "0.0");
    return to + 3;
  }
  const Decimal decimal = Shortest(value);
  const int size = DigitsOf(decimal.digits);
  const Digits digits(decimal.digits *
                      kTens[static_cast<std::size_t>(Digits::kCount - size)]);
  const int point = size + decimal.exponent;  // digits before it
  if (point > 21 || point < -5) {
    digits.Store(to + 1);
    to[0] = to[1];
    to[1] = '.';
    char* end = digits.count == 1 ? to + 1 : to + 1 + digits.count;
    const int power = point - 1;
    end[0] = 'e';
    end[1] = power < 0 ? '-' : '+';
    return WriteInteger(end + 2,
                        static_cast<std::uint64_t>(power < 0 ? -power : power));
  }
  if (point <= 0) {
    Append(to, "0.000000");
    digits.Store(to + 2 - point);
    return to + 2 - point + digits.count;
  }
  if (point < 8) {
    // All one place to the right, then what stands before the point again.
    digits.Store(to + 1);
    const auto start = static_cast<std::uint64_t>(digits.text);
    const std::uint64_t whole = (std::uint64_t{1} << 8 * point) - 1;
    StoreText(to, (start & whole) | std::uint64_t{'.'} << 8 * point |
                      (start & ~whole) << 8);
    return to + 1 + (digits.count > point ? digits.count : point + 1);
  }
  digits.Store(to);
  std::memset(to + Digits::kCount, '0', 8);
  if (digits.count > point) {
    std::memmove(to + point + 1, to + point,
                 static_cast<std::size_t>(Digits::kCount - point));
    to[point] = '.';
    return to + 1 + digits.count;
  }
  Append(to + point, ".0");
  return to + point + 2;
}

}  // namespace acre::inline ACRE_ABI::detail
