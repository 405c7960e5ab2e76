// SPDX-License-Identifier: MIT
//
// Guards CoveredWords: a word is covered when a byte of it was, and no other.

#include "covered_words.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <vector>

namespace covered_words_test {

using acre::detail::CoveredWords;

namespace {

constexpr std::size_t kWord = sizeof(void*);

/// What is handed out ends in the middle of a word.
struct Model {
  static constexpr std::size_t kSize = 4096;
  static constexpr std::size_t kLive = 3000;

  alignas(16) char chunk[kSize] = {};
  CoveredWords words{chunk, kSize, chunk + kLive};
  std::vector<bool> bytes = std::vector<bool>(kSize);

  void Cover(std::size_t from, std::size_t count) {
    words.Cover(chunk + from, count);
    count = std::min(count, kSize - from);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(from), count, true);
  }
  bool Agrees() const {
    for (std::size_t at = 0; at + kWord <= kLive; at += kWord) {
      const auto first = bytes.begin() + static_cast<std::ptrdiff_t>(at);
      const bool wanted = std::find(first, first + kWord, true) - first <
                          static_cast<std::ptrdiff_t>(kWord);
      if (words.IsCovered(chunk + at) != wanted) return false;
    }
    return true;
  }
};

}  // namespace

TEST_CASE("CoveredWords: a word is covered when a byte of it is") {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Model model;
    for (int i = 0; i < 4; ++i) {
      const std::size_t most = i == 0 ? 2000 : 40;
      model.Cover(random() % Model::kSize, random() % most);
    }
    REQUIRE(model.Agrees());
  }
}

TEST_CASE("CoveredWords: nothing, all, and more than there is") {
  Model none;
  none.Cover(64, 0);
  CHECK(none.Agrees());
  Model all;
  all.Cover(0, ~std::size_t{0});
  CHECK(all.Agrees());
  Model behind;
  behind.Cover(Model::kLive, 100);
  CHECK(behind.Agrees());
}

}  // namespace covered_words_test
