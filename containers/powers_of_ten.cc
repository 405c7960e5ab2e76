// SPDX-License-Identifier: MIT

#include "acre/detail/powers_of_ten.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace acre::inline ACRE_ABI::detail {
namespace {

__extension__ typedef unsigned __int128 Wide;

/// A number of 20 * 64 bits, least first. 10^324 has 1077 bits; below the point
/// as many are needed, 128 more, and some to tell that those are right.
struct Long {
  static constexpr std::size_t kLimbs = 20;
  std::array<std::uint64_t, kLimbs> limbs{};
  std::size_t size = 0;  // limbs in use

  constexpr void TimesTen() {
    Wide carry = 0;
    for (std::size_t i = 0; i < size; ++i) {
      carry += Wide{limbs[i]} * 10;
      limbs[i] = static_cast<std::uint64_t>(carry);
      carry >>= 64;
    }
    if (carry != 0) limbs[size++] = static_cast<std::uint64_t>(carry);
  }
  constexpr void OverTen() {
    Wide rest = 0;
    for (std::size_t i = size; i-- != 0;) {
      rest = rest << 64 | limbs[i];
      limbs[i] = static_cast<std::uint64_t>(rest / 10);
      rest %= 10;
    }
    if (limbs[size - 1] == 0) --size;
  }
  /// 64 bits, the first of which is bit `skip` below the first one that is set.
  constexpr std::uint64_t Bits(std::size_t skip) const {
    const auto limb = [&](std::size_t below) {
      return below < size ? limbs[size - 1 - below] : 0;
    };
    const int shift = std::countl_zero(limb(0));
    const std::uint64_t high = limb(skip / 64);
    const std::uint64_t low = limb(skip / 64 + 1);
    return shift == 0 ? high : high << shift | low >> (64 - shift);
  }
};

constexpr auto kTable = [] {
  std::array<Power, kMostPower - kLeastPower + 1> powers{};
  const auto take = [&](int k, const Long& number) {
    powers[static_cast<std::size_t>(k - kLeastPower)] = {number.Bits(0),
                                                         number.Bits(64)};
  };
  Long up;
  up.limbs[up.size++] = 1;
  for (int k = 0; k <= kMostPower; ++k, up.TimesTen()) take(k, up);
  Long down;
  down.size = Long::kLimbs;
  down.limbs[Long::kLimbs - 1] = std::uint64_t{1} << 63;
  for (int k = -1; k >= kLeastPower; --k) {
    down.OverTen();
    take(k, down);
  }
  return powers;
}();

}  // namespace

const Power* const powers_of_ten = kTable.data() - kLeastPower;

}  // namespace acre::inline ACRE_ABI::detail
