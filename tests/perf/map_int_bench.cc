// SPDX-License-Identifier: MIT
//
// Map<std::uint64_t, std::uint64_t> and its peers, with keys that are random,
// sequential (inserted in order), or as pointers to heap objects are: multiples
// of 16 in one region, in random order.

#include "map_cells.h"

namespace perf {
namespace {

using Key = std::uint64_t;
using KeyOf = Key (*)(std::size_t i);

struct Pattern {
  const char* name;
  KeyOf key_of;
  bool in_order;
};

constexpr Pattern kPatterns[] = {
    // One step of a generator whose state is i: no two are equal.
    {"random", [](std::size_t i) { return Random(i).Next(); }, false},
    {"sequential", [](std::size_t i) -> Key { return i; }, true},
    // Objects of 64 bytes behind a header of 16, in an address range of mmap.
    {"pointer", [](std::size_t i) -> Key { return 0x7f3a'1c00'0010 + 64 * i; },
     false},
};

void AddPattern(const Pattern& pattern, std::size_t n,
                const char* group = "map") {
  const auto keys = std::make_shared<const Keys<Key>>(
      MakeKeys<Key>(n, pattern.in_order, pattern.key_of));
  AddMaps<Key>(
      {std::string("int ") + pattern.name + " " + PowerOfTen(n), keys, group});
}

}  // namespace

void DefineCells() {
  std::vector<std::size_t> sizes = {1'000, 100'000, 1'000'000};
  // More of the first pattern, for curves.
  const std::vector<std::size_t> between = {10, 100, 10'000};
  if (is_smoke()) sizes = {1'000};
  if (scale() == Scale::kFull) sizes.push_back(10'000'000);
  for (const std::size_t n : sizes) {
    if (!IsMeasured(n)) continue;
    for (const Pattern& pattern : kPatterns) AddPattern(pattern, n);
  }
  if (is_smoke()) return;
  for (const std::size_t n : between) {
    AddPattern(kPatterns[0], n, "map-between");
  }
}

}  // namespace perf
