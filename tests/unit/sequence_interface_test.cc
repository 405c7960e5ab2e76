// SPDX-License-Identifier: MIT
//
// Guards that Vector and String have the interface of std::vector and
// std::string: what ports use beside the everyday members.

#include <doctest/doctest.h>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <iterator>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace sequence_interface_test {

using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

template <class A, class B>
constexpr bool kSame = std::is_same_v<A, B>;

struct Bits {
  unsigned small : 5;
  int large : 20;
};

/// Has < alone.
struct Version {
  int major;
  friend bool operator<(const Version& a, const Version& b) {
    return a.major < b.major;
  }
  friend bool operator==(const Version&, const Version&) = default;
};
ACRE_LAYOUT(Version, major)

}  // namespace

// --------------------------------------------------------------------- Vector

TEST_CASE("Vector: a count and a value are no range") {
  acre::Arena arena;
  Vector<int> ints(arena);
  ints.assign(3, 7);
  CHECK(ints == Vector(arena, {7, 7, 7}));
  Vector<long> longs(arena);
  longs.assign(2, 5);
  CHECK(longs == Vector(arena, {5L, 5L}));
  longs.insert(longs.begin(), 2, 6);
  CHECK(longs == Vector(arena, {6L, 6L, 5L, 5L}));
  const Vector<int> made(arena, 2, 9);
  CHECK(made == Vector(arena, {9, 9}));
}

TEST_CASE("Vector: takes bit-fields and null literals") {
  acre::Arena arena;
  Bits bits{7, -3};
  Vector<unsigned> exact(arena);
  exact.push_back(bits.small);
  Vector<long> wider(arena);
  wider.push_back(bits.large);
  wider.insert(wider.begin(), bits.small);
  CHECK(exact == Vector(arena, {7u}));
  CHECK(wider == Vector(arena, {7L, -3L}));
  Vector<int*> pointers(arena);
  pointers.push_back(nullptr);
  pointers.push_back(0);
  CHECK(pointers.size() == 2);
}

TEST_CASE("Vector: Strings of a count and a character, in place") {
  acre::Arena arena;
  Vector<String> texts(arena);
  for (int i = 0; i < 20; ++i) CHECK(texts.emplace_back(30, 'x').size() == 30);
  texts.emplace(texts.begin(), 2, 'y');
  CHECK(texts.front() == "yy");
  CHECK(texts.back().arena() == &arena);
  Vector<Vector<int>> rows(arena);
  CHECK(rows.emplace_back(3, 1) == Vector(arena, {1, 1, 1}));
}

TEST_CASE("Vector: orders elements that have < alone") {
  acre::Arena arena;
  const Vector<Version> a(arena, {{1}, {2}});
  const Vector<Version> b(arena, {{1}, {3}});
  CHECK(a < b);
  CHECK(b > a);
  CHECK(a == a);
  CHECK((a <=> a) == 0);
}

TEST_CASE("Vector: its arguments are deduced") {
  acre::Arena arena;
  const std::vector<long> from{1, 2};
  Vector ranged(arena, from.begin(), from.end());
  static_assert(kSame<decltype(ranged), Vector<long>>);
  Vector texts(arena, {"a", kLong});
  static_assert(kSame<decltype(texts), Vector<String>>);
  CHECK(texts[1] == kLong);
  Vector counted(arena, 3, 1.5);
  static_assert(kSame<decltype(counted), Vector<double>>);
  CHECK(counted.size() == 3);
  std::istringstream words("1 2 3");
  using Ints = std::istream_iterator<int>;
  const Vector read(arena, Ints(words), Ints());
  CHECK(read == Vector(arena, {1, 2, 3}));
}

TEST_CASE("Vector: erase and erase_if are found beside std's") {
  using std::erase;
  using std::erase_if;
  acre::Arena arena;
  Vector v(arena, {1, 2, 3, 2});
  CHECK(erase(v, 2) == 2);
  CHECK(erase_if(v, [](int i) { return i == 3; }) == 1);
  CHECK(v == Vector(arena, {1}));
}

// --------------------------------------------------------------------- String

TEST_CASE("String: has the types of a std string") {
  static_assert(kSame<String::reference, char&>);
  static_assert(kSame<String::const_pointer, const char*>);
  static_assert(kSame<String::difference_type, std::ptrdiff_t>);
  static_assert(kSame<String::traits_type, std::char_traits<char>>);
  CHECK(String::npos == std::string::npos);
}

