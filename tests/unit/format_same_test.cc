// SPDX-License-Identifier: MIT
//
// Guards a promise: the containers are written as this version of fmt writes
// those of std, whatever they hold and whatever specification is given. What a
// version refuses for std's it refuses for acre's; but a Map takes {::.2f}.

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 at -O3 sees an overflow in fmt's own parser of formats.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <array>
#include <initializer_list>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/format.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace format_same_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

using Specs = std::initializer_list<const char*>;
const Specs kOfAll = {"{}", "{:n}", "{::}", "{:n:}", "{:>9}", "{:x}"};
const Specs kOfReals = {"{::.2f}", "{:n:>8}", "{::+e}", "{::x}"};
const Specs kOfInts = {"{::#x}", "{:n:03}", "{::c}", "{::.2f}"};
const Specs kOfTexts = {"{::>7}", "{::.2}", "{::?}", "{::d}", "{:s}", "{:?s}"};

/// What is written, or that it is refused.
std::string Written(const char* spec, fmt::format_args value) {
  try {
    return fmt::vformat(spec, value);
  } catch (const fmt::format_error&) {
    return "refused";
  }
}

// Of erased arguments: there are many types to compile.
void CheckSameArgs(fmt::format_args expected, fmt::format_args value,
                   fmt::string_view in_brackets, Specs specs) {
  for (const Specs list : {kOfAll, specs}) {
    for (const char* spec : list) {
      INFO(std::string(spec));
      CHECK(Written(spec, value) == Written(spec, expected));
    }
  }
  CHECK(fmt::vformat(in_brackets, value) ==
        fmt::vformat(in_brackets, expected));
}

template <class A, class B>
void CheckSame(const A& expected, const B& value, Specs specs = {}) {
  // Parsed by the compiler too, for either type.
  static_cast<void>(fmt::format_string<const A&>("<{}>"));
  CheckSameArgs(fmt::make_format_args(expected), fmt::make_format_args(value),
                fmt::format_string<const B&>("<{}>"), specs);
}

const std::vector<std::string> kTexts = {"",
                                         "plain",
                                         "with \"quotes\"",
                                         "tab\tand\nline",
                                         "back\\slash",
                                         "caf\xc3\xa9",
                                         "\x01",
                                         "cut \xc3"};

TEST_CASE("Format as std: vectors of numbers") {
  Arena arena;
  CheckSame(std::vector<int>{1, -2, 300}, Vector<int>(arena, {1, -2, 300}),
            kOfInts);
  CheckSame(std::vector<int>{}, Vector<int>(arena), kOfInts);
  CheckSame(std::vector<double>{0.5, 2, 1e300},
            Vector<double>(arena, {0.5, 2, 1e300}), kOfReals);
  CheckSame(std::vector<float>{0.1F}, Vector<float>(arena, {0.1F}), kOfReals);
  CheckSame(std::vector<short>{7}, Vector<short>(arena, {7}), kOfInts);
  CheckSame(std::vector<unsigned char>{65}, Vector<unsigned char>(arena, {65}),
            kOfInts);
  CheckSame(std::vector<bool>{true, false}, Vector<bool>(arena, {true, false}),
            {"{::d}", "{::s}"});
  CheckSame(std::vector<char>{'x', '\n', '"', '\''},
            Vector<char>(arena, {'x', '\n', '"', '\''}), kOfTexts);
}

TEST_CASE("Format as std: text") {
  Arena arena;
  Vector<String> texts(arena);
  for (const std::string& text : kTexts) texts.emplace_back(text);
  CheckSame(kTexts, texts, kOfTexts);
  const std::vector<std::string_view> views(kTexts.begin(), kTexts.end());
  Vector<std::string_view> mine(arena);
  for (const std::string_view view : views) mine.push_back(view);
  CheckSame(views, mine, kOfTexts);
}

TEST_CASE("Format as std: a String is a string") {
  Arena arena;
  for (const std::string& text : kTexts) {
    const String mine(arena, text);
    for (const char* spec : {"{}", "{:?}", "{:s}", "{:>12}", "{:*^12.3}",
                             "{:.0}", "{:-<30?}", "{:d}", "{:c}", "{:n}"}) {
      INFO(std::string(spec));
      CHECK(Written(spec, fmt::make_format_args(mine)) ==
            Written(spec, fmt::make_format_args(text)));
    }
    CHECK(fmt::format("{:>{}.{}}", mine, 9, 2) ==
          fmt::format("{:>{}.{}}", text, 9, 2));
  }
}

TEST_CASE("Format as std: sets") {
  Arena arena;
  CheckSame(std::set<int>{3}, Set<int>(arena, {3}), kOfInts);
  CheckSame(std::set<char>{'q'}, Set<char>(arena, {'q'}), kOfTexts);
  for (const std::string& text : kTexts) {
    Set<String> set(arena);
    set.insert(text);
    CheckSame(std::set<std::string>{text}, set, kOfTexts);
  }
}

