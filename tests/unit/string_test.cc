// SPDX-License-Identifier: MIT
//
// Guards String's promise: std::string's results, always NUL-terminated, short
// texts inside the handle without an arena, and a handle that may be moved as
// bytes.

#include "acre/string.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstring>
#include <iterator>
#include <random>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/vector.h"
#include "support/death.h"

namespace string_test {

using acre::String;
using namespace std::string_view_literals;

namespace {

std::string Text(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t i = 0; i < size; ++i) {
    text[i] = static_cast<char>('a' + i * 7 % 26);
  }
  return text;
}

/// Same text, consistent queries, NUL behind it.
void CheckIs(const String& s, std::string_view expected) {
  REQUIRE(s.size() == expected.size());
  REQUIRE(s.length() == expected.size());
  REQUIRE(s.view() == expected);
  REQUIRE(s.c_str()[s.size()] == '\0');
  REQUIRE(s.c_str() == s.data());
  REQUIRE(s.capacity() >= s.size());
  REQUIRE(s.empty() == expected.empty());
}

}  // namespace

TEST_CASE("String: is 32 bytes, moved but not copied, never destroyed") {
  static_assert(sizeof(String) == 32);
  static_assert(std::is_trivially_destructible_v<String>);
  static_assert(std::is_nothrow_move_constructible_v<String>);
  static_assert(std::is_nothrow_move_assignable_v<String>);
  static_assert(!std::is_copy_constructible_v<String>);
  static_assert(!std::is_copy_assignable_v<String>);
  static_assert(std::ranges::contiguous_range<String>);
  static_assert(std::ranges::contiguous_range<const String>);
  static_assert(std::ranges::sized_range<String>);
  static_assert(std::convertible_to<const String&, std::string_view>);
  static_assert(std::three_way_comparable<String>);
  CHECK(acre::Element<String>);
}

TEST_CASE("String: every constructor yields its text") {
  acre::Arena arena;
  CheckIs(String(), "");
  const String bound(arena);
  CheckIs(bound, "");
  CHECK(bound.arena() == &arena);
  CheckIs(String(arena, Text(100)), Text(100));
  const String implicit = "short";
  CheckIs(implicit, "short");
  CHECK(implicit.arena() == nullptr);
  const String viewed = "view"sv;
  CheckIs(viewed, "view");
  const String from_std{std::string("std")};
  CheckIs(from_std, "std");
}

TEST_CASE("String: every size around the inline limit round-trips") {
  acre::Arena arena;
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string text = Text(size);
    const std::size_t before = arena.stats().live();
    String s(arena, text);
    CheckIs(s, text);
    const bool is_inline = s.data() >= reinterpret_cast<const char*>(&s) &&
                           s.data() < reinterpret_cast<const char*>(&s + 1);
    CHECK(is_inline == (size <= String::kInlineCapacity));
    CHECK((arena.stats().live() == before) == is_inline);
    s.Release();
    CheckIs(s, "");
    CHECK(s.arena() == &arena);
    CHECK(arena.stats().live() == before);
  }
  static_assert(String::kInlineCapacity == 23);
}

TEST_CASE("String: grows and shrinks across the inline limit") {
  acre::Arena arena;
  String s(arena);
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    const auto c = static_cast<char>('a' + i % 26);
    s.push_back(c);
    expected.push_back(c);
    CheckIs(s, expected);
  }
  while (!expected.empty()) {
    s.pop_back();
    expected.pop_back();
    CheckIs(s, expected);
  }
  for (const std::size_t size : {22, 23, 24, 23, 22, 24, 0, 24}) {
    s = Text(size);
    CheckIs(s, Text(size));
    s.Release();
    s = Text(size);
    CheckIs(s, Text(size));
  }
}

