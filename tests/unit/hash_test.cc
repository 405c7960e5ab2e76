// SPDX-License-Identifier: MIT
//
// Guards that acre::Hash spreads the keys that programs really have about as
// well as random bits, stays the same from run to run, and agrees with ==.

#include "acre/hash.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/string.h"
#include "support/scaled.h"

namespace hash_test {

using acre::Hash;
using acre::String;

namespace {

enum class Colour : std::uint8_t { kRed, kGreen, kBlue };

constexpr unsigned kMaxGroupBits = 13;

/// As many keys as a table of that many groups takes before it grows.
constexpr std::size_t KeysFor(std::size_t groups) {
  return groups * 15 * 7 / 8;
}

constexpr std::size_t kKeys = KeysFor(std::size_t{1} << kMaxGroupBits);

/// What a full table makes of hashes: groups by the top bits, fingerprints by
/// the low byte. Shares are of all keys.
struct Spread {
  Spread(std::span<const std::uint64_t> hashes, unsigned group_bits)
      : loads(std::size_t{1} << group_bits) {
    std::vector<std::array<std::uint8_t, 256>> seen(loads.size());
    const auto count = static_cast<double>(hashes.size());
    for (const std::uint64_t hash : hashes) {
      const std::size_t group = hash >> (64 - group_bits);
      if (++loads[group] > 15) overflowing += 1 / count;
      alike += seen[group][hash & 255]++ / count;
      ++residues[hash & 7];
    }
    fullest = *std::max_element(loads.begin(), loads.end());
  }

  std::vector<std::uint32_t> loads;
  std::array<std::uint32_t, 8> residues{};
  std::uint32_t fullest = 0;
  double overflowing = 0;  // share of keys that find their group full
  double alike = 0;        // keys of one fingerprint and group, in pairs
};

/// Requires a table full of these keys to be at most three times as bad as one
/// of random bits, for which 5.5 % overflow, the fullest group has some 28
/// keys and 2.5 % meet their own fingerprint in their group.
void CheckSpread(const std::vector<std::uint64_t>& hashes,
                 std::initializer_list<unsigned> sizes = {5, 9,
                                                          kMaxGroupBits}) {
  REQUIRE(hashes.size() == kKeys);
  for (const unsigned bits : sizes) {
    CAPTURE(bits);
    const std::size_t count = KeysFor(std::size_t{1} << bits);
    const std::span all = hashes;
    const Spread spread(all.first(count), bits);
    CHECK(spread.overflowing < 3 * 0.055);
    CHECK(spread.alike < 3 * 0.025);
    CHECK(spread.fullest < 60);
    // Eight overflow bits: each is a quarter to double as frequent as fair.
    for (const std::uint32_t residue : spread.residues) {
      CHECK(residue > count / 32);
      CHECK(residue < count / 4);
    }
  }
  std::vector<std::uint64_t> sorted = hashes;
  std::sort(sorted.begin(), sorted.end());
  CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end());
}

template <class K, class Make>
std::vector<std::uint64_t> HashesOf(Make make) {
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < kKeys; ++i) {
    hashes.push_back(Hash<K>()(make(i)));
  }
  return hashes;
}

/// An address as user programs have them.
std::uint64_t AnyPage(std::mt19937_64& random) {
  return std::uint64_t{0x7f00'0000'0000} | (random() & 0xFF'FFFF'F000);
}

/// Throws while a variant is given another alternative.
struct Thrower {
  Thrower() = default;
  Thrower(const Thrower&) { throw 1; }
  Thrower& operator=(const Thrower&) = default;
};

template <class Make>
void CheckTexts(Make make) {
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < kKeys; ++i) {
    const std::string text = make(i);
    hashes.push_back(Hash<String>()(text));
  }
  CheckSpread(hashes);
}

}  // namespace

}  // namespace hash_test

template <>
struct acre::Hash<hash_test::Thrower> {
  std::uint64_t operator()(const hash_test::Thrower&) const { return 1; }
};

