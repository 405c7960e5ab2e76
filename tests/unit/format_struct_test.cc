// SPDX-License-Identifier: MIT
//
// Guards the formatter of registered structs: what is written for each kind of
// field, that nothing is followed, and that another formatter wins.

#if defined(__GNUC__) && !defined(__clang__)
// g++ 12 at -O3 sees an overflow in fmt's own parser of formats.
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#endif

#include <doctest/doctest.h>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/format.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace format_struct_test {

using acre::Arena;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Vector;

struct Simple {
  String name;
  int hp = 100;
};
ACRE_LAYOUT(Simple, name, hp)

struct Nothing {};
ACRE_LAYOUT(Nothing)

struct Node {
  int id = 0;
  Node* next = nullptr;
  Vector<Node> kids;
  std::span<Node> others;
  Vector<std::span<Node>> groups;
  Map<String, Node*> by_name;
};
ACRE_LAYOUT(Node, id, next, kids, others, groups, by_name)

enum Old { kOld = 5 };
enum class Color : std::uint8_t { kRed = 7 };
enum class Named { kOne };
constexpr int format_as(Named) { return 41; }

struct Point {
  float x, y;
};
struct Opaque {
  float x;
};

struct Numbers {
  bool flag = true;
  char letter = '\n';
  signed char small = -1;
  unsigned char byte = 65;
  wchar_t wide = L'a';
  char32_t unicode = U'b';
  double real = 0.5;
  Color color = Color::kRed;
  Named named = Named::kOne;
  Point point = {1, 2};
  Opaque opaque = {3};
};
ACRE_LAYOUT(Numbers, flag, letter, small, byte, wide, unicode, real, color,
            named, point, opaque)

struct Std {
  std::optional<String> none;
  std::optional<String> some;
  std::variant<std::monostate, int, String> choice;
  std::pair<int, char> pair = {1, 'c'};
  std::tuple<String, std::optional<int>> tuple;
  std::tuple<> empty;
  std::array<int, 2> array = {3, 4};
  std::string_view view = "v\t";
  std::span<const int> span;
  std::bitset<4> bits = 5;
  std::complex<double> number = {1, -2};
};
ACRE_LAYOUT(Std, none, some, choice, pair, tuple, empty, array, view, span,
            bits, number)

struct Times {
  std::chrono::seconds s{1};
  std::chrono::milliseconds ms{2};
  std::chrono::nanoseconds ns{3};
  std::chrono::minutes min{4};
  std::chrono::duration<double, std::ratio<86400>> days{0.5};
  std::chrono::duration<int, std::ratio<1, 60>> frames{5};
  std::chrono::duration<int, std::ratio<7>> sevens{6};
  std::chrono::sys_seconds at{std::chrono::seconds(9)};
};
ACRE_LAYOUT(Times, s, ms, ns, min, days, frames, sevens, at)

struct Arrays {
  char text[8] = "a\"b";
  char full[2] = {'x', 'y'};
  float row[2] = {1, 2.5F};
  int grid[2][2] = {{1, 2}, {3, 4}};
  const int fixed = 6;
};
ACRE_LAYOUT(Arrays, text, full, row, grid, fixed)

struct Borrows {
  void* anything = nullptr;
  const char* chars = "never followed";
  void (*call)() = nullptr;
  volatile int* device = nullptr;
  int Simple::*member = nullptr;
  int after = 1;
};
ACRE_LAYOUT(Borrows, borrowed(anything), borrowed(chars), borrowed(call),
            borrowed(device), member, after)

struct Empty {};
struct Base {
  int id = 1;
};
ACRE_LAYOUT(Base, id)
struct Middle : Base, Empty {
  String tag;
};
ACRE_LAYOUT(Middle, base(Base), base(Empty), tag)
struct Derived : Middle {
  Base member = {};
  unsigned low : 4 = 3;
  unsigned high : 28 = 3;
  int last = 2;
};
ACRE_LAYOUT(Derived, base(Middle), member, opaque(bits, 4), last)
struct Bag : Vector<int> {
  int size_limit = 9;
};
ACRE_LAYOUT(Bag, base(Vector<int>), size_limit)

class Private {
 public:
  explicit Private(int value) : value_(value) {}