TEST_CASE("String: grows in place, and old storage is reused") {
  acre::Arena arena({.first_chunk = 1 << 20});
  String s(arena, Text(24));
  const char* data = s.data();
  for (int i = 0; i < 10'000; ++i) s.push_back('x');
  CHECK(s.data() == data);
  CHECK(arena.stats().freed == 0);
  static_cast<void>(arena.New<int>(1));
  for (int i = 0; i < 100'000; ++i) s.push_back('y');
  CHECK(s.data() != data);
  CHECK(arena.stats().freed > 0);
  CheckIs(s, Text(24) + std::string(10'000, 'x') + std::string(100'000, 'y'));
  s.Release();
  CHECK(arena.stats().live() == 16);
}

TEST_CASE("String: a text of several megabytes works") {
  acre::Arena arena;
  String s(arena);
  const std::string part = Text(1000);
  std::string expected;
  for (int i = 0; i < 3'000; ++i) {
    s += part;
    expected += part;
  }
  CheckIs(s, expected);
  const String copy(arena, s);
  CheckIs(copy, expected);
  s.Release();
  CheckIs(copy, expected);
}

TEST_CASE("String: appends the whole of itself and any part of itself") {
  acre::Arena arena;
  for (const std::size_t size : {0, 1, 5, 11, 12, 22, 23, 24, 47, 200}) {
    const std::string text = Text(size);
    String whole(arena, text);
    whole.append(whole);
    CheckIs(whole, text + text);
    for (std::size_t from = 0; from <= size; from += 1 + size / 7) {
      for (std::size_t n = 0; from + n <= size; n += 1 + size / 5) {
        String s(arena, text);
        s += s.view().substr(from, n);
        CheckIs(s, text + text.substr(from, n));
      }
    }
  }
}

TEST_CASE("String: is assigned the whole of itself and any part of itself") {
  acre::Arena arena;
  for (const std::size_t size : {0, 1, 22, 23, 24, 47, 200}) {
    const std::string text = Text(size);
    String whole(arena, text);
    whole = whole.view();
    CheckIs(whole, text);
    for (std::size_t from = 0; from <= size; from += 1 + size / 7) {
      for (std::size_t n = 0; from + n <= size; n += 1 + size / 5) {
        String s(arena, text);
        s.assign(s.view().substr(from, n));
        CheckIs(s, text.substr(from, n));
      }
    }
  }
}

TEST_CASE("String: self-move keeps the text") {
  acre::Arena arena;
  String s(arena, Text(50));
  String& same = s;
  s = std::move(same);
  CheckIs(s, Text(50));
  s = "short";
  s = std::move(same);
  CheckIs(s, "short");
}

TEST_CASE("String: resize fills, cuts and terminates") {
  acre::Arena arena;
  String s(arena, "abc");
  s.resize(5, 'x');
  CheckIs(s, "abcxx");
  s.resize(7);
  CheckIs(s, "abcxx\0\0"sv);
  s.resize(2);
  CheckIs(s, "ab");
  s.resize(23, '-');
  CheckIs(s, "ab" + std::string(21, '-'));
  s.resize(24, '+');
  CheckIs(s, "ab" + std::string(21, '-') + "+");
  s.resize(500, '*');
  CheckIs(s, "ab" + std::string(21, '-') + "+" + std::string(476, '*'));
  s.resize(1);
  CheckIs(s, "a");
  s.resize(0);
  CheckIs(s, "");
}

TEST_CASE("String: reserve keeps the text and makes the room") {
  acre::Arena arena;
  String s(arena, "abc");
  s.reserve(10);
  CHECK(s.capacity() == String::kInlineCapacity);
  s.reserve(1000);
  CheckIs(s, "abc");
  CHECK(s.capacity() >= 1000);
  const char* data = s.data();
  const std::size_t capacity = s.capacity();
  s.append(std::string(capacity - 3, 'x'));
  CHECK(s.data() == data);
  CHECK(s.capacity() == capacity);
  s.clear();
  CheckIs(s, "");
  CHECK(s.capacity() == capacity);
  s.reserve(5);
  CHECK(s.capacity() == capacity);
}

TEST_CASE("String: sizes beyond max_size are a length_error, nothing lost") {
  acre::Arena arena({.byte_limit = 1 << 20});
  for (const std::size_t size : {3, 60}) {
    String s(arena, Text(size));
    CHECK_THROWS_AS(s.reserve(s.max_size() + 1), std::length_error);
    CHECK_THROWS_AS(s.resize(~std::size_t{0}), std::length_error);
    // The new size, or one more, would be past the largest number.
    for (std::size_t less = 0; less < 100; ++less) {
      const std::size_t count = ~std::size_t{0} - less;
      CHECK_THROWS_AS(s.append(std::string_view("x", count)),
                      std::length_error);
      CHECK_THROWS_AS(s.append(count, 'x'), std::length_error);
      CHECK_THROWS_AS(s.insert(1, count, 'x'), std::length_error);
    }
    CheckIs(s, Text(size));
  }
  CHECK(String::max_size() == 0xFFFF'FFFEu);
}

TEST_CASE("String: out of memory throws bad_alloc and loses no text") {
  acre::Arena arena({.byte_limit = 128 << 10});
  const std::string huge(1 << 20, 'h');
  for (const std::size_t size : {0, 5, 23, 24, 300}) {
    String s(arena, Text(size));
    CHECK_THROWS_AS(s.append(huge), std::bad_alloc);
    CheckIs(s, Text(size));
    CHECK_THROWS_AS(s.reserve(1 << 20), std::bad_alloc);
    CheckIs(s, Text(size));
    CHECK_THROWS_AS(s.resize(1 << 20), std::bad_alloc);
    CheckIs(s, Text(size));
    CHECK_THROWS_AS(s.assign(huge), std::bad_alloc);
    CheckIs(s, Text(size));
  }
}

TEST_CASE("String: embedded NULs count") {
  acre::Arena arena;
  String s(arena, "a\0b"sv);
  CheckIs(s, "a\0b"sv);
  s += "\0\0"sv;
  s.push_back('\0');
  CheckIs(s, "a\0b\0\0\0"sv);
  s.append(std::string(40, '\0'));
  CHECK(s.size() == 46);
  CHECK(s != "a");
  CHECK(String("a\0b"sv) != String("a\0c"sv));
  CHECK(String("a\0"sv) != String("a"));
}

TEST_CASE("String: every byte value is kept, at the tag's place too") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(23, static_cast<char>(byte));
    String s{std::string_view(text)};
    CheckIs(s, text);
    s.pop_back();
    CheckIs(s, std::string_view(text).substr(1));
    acre::Arena arena;
    String far(arena, text + text);
    CheckIs(far, text + text);
  }
}

TEST_CASE("String: an empty view, null data included, is an empty text") {
  acre::Arena arena;
  String s(arena, std::string_view());
  CheckIs(s, "");
  s.append(std::string_view());
  CheckIs(s, "");
  s = "abc";
  s += std::string_view();
  CheckIs(s, "abc");
  s = std::string_view();
  CheckIs(s, "");
  s = Text(40);
  s.append("");
  CheckIs(s, Text(40));
  s.assign("");
  CheckIs(s, "");
}

TEST_CASE("String: access agrees in all its forms") {
  acre::Arena arena;
  for (const std::size_t size : {5, 23, 24, 60}) {
    const std::string text = Text(size);
    String s(arena, text);
    const String& c = s;
    CHECK(s[3] == text[3]);
    CHECK(c[3] == text[3]);
    CHECK(c[size] == '\0');
    CHECK(c.at(4) == text[4]);
    CHECK(c.front() == text.front());
    CHECK(c.back() == text.back());
    CHECK(std::string(s.begin(), s.end()) == text);
    CHECK(std::string(c.begin(), c.end()) == text);
    CHECK_THROWS_AS(static_cast<void>(c.at(size)), std::out_of_range);
    s[0] = '#';
    *(s.end() - 1) = '!';
    s.data()[1] = '?';
    CHECK(c.front() == '#');
    CHECK(c.back() == '!');
    CHECK(c[1] == '?');
    std::ranges::reverse(s);
    CHECK(c.front() == '!');
  }
}

TEST_CASE("String: compares with itself and every kind of text") {
  acre::Arena arena;
  const String a(arena, "apple");
  const String b(arena, "banana, longer than any handle holds");
  CHECK(a == String("apple"));
  CHECK(a != b);
  CHECK(a < b);
  CHECK(b > a);
  CHECK((a <=> a) == std::strong_ordering::equal);
  CHECK(a == "apple");
  CHECK("apple" == a);
  CHECK(a != "apples");
  CHECK(a < "apples");
  CHECK("appl" < a);
  CHECK(a == "apple"sv);
  CHECK("apple"sv == a);
  CHECK(a < "b"sv);
  CHECK(a == std::string("apple"));
  CHECK(std::string("apple") == a);
  CHECK(a < std::string("b"));
  CHECK((b <=> "banana"sv) == std::strong_ordering::greater);
  CHECK((b <=> "banana") == std::strong_ordering::greater);
  CHECK(String("\x80") > String("\x7f"));
  CHECK(String() == "");
  CHECK(String() < a);
  CHECK(std::string_view(b).starts_with("banana"));
  CHECK(b.view().find("handle") != std::string_view::npos);
}

TEST_CASE("String: texts are equal if every character is") {
  acre::Arena arena;
  for (std::size_t size = 0; size <= 70; ++size) {
    const String text(arena, std::string(size, 'a'));
    // Of exactly this size, so that sanitizers see what reads beyond.
    std::vector<char> other(size, 'a');
    const auto view = [&] { return std::string_view(other.data(), size); };
    CHECK(text == view());
    CHECK(text == String(arena, view()));
    for (std::size_t i = 0; i < size; ++i) {
      for (const int bit : {1, 0x80}) {
        other[i] = static_cast<char>('a' ^ bit);
        CHECK(text != view());
        CHECK(text != String(arena, view()));
      }
      other[i] = 'a';
    }
    CHECK(text != std::string(size + 1, 'a'));
    if (size != 0) CHECK(text != std::string(size - 1, 'a'));
  }
}

TEST_CASE("String: moving takes the text and leaves an empty, usable one") {
  acre::Arena arena;
  for (const std::size_t size : {0, 7, 23, 24, 90}) {
    String from(arena, Text(size));
    String to(std::move(from));
    CheckIs(to, Text(size));
    CheckIs(from, "");  // NOLINT(bugprone-use-after-move)
    from = Text(70);
    CheckIs(from, Text(70));
    CheckIs(to, Text(size));
    to = std::move(from);
    CheckIs(to, Text(70));
    CheckIs(from, "");  // NOLINT(bugprone-use-after-move)
  }
}

TEST_CASE("String: move assignment releases the target's storage") {
  acre::Arena arena;
  String a(arena, Text(100));
  const std::size_t one = arena.stats().live();
  String b(arena, Text(100));
  b = std::move(a);
  CHECK(arena.stats().live() == one);
  b = String("short");
  CHECK(arena.stats().live() == 0);
  CheckIs(b, "short");
  CHECK(b.arena() == &arena);
  b = Text(100);
  CHECK(arena.stats().live() == one);
}

TEST_CASE("String: swap exchanges near and far texts") {
  acre::Arena arena;
  String a(arena, "near");
  String b(arena, Text(80));
  a.swap(b);
  CheckIs(a, Text(80));
  CheckIs(b, "near");
  swap(a, b);
  CheckIs(a, "near");
  CheckIs(b, Text(80));
  b.swap(b);
  CheckIs(b, Text(80));
}

TEST_CASE("String: a number of equal characters") {
  acre::Arena arena;
  String text(arena, 3, 'x');
  CHECK(text == "xxx");
  CHECK(text.arena() == &arena);
  text.append(2, 'y').append(0, 'z');
  CHECK(text == "xxxyy");
  text.append(40, '-');
  CHECK(text == "xxxyy" + std::string(40, '-'));
  CHECK(std::string(text.cbegin(), text.cend()) == text.view());
  CHECK(String(arena, 50, 'q') == std::string(50, 'q'));
  CHECK_THROWS_AS(text.append(text.max_size(), 'x'), std::length_error);
  CHECK(text.size() == 45);
}

TEST_CASE("String: its bytes may be moved, for it never points into itself") {
  acre::Arena arena;
  for (const std::size_t size : {0, 1, 22, 23, 24, 100}) {
    alignas(String) std::byte first[sizeof(String)];
    alignas(String) std::byte second[sizeof(String)];
    auto* s = ::new (first) String(arena, Text(size));
    static_cast<void>(s);
    std::memcpy(second, first, sizeof(String));
    std::memset(first, 'X', sizeof first);
    auto* moved = std::launder(reinterpret_cast<String*>(second));
    CheckIs(*moved, Text(size));
    moved->append("tail");
    CheckIs(*moved, Text(size) + "tail");
    moved->assign(Text(30));
    CheckIs(*moved, Text(30));
  }
}

TEST_CASE("String: short text needs no arena, in any operation") {
  String s;
  s = "abc";
  s += "def";
  s.push_back('g');
  s.resize(20, '.');
  s.reserve(23);
  s.append("xyz");
  CheckIs(s, "abcdefg.............xyz");
  CHECK(s.size() == 23);
  s.clear();
  s.Release();
  CHECK(s.arena() == nullptr);
}

TEST_CASE("String: long text outside any arena is refused, and says why") {
  const char* const kWhy =
      "String at 0x[0-9a-f]+ has no arena: it lies in "
      "none, and none was given to its constructor";
  CHECK_DIES(String s(Text(24)), kWhy);
  CHECK_DIES(String s("short"); s.append(Text(20)), kWhy);
  CHECK_DIES(String s; s.reserve(24), kWhy);
  CHECK_DIES(String s; s.resize(24), kWhy);
}

TEST_CASE("String: in an arena it finds that arena by its own address") {
  acre::Arena arena;
  auto* s = ::new (arena.Allocate(sizeof(String))) String(Text(60));
  CheckIs(*s, Text(60));
  CHECK(s->arena() == &arena);
  CHECK(arena.Owns(s->data()));
}

TEST_CASE("String: any history leaves what std::string has") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    acre::Arena arena;
    String s(arena);
    String other(arena);
    std::string model;
    std::string other_model;
    for (int step = 0; step < 400; ++step) {
      const std::size_t n = random() % (random() % 8 == 0 ? 200 : 12);
      const std::size_t from = model.empty() ? 0 : random() % model.size();
      switch (random() % 14) {
        case 0:
          s.assign(Text(n));
          model.assign(Text(n));
          break;
        case 1:
        case 2:
          s.append(Text(n));
          model.append(Text(n));
          break;
        case 3:
          s += 'c';
          model += 'c';
          break;
        case 4:
          if (model.empty()) break;
          s.pop_back();
          model.pop_back();
          break;
        case 5:
          s.resize(n, 'r');
          model.resize(n, 'r');
          break;
        case 6:
          s.reserve(n);
          break;
        case 7:
          s.append(s.view().substr(from, n));
          model.append(model.substr(from, n));
          break;
        case 8:
          s = s.view().substr(from, n);
          model = model.substr(from, n);
          break;
        case 9:
          s.swap(other);
          model.swap(other_model);
          break;
        case 10:
          other = std::move(s);
          other_model = std::exchange(model, {});
          break;
        case 11:
          s.Release();
          model.clear();
          break;
        case 12:
          static_cast<void>(arena.New<int>(step));
          break;
        default:
          if (model.empty()) break;
          s[from] = '#';
          model[from] = '#';
          break;
      }
      CheckIs(s, model);
      CheckIs(other, other_model);
      REQUIRE((s <=> other) == (model <=> other_model));
      if (model.size() > 2'000) {
        s.clear();
        model.clear();
      }
    }
  }
}

}  // namespace string_test
