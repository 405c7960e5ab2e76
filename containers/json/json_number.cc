// SPDX-License-Identifier: MIT

#include "json_number.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <system_error>

#include "acre/detail/powers_of_ten.h"
#include "acre/detail/text.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

__extension__ typedef unsigned __int128 Wide;

/// A number taken apart: digits * 10^exponent.
struct Parts {
  const char* end;
  std::uint64_t digits;
  std::int64_t exponent;
  int count;  // of digits, without zeros in front
  bool is_negative;
  bool is_integer;
  bool is_valid;
};

/// Digits wrap around where there are more than 19.
ACRE_INLINE Parts TakeApart(const char* text) {
  Parts parts{};
  parts.is_negative = *text == '-';
  text += parts.is_negative;
  const char* const first = text;
  std::uint64_t digits = 0;
  text = TakeDigits(text, &digits);
  std::int64_t count = text - first;
  if (count == 0 || (*first == '0' && count != 1)) return parts;
  parts.is_integer = true;
  if (*text == '.') {
    parts.is_integer = false;
    const char* const point = ++text;
    text = TakeDigits(text, &digits);
    if (text == point) return parts;
    parts.exponent = point - text;
    count += text - point;
    if (*first == '0' && count > 19) {
      // Zeros in front count as no digits.
      const char* zero = point;
      --count;
      while (*zero == '0') {
        ++zero;
        --count;
      }
    }
  }
  if ((*text | 0x20) == 'e') {
    parts.is_integer = false;
    ++text;
    const bool is_negative = *text == '-';
    if (*text == '-' || *text == '+') ++text;
    if (!IsDigit(*text)) return parts;
    std::int64_t exponent = 0;
    for (; IsDigit(*text); ++text) {
      if (exponent < 1000000) exponent = exponent * 10 + (*text - '0');
    }
    parts.exponent += is_negative ? -exponent : exponent;
  }
  parts.end = text;
  parts.digits = digits;
  parts.count = count > 1000 ? 1000 : static_cast<int>(count);
  parts.is_valid = true;
  return parts;
}

/// The nearest double by one or two products, or a negative number where those
/// do not tell. Requires: digits are not 0.
ACRE_INLINE double NearestByProduct(std::uint64_t digits,
                                    std::int64_t exponent) {
  constexpr double kUndecided = -1;
  // Halves between doubles of few digits, and what is subnormal, are not
  // common enough to be worth their cases.
  if (exponent < kLeastPower || exponent > 288) return kUndecided;
  const int zeros = std::countl_zero(digits);
  digits <<= zeros;
  const Power& power = powers_of_ten[exponent];
  const Wide product = Wide{digits} * power.high;
  auto upper = static_cast<std::uint64_t>(product >> 64);
  auto lower = static_cast<std::uint64_t>(product);
  constexpr std::uint64_t kBelow = 0x1FF;  // bits behind those of a double
  if ((upper & kBelow) == kBelow) {
    const auto more =
        static_cast<std::uint64_t>(Wide{digits} * power.low >> 64);
    lower += more;
    if (lower < more) ++upper;
    if (lower + 1 == 0) return kUndecided;
  }
  const auto top = static_cast<int>(upper >> 63);
  std::uint64_t bits = upper >> (top + 9);  // one more than a double has
  // Exactly between two doubles, as far as one can see: to be told from a
  // number a little above takes all the digits.
  if (lower <= 1 && exponent >= -4 && exponent <= 23 && (bits & 3) == 1 &&
      bits << (top + 9) == upper) {
    bits &= ~std::uint64_t{1};
  }
  bits += bits & 1;
  bits >>= 1;
  int biased =
      static_cast<int>((217706 * exponent) >> 16) + 63 + top - zeros + 1023;
  if (bits >> 53 != 0) {
    bits >>= 1;
    ++biased;
  }
  if (biased <= 0 || biased >= 0x7FF) return kUndecided;
  bits &= (std::uint64_t{1} << 52) - 1;
  return std::bit_cast<double>(bits | static_cast<std::uint64_t>(biased) << 52);
}

/// By the standard library; infinite where it is larger than any double.
ACRE_COLD double NearestBySearch(const char* text, const char* end) {
  double value = 0;
  const auto [to, result] = std::from_chars(text, end, value);
  if (result == std::errc() && to == end) return value;
  // Too large, or too small, which is no error: a zero, or nearly.
  return std::strtod(std::string(text, end).c_str(), nullptr);
}

/// Exact powers of ten.
constexpr double kTens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/// Nobody can foretell the sign: no branch.
ACRE_INLINE double WithSign(double value, bool is_negative) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(value) |
                               std::uint64_t{is_negative} << 63);
}

