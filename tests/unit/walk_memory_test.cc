// SPDX-License-Identifier: MIT
//
// Guards the memory of a walk: pages are zeros, and apart, in small slabs and
// in mapped ones.

#include "copy/walk_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace walk_memory_test {

using acre::detail::WalkMemory;

TEST_CASE("WalkMemory: pages are whole, apart, and zero") {
  WalkMemory memory;
  std::vector<char*> pages;
  // Past the first mapped slab: all before it take two megabytes.
  const std::size_t count = (std::size_t{6} << 20) / WalkMemory::kPage;
  for (std::size_t i = 0; i < count; ++i) {
    auto* page = static_cast<char*>(memory.NewZeroPage());
    REQUIRE(reinterpret_cast<std::uintptr_t>(page) % 16 == 0);
    REQUIRE(std::all_of(page, page + WalkMemory::kPage,
                        [](char c) { return c == 0; }));
    std::memset(page, static_cast<int>(i % 251) + 1, WalkMemory::kPage);
    pages.push_back(page);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const char wanted = static_cast<char>(i % 251 + 1);
    REQUIRE(std::all_of(pages[i], pages[i] + WalkMemory::kPage,
                        [=](char c) { return c == wanted; }));
  }
}

}  // namespace walk_memory_test
