// SPDX-License-Identifier: MIT
//
// Guards the memory of a walk: pages that are asked for as zeros are zeros, in
// small slabs and in mapped ones; the queue gives back what it was given, in
// that order, and looks ahead at each item once, in time.

#include "acre/detail/walk_memory.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <random>
#include <vector>

using acre::detail::WalkMemory;
using acre::detail::WalkQueue;

namespace {

struct Item {
  std::uint64_t number;
  const void* unused;
  std::uint64_t again;
};

}  // namespace

TEST_CASE("WalkMemory: pages are whole, apart, and zero where wanted") {
  WalkMemory memory;
  std::vector<char*> pages;
  // Past the first mapped slab: all before it take two megabytes.
  const std::size_t count = (std::size_t{6} << 20) / WalkMemory::kPage;
  for (std::size_t i = 0; i < count; ++i) {
    const bool is_zero = i % 3 != 0;
    auto* page =
        static_cast<char*>(is_zero ? memory.NewZeroPage() : memory.NewPage());
    REQUIRE(reinterpret_cast<std::uintptr_t>(page) % 16 == 0);
    if (is_zero) {
      REQUIRE(std::all_of(page, page + WalkMemory::kPage,
                          [](char c) { return c == 0; }));
    }
    std::memset(page, static_cast<int>(i % 251) + 1, WalkMemory::kPage);
    pages.push_back(page);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const char wanted = static_cast<char>(i % 251 + 1);
    REQUIRE(std::all_of(pages[i], pages[i] + WalkMemory::kPage,
                        [=](char c) { return c == wanted; }));
  }
}

TEST_CASE("WalkQueue: any history leaves what a deque has") {
  std::mt19937 random(11);
  WalkMemory memory;
  WalkQueue<Item> queue(memory);
  std::deque<std::uint64_t> model;
  std::uint64_t pushed = 0;
  std::uint64_t far = 0;  // the next item that is to be looked at
  std::uint64_t near = 0;
  for (int round = 0; round < 3000; ++round) {
    // Now and then empty, now and then some pages long.
    for (auto n = random() % (round % 100 < 50 ? 90u : 60u); n > 0; --n) {
      queue.Push({pushed, nullptr, ~pushed});
      model.push_back(pushed++);
    }
    for (auto n = random() % 80; n > 0 && !model.empty(); --n) {
      const std::uint64_t next = model.front();
      if (random() % 8 != 0) {
        // An item that was popped without a look is not looked at any more.
        far = std::max(far, next);
        near = std::max(near, next);
        queue.LookAhead(
            [&](const Item& item) { REQUIRE(item.number == far++); },
            [&](const Item& item) { REQUIRE(item.number == near++); });
        REQUIRE(far == std::min<std::uint64_t>(next + 12, pushed));
        REQUIRE(near == std::min<std::uint64_t>(next + 6, pushed));
      }
      REQUIRE_FALSE(queue.empty());
      const Item item = queue.Pop();
      REQUIRE(item.number == next);
      REQUIRE(item.again == ~next);
      model.pop_front();
    }
    REQUIRE(queue.empty() == model.empty());
  }
  CHECK(pushed > 50'000);
}