TEST_CASE("Format as std: maps") {
  Arena arena;
  for (const std::string& text : kTexts) {
    Map<String, String> map(arena);
    map[text] = text;
    CheckSame(std::map<std::string, std::string>{{text, text}}, map);
  }
  Map<char, int> chars(arena);
  chars['k'] = 1;
  CheckSame(std::map<char, int>{{'k', 1}}, chars);
  CheckSame(std::map<int, double>(), Map<int, double>(arena));
  Map<int, std::pair<int, char>> pairs(arena);
  pairs[1] = {2, 'c'};
  CheckSame(std::map<int, std::pair<int, char>>{{1, {2, 'c'}}}, pairs);
}

TEST_CASE("Format as std: nested") {
  Arena arena;
  const Specs deeper = {"{:::>4}", "{::n}", "{:n:n}", "{::n:>3}", "{::>3}"};
  Vector<Vector<String>> lists(arena);
  lists.emplace_back().emplace_back("a");
  lists.emplace_back();
  CheckSame(std::vector<std::vector<std::string>>{{"a"}, {}}, lists, deeper);
  Map<String, Vector<String>> map(arena);
  map["k"].emplace_back("x");
  CheckSame(std::map<std::string, std::vector<std::string>>{{"k", {"x"}}}, map);
  Vector<Map<String, char>> maps(arena);
  maps.emplace_back()["k"] = 'c';
  CheckSame(std::vector<std::map<std::string, char>>{{{"k", 'c'}}}, maps,
            {"{::n}", "{:n:n}"});
  Vector<Set<int>> sets(arena);
  sets.emplace_back().insert(4);
  CheckSame(std::vector<std::set<int>>{{4}}, sets, deeper);
}

TEST_CASE("Format as std: pairs, tuples, arrays and views in containers") {
  Arena arena;
  CheckSame(std::vector<std::pair<int, char>>{{1, 'c'}},
            Vector<std::pair<int, char>>(arena, {{1, 'c'}}));
  Vector<std::tuple<std::string_view, double>> tuples(arena);
  tuples.push_back({"t", 0.5});
  CheckSame(std::vector<std::tuple<std::string, double>>{{"t", 0.5}}, tuples);
  CheckSame(std::vector<std::array<int, 2>>{{1, 2}},
            Vector<std::array<int, 2>>(arena, {{1, 2}}), {"{:::03}"});
  const int numbers[] = {1, 2};
  Vector<std::span<const int>> spans(arena);
  spans.push_back(numbers);
  CheckSame(std::vector<std::span<const int>>{numbers}, spans, {"{:::03}"});
}

TEST_CASE("Format as std: joined") {
  Arena arena;
  const Vector<double> mine(arena, {1, 2.5});
  CHECK(fmt::format("{:.1f}", fmt::join(mine, " | ")) == "1.0 | 2.5");
  Vector<String> texts(arena);
  texts.emplace_back("a");
  texts.emplace_back("b");
  CHECK(fmt::format("{}", fmt::join(texts, ", ")) == "a, b");
}

TEST_CASE("Format: a Map takes a specification of its values") {
  Arena arena;
  Map<String, double> map(arena);
  map["a b"] = 0.5;
  CHECK(fmt::format("{::.2f}", map) == "{\"a b\": 0.50}");
  CHECK(fmt::format("{:n:.2f}", map) == "\"a b\": 0.50");
  map["c"] = 2;
  CHECK(fmt::format("{::>6.1f}", map) == "{\"a b\":    0.5, \"c\":    2.0}");
  CHECK(fmt::format("{::.2f}", Map<String, double>(arena)) == "{}");
  Map<int, Vector<double>> lists(arena);
  lists[1].push_back(3);
  CHECK(fmt::format("{:::.2f}", lists) == "{1: [3.00]}");
  CHECK(fmt::format("{:n:n:.2f}", lists) == "1: 3.00");
  Map<char, Map<String, int>> maps(arena);
  maps['k']["v"] = 10;
  CHECK(fmt::format("{:::#x}", maps) == "{'k': {\"v\": 0xa}}");
  Vector<Map<int, double>> outer(arena);
  outer.emplace_back()[1] = 0.25;
  CHECK(fmt::format("{:::.1f}", outer) == "[{1: 0.2}]");
  CHECK(Written("{::d}", fmt::make_format_args(map)) == "refused");
  CHECK(Written("{:.2f}", fmt::make_format_args(map)) == "refused");
  CHECK(Written("{::.2f", fmt::make_format_args(map)) == "refused");
  CHECK(Written("{:n", fmt::make_format_args(map)) == "refused");
  CHECK(Written("{::", fmt::make_format_args(map)) == "refused");
}

}  // namespace format_same_test
