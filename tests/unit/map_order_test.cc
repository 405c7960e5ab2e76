// SPDX-License-Identifier: MIT
//
// Guards the promise that a Map of fixed keys is iterated in the same order in
// every run and on every machine: the orders that fixed histories lead to stand
// here as constants. tests/hygiene/map_order compiles this file with plain char
// signed and unsigned, and for the portable groups.

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"

namespace map_order_test {

enum Letter : char { kA = 'a' };
enum class Colour : std::uint8_t { kRed };
enum class Signed : std::int32_t { kNone };

/// FNV-1a over the numbers that are visited, each as four bytes.
class Order {
 public:
  void Visit(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash_ = (hash_ ^ (number >> shift & 0xff)) * 0x100000001b3u;
    }
    ++count_;
  }
  std::uint64_t hash() const { return hash_; }
  std::size_t count() const { return count_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
  std::size_t count_ = 0;
};

/// The order of a Map after a history of its own: `count` keys inserted, every
/// third erased, every sixth of all inserted again. make(i) is the i-th key.
template <class K, class Make>
std::uint64_t OrderOf(std::uint32_t count, Make make) {
  acre::Arena arena({.source = &acre::MallocSource::Instance()});
  auto* map = arena.New<acre::Map<K, std::uint32_t>>();
  auto* set = arena.New<acre::Set<K>>();
  for (std::uint32_t i = 0; i < count; ++i) {
    map->try_emplace(make(i), i);
    set->insert(make(i));
  }
  CHECK(map->size() == count);
  for (std::uint32_t i = 0; i < count; i += 3) {
    map->erase(make(i));
    set->erase(make(i));
  }
  for (std::uint32_t i = 0; i < count; i += 6) {
    map->try_emplace(make(i), i);
    set->insert(make(i));
  }
  Order order;
  auto at = set->begin();
  for (const auto& [key, number] : *map) {
    order.Visit(number);
    CHECK(*at++ == key);  // a Set of the same history has the same order
  }
  CHECK(order.count() == map->size());
  return order.hash();
}

/// Of a type of numbers, by a cast.
template <class K>
std::uint64_t OrderOfNumbers(std::uint32_t count, std::uint32_t factor = 1) {
  return OrderOf<K>(count, [&](std::uint32_t i) {
    return static_cast<K>(static_cast<std::int64_t>(i) * factor);
  });
}

std::string TextOf(std::uint32_t i, std::size_t length) {
  std::string text;
  std::uint32_t state = i;
  while (text.size() < length) {
    state = state * 1664525 + 1013904223;
    text += static_cast<char>(state >> 24);  // bytes from 0x80 on, too
  }
  return text;
}

std::uint64_t OrderOfTexts(std::size_t length) {
  return OrderOf<acre::String>(
      200, [&](std::uint32_t i) { return TextOf(i, length); });
}

TEST_CASE("Map: the order of characters, with a sign or without") {
  CHECK(OrderOfNumbers<char>(256) == 0xeefc6981539b0040);
  CHECK(OrderOfNumbers<unsigned char>(256) == OrderOfNumbers<char>(256));
  CHECK(OrderOfNumbers<char8_t>(256) == OrderOfNumbers<char>(256));
  CHECK(OrderOfNumbers<Letter>(256) == OrderOfNumbers<char>(256));
  CHECK(OrderOfNumbers<signed char>(256) == 0x0f84686985736bd0);
  CHECK(OrderOfNumbers<bool>(2) == 0x08cd4c29d1e47d34);
  CHECK(OrderOfNumbers<char16_t>(500, 131) == 0xacc323395f6314d0);
  CHECK(OrderOfNumbers<char32_t>(500, 8'000'009) == 0x8da4eb38499945d4);
  // From 2^31 on it is negative on some machines.
  CHECK(OrderOfNumbers<wchar_t>(500, 8'000'009) ==
        OrderOfNumbers<char32_t>(500, 8'000'009));
  CHECK(acre::Hash<wchar_t>()(static_cast<wchar_t>(0xffff'fffe)) ==
        acre::Hash<std::uint32_t>()(0xffff'fffe));
  CHECK(acre::Hash<char>()(static_cast<char>(0xfe)) ==
        acre::Hash<std::uint8_t>()(0xfe));
}

TEST_CASE("Map: the order of integers and enums") {
  CHECK(OrderOfNumbers<std::int16_t>(500, 131) == 0xee8d34c9164d526c);
  CHECK(OrderOfNumbers<std::uint16_t>(500, 131) == 0xacc323395f6314d0);
  CHECK(OrderOfNumbers<std::int32_t>(1000, 8'000'009) == 0x326de64926dd82ff);
  CHECK(OrderOfNumbers<std::uint32_t>(1000, 4'000'037) == 0x7be6ee1567bc4c07);
  CHECK(OrderOfNumbers<std::int64_t>(1000, 0xffff'ffff) == 0x56557f653a5b0ca7);
  CHECK(OrderOfNumbers<std::uint64_t>(1000) == 0x89e175d98f39e8bb);
  CHECK(OrderOfNumbers<long>(1000) == 0x89e175d98f39e8bb);
  CHECK(OrderOfNumbers<Colour>(256) == OrderOfNumbers<unsigned char>(256));
  CHECK(OrderOfNumbers<Signed>(1000, 8'000'009) ==
        OrderOfNumbers<std::int32_t>(1000, 8'000'009));
#if defined(__SIZEOF_INT128__)
  __extension__ using Wide = __int128;
  CHECK(OrderOf<Wide>(1000, [](std::uint32_t i) {
          return (static_cast<Wide>(i) << 70) - i;
        }) == 0xbc4c766f683087b7);
#endif
}

TEST_CASE("Map: the order of floating-point numbers, by their bits") {
  CHECK(OrderOf<double>(1000, [](std::uint32_t i) {
          return static_cast<double>(i) / 64 - 5;
        }) == 0x467e138c80c6bc43);
  CHECK(OrderOf<float>(1000, [](std::uint32_t i) {
          return static_cast<float>(i) / 64 - 5;
        }) == 0x467e138c80c6bc43);
  CHECK(OrderOf<double>(1000, [](std::uint32_t i) {
          return 1.0 / (static_cast<double>(i) + 3);
        }) == 0x7f1810d214a21303);
  CHECK(acre::Hash<double>()(-0.0) == acre::Hash<double>()(0.0));
}

TEST_CASE("Map: the order of texts of every length") {
  CHECK(OrderOfTexts(2) == 0x10ff59879a94e926);
  CHECK(OrderOfTexts(3) == 0x18dd4f551c794c06);
  CHECK(OrderOfTexts(5) == 0x62b29f51690b2e96);
  CHECK(OrderOfTexts(11) == 0x2818caf4bd4f7286);
  CHECK(OrderOfTexts(16) == 0x8b81ca807ab88046);
  CHECK(OrderOfTexts(17) == 0x44c97477ee7934d6);
  CHECK(OrderOfTexts(23) == 0x3877f08c340a63c6);
  CHECK(OrderOfTexts(70) == 0x1023c1e22f9e9736);
}

TEST_CASE("Map: the order of keys of several parts") {
  using Seconds = std::chrono::duration<std::int64_t>;
  using Time = std::chrono::time_point<std::chrono::steady_clock, Seconds>;
  CHECK(OrderOf<std::pair<std::int32_t, char>>(500, [](std::uint32_t i) {
          return std::pair(static_cast<std::int32_t>(i / 7),
                           static_cast<char>(250 - i % 7));
        }) == 0x8b8e0a5734b642e8);
  CHECK(OrderOf<std::tuple<char, double, bool>>(500, [](std::uint32_t i) {
          return std::tuple(static_cast<char>(i / 2), i * 0.5, i % 2 != 0);
        }) == 0xf2d63c1d16645420);
  CHECK(OrderOf<std::array<char, 3>>(500, [](std::uint32_t i) {
          return std::array{static_cast<char>(i), static_cast<char>(i / 2),
                            static_cast<char>(255 - i % 256)};
        }) == 0x80d84e08729dc1f4);
  CHECK(OrderOf<std::optional<char>>(257, [](std::uint32_t i) {
          return i == 256 ? std::optional<char>()
                          : std::optional(static_cast<char>(i));
        }) == 0x7b2fe15e0b25b6b7);
  using Choice = std::variant<std::monostate, char, std::int64_t>;
  CHECK(OrderOf<Choice>(513, [](std::uint32_t i) {
          if (i == 512) return Choice();
          if (i % 2 == 0) return Choice(static_cast<char>(i / 2));
          return Choice(static_cast<std::int64_t>(i));
        }) == 0xd8e136f95a613de0);
  CHECK(OrderOf<Seconds>(500, [](std::uint32_t i) {
          return Seconds(static_cast<std::int64_t>(i) - 250);
        }) == 0xeddd579fafe78f8c);
  CHECK(OrderOf<Time>(500, [](std::uint32_t i) {
          return Time(Seconds(static_cast<std::int64_t>(i) - 250));
        }) == 0xeddd579fafe78f8c);
}

}  // namespace map_order_test
