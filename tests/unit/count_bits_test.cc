// SPDX-License-Identifier: MIT
//
// Guards that bits are counted right, with and without the machine's
// instruction for it, and that pending bits are gone through once, in order.

#include "acre/detail/count_bits.h"

#include <doctest/doctest.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "acre/detail/pending_bits.h"

namespace count_bits_test {

TEST_CASE("CountBits: as std::popcount") {
  std::mt19937_64 random(1);
  const auto check = [](std::uint64_t bits) {
    const auto wanted = static_cast<unsigned>(std::popcount(bits));
    REQUIRE(acre::detail::CountBits(bits) == wanted);
    REQUIRE(acre::detail::CountBitsByParts(bits) == wanted);
  };
  check(0);
  check(~std::uint64_t{0});
  for (unsigned i = 0; i < 64; ++i) check(std::uint64_t{1} << i);
  for (int i = 0; i < 10'000; ++i) check(random() & random());
  for (int i = 0; i < 10'000; ++i) check(random() | random());
}

TEST_CASE("PendingBits: what is set is entered, in order, also meanwhile") {
  using acre::detail::PendingBits;
  constexpr std::size_t kPlaces = 1000;
  std::mt19937 random(2);
  std::vector<std::uint64_t> words(PendingBits::WordsOf(kPlaces));
  PendingBits bits(words.data(), kPlaces);
  std::set<std::size_t> pending;  // the model
  const auto set = [&](std::size_t place) {
    bits.Set(place);
    pending.insert(place);
  };
  std::size_t entered = 0;
  for (int round = 0; round < 300; ++round) {
    for (int i = 0; i < round % 5; ++i) set(random() % kPlaces);
    set(round % 3 == 0 ? kPlaces - 1 : random() % kPlaces);
    while (!pending.empty()) {
      std::size_t last = 0;
      bits.EnterAll([&] { return !pending.empty(); },
                    [&](std::size_t place) {
                      REQUIRE(place >= last);
                      REQUIRE(place == *pending.lower_bound(last));
                      REQUIRE(pending.erase(place) == 1);
                      last = place;
                      ++entered;
                      if (random() % 3 == 0) set(place);  // once more
                      if (random() % 2 == 0) set(random() % kPlaces);
                    });
      // What is left was set behind.
      if (!pending.empty()) REQUIRE(*pending.begin() < last);
    }
  }
  CHECK(entered > 1000);
  for (const std::uint64_t word : words) CHECK(word == 0);
}

}  // namespace count_bits_test