 private:
  int value_;
  ACRE_LAYOUT_INSIDE(Private, value_)
};

template <class T>
struct Box {
  T content = {};
  ACRE_LAYOUT_INSIDE(Box, content)
};

// ---- with formatters of their own

struct Own {
  int a = 1;
};
ACRE_LAYOUT(Own, a)

template <class T>
struct OwnTemplate {
  T a = {};
  ACRE_LAYOUT_INSIDE(OwnTemplate, a)
};

struct Shape {
  int sides = 0;
};
ACRE_LAYOUT(Shape, sides)
struct Square : Shape {};
ACRE_LAYOUT(Square, base(Shape))
template <class T>
concept IsSpecial = std::same_as<typename T::Special, int>;
struct Marked {
  using Special = int;
  int a = 1;
};
ACRE_LAYOUT(Marked, a)

struct Range {
  int numbers[2] = {1, 2};
  const int* begin() const { return numbers; }
  const int* end() const { return numbers + 2; }
};
ACRE_LAYOUT(Range, numbers)

struct Outer {
  Own own;
  Vector<Own> list;
  Square square;
};
ACRE_LAYOUT(Outer, own, list, square)

struct SaysOwn {
  constexpr auto parse(fmt::format_parse_context& context) {
    return context.begin();
  }
  template <class T, class Context>
  auto format(const T&, Context& context) const {
    return fmt::format_to(context.out(), "own");
  }
};

// ---- many fields

