// SPDX-License-Identifier: MIT
//
// Guards that an element's constructor, or a predicate, that throws leaves a
// Vector whose elements are whole and whose storage has one owner each.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace vector_exception_test {

using acre::String;
using acre::Vector;

namespace {

constexpr const char* kLong = "a text that is too long to stay in the handle";

using Ints = std::vector<int>;

// Throws in the construction with that number, counted from 1; 0: never.
int g_throw_at = 0;
int g_constructed = 0;

void CountConstruction() {
  if (++g_constructed == g_throw_at) throw std::runtime_error("construction");
}

// An element whose constructors may throw and which holds storage.
struct Touchy {
  Touchy() { CountConstruction(); }
  Touchy(acre::Arena& arena, int number) {
    CountConstruction();
    text = String(arena, kLong);
    value = number;
  }
  Touchy(const Touchy& other) {
    CountConstruction();
    if (other.text.arena() != nullptr) {
      text = String(*other.text.arena(), other.text.view());
    }
    value = other.value;
  }
  Touchy& operator=(Touchy&& other) noexcept = default;

  String text;
  int value = -1;
};
ACRE_LAYOUT(Touchy, text, value)

Ints Values(const Vector<Touchy>& v) {
  Ints values;
  for (const Touchy& t : v) values.push_back(t.value);
  return values;
}

// No storage has two owners, nothing is torn.
void CheckSound(const Vector<Touchy>& v) {
  REQUIRE(v.size() <= v.capacity());
  std::vector<const char*> owners;
  for (const Touchy& t : v) {
    REQUIRE((t.value == -1 ? t.text.empty() : t.text == kLong));
    if (!t.text.empty()) owners.push_back(t.text.data());
  }
  std::sort(owners.begin(), owners.end());
  CHECK(std::adjacent_find(owners.begin(), owners.end()) == owners.end());
}

// Runs `change` on {0 .. count-1}, failing each construction in turn, and
// `after` on what a failure leaves, until it succeeds.
template <class Change, class After>
void FailEach(int count, bool has_room, Change change, After after) {
  int failures = 0;
  bool completed = false;
  for (int n = 1; !completed; ++n) {
    acre::Arena arena;
    Vector<Touchy> v(arena);
    g_throw_at = 0;
    if (has_room) v.reserve(64);
    for (int i = 0; i < count; ++i) v.emplace_back(arena, i);
    if (!has_room) v.shrink_to_fit();
    const Touchy extra(arena, 77);
    g_constructed = 0;
    g_throw_at = n;
    try {
      change(v, extra);
      completed = true;
    } catch (const std::runtime_error&) {
      ++failures;
      CheckSound(v);
      after(v);
    }
    g_throw_at = 0;
    v.emplace_back(arena, 5);
    CheckSound(v);
    v.Release();
    CHECK(v.empty());
  }
  CHECK(failures > 0);
}

}  // namespace

TEST_CASE("Vector: a throwing constructor leaves appending without effect") {
  for (const bool has_room : {true, false}) {
    CAPTURE(has_room);
    const auto unchanged = [](const Vector<Touchy>& v) {
      CHECK(Values(v) == Ints{0, 1, 2, 3});
    };
    FailEach(
        4, has_room, [](auto& v, const Touchy& extra) { v.push_back(extra); },
        unchanged);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy&) { v.emplace_back(*v.arena(), 9); },
        unchanged);
    FailEach(
        4, has_room, [](auto& v, const Touchy&) { v.emplace_back(); },
        unchanged);
  }
}

TEST_CASE("Vector: a throwing constructor leaves insertion sound") {
  for (const bool has_room : {true, false}) {
    CAPTURE(has_room);
    const auto keeps_old = [](const Vector<Touchy>& v) {
      const Ints values = Values(v);
      CHECK(std::count(values.begin(), values.end(), -1) == 0);
      for (int i = 0; i < 4; ++i) {
        CHECK(std::count(values.begin(), values.end(), i) == 1);
      }
    };
    FailEach(
        4, has_room,
        [](auto& v, const Touchy& extra) { v.insert(v.begin() + 1, extra); },
        keeps_old);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy&) { v.emplace(v.begin(), *v.arena(), 9); },
        keeps_old);
    FailEach(
        4, has_room,
        [](auto& v, const Touchy& extra) {
          v.insert(v.begin() + 2, std::size_t{3}, extra);
        },
        keeps_old);
  }
}

TEST_CASE("Vector: a range whose copying throws leaves a prefix at the end") {
  FailEach(
      3, true,
      [](auto& v, const Touchy& extra) {
        const int n = std::exchange(g_throw_at, 0);
        Vector<Touchy> source(*v.arena());
        for (int i = 0; i < 4; ++i) source.push_back(extra);
        g_constructed = 0;
        g_throw_at = n;
        const Touchy* first = source.data();
        v.insert(v.begin() + 1, first, first + 4);
      },
      [](const Vector<Touchy>& v) {
        Ints values = Values(v);
        Ints expected{0, 1, 2};
        expected.resize(v.size(), 77);
        // Once all are copied, moving them to their place may throw as well.
        if (v.size() == 7) std::sort(values.begin(), values.end());
        CHECK(values == expected);
      });
}

TEST_CASE("Vector: a throwing constructor leaves resize and assign sound") {
  const auto starts_with_old = [](const Vector<Touchy>& v) {
    REQUIRE(v.size() >= 2);
    CHECK(v[0].value == 0);
    CHECK(v[1].value == 1);
  };
  FailEach(
      2, false, [](auto& v, const Touchy&) { v.resize(9); }, starts_with_old);
  FailEach(
      2, false, [](auto& v, const Touchy& extra) { v.resize(9, extra); },
      starts_with_old);
  FailEach(
      2, true,
      [](auto& v, const Touchy& extra) { v.assign(std::size_t{5}, extra); },
      [](const Vector<Touchy>&) {});
}

TEST_CASE("Vector: a predicate that throws leaves no storage with two owners") {
  for (int at = 0; at < 6; ++at) {
    CAPTURE(at);
    acre::Arena arena;
    Vector<Touchy> v(arena);
    for (int i = 0; i < 6; ++i) v.emplace_back(arena, i);
    int calls = 0;
    CHECK_THROWS_AS(v.erase_if([&](const Touchy& t) {
      if (calls++ == at) throw std::runtime_error("predicate");
      return t.value % 2 == 0;
    }),
                    std::runtime_error);
    CheckSound(v);
    v.Release();
    CHECK(arena.stats().live() == 0);
  }
}

}  // namespace vector_exception_test
