// SPDX-License-Identifier: MIT
//
// Guards ACRE_LAYOUT: what it records of each field, that it accepts the
// structs real code has, and that a wrong registration is told.

#include "acre/layout.h"

#include <doctest/doctest.h>

#include <array>
#include <bitset>
#include <chrono>
#include <complex>
#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "acre/element.h"

namespace layout_test {

// Ten, a hundred names; and the declarations to go with them.
#define TEN(p) p##0, p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9
#define FIFTY(p) TEN(p##0), TEN(p##1), TEN(p##2), TEN(p##3), TEN(p##4)
#define HUNDRED(p) \
  FIFTY(p), TEN(p##5), TEN(p##6), TEN(p##7), TEN(p##8), TEN(p##9)

struct Item {
  int weight;
};
ACRE_LAYOUT(Item, weight)

struct Noted {
  Item* child;
  const char* text;
  Item* odd;
  std::int32_t count;
};
ACRE_LAYOUT(Noted, owned(child), borrowed(text), reviewed(odd, "kept by host"),
            count)

struct Empty {};
ACRE_LAYOUT(Empty)

struct WithEmpty {
  std::int64_t a;
  [[no_unique_address]] Empty nothing;
  std::int64_t b;
};
ACRE_LAYOUT(WithEmpty, a, nothing, b)

// ---- base classes

struct Base {
  std::int64_t id;
  Item* item;
};
ACRE_LAYOUT(Base, id, item)

struct Derived : Base {
  double weight;
};
ACRE_LAYOUT(Derived, base(Base), weight)

struct Second {
  std::int64_t order;
};
ACRE_LAYOUT(Second, order)

struct Twofold : Base, Second {
  float tail;
};
ACRE_LAYOUT(Twofold, base(Base), base(Second), tail)

struct Listed : Base {  // inherited fields by name
  double weight;
};
ACRE_LAYOUT(Listed, id, item, weight)

struct Orphan : Base {};  // its base has a layout, it has none

struct OnEmpty : Empty {
  std::int64_t value;
};
ACRE_LAYOUT(OnEmpty, value)

// ---- private members and class templates

class Private {
 public:
  Private() = default;
  explicit Private(int secret) : secret_(secret) {}
  int secret() const { return secret_; }

 private:
  ACRE_LAYOUT_INSIDE(Private, secret_, item_)
  int secret_ = 0;
  Item* item_ = nullptr;
};

template <class T, class U>
struct Both {
  T first;
  U second;
  ACRE_LAYOUT_INSIDE(Both, first, second)
};

// ---- holes

struct Bits {
  std::int64_t before;
  unsigned low : 3;
  unsigned high : 29;
  std::int32_t after;
  std::int64_t end;
};
ACRE_LAYOUT(Bits, before, opaque(bits, 4), after, end)

struct WideBits {
  std::uint64_t low : 40;
  std::uint64_t high : 24;
  std::int64_t end;
};
ACRE_LAYOUT(WideBits, opaque(bits, 8), end)

struct BitsUntold {
  std::uint64_t low : 40;
  std::uint64_t high : 24;
  std::int64_t end;
};
ACRE_LAYOUT(BitsUntold, end)

struct alignas(64) OverAligned {
  std::int64_t value;
};
ACRE_LAYOUT(OverAligned, value, opaque(padding, 56))

struct alignas(64) OverAlignedTail {
  float f[16];
  std::int32_t id;
};
ACRE_LAYOUT(OverAlignedTail, f, id, opaque(tail, 60))

struct alignas(64) OverAlignedUntold {
  std::int64_t value;
};
ACRE_LAYOUT(OverAlignedUntold, value)

struct OpaqueTooSmall {
  std::int64_t a;
  std::int64_t hidden[3];
  std::int64_t b;
};
ACRE_LAYOUT(OpaqueTooSmall, a, opaque(hidden, 8), b)

// ---- wrong registrations

struct Forgotten {
  std::int64_t a;
  Item* forgotten;
  std::int64_t b;
};
ACRE_LAYOUT(Forgotten, a, b)

struct ForgottenFirst {
  Item* forgotten;
  std::int64_t a;
};
ACRE_LAYOUT(ForgottenFirst, a)

struct ForgottenLast {
  std::int64_t a;
  Item* forgotten;
};
ACRE_LAYOUT(ForgottenLast, a)

struct ForgottenAll {
  Item* forgotten;
};
ACRE_LAYOUT(ForgottenAll)

struct ForgottenBase : Base {
  double weight;
};
ACRE_LAYOUT(ForgottenBase, weight)

struct Swapped {
  std::int64_t a;
  std::int64_t b;
};
ACRE_LAYOUT(Swapped, b, a)

struct Twice {
  std::int64_t a;
  std::int64_t b;
};
ACRE_LAYOUT(Twice, a, a, b)

struct Anonymous {
  std::int64_t tag;
  union {
    std::int64_t number;
    Item* item;
  };
};
ACRE_LAYOUT(Anonymous, tag, number, item)

struct AnonymousStruct {
  std::int64_t tag;
  struct {
    std::int64_t x;
    std::int64_t y;
  } inner;
};

struct HiddenInPadding {  // smaller than a pointer, hence not seen
  std::int8_t a;
  std::int8_t hidden;
  std::int32_t b;
};
ACRE_LAYOUT(HiddenInPadding, a, b)

struct ForgottenInt {
  std::int32_t a;
  std::int32_t forgotten;
  std::int32_t b;
};
ACRE_LAYOUT(ForgottenInt, a, b)

// ---- many fields

struct Wide {
  int HUNDRED(a), HUNDRED(b), FIFTY(c);
  Item* last;
};
ACRE_LAYOUT(Wide, HUNDRED(a), HUNDRED(b), FIFTY(c), last)

struct WideForgets {
  int HUNDRED(a), HUNDRED(b), FIFTY(c);
  Item* last;
};
ACRE_LAYOUT(WideForgets, HUNDRED(a), HUNDRED(b), FIFTY(c))

#if !defined(__clang__)  // folds over at most 256
struct Widest {
  int HUNDRED(a), HUNDRED(b), HUNDRED(c), TEN(d), TEN(e), TEN(f), TEN(g);
};
ACRE_LAYOUT(Widest, HUNDRED(a), HUNDRED(b), HUNDRED(c), TEN(d), TEN(e), TEN(f),
            TEN(g))
#endif

// ---- plain third-party data

struct Vec3 {
  float x, y, z;
};
struct Coloured {
  Vec3 place;
  std::uint32_t colour;
};
ACRE_LAYOUT(Coloured, place, colour)

// ---- kinds

struct Numbers {
  int a;
  std::array<double, 3> b;
  std::bitset<70> c;
  std::complex<float> d;
  std::chrono::seconds e;
};
ACRE_LAYOUT(Numbers, a, b, c, d, e)

struct OnlyBorrowed {
  const char* text;
};
ACRE_LAYOUT(OnlyBorrowed, borrowed(text))

template <class T>
std::string Told() {
  return std::string(acre::Validate<T>());
}

template <class T>
const acre::TypeLayout& Layout() {
  return acre::LayoutOf<T>();
}

}  // namespace layout_test

ACRE_PLAIN(layout_test::Vec3);

namespace layout_test {

using acre::FieldNote;
using acre::TypeKind;

TEST_CASE("layout: records name, offset, size, alignment and type of fields") {
  const acre::TypeLayout& layout = Layout<Noted>();
  CHECK(layout.name == "layout_test::Noted");
  CHECK(layout.size == sizeof(Noted));
  CHECK(layout.align == alignof(Noted));
  CHECK(layout.kind == TypeKind::kStruct);
  REQUIRE(layout.fields.size() == 4);
  const std::string_view names[] = {"child", "text", "odd", "count"};
  const std::size_t offsets[] = {0, 8, 16, 24};
  const std::size_t sizes[] = {8, 8, 8, 4};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK((layout.fields[i].name == names[i]));
    CHECK(layout.fields[i].offset == offsets[i]);
    CHECK(layout.fields[i].size == sizes[i]);
    CHECK(layout.fields[i].align == sizes[i]);
  }
  CHECK(layout.fields[0].type() == &Layout<Item*>());
  CHECK(layout.fields[0].type()->element() == &Layout<Item>());
  CHECK(layout.fields[3].type() == &Layout<std::int32_t>());
}

TEST_CASE("layout: records the notes of fields, with the reason") {
  const auto fields = Layout<Noted>().fields;
  CHECK(fields[0].note == FieldNote::kOwned);
  CHECK(fields[1].note == FieldNote::kBorrowed);
  CHECK(fields[2].note == FieldNote::kReviewed);
  CHECK((fields[2].reason == "kept by host"));
  CHECK(fields[3].note == FieldNote::kNone);
  CHECK(fields[3].reason.empty());
}

TEST_CASE("layout: slots leave out numbers and what is borrowed") {
  const auto slots = Layout<Noted>().slots;
  REQUIRE(slots.size() == 2);
  CHECK((slots[0].name == "child"));
  CHECK((slots[1].name == "odd"));
  CHECK(Layout<Noted>().has_slots);
  CHECK_FALSE(Layout<Noted>().has_handles);
  CHECK_FALSE(Layout<Item>().has_slots);
  CHECK_FALSE(Layout<OnlyBorrowed>().has_slots);
  CHECK(Layout<OnlyBorrowed>().fields.size() == 1);
}

TEST_CASE("layout: cv-qualifiers make no difference") {
  CHECK(&acre::LayoutOf<const Item>() == &acre::LayoutOf<Item>());
  CHECK(acre::SameType(Layout<Item>(), Layout<Item>()));
}

TEST_CASE("layout: empty structs and empty members count nothing") {
  CHECK(Told<Empty>() == "");
  CHECK(Layout<Empty>().fields.empty());
  CHECK(Told<WithEmpty>() == "");
  CHECK(Told<OnEmpty>() == "");
}

TEST_CASE("layout: base classes by name, placed right") {
  CHECK(Told<Derived>() == "");
  CHECK(Told<Twofold>() == "");
  CHECK(Told<Listed>() == "");
  const auto fields = Layout<Twofold>().fields;
  REQUIRE(fields.size() == 3);
  CHECK((fields[0].name == "Base"));
  CHECK(fields[0].offset == 0);
  CHECK((fields[1].name == "Second"));
  CHECK(fields[1].offset == sizeof(Base));
  CHECK(fields[1].type() == &Layout<Second>());
  CHECK(Layout<Derived>().has_slots);  // of the base
}

TEST_CASE("layout: a derived class does not use the layout of its base") {
  CHECK(Told<Orphan>() ==
        "layout_test::Orphan: unregistered type, add ACRE_LAYOUT in its "
        "namespace, or ACRE_PLAIN where it is another library's data without "
        "pointers");
}

TEST_CASE("layout: private members and class templates register inside") {
  CHECK(Told<Private>() == "");
  CHECK((Layout<Private>().fields[0].name == "secret_"));
  CHECK(Layout<Private>().has_slots);
  CHECK(Told<Both<int, double>>() == "");
  CHECK(Told<Both<Item*, Both<int, char>>>() == "");
  CHECK(Layout<Both<int, Item*>>().has_slots);
  CHECK_FALSE(Layout<Both<int, int>>().has_slots);
}

TEST_CASE("layout: bit-fields and over-aligned holes are declared opaque") {
  CHECK(Told<Bits>() == "");
  CHECK(Told<WideBits>() == "");
  CHECK(Told<OverAligned>() == "");
  CHECK(Told<OverAlignedTail>() == "");
  const auto fields = Layout<Bits>().fields;
  REQUIRE(fields.size() == 4);
  CHECK((fields[1].name == "bits"));
  CHECK(fields[1].note == FieldNote::kOpaque);
  CHECK(fields[1].size == 4);
}

TEST_CASE("layout: holes that are not declared, or too small, are told") {
  CHECK(Told<BitsUntold>() ==
        "layout_test::BitsUntold: ACRE_LAYOUT leaves a field out, or a hole to "
        "declare opaque, after '{'");
  CHECK(Told<OverAlignedUntold>() ==
        "layout_test::OverAlignedUntold: ACRE_LAYOUT leaves a field out, or a "
        "hole to declare opaque, after "
        "'value'");
  CHECK(Told<OpaqueTooSmall>() ==
        "layout_test::OpaqueTooSmall: ACRE_LAYOUT leaves a field out, or a "
        "hole to declare opaque, after "
        "'hidden'");
}

TEST_CASE("layout: a forgotten field is told, wherever it stands") {
  CHECK(Told<Forgotten>() ==
        "layout_test::Forgotten: ACRE_LAYOUT leaves a field out, or a hole to "
        "declare opaque, after 'a'");
  CHECK(Told<ForgottenFirst>() ==
        "layout_test::ForgottenFirst: ACRE_LAYOUT leaves a field out, or a "
        "hole to declare opaque, after "
        "'{'");
  CHECK(Told<ForgottenLast>() ==
        "layout_test::ForgottenLast: ACRE_LAYOUT leaves a field out, or a hole "
        "to declare opaque, after "
        "'a'");
  CHECK(Told<ForgottenAll>() ==
        "layout_test::ForgottenAll: ACRE_LAYOUT leaves a field out, or a hole "
        "to declare opaque, after '{'");
  CHECK(Told<ForgottenBase>() ==
        "layout_test::ForgottenBase: ACRE_LAYOUT leaves a field out, or a hole "
        "to declare opaque, after "
        "'{'");
  CHECK(Told<ForgottenInt>() ==
        "layout_test::ForgottenInt: ACRE_LAYOUT leaves a field out, or a hole "
        "to declare opaque, after 'a'");
}

TEST_CASE("layout: a small field that hides in padding is not seen") {
  CHECK(Told<HiddenInPadding>() == "");
}

TEST_CASE("layout: wrong order, a field twice and unions are told") {
  CHECK(Told<Swapped>().find("ACRE_LAYOUT") != std::string::npos);
  CHECK(Told<Swapped>() != "");
  CHECK(Told<Twice>() ==
        "layout_test::Twice: ACRE_LAYOUT lists a field twice, out of order or "
        "in a union: 'a'");
  CHECK(Told<Anonymous>() ==
        "layout_test::Anonymous: ACRE_LAYOUT lists a field twice, out of order "
        "or in a union: 'item'");
}

TEST_CASE("layout: 250 fields and more") {
  CHECK(Told<Wide>() == "");
  REQUIRE(Layout<Wide>().fields.size() == 251);
  CHECK((Layout<Wide>().fields[249].name == "c49"));
  CHECK(Layout<Wide>().fields[249].offset == 249 * sizeof(int));
  CHECK(Layout<Wide>().slots.size() == 1);
  CHECK(Told<WideForgets>().find("after 'c49'") != std::string::npos);
#if !defined(__clang__)
  CHECK(Told<Widest>() == "");
  CHECK(Layout<Widest>().fields.size() == 340);
  CHECK((Layout<Widest>().fields[339].name == "g9"));
#endif
}

TEST_CASE("layout: ACRE_PLAIN makes third-party data plain") {
  CHECK(Told<Vec3>() == "");
  CHECK(Told<Coloured>() == "");
  CHECK(Layout<Vec3>().kind == TypeKind::kPlain);
  CHECK(Layout<Vec3>().fields.empty());
}

TEST_CASE("layout: each family of types has its kind") {
  CHECK(Layout<int>().kind == TypeKind::kPlain);
  CHECK(Layout<Item*>().kind == TypeKind::kPointer);
  CHECK(Layout<std::span<Item>>().kind == TypeKind::kView);
  CHECK(Layout<std::string_view>().kind == TypeKind::kView);
  CHECK(Layout<Item* [4]>().kind == TypeKind::kArray);
  CHECK(Layout<Item* [4]>().count == 4);
  CHECK(Layout<std::array<Item*, 5>>().kind == TypeKind::kArray);
  CHECK(Layout<std::array<Item*, 5>>().count == 5);
  CHECK(Layout<int[4]>().kind == TypeKind::kPlain);
  CHECK(Layout<std::pair<int, Item*>>().kind == TypeKind::kStruct);
  CHECK(Layout<std::tuple<int, Item*>>().kind == TypeKind::kTuple);
  CHECK(Layout<std::tuple<int, int>>().kind == TypeKind::kPlain);
  CHECK(Layout<std::optional<Item*>>().kind == TypeKind::kChoice);
  CHECK(Layout<std::optional<int>>().kind == TypeKind::kPlain);
  CHECK(Layout<std::variant<int, Item*>>().kind == TypeKind::kChoice);
  CHECK_FALSE(Layout<Numbers>().has_slots);
}

TEST_CASE("layout: pairs are placed as the compiler places them") {
  using Pair = std::pair<char, Item*>;
  const Pair pair{'a', nullptr};
  const auto* start = reinterpret_cast<const char*>(&pair);
  const auto fields = Layout<Pair>().fields;
  CHECK(fields[0].offset == static_cast<std::size_t>(&pair.first - start));
  CHECK(fields[1].offset ==
        static_cast<std::size_t>(reinterpret_cast<const char*>(&pair.second) -
                                 start));
}

TEST_CASE("layout: views, choices and tuples are read through their ops") {
  Item items[3] = {};
  std::span<Item> span(items);
  const acre::TypeLayout& view = Layout<std::span<Item>>();
  CHECK(view.ops->view(&span).data == items);
  CHECK(view.ops->view(&span).count == 3);
  Item other[3] = {};
  view.ops->set_view(&span, other);
  CHECK(span.data() == other);
  CHECK(span.size() == 3);
  std::string_view text = "abc";
  Layout<std::string_view>().ops->set_view(&text, "xyz");
  CHECK((text == "xyz"));

  std::optional<Item*> maybe;
  const acre::TypeLayout& choice = Layout<std::optional<Item*>>();
  CHECK(choice.ops->active(&maybe).object == nullptr);
  maybe = items;
  CHECK(choice.ops->active(&maybe).object == &*maybe);

  // While the object around it is made it holds anything.
  std::memset(static_cast<void*>(&maybe), 0xAC, sizeof maybe);
  CHECK(choice.ops->active(&maybe).object == nullptr);
  std::optional<std::pair<Item*, char>> padded;
  const acre::TypeLayout& of_pair = Layout<decltype(padded)>();
  CHECK(of_pair.ops->active(&padded).object == nullptr);
  padded.emplace(items, '\1');
  CHECK(of_pair.ops->active(&padded).object == &*padded);

  std::variant<int, Item*> either = items;
  const acre::TypeLayout& variant = Layout<std::variant<int, Item*>>();
  CHECK(variant.ops->active(&either).index == 1);
  CHECK(variant.ops->active(&either).object == &std::get<1>(either));
  either = 7;
  CHECK(variant.ops->active(&either).index == 0);

  std::tuple<char, Item*, int> three{'c', items, 9};
  const acre::TypeLayout& tuple = Layout<std::tuple<char, Item*, int>>();
  CHECK(tuple.ops->part(&three, 0) == &std::get<0>(three));
  CHECK(tuple.ops->part(&three, 1) == &std::get<1>(three));
  CHECK(tuple.ops->part(&three, 2) == &std::get<2>(three));
}

namespace here {
struct Same {
  int a;
};
ACRE_LAYOUT(Same, a)
}  // namespace here
namespace there {
struct Same {
  int a;
};
ACRE_LAYOUT(Same, a)
}  // namespace there

TEST_CASE("layout: ids differ for types that differ") {
  const acre::TypeLayout* layouts[] = {&Layout<here::Same>(),
                                       &Layout<there::Same>(),
                                       &Layout<Item>(),
                                       &Layout<Item*>(),
                                       &Layout<Item**>(),
                                       &Layout<int>(),
                                       &Layout<unsigned>(),
                                       &Layout<Base>(),
                                       &Layout<Derived>(),
                                       &Layout<Both<int, int>>(),
                                       &Layout<Both<int, Item>>(),
                                       &Layout<std::span<Item>>(),
                                       &Layout<int[3]>(),
                                       &Layout<int[4]>(),
                                       &Layout<std::array<int, 3>>()};
  for (const acre::TypeLayout* a : layouts) {
    CHECK(a->id != 0);
    for (const acre::TypeLayout* b : layouts) {
      CAPTURE(a->name);
      CAPTURE(b->name);
      CHECK((a == b) == acre::SameType(*a, *b));
    }
  }
}

class Padded {
  std::int64_t x = 0;
  std::int32_t y = 0;
  ACRE_LAYOUT_INSIDE(Padded, x, y)
};
class InPadding : public Padded {
  std::int32_t z = 0;
  ACRE_LAYOUT_INSIDE(InPadding, base(Padded), z)
};
static_assert(sizeof(InPadding) == sizeof(Padded));
class InPaddingTwice : InPadding {  // privately
  std::int64_t w = 0;
  ACRE_LAYOUT_INSIDE(InPaddingTwice, base(InPadding), w)
};

struct Nothing {};
struct Tagged {
  Nothing tag;
  int x = 0;
};
ACRE_LAYOUT(Tagged, tag, x)
struct TagHides {
  Nothing tag;
  int hidden = 0;
  int x = 0;
};
ACRE_LAYOUT(TagHides, tag, x)

struct __attribute__((packed)) Packed {
  char c = 0;
  int* p = nullptr;
};
ACRE_LAYOUT(Packed, c, p)

TEST_CASE("layout: a class in the tail padding of its base, private too") {
  CHECK(acre::Validate<InPadding>() == "");
  CHECK(acre::LayoutOf<InPadding>().fields[1].offset == 12);
  CHECK(acre::Validate<InPaddingTwice>() == "");
}

TEST_CASE("layout: an empty member fills a byte and hides no more") {
  CHECK(acre::Validate<Tagged>() == "");
  CHECK(acre::Validate<TagHides>() ==
        "layout_test::TagHides: ACRE_LAYOUT leaves a field out, or a hole to "
        "declare opaque, after 'tag'");
}

TEST_CASE("layout: packed structs are refused") {
  CHECK(acre::Validate<layout_test::Packed>() ==
        "layout_test::Packed: ACRE_LAYOUT lists a misaligned field, packed "
        "structs cannot live in an arena: 'p'");
}

}  // namespace layout_test
