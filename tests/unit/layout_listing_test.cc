// SPDX-License-Identifier: MIT
//
// Guards what ACRE_LAYOUT sees of structs that are not flat: class templates
// registered behind themselves, and anonymous structs, whose padding is told
// from a field that was left out.

#include <doctest/doctest.h>

#include <string>

#include "acre/element.h"
#include "acre/layout.h"

namespace listing_test {

template <class T>
std::string Told() {
  return std::string(acre::Validate<T>());
}
template <class T>
const acre::TypeLayout& Layout() {
  return acre::LayoutOf<T>();
}

struct Item {
  int value;
};
ACRE_LAYOUT(Item, value)

// Of a template behind the template, one parameter or more.
template <class T>
struct Chain {
  T value;
  Chain* next;
};
template <class T>
ACRE_LAYOUT(Chain<T>, value, next)
template <class K, class V>
struct Entry {
  K key;
  V value;
};
template <class K, class V>
ACRE_LAYOUT((Entry<K, V>), key, value)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wgnu-anonymous-struct"
#pragma GCC diagnostic ignored "-Wnested-anon-types"
#endif
// Four bytes of padding stand before an int that four bytes would align.
struct Variant {
  int tag;
  struct {
    int i;
    Variant* p;
  };
};
ACRE_LAYOUT(Variant, tag, i, p)
struct Arrays {
  short v[2][3];
  int tag;
  struct {
    char name[3];
    double weight;
  };
};
ACRE_LAYOUT(Arrays, v, tag, name, weight)
struct InTheTail {
  struct {
    long a;
    char b;
  };
  char c;
};
ACRE_LAYOUT(InTheTail, a, b, c)

// The same with something that hides there.
struct LostBefore {
  int tag;
  int lost;
  struct {
    int i;
    LostBefore* p;
  };
};
ACRE_LAYOUT(LostBefore, tag, i, p)
struct LostInside {
  long tag;
  struct {
    int i, lost, j;
    LostInside* p;
  };
};
ACRE_LAYOUT(LostInside, tag, i, j, p)
struct LostByte {
  int tag;
  bool lost;
  struct {
    int i;
    LostByte* p;
  };
};
ACRE_LAYOUT(LostByte, tag, i, p)
struct LostEnd {
  struct {
    int i;
    LostEnd* p;
  };
  int lost[2];
};
ACRE_LAYOUT(LostEnd, i, p)
struct Small {
  short a;
};
ACRE_LAYOUT(Small, a)
struct LostClass {
  int tag;
  Small lost;
  struct {
    int i;
    LostClass* p;
  };
};
ACRE_LAYOUT(LostClass, tag, i, p)
#pragma GCC diagnostic pop

TEST_CASE("layout: class templates register behind themselves too") {
  CHECK(Told<Chain<int>>() == "");
  CHECK(Told<Chain<Item*>>() == "");
  CHECK(Layout<Chain<int>>().fields.size() == 2);
  CHECK(Told<Entry<int, Item*>>() == "");
  CHECK((Layout<Entry<char, long>>().fields[1].name == "value"));
  CHECK(Layout<Entry<char, long>>().fields[1].offset == 8);
  CHECK(Told<Chain<char*>>().find(".value: char*") != std::string::npos);
}

TEST_CASE("layout: an anonymous struct may pad its first member") {
  CHECK(Told<Variant>() == "");
  CHECK(Told<Arrays>() == "");
  CHECK(Told<InTheTail>() == "");
  CHECK(Layout<Variant>().fields[1].offset == 8);
}

TEST_CASE("layout: a field left out beside an anonymous struct is told") {
  const std::string left =
      ": ACRE_LAYOUT leaves a field out, or a hole to declare opaque, after ";
  CHECK(Told<LostBefore>() == "listing_test::LostBefore" + left + "'tag'");
  CHECK(Told<LostInside>() == "listing_test::LostInside" + left + "'i'");
  CHECK(Told<LostByte>() == "listing_test::LostByte" + left + "'tag'");
  CHECK(Told<LostEnd>() == "listing_test::LostEnd" + left + "'p'");
  CHECK(Told<LostClass>() == "listing_test::LostClass" + left + "'tag'");
}

}  // namespace listing_test
