// SPDX-License-Identifier: MIT
//
// Map<acre::String, std::uint64_t>, and its peers with std::string: keys of 16
// to 24 random characters. acre holds 23 inline, std 15.

#include "map_cells.h"

namespace perf {
namespace {

std::string KeyOf(std::size_t i) {
  static constexpr char kDigits[] =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-";
  Random random(i);
  std::string key(16 + random.Below(9), ' ');
  for (char& c : key) c = kDigits[random.Below(64)];
  return key;
}

}  // namespace

void DefineCells() {
  std::vector<std::size_t> sizes = {1'000, 100'000, 1'000'000};
  if (is_smoke()) sizes = {1'000};
  for (const std::size_t n : sizes) {
    if (!IsMeasured(n)) continue;
    const auto keys = std::make_shared<const Keys<std::string>>(
        MakeKeys<std::string>(n, false, KeyOf));
    AddMaps<std::string>({"string " + PowerOfTen(n), keys});
  }
}

}  // namespace perf