TEST_CASE("String: finds and takes parts as std's") {
  acre::Arena arena;
  const String text(arena, "one two one");
  const std::string model = "one two one";
  CHECK(text.find("one") == model.find("one"));
  CHECK(text.find("one", 1) == model.find("one", 1));
  CHECK(text.find('t') == model.find('t'));
  CHECK(text.find(std::string("none")) == String::npos);
  CHECK(text.rfind("one") == model.rfind("one"));
  CHECK(text.rfind('o', 5) == model.rfind('o', 5));
  CHECK(text.find_first_of("wt") == model.find_first_of("wt"));
  CHECK(text.find_last_of("wt") == model.find_last_of("wt"));
  CHECK(text.find_first_not_of("one ") == model.find_first_not_of("one "));
  CHECK(text.find_last_not_of("one ") == model.find_last_not_of("one "));
  CHECK(text.substr(4, 3) == "two");
  CHECK(text.substr(4) == model.substr(4));
  CHECK_THROWS_AS(text.substr(12), std::out_of_range);
  CHECK(text.compare("one") > 0);
  CHECK(text.compare(4, 3, "two") == 0);
  CHECK(text.compare(text) == 0);
  char buffer[4] = {};
  CHECK(text.copy(buffer, 3, 4) == 3);
  CHECK(std::string_view(buffer) == "two");
  CHECK_THROWS_AS(text.copy(buffer, 1, 12), std::out_of_range);
  CHECK(text.starts_with('o'));
  CHECK(text.ends_with('e'));
  CHECK_FALSE(text.ends_with('o'));
  CHECK(std::string(text.crbegin(), text.crend()) == "eno owt eno");
}

TEST_CASE("String: assigns and appends what std's does") {
  acre::Arena arena;
  String text(arena);
  const std::string other = "0123456789 and what does not fit in the handle";
  CHECK(text.assign(3, 'x') == "xxx");
  CHECK(text.assign("abcdef", 2) == "ab");
  CHECK(text.append("cdef", 2) == "abcd");
  CHECK(text.append(other.begin(), other.end()) == "abcd" + other);
  CHECK(text.assign(other.begin(), other.begin() + 3) == "012");
  CHECK(text.assign(30, 'y') == std::string(30, 'y'));
}

TEST_CASE("String: inserts, erases and replaces as std's, over any history") {
  std::mt19937 random(17);
  acre::Arena arena;
  for (int round = 0; round < 60; ++round) {
    String text(arena);
    std::string model;
    for (int step = 0; step < 100; ++step) {
      const std::size_t pos = random() % (model.size() + 1);
      const std::size_t count = random() % 12;
      const std::string piece(random() % 9, static_cast<char>('a' + step % 26));
      switch (random() % 7) {
        case 0:
          text.insert(pos, piece);
          model.insert(pos, piece);
          break;
        case 1:
          text.insert(pos, count, '-');
          model.insert(pos, count, '-');
          break;
        case 2:
          text.erase(pos, count);
          model.erase(pos, count);
          break;
        case 3:
          text.replace(pos, count, piece);
          model.replace(pos, count, piece);
          break;
        case 4: {  // by a part of itself
          const std::size_t from = random() % (model.size() + 1);
          text.replace(pos, count, text.substr(from, 30));
          model.replace(pos, count, model.substr(from, 30));
          break;
        }
        case 5: {
          const auto i = static_cast<std::ptrdiff_t>(pos);
          const auto at = text.insert(text.begin() + i, '+');
          REQUIRE(at == text.begin() + i);
          model.insert(model.begin() + i, '+');
          break;
        }
        default: {
          if (pos == model.size()) break;
          const auto i = static_cast<std::ptrdiff_t>(pos);
          REQUIRE(text.erase(text.cbegin() + i) == text.begin() + i);
          model.erase(model.begin() + i);
        }
      }
      REQUIRE(text == model);
      REQUIRE(text.c_str()[text.size()] == '\0');
      if (step % 30 == 29) text.shrink_to_fit();
    }
    text.Release();
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("String: erase and replace take positions and iterators") {
  acre::Arena arena;
  String text(arena, "0123456789");
  CHECK(text.erase(0, 2) == "23456789");
  CHECK(text.erase(6) == "234567");
  CHECK(*text.erase(text.begin() + 1, text.begin() + 3) == '5');
  CHECK(text == "2567");
  text.replace(text.begin(), text.begin() + 2, kLong);
  CHECK(text == std::string(kLong) + "67");
  CHECK(text.erase().empty());
  CHECK(text.erase(0).empty());
  CHECK_THROWS_AS(text.erase(1), std::out_of_range);
  CHECK_THROWS_AS(text.insert(1, "x"), std::out_of_range);
  CHECK_THROWS_AS(text.insert(1, 2, 'x'), std::out_of_range);
  CHECK_THROWS_AS(text.replace(1, 0, "x"), std::out_of_range);
  CHECK_THROWS_AS(text.insert(0, String::max_size() + 1, 'x'),
                  std::length_error);
}

TEST_CASE("String: where memory runs out replacing a part loses no text") {
  acre::Arena arena({.byte_limit = 128 << 10});
  String text(arena, std::string(30'000, 'a'));
  CHECK_THROWS_AS(for (int i = 0; i < 10; ++i) text.insert(7, text.view()),
                  std::bad_alloc);
  CHECK(text.size() % 30'000 == 0);
  CHECK(text.find_first_not_of('a') == String::npos);
  text.Release();
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("String: shrink_to_fit gives back what the text does not need") {
  acre::Arena arena;
  String text(arena, std::string(5'000, 'a'));
  text.resize(100);
  text.shrink_to_fit();
  CHECK(text == std::string(100, 'a'));
  CHECK(arena.stats().live() < 300);
  text.resize(23);
  text.shrink_to_fit();
  CHECK(text == std::string(23, 'a'));
  CHECK(text.capacity() == 23);
  CHECK(arena.stats().live() == 0);
  text.shrink_to_fit();
  CHECK(text.size() == 23);
}

}  // namespace sequence_interface_test