#define ACRE_TEN_(m, n)                                                   \
  m(n##0), m(n##1), m(n##2), m(n##3), m(n##4), m(n##5), m(n##6), m(n##7), \
      m(n##8), m(n##9)
#define ACRE_NAME_(n) f##n
#define ACRE_HUNDRED_(m, n)                                       \
  ACRE_TEN_(m, n##0), ACRE_TEN_(m, n##1), ACRE_TEN_(m, n##2),     \
      ACRE_TEN_(m, n##3), ACRE_TEN_(m, n##4), ACRE_TEN_(m, n##5), \
      ACRE_TEN_(m, n##6), ACRE_TEN_(m, n##7), ACRE_TEN_(m, n##8), \
      ACRE_TEN_(m, n##9)
struct Wide {
  int ACRE_HUNDRED_(ACRE_NAME_, 1), ACRE_HUNDRED_(ACRE_NAME_, 2),
      ACRE_HUNDRED_(ACRE_NAME_, 3);
};
ACRE_LAYOUT(Wide, ACRE_HUNDRED_(ACRE_NAME_, 1), ACRE_HUNDRED_(ACRE_NAME_, 2),
            ACRE_HUNDRED_(ACRE_NAME_, 3))

}  // namespace format_struct_test

ACRE_PLAIN(format_struct_test::Point);

ACRE_PLAIN(format_struct_test::Opaque);

template <>
struct fmt::formatter<format_struct_test::Point> {
  constexpr auto parse(fmt::format_parse_context& context) {
    return context.begin();
  }
  template <class Context>
  auto format(const format_struct_test::Point& p, Context& context) const {
    return fmt::format_to(context.out(), "{}|{}", p.x, p.y);
  }
};

template <>
struct fmt::formatter<format_struct_test::Own> : format_struct_test::SaysOwn {};
template <class T>
struct fmt::formatter<format_struct_test::OwnTemplate<T>>
    : format_struct_test::SaysOwn {};
template <class T>
struct fmt::formatter<
    T, char, std::enable_if_t<std::is_base_of_v<format_struct_test::Shape, T>>>
    : format_struct_test::SaysOwn {};
template <format_struct_test::IsSpecial T>
struct fmt::formatter<T> : format_struct_test::SaysOwn {};

namespace format_struct_test {

TEST_CASE("Format a struct: fields by name, text quoted") {
  Arena arena;
  CHECK(fmt::format("{}", Simple{String(arena, "Ann"), 7}) ==
        "{name: \"Ann\", hp: 7}");
  CHECK(fmt::format("{}", Simple{String(arena, "\"\n"), -1}) ==
        "{name: \"\\\"\\n\", hp: -1}");
  CHECK(fmt::format("<{}>", Nothing()) == "<{}>");
  CHECK_THROWS_AS(
      static_cast<void>(fmt::format(fmt::runtime("{:x}"), Simple())),
      fmt::format_error);
}

TEST_CASE("Format a struct: in containers, and those in it") {
  Arena arena;
  Vector<Simple> list(arena);
  list.emplace_back().name = "a";
  CHECK(fmt::format("{}", list) == "[{name: \"a\", hp: 100}]");
  Map<int, Simple> map(arena);
  map[1].hp = 2;
  CHECK(fmt::format("{}", map) == "{1: {name: \"\", hp: 2}}");
  Box<Map<String, Vector<String>>>& box =
      *arena.New<Box<Map<String, Vector<String>>>>();
  box.content["k"].emplace_back("v");
  CHECK(fmt::format("{}", box) == "{content: {\"k\": [\"v\"]}}");
  Box<Set<char>>& set = *arena.New<Box<Set<char>>>();
  set.content.insert('s');
  CHECK(fmt::format("{}", set) == "{content: {'s'}}");
  CHECK(fmt::format("{}", Box<Simple>{}) == "{content: {name: \"\", hp: 100}}");
}

TEST_CASE("Format a struct: pointers and spans are not followed") {
  Arena arena;
  Node* node = arena.New<Node>();
  CHECK(fmt::format("{}", *node) ==
        "{id: 0, next: nullptr, kids: [], others: span(nullptr, 0), "
        "groups: [], by_name: {}}");
  node->next = node;
  node->others = {node, 1};
  node->groups.emplace_back(node, 1);
  node->by_name["self"] = node;
  node->kids.emplace_back().id = 4;
  const std::string at = fmt::format("{}", static_cast<void*>(node));
  CHECK(fmt::format("{}", *node) ==
        "{id: 0, next: " + at +
            ", kids: [{id: 4, next: nullptr, kids: [], others: "
            "span(nullptr, 0), groups: [], by_name: {}}], others: span(" +
            at + ", 1), groups: [span(" + at +
            ", 1)], by_name: {\"self\": " + at + "}}");
}

TEST_CASE("Format: containers of what fmt does not write") {
  Arena arena;
  Node* node = arena.New<Node>();
  const std::string at = fmt::format("{}", static_cast<void*>(node));
  const Vector<Node*> pointers(arena, {nullptr, node});
  CHECK(fmt::format("{}", pointers) == "[nullptr, " + at + "]");
  CHECK(fmt::format("{:n}", pointers) == "nullptr, " + at);
  CHECK(fmt::format("{}", Set<Node*>(arena, {node})) == "{" + at + "}");
  CHECK(fmt::format("{:n}", Set<Node*>(arena, {node})) == at);
  Map<String, Node*> map(arena);
  map["n"] = node;
  CHECK(fmt::format("{}", map) == "{\"n\": " + at + "}");
  CHECK(fmt::format("{:n}", map) == "\"n\": " + at);
  Vector<std::optional<int>> maybe(arena);
  maybe.push_back(1);
  maybe.push_back(std::nullopt);
  CHECK(fmt::format("{}", maybe) == "[optional(1), none]");
  Vector<std::pair<String, Node*>> pairs(arena);
  pairs.emplace_back("p", nullptr);
  CHECK(fmt::format("{}", pairs) == "[(\"p\", nullptr)]");
  CHECK(fmt::format("{}", Vector<Color>(arena, {Color::kRed})) == "[7]");
  CHECK_THROWS_AS(
      static_cast<void>(fmt::format(fmt::runtime("{::x}"), pointers)),
      fmt::format_error);
}

TEST_CASE("Format: containers of enums, whatever fmt has for them") {
  Arena arena;
  CHECK(fmt::format("{}", Vector<Old>(arena, {kOld})) == "[5]");
  CHECK(fmt::format("{}", Vector<Named>(arena, {Named::kOne})) == "[41]");
  CHECK(fmt::format("{}", Set<Old>(arena, {kOld})) == "{5}");
  Map<Old, Color> map(arena);
  map[kOld] = Color::kRed;
  CHECK(fmt::format("{}", map) == "{5: 7}");
  Map<Color, Old> back(arena);
  back[Color::kRed] = kOld;
  CHECK(fmt::format("{}", back) == "{7: 5}");
  Map<Old, Named> named(arena);
  named[kOld] = Named::kOne;
  CHECK(fmt::format("{}", named) == "{5: 41}");
  CHECK(fmt::format("{:n}", named) == "5: 41");
  Vector<std::byte> bytes(arena, {std::byte{3}});
  CHECK(fmt::format("{}", bytes) == "[3]");
}

TEST_CASE("Format a struct: numbers, enums and plain data") {
  CHECK(fmt::format("{}", Numbers()) ==
        "{flag: true, letter: '\\n', small: -1, byte: 65, wide: 97, "
        "unicode: 98, real: 0.5, color: 7, named: 41, point: 1|2, "
        "opaque: <format_struct_test::Opaque>}");
}

TEST_CASE("Format a struct: what std has") {
  Arena arena;
  Std* object = arena.New<Std>();
  const int numbers[] = {1, 2};
  CHECK(fmt::format("{}", *object) ==
        "{none: none, some: none, choice: variant(monostate), pair: (1, 'c'), "
        "tuple: (\"\", none), empty: (), array: [3, 4], view: \"v\\t\", "
        "span: [], bits: 0101, number: (1-2i)}");
  object->some = String(arena, "s");
  object->choice = String(arena, "t");
  std::get<1>(object->tuple) = 5;
  object->span = numbers;
  CHECK(fmt::format("{}", *object) ==
        "{none: none, some: optional(\"s\"), choice: variant(\"t\"), "
        "pair: (1, 'c'), tuple: (\"\", optional(5)), empty: (), "
        "array: [3, 4], view: \"v\\t\", span: [1, 2], bits: 0101, "
        "number: (1-2i)}");
}

TEST_CASE("Format a struct: durations and time points") {
  CHECK(fmt::format("{}", Times()) ==
        "{s: 1s, ms: 2ms, ns: 3ns, min: 4min, days: 0.5d, frames: 5[1/60]s, "
        "sevens: 6[7]s, at: 9s}");
}

TEST_CASE("Format a struct: arrays; those of char are text") {
  CHECK(fmt::format("{}", Arrays()) ==
        "{text: \"a\\\"b\", full: \"xy\", row: [1, 2.5], "
        "grid: [[1, 2], [3, 4]], fixed: 6}");
}

TEST_CASE("Format a struct: borrowed fields are addresses") {
  Borrows object;
  const std::string text = fmt::format("{}", object);
  CHECK(text.starts_with("{anything: nullptr, chars: 0x"));
  CHECK(text.find("never") == std::string::npos);
  CHECK(text.find(", call: nullptr, device: nullptr, member: <int ") !=
        std::string::npos);
  CHECK(text.ends_with(", after: 1}"));
}

TEST_CASE("Format a struct: bases among the fields, holes left out") {
  Arena arena;
  Derived* object = arena.New<Derived>();
  object->tag = "t";
  object->member.id = 5;
  CHECK(fmt::format("{}", *object) ==
        "{id: 1, tag: \"t\", member: {id: 5}, last: 2}");
  Bag* bag = arena.New<Bag>();
  bag->push_back(3);
  CHECK(fmt::format("{}", *bag) == "[3]");  // a range, for fmt
  CHECK(fmt::format("{}", Box<int>{4}) == "{content: 4}");
  CHECK(fmt::format("{}", Private(5)) == "{value_: 5}");
}

TEST_CASE("Format a struct: any other formatter wins") {
  Arena arena;
  CHECK(fmt::format("{}", Own()) == "own");
  CHECK(fmt::format("{}", OwnTemplate<int>()) == "own");
  CHECK(fmt::format("{}", Square()) == "own");
  CHECK(fmt::format("{}", Marked()) == "own");
  CHECK(fmt::format("{}", Range()) == "[1, 2]");
  Outer* outer = arena.New<Outer>();
  outer->list.emplace_back();
  CHECK(fmt::format("{}", *outer) == "{own: own, list: [own], square: own}");
}

TEST_CASE("Format a struct: 300 fields") {
  const std::string text = fmt::format("{}", Wide());
  CHECK(text.starts_with("{f100: 0, f101: 0,"));
  CHECK(text.ends_with(", f399: 0}"));
}

}  // namespace format_struct_test
