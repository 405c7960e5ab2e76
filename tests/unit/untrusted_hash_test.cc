// SPDX-License-Identifier: MIT
//
// Guards UntrustedHash's promise for keys of several parts: who has the headers
// and chooses the parts, but does not know the seed, cannot make keys collide.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"

namespace untrusted_hash_test {

using acre::UntrustedHash;
using acre::detail::HashPart;
using acre::detail::kMix0;
using acre::detail::kMix1;
using acre::detail::kMix2;

namespace {

using View = std::string_view;
constexpr std::size_t kTexts = 1'000;

/// Texts of two words, one of which makes a factor zero in a hash without a
/// seed: then the other word does not count.
std::vector<std::string> Texts(std::uint64_t fixed, bool is_first) {
  std::vector<std::string> texts;
  for (std::uint64_t i = 0; i < kTexts; ++i) {
    std::uint64_t words[2] = {fixed, i};
    if (!is_first) std::swap(words[0], words[1]);
    if constexpr (std::endian::native == std::endian::big) {
      for (std::uint64_t& word : words) word = __builtin_bswap64(word);
    }
    texts.emplace_back(reinterpret_cast<const char*>(words), sizeof words);
  }
  return texts;
}

std::vector<std::vector<std::string>> HostileTexts() {
  return {Texts(kMix1, true), Texts(kMix2 ^ (16 * kMix0), false),
          Texts(0, true), Texts(kMix2, false)};
}

/// How many hashes those keys have which `make` makes of texts.
template <class Make, class HashOf>
std::size_t CountHashes(const std::vector<std::string>& texts, Make make,
                        HashOf hash) {
  std::set<std::uint64_t> hashes;
  for (const std::string& text : texts) hashes.insert(hash(make(text)));
  return hashes.size();
}

template <class K, class Make>
void CheckHostile(Make make) {
  std::mt19937_64 random(5);
  for (const auto& texts : HostileTexts()) {
    CHECK(CountHashes(texts, make, UntrustedHash<K>()) == kTexts);
    for (int i = 0; i < 20; ++i) {
      const std::uint64_t seed = random();
      const auto hash = [seed](const K& key) { return HashPart(key, seed); };
      CHECK(CountHashes(texts, make, hash) == kTexts);
    }
  }
}

}  // namespace

TEST_CASE("UntrustedHash: without a seed the hostile texts do collide") {
  // Or the tests below would show nothing.
  const auto hash = [](View text) { return acre::Hash<View>()(text); };
  const auto as_is = [](const std::string& text) { return View(text); };
  CHECK(CountHashes(HostileTexts()[0], as_is, hash) == 1);
  CHECK(CountHashes(HostileTexts()[1], as_is, hash) == 1);
}

TEST_CASE("UntrustedHash: hostile texts in pairs do not collide") {
  using First = std::pair<View, int>;
  CheckHostile<First>([](const std::string& s) { return First(s, 1); });
  using Second = std::pair<int, View>;
  CheckHostile<Second>([](const std::string& s) { return Second(1, s); });
  using Nested = std::pair<std::pair<View, int>, View>;
  CheckHostile<Nested>([](const std::string& s) { return Nested({s, 1}, s); });
}

TEST_CASE("UntrustedHash: hostile texts in tuples and arrays do not collide") {
  using Tuple = std::tuple<View, int>;
  CheckHostile<Tuple>([](const std::string& s) { return Tuple(s, 1); });
  using Three = std::tuple<int, View, View>;
  CheckHostile<Three>([](const std::string& s) { return Three(1, s, "x"); });
  using One = std::array<View, 1>;
  CheckHostile<One>([](const std::string& s) { return One{s}; });
  using Two = std::array<View, 2>;
  CheckHostile<Two>([](const std::string& s) { return Two{s, "x"}; });
}

TEST_CASE("UntrustedHash: hostile texts in a choice do not collide") {
  using Optional = std::optional<View>;
  CheckHostile<Optional>([](const std::string& s) { return Optional(s); });
  using Variant = std::variant<int, View, std::monostate>;
  CheckHostile<Variant>([](const std::string& s) { return Variant(View(s)); });
  using Deep = std::optional<std::variant<int, std::pair<View, int>>>;
  CheckHostile<Deep>(
      [](const std::string& s) { return Deep(std::pair(View(s), 3)); });
}

TEST_CASE("UntrustedHash: a part that zeroes its product leaves the others") {
  // A sum of parts whose last one is the constant that makes a factor zero.
  std::set<std::uint64_t> hashes;
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    hashes.insert(acre::detail::JoinPart(i * kMix0, kMix2));
  }
  CHECK(hashes.size() == 1'000);
}

TEST_CASE("UntrustedHash: every part depends on the seed") {
  std::mt19937_64 random(6);
  const auto differ = [&](const auto& key) {
    std::set<std::uint64_t> hashes;
    for (int i = 0; i < 100; ++i) hashes.insert(HashPart(key, random()));
    return hashes.size() == 100;
  };
  CHECK(differ(1));
  CHECK(differ(1.5));
  CHECK(differ(1.5L));
  CHECK(differ(acre::detail::UInt128{1}));
  CHECK(differ(View("text")));
  CHECK(differ(std::pair(1, 2)));
  CHECK(differ(std::tuple(1, View("a"))));
  CHECK(differ(std::tuple<>()));
  CHECK(differ(std::array{1, 2}));
  CHECK(differ(std::optional<int>()));
  CHECK(differ(std::optional(1)));
  CHECK(differ(std::monostate()));
  CHECK(differ(std::variant<int, View>(1)));
  CHECK(differ(std::chrono::seconds(1)));
  CHECK(differ(std::chrono::sys_seconds(std::chrono::seconds(1))));
}

TEST_CASE(
    "UntrustedHash: the hash of equal numbers is equal, with a seed too") {
  const UntrustedHash<double> hash;
  CHECK(hash(0.0) == hash(-0.0));
  CHECK(UntrustedHash<long double>()(0.0L) ==
        UntrustedHash<long double>()(-0.0L));
  CHECK(UntrustedHash<std::pair<float, int>>()({0.0f, 1}) ==
        UntrustedHash<std::pair<float, int>>()({-0.0f, 1}));
}

TEST_CASE("UntrustedHash: keys with parts serve a Map and a Set") {
  acre::Arena arena;
  using Key = std::pair<acre::String, int>;
  acre::Map<Key, int, UntrustedHash<Key>> map(arena);
  acre::Set<std::optional<View>, UntrustedHash<std::optional<View>>> set(arena);
  const auto texts = HostileTexts()[0];
  for (int i = 0; i < 500; ++i) {
    const std::string& text = texts[static_cast<std::size_t>(i)];
    map.try_emplace(Key(View(text), i), i);
    set.insert(text);
  }
  for (int i = 0; i < 500; ++i) {
    const std::string& text = texts[static_cast<std::size_t>(i)];
    REQUIRE(map.at(Key(View(text), i)) == i);
    REQUIRE(set.contains(text));
  }
  CHECK_FALSE(set.contains(std::nullopt));
}

// ---- keys with a Hash of their own

namespace {

/// Its Hash looks at one of two words.
struct Blind {
  std::uint64_t seen;
  std::uint64_t unseen;
  bool operator==(const Blind&) const = default;
};

/// The same, with one that takes a seed and looks at both.
struct Seeing {
  std::uint64_t seen;
  std::uint64_t unseen;
  bool operator==(const Seeing&) const = default;
};

}  // namespace

}  // namespace untrusted_hash_test