ACRE_INLINE double DoubleOf(const char* text, const Parts& parts) {
  double value = 0;
  if (parts.count <= 19) {
    if (parts.digits <= std::uint64_t{1} << 53 && parts.exponent >= -22 &&
        parts.exponent <= 22) {
      // Both exact: rounded once.
      value = static_cast<double>(parts.digits);
      value = parts.exponent < 0 ? value / kTens[-parts.exponent]
                                 : value * kTens[parts.exponent];
      return WithSign(value, parts.is_negative);
    }
    if (parts.digits == 0) return WithSign(0, parts.is_negative);
    value = NearestByProduct(parts.digits, parts.exponent);
    if (value > 0) return WithSign(value, parts.is_negative);
  }
  return NearestBySearch(text, parts.end);
}

}  // namespace

bool ParseDouble(const char* text, const char** end, double* value) {
  // What most numbers are: a few digits, a point, some more; up to 19 in all.
  // Of up to 15 one division is enough. Everything else is below.
  const char* at = text + (*text == '-');
  const char* const first = at;
  std::uint64_t digits = 0;
  for (; IsDigit(*at); ++at) {
    digits = digits * 10 + static_cast<std::uint64_t>(*at - '0');
  }
  if (ACRE_LIKELY(*at == '.' && at != first &&
                  (*first != '0' || at == first + 1))) {
    const char* const point = at + 1;
    at = TakeDigits(point, &digits);
    const std::ptrdiff_t places = at - point;
    if (ACRE_LIKELY(at - first <= 20 && places != 0 && (*at | 0x20) != 'e')) {
      double nearest = 0;
      if (digits <= std::uint64_t{1} << 53) {
        nearest = static_cast<double>(digits) / kTens[places];
      } else {
        nearest = NearestByProduct(digits, -places);
      }
      if (ACRE_LIKELY(nearest >= 0)) {
        *end = at;
        *value = WithSign(nearest, *text == '-');
        return true;
      }
    }
  }
  const Parts parts = TakeApart(text);
  if (!parts.is_valid) return false;
  *end = parts.end;
  *value = DoubleOf(text, parts);
  return std::isfinite(*value);
}

JsonNumber ParseNumber(const char* text, const char** end) {
  JsonNumber number;
  // Most are integers that fit by far.
  const char* at = text + (*text == '-');
  const char* const first = at;
  std::uint64_t integer = 0;
  at = TakeDigits(at, &integer);
  if (ACRE_LIKELY(at - first < 19 && *at != '.' && (*at | 0x20) != 'e' &&
                  at != first && (*first != '0' || at == text + 1))) {
    number.form = *text == '-' ? JsonNumber::Form::kNegative
                               : JsonNumber::Form::kUnsigned;
    number.integer = *text == '-' ? 0 - integer : integer;
    *end = at;
    return number;
  }
  const Parts parts = TakeApart(text);
  if (!parts.is_valid) return number;
  *end = parts.end;
  if (parts.is_integer) {
    bool fits = parts.count < 20;
    std::uint64_t digits = parts.digits;
    if (parts.count == 20) {
      fits = std::from_chars(text + parts.is_negative, parts.end, digits).ec ==
             std::errc();
    }
    constexpr std::uint64_t kLeast = std::uint64_t{1} << 63;
    if (fits && !parts.is_negative) {
      number.form = JsonNumber::Form::kUnsigned;
      number.integer = digits;
      return number;
    }
    if (fits && digits != 0 && digits <= kLeast) {
      number.form = JsonNumber::Form::kNegative;
      number.integer = 0 - digits;
      return number;
    }
  }
  const double value = DoubleOf(text, parts);
  if (!std::isfinite(value)) return number;
  number.form = JsonNumber::Form::kDouble;
  number.real = value;
  return number;
}

JsonNumber ParseWhole(const char* text, const char* end) {
  JsonNumber number;
  const Parts parts = TakeApart(text);
  // Its digits, without zeros at either end; and what power of ten they mean.
  std::string digits;
  std::int64_t power = parts.exponent;
  for (const char* at = text + parts.is_negative; at != end; ++at) {
    if ((*at | 0x20) == 'e') break;
    if (*at != '.' && (*at != '0' || !digits.empty())) digits += *at;
  }
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++power;
  }
  number.form = JsonNumber::Form::kUnsigned;
  number.integer = 0;
  if (digits.empty()) return number;
  if (power < 0) {
    number.form = JsonNumber::Form::kNone;
    return number;
  }
  number.form = JsonNumber::Form::kDouble;
  if (power > 20 || digits.size() > 20) return number;
  digits.append(static_cast<std::size_t>(power), '0');
  std::uint64_t integer = 0;
  const char* const last = digits.data() + digits.size();
  const auto [to, result] = std::from_chars(digits.data(), last, integer);
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 63;
  if (result != std::errc() || to != last ||
      (parts.is_negative && integer > kLeast)) {
    return number;
  }
  number.form = parts.is_negative ? JsonNumber::Form::kNegative
                                  : JsonNumber::Form::kUnsigned;
  number.integer = parts.is_negative ? 0 - integer : integer;
  return number;
}

}  // namespace acre::inline ACRE_ABI::detail