namespace hash_test {

TEST_CASE("Hash: sequential integers spread") {
  CheckSpread(HashesOf<int>([](std::size_t i) { return static_cast<int>(i); }));
  CheckSpread(HashesOf<std::int64_t>(
      [](std::size_t i) { return -static_cast<std::int64_t>(i); }));
  CheckSpread(HashesOf<std::uint32_t>([](std::size_t i) {
    return static_cast<std::uint32_t>(i + 4'000'000'000u);
  }));
}

TEST_CASE("Hash: integers with common factors spread") {
  for (const std::uint64_t factor :
       {std::uint64_t{3}, std::uint64_t{10}, std::uint64_t{16},
        std::uint64_t{64}, std::uint64_t{4096}, std::uint64_t{1} << 20,
        std::uint64_t{1} << 32, std::uint64_t{1} << 40, std::uint64_t{1} << 46,
        std::uint64_t{1'000'000'007}}) {
    CAPTURE(factor);
    CheckSpread(HashesOf<std::uint64_t>(
        [factor](std::size_t i) { return i * factor; }));
  }
}

TEST_CASE("Hash: two numbers packed into one integer spread") {
  for (const unsigned shift : {8u, 16u, 24u, 32u, 54u}) {
    CAPTURE(shift);
    CheckSpread(HashesOf<std::uint64_t>([shift](std::size_t i) {
      return (std::uint64_t{i} >> 8) << shift | (i & 255)
                                                    << (shift < 16 ? 24 : 0);
    }));
  }
}

TEST_CASE("Hash: random bits pass for spread, the identity does not") {
  std::mt19937_64 random(1);
  std::vector<std::uint64_t> hashes;
  for (std::size_t i = 0; i < kKeys; ++i) hashes.push_back(random());
  CheckSpread(hashes);
  for (std::size_t i = 0; i < kKeys; ++i) hashes[i] = i << 3;
  CHECK(Spread(hashes, kMaxGroupBits).overflowing > 0.9);
  for (std::size_t i = 0; i < kKeys; ++i) hashes[i] = i << 40;
  CHECK(Spread(hashes, kMaxGroupBits).alike > 1);
}

TEST_CASE("Hash: every single bit of an integer moves half of the hash") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    CAPTURE(bit);
    int changed = 0;
    for (std::uint64_t i = 0; i < 256; ++i) {
      const std::uint64_t key = i * 0x0123'4567'89AB'CDEFu;
      const Hash<std::uint64_t> hash;
      changed += std::popcount(hash(key) ^ hash(key ^ std::uint64_t{1} << bit));
    }
    // Half of 64 bits, 256 times, is 8192; a third would be a poor hash.
    CHECK(changed > 8192 * 2 / 3);
    CHECK(changed < 8192 * 4 / 3);
  }
}

TEST_CASE("Hash: pointers to neighbours spread, wherever they lie") {
  std::mt19937_64 random(3);
  const auto pointer = [](std::uint64_t address) {
    return reinterpret_cast<const int*>(address);
  };
  for (int round = 0; round < acre_test::Scaled(10, 3); ++round) {
    for (const std::uint64_t stride : {16, 48, 64, 4096}) {
      const std::uint64_t base = AnyPage(random) + 16;
      CAPTURE(base);
      CAPTURE(stride);
      CheckSpread(HashesOf<const int*>(
          [&](std::size_t i) { return pointer(base + i * stride); }));
    }
  }
}

TEST_CASE("Hash: pointers into an arena whose chunks double spread") {
  // Sequences of one step, as many as there are chunks, may fall on each other;
  // in some rounds they do, so the mean counts.
  constexpr int kRounds = 60;
  std::mt19937_64 random(4);
  for (const unsigned bits : {9u, kMaxGroupBits}) {
    CAPTURE(bits);
    double overflowing = 0;
    double alike = 0;
    for (int round = 0; round < kRounds; ++round) {
      std::uint64_t at = 0;
      std::uint64_t end = 0;
      std::uint64_t size = 64 << 10;
      const auto hashes = HashesOf<const int*>([&](std::size_t) {
        if (at == end) {
          at = AnyPage(random);
          end = at + size;
          size *= 2;
        }
        return reinterpret_cast<const int*>(at += 16);
      });
      const std::span all = hashes;
      const Spread spread(all.first(KeysFor(std::size_t{1} << bits)), bits);
      overflowing += spread.overflowing / kRounds;
      alike += spread.alike / kRounds;
    }
    CHECK(overflowing < 3 * 0.055);
    CHECK(alike < 3 * 0.025);
  }
}

TEST_CASE("Hash: numbered names of every length spread") {
  constexpr std::array kLengths{0u, 1u,  2u,  3u,  4u,  7u,
                                9u, 12u, 28u, 60u, 130u};
  for (std::size_t i = 0; i < kLengths.size(); i += acre_test::Scaled(1u, 3u)) {
    const std::size_t length = kLengths[i];
    CAPTURE(length);
    const std::string prefix(length, 'n');
    CheckTexts([&](std::size_t i) { return prefix + std::to_string(i); });
    CheckTexts([&](std::size_t i) { return std::to_string(i) + prefix; });
  }
  // Three bytes of any value.
  CheckTexts([](std::size_t i) {
    return std::string{static_cast<char>(i), static_cast<char>(i >> 8),
                       static_cast<char>(i >> 16)};
  });
}

TEST_CASE("Hash: texts that differ in their length only differ in the hash") {
  for (const char c : {'\0', 'a', '\xFF'}) {
    std::set<std::uint64_t> hashes;
    for (std::size_t size = 0; size < 300; ++size) {
      hashes.insert(Hash<String>()(std::string(size, c)));
    }
    CHECK(hashes.size() == 300);
  }
}

TEST_CASE("Hash: every byte of a text counts, at every length") {
  for (std::size_t size = 1; size < 100; ++size) {
    const std::string text(size, 'a');
    const std::uint64_t hash = Hash<String>()(text);
    for (std::size_t i = 0; i < size; ++i) {
      std::string changed = text;
      changed[i] = 'b';
      const std::uint64_t difference = hash ^ Hash<String>()(changed);
      CAPTURE(size);
      CAPTURE(i);
      CHECK(std::popcount(difference) >= 10);
    }
  }
}

TEST_CASE("Hash: text hashes alike however it is held, and wherever it lies") {
  acre::Arena arena;
  const Hash<String> hash;
  char buffer[80];
  for (std::size_t size = 0; size < 60; ++size) {
    const std::string text(size, 'q');
    const String held(arena, text);
    const std::uint64_t expected = hash(text);
    CHECK(hash(held) == expected);
    CHECK(hash(text.c_str()) == expected);
    for (std::size_t offset = 0; offset < 16; ++offset) {
      std::copy(text.begin(), text.end(), buffer + offset);
      CHECK(hash(std::string_view(buffer + offset, size)) == expected);
    }
  }
}

TEST_CASE("Hash: is the same in every run") {
  // Written down once: replays depend on them.
  CHECK(Hash<int>()(1) == 13928980589187407938u);
  CHECK(Hash<int>()(0) == 7423383483382639721u);
  const std::uint64_t text = Hash<String>()("MAP07");
  const std::uint64_t again = Hash<std::string_view>()(std::string("MAP07"));
  CHECK(text == again);
}

TEST_CASE("Hash: floating point agrees with ==, and spreads") {
  const Hash<double> hash;
  CHECK(hash(0.0) == hash(-0.0));
  CHECK(hash(1.0) != hash(-1.0));
  CHECK(hash(1.5) != hash(2.5));
  CHECK(Hash<float>()(0.0f) == Hash<float>()(-0.0f));
  CHECK(hash(std::numeric_limits<double>::infinity()) !=
        hash(std::numeric_limits<double>::max()));
  CheckSpread(
      HashesOf<double>([](std::size_t i) { return static_cast<double>(i); }));
  CheckSpread(HashesOf<double>(
      [](std::size_t i) { return static_cast<double>(i) / 8; }));
  CheckSpread(
      HashesOf<float>([](std::size_t i) { return static_cast<float>(i); }));
}

TEST_CASE("Hash: enums, bools and characters have one") {
  CHECK(Hash<Colour>()(Colour::kRed) != Hash<Colour>()(Colour::kBlue));
  CHECK(Hash<bool>()(true) != Hash<bool>()(false));
  std::set<std::uint64_t> hashes;
  for (int c = -128; c < 128; ++c) {
    hashes.insert(Hash<char>()(static_cast<char>(c)));
  }
  CHECK(hashes.size() == 256);
}

TEST_CASE("Hash: pairs count both parts and their order") {
  using Pair = std::pair<int, int>;
  CHECK(Hash<Pair>()({1, 2}) != Hash<Pair>()({2, 1}));
  CHECK(Hash<Pair>()({1, 1}) != Hash<Pair>()({2, 2}));
  CheckSpread(HashesOf<Pair>([](std::size_t i) {
    return Pair(static_cast<int>(i % 256), static_cast<int>(i / 256));
  }));
  CheckSpread(HashesOf<Pair>([](std::size_t i) {
    return Pair(static_cast<int>(i), static_cast<int>(i));
  }));
  using Nested = std::pair<Pair, std::int64_t>;
  CheckSpread(HashesOf<Nested>([](std::size_t i) {
    const int n = static_cast<int>(i);
    return Nested({n % 64, n / 64 % 32}, n / 2048);
  }));
}

TEST_CASE("Hash: tuples and arrays count every part and their order") {
  using Key = std::tuple<int, String, std::int64_t>;
  const Hash<Key> hash;
  CHECK(hash(Key(1, "a", 2)) == hash(Key(1, "a", 2)));
  CHECK(hash(Key(1, "a", 2)) != hash(Key(2, "a", 1)));
  CHECK(hash(Key(1, "a", 2)) != hash(Key(1, "b", 2)));
  const Hash<std::array<int, 3>> of_array;
  CHECK(of_array({1, 2, 3}) == of_array({1, 2, 3}));
  CHECK(of_array({1, 2, 3}) != of_array({1, 3, 2}));
  CHECK(of_array({0, 0, 0}) != of_array({0, 0, 1}));
  CheckSpread(HashesOf<std::tuple<int, int>>([](std::size_t i) {
    return std::tuple(static_cast<int>(i % 64), static_cast<int>(i / 64));
  }));
  CheckSpread(HashesOf<std::array<int, 3>>([](std::size_t i) {
    const int n = static_cast<int>(i);
    return std::array{n % 16, n / 16 % 16, n / 256};
  }));
}

TEST_CASE("Hash: optionals and durations agree with ==") {
  using std::chrono::milliseconds;
  const Hash<std::optional<int>> hash;
  CHECK(hash(std::nullopt) == hash(std::optional<int>()));
  CHECK(hash(std::nullopt) != hash(0));
  CHECK(hash(1) != hash(2));
  const Hash<milliseconds> of_duration;
  CHECK(of_duration(std::chrono::seconds(1)) ==
        of_duration(milliseconds(1000)));
  CHECK(of_duration(milliseconds(1)) != of_duration(milliseconds(2)));
  acre::Arena arena;
  acre::Map<std::tuple<std::optional<int>, milliseconds>, int> map(arena);
  map[{std::nullopt, milliseconds(5)}] = 1;
  map[{3, milliseconds(5)}] = 2;
  CHECK(map.at({std::nullopt, milliseconds(5)}) == 1);
  CHECK(map.at({3, milliseconds(5)}) == 2);
}

TEST_CASE("Hash: variants count the alternative and what it holds") {
  using Key = std::variant<std::monostate, int, String, std::int64_t>;
  const Hash<Key> hash;
  CHECK(hash(Key()) == hash(Key(std::monostate())));
  CHECK(hash(Key(1)) == hash(Key(1)));
  CHECK(hash(Key(1)) != hash(Key(2)));
  CHECK(hash(Key(1)) != hash(Key(std::int64_t{1})));
  CHECK(hash(Key("a")) == hash(Key("a")));
  CHECK(hash(Key("a")) != hash(Key("b")));
  CHECK(hash(Key()) != hash(Key(0)));
  CHECK(Hash<std::monostate>()({}) == Hash<std::monostate>()({}));
  CHECK(Hash<std::nullptr_t>()(nullptr) == Hash<std::nullptr_t>()({}));
  CheckSpread(HashesOf<Key>([](std::size_t i) {
    const auto n = static_cast<int>(i / 2);
    return i % 2 == 0 ? Key(n) : Key(std::int64_t{n});
  }));
  acre::Arena arena;
  acre::Map<Key, int> map(arena);
  map[Key(7)] = 1;
  map[Key("seven")] = 2;
  map[Key()] = 3;
  CHECK(map.at(Key(7)) == 1);
  CHECK(map.at(Key("seven")) == 2);
  CHECK(map.at(Key()) == 3);
  CHECK_FALSE(map.contains(Key(std::int64_t{7})));
}

TEST_CASE("Hash: a variant that has lost its value has a hash, too") {
  using Key = std::variant<int, Thrower>;
  Key key = 5;
  const Thrower thrower;
  CHECK_THROWS_AS(key.emplace<Thrower>(thrower), int);
  REQUIRE(key.valueless_by_exception());
  const Hash<Key> hash;
  CHECK(hash(key) == hash(key));
  CHECK(hash(key) != hash(Key(5)));
}

TEST_CASE("Hash: time points hash as the time since their epoch") {
  using Seconds = std::chrono::sys_seconds;
  const Hash<Seconds> hash;
  const Seconds epoch{};
  CHECK(hash(epoch) == Hash<std::int64_t>()(0));
  CHECK(hash(epoch + std::chrono::minutes(1)) ==
        hash(epoch + std::chrono::seconds(60)));
  CheckSpread(HashesOf<Seconds>(
      [](std::size_t i) { return Seconds(std::chrono::hours(i)); }));
  CheckSpread(HashesOf<std::chrono::duration<double>>([](std::size_t i) {
    return std::chrono::duration<double>(static_cast<double>(i) / 60);
  }));
  acre::Arena arena;
  acre::Map<Seconds, int, acre::UntrustedHash<Seconds>> map(arena);
  map[epoch] = 1;
  CHECK(map.at(epoch) == 1);
}

TEST_CASE("Hash: numbers of 128 bits count all of them") {
  using acre::detail::Int128;
  using acre::detail::UInt128;
  enum class Id : UInt128 {};
  constexpr std::array kShifts{0u, 32u, 64u, 50u, 100u, 110u};
  for (std::size_t i = 0; i < kShifts.size(); i += acre_test::Scaled(1u, 2u)) {
    const unsigned shift = kShifts[i];
    CAPTURE(shift);
    CheckSpread(HashesOf<UInt128>(
        [shift](std::size_t i) { return UInt128{i} << shift; }));
    CheckSpread(HashesOf<Int128>(
        [shift](std::size_t i) { return -(Int128(i) << shift); }));
    CheckSpread(HashesOf<Id>(
        [shift](std::size_t i) { return Id{UInt128{i} << shift}; }));
  }
  for (unsigned bit = 0; bit < 128; ++bit) {
    CAPTURE(bit);
    const UInt128 one = 1;
    CHECK(Hash<UInt128>()(one << bit) != Hash<UInt128>()(0));
  }
  acre::Arena arena;
  acre::Map<Id, int> map(arena);
  for (int i = 0; i < 1'000; ++i) map[Id{UInt128(i) << 64}] = i;
  CHECK(map.size() == 1'000);
  CHECK(map.at(Id{UInt128{7} << 64}) == 7);
}

TEST_CASE("Hash: a long double counts beyond the bits of a double") {
  static_assert(std::numeric_limits<long double>::digits > 53);
  const Hash<long double> hash;
  CHECK(hash(0.0L) == hash(-0.0L));
  CHECK(hash(1.0L) != hash(-1.0L));
  CHECK(hash(std::numeric_limits<long double>::max()) !=
        hash(std::numeric_limits<long double>::infinity()));
  CHECK(hash(0x1p-16000L) != hash(0x1p-16001L));
  CheckSpread(HashesOf<long double>([](std::size_t i) {
    return 1 + static_cast<long double>(i) * 0x1p-63L;
  }));
  CheckSpread(HashesOf<long double>(
      [](std::size_t i) { return static_cast<long double>(i); }));
}

TEST_CASE("Hash: long doubles of one value hash alike, whatever pads them") {
  const Hash<long double> hash;
  for (const long double value : {0.0L, 1.0L, -2.5L, 0x1p-16385L}) {
    const std::uint64_t expected = hash(value);
    for (const int filler : {0, 0x55, 0xFF}) {
      long double other;
      std::memset(static_cast<void*>(&other), filler, sizeof other);
      // As a register of x86 stores it: ten bytes, and the padding stays.
      constexpr bool kIsPadded = std::numeric_limits<long double>::digits == 64;
      std::memcpy(static_cast<void*>(&other), &value,
                  kIsPadded ? 10 : sizeof other);
      REQUIRE(other == value);
      CHECK(hash(other) == expected);
    }
  }
#if defined(__x86_64__)
  // The smallest normal number, in the form with an exponent of zero.
  const std::uint64_t words[2] = {std::uint64_t{1} << 63, 0};
  long double odd;
  std::memcpy(static_cast<void*>(&odd), words, sizeof odd);
  REQUIRE(odd == std::numeric_limits<long double>::min());
  CHECK(hash(odd) == hash(std::numeric_limits<long double>::min()));
#endif
}

TEST_CASE("UntrustedHash: differs from Hash, agrees with itself, spreads") {
  using Texts = acre::UntrustedHash<String>;
  CHECK(Texts()("text") == Texts()(std::string("text")));
  CHECK(Texts()("text") != Hash<String>()("text"));
  CHECK(acre::UntrustedHash<int>()(5) == acre::UntrustedHash<int>()(5));
  CHECK(acre::UntrustedHash<int>()(5) != Hash<int>()(5));
  std::vector<std::uint64_t> ints;
  std::vector<std::uint64_t> texts;
  for (std::size_t i = 0; i < kKeys; ++i) {
    ints.push_back(acre::UntrustedHash<int>()(static_cast<int>(i)));
    texts.push_back(Texts()(std::to_string(i)));
  }
  // Of a random hash, small tables are no reliable sample.
  CheckSpread(ints, {kMaxGroupBits});
  CheckSpread(texts, {kMaxGroupBits});
}

TEST_CASE("UntrustedHash: texts made to cancel its constants do not collide") {
  // Where a factor of a product is zero whatever the seed, the rest of the text
  // does not count. Such texts can be computed by anyone who has the header.
  using Words = std::array<std::uint64_t, 4>;
  const auto hashes_of = [](std::size_t bytes, const auto& make) {
    std::set<std::uint64_t> hashes;
    for (std::uint64_t i = 0; i < 1'000; ++i) {
      const Words words = make(i);
      const char* text = reinterpret_cast<const char*>(words.data());
      hashes.insert(acre::UntrustedHash<String>()({text, bytes}));
    }
    return hashes.size();
  };
  using acre::detail::kMix0;
  using acre::detail::kMix1;
  using acre::detail::kMix2;
  CHECK(hashes_of(16, [](std::uint64_t i) {
          return Words{i, kMix2 ^ (16 * kMix0)};
        }) == 1'000);
  CHECK(hashes_of(16, [](std::uint64_t i) {
          return Words{kMix1, i};
        }) == 1'000);
  CHECK(hashes_of(32, [](std::uint64_t i) {
          return Words{kMix1, i, 0, 0};
        }) == 1'000);
  CHECK(hashes_of(32, [](std::uint64_t i) {
          return Words{0, i, kMix2, 0};
        }) == 1'000);
}

TEST_CASE("UntrustedHash: serves a Map like Hash does") {
  acre::Arena arena;
  acre::Map<String, int, acre::UntrustedHash<String>> names(arena);
  acre::Map<int, int, acre::UntrustedHash<int>> numbers(arena);
  for (int i = 0; i < 1'000; ++i) {
    names["a name that is rather long " + std::to_string(i)] = i;
    numbers[i] = -i;
  }
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(names.at("a name that is rather long " + std::to_string(i)) == i);
    REQUIRE(numbers.at(i) == -i);
  }
  CHECK_FALSE(names.contains("a name"));
}

TEST_CASE("KeyEqual: compares different types") {
  const acre::KeyEqual equal;
  CHECK(equal(String("a"), "a"));
  CHECK(equal(String("a"), std::string("a")));
  CHECK_FALSE(equal(1, 2L));
  static_assert(requires { typename acre::KeyEqual::is_transparent; });
}

TEST_CASE("UntrustedHash: spreads neighbours whatever the seed") {
  std::mt19937_64 random(7);
  for (int round = 0; round < acre_test::Scaled(12, 3); ++round) {
    const std::uint64_t seed = random();
    CAPTURE(seed);
    std::vector<std::uint64_t> ints;
    std::vector<std::uint64_t> texts;
    for (std::size_t i = 0; i < kKeys; ++i) {
      ints.push_back(acre::detail::SeededHash(i, seed));
      texts.push_back(acre::detail::SeededHash(std::to_string(i), seed));
    }
    CheckSpread(ints);
    CheckSpread(texts);
  }
}

}  // namespace hash_test