template <>
struct acre::Hash<untrusted_hash_test::Blind> {
  std::uint64_t operator()(const untrusted_hash_test::Blind& key) const {
    return key.seen;
  }
};
template <>
struct acre::Hash<untrusted_hash_test::Seeing> {
  std::uint64_t operator()(const untrusted_hash_test::Seeing& key) const {
    return key.seen;
  }
  std::uint64_t operator()(const untrusted_hash_test::Seeing& key,
                           std::uint64_t seed) const {
    return acre::detail::HashPart(std::pair(key.seen, key.unseen), seed);
  }
};

namespace untrusted_hash_test {

TEST_CASE("UntrustedHash: a Hash of one's own is seeded as far as it goes") {
  using Pair = std::pair<Blind, int>;
  const UntrustedHash<Pair> hash;
  CHECK(hash({{1, 2}, 3}) == hash({{1, 2}, 3}));
  CHECK(hash({{1, 2}, 3}) != hash({{2, 2}, 3}));
  CHECK(hash({{1, 2}, 3}) != hash({{1, 2}, 4}));
  CHECK(hash({{1, 2}, 3}) != acre::Hash<Pair>()({{1, 2}, 3}));
  // As documented: what the Hash does not tell apart, no seed can.
  CHECK(hash({{1, 2}, 3}) == hash({{1, 9}, 3}));
  CHECK(UntrustedHash<Blind>()({1, 2}) == UntrustedHash<Blind>()({1, 9}));
}

TEST_CASE("UntrustedHash: a Hash that takes a seed is given one") {
  using Pair = std::pair<Seeing, int>;
  const UntrustedHash<Pair> hash;
  CHECK(hash({{1, 2}, 3}) == hash({{1, 2}, 3}));
  CHECK(hash({{1, 2}, 3}) != hash({{1, 9}, 3}));
  CHECK(UntrustedHash<Seeing>()({1, 2}) != UntrustedHash<Seeing>()({1, 9}));
  CHECK(acre::Hash<Pair>()({{1, 2}, 3}) == acre::Hash<Pair>()({{1, 9}, 3}));
}

// ---- hashers that are mixed once more

namespace {

struct Narrow {
  using is_avalanching = void;
  std::uint32_t operator()(int key) const {
    return static_cast<std::uint32_t>(acre::Hash<int>()(key));
  }
};
template <class Says>
struct Identity {
  using is_avalanching = Says;
  std::uint64_t operator()(std::uint64_t key) const { return key; }
};

}  // namespace

TEST_CASE("Hash: a result of 32 bits is widened and mixed") {
  // The index is taken from the top bits: unmixed, all keys would fall into
  // the first group.
  std::set<std::uint64_t> tops;
  for (int i = 0; i < 256; ++i) {
    tops.insert(acre::detail::HashBy<Narrow>(i) >> 56);
  }
  CHECK(tops.size() > 128);
}

TEST_CASE("Hash: is_avalanching may say yes and no") {
  using acre::detail::HashBy;
  CHECK(HashBy<Identity<void>>(std::uint64_t{5}) == 5);
  CHECK(HashBy<Identity<std::true_type>>(std::uint64_t{5}) == 5);
  CHECK(HashBy<Identity<std::false_type>>(std::uint64_t{5}) != 5);
  static_assert(acre::detail::Avalanching<acre::Hash<int>>);
  static_assert(acre::detail::Avalanching<UntrustedHash<int>>);
  static_assert(!acre::detail::Avalanching<std::hash<int>>);
}

}  // namespace untrusted_hash_test
