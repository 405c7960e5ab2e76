// SPDX-License-Identifier: MIT
//
// Types that share a name with another, in the debug information of one
// compiler or of both, or that have their name without its arguments there
// (clang -gsimple-template-names). Each layout tells the truth about its own.
//
// EXPECT: 20 layouts, 0 disagreements

#include <acre/element.h>

#include <cstdint>

namespace names {

template <class T>
struct Box {
  T value;
  Box* next;
  ACRE_LAYOUT_INSIDE(Box, value, next)
};

struct Wide {
  std::int64_t a, b, c;
};
ACRE_LAYOUT(Wide, a, b, c)

// g++ 12 calls all of them Value<3>.
template <auto N>
struct Value {
  decltype(N) value = N;
  int* pointer = nullptr;
  ACRE_LAYOUT_INSIDE(Value, value, pointer)
};
struct Values {
  Value<3> a;
  Value<3L> b;
  Value<static_cast<short>(3)> c;
};
ACRE_LAYOUT(Values, a, b, c)

// Bases of one name.
struct Both : Value<3>, Value<3L> {
  int c;
};
ACRE_LAYOUT(Both, base(Value<3>), base(Value<3L>), c)

// Plain data of one name.
template <auto N>
struct Raw {
  decltype(N) number;
};

// A pack of arguments, and what tells types apart is const.
template <class... T>
struct Pack {
  std::int32_t numbers[sizeof...(T)];
  Pack* next;
  ACRE_LAYOUT_INSIDE(Pack, numbers, next)
};
template <class T>
struct IsConst {
  static constexpr int kSize = 1;
};
template <class T>
struct IsConst<const T> {
  static constexpr int kSize = 3;
};
template <class T>
struct Sized {
  std::int64_t numbers[IsConst<T>::kSize];
  ACRE_LAYOUT_INSIDE(Sized, numbers)
};

// Lambdas have no names at all.
template <class F>
struct Result {
  decltype(F()()) value;
  Result* next;
  ACRE_LAYOUT_INSIDE(Result, value, next)
};

template <class T>
const acre::TypeLayout* Layout(T) {
  return &acre::LayoutOf<Result<T>>();
}

}  // namespace names

ACRE_PLAIN(names::Raw<7>);
ACRE_PLAIN(names::Raw<7L>);

namespace names {

struct HoldsRaw {
  Raw<7> a;
  Raw<7L> b;
};
ACRE_LAYOUT(HoldsRaw, a, b)

}  // namespace names

int main(int argc, char**) {
  using namespace names;
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<Box<long>>(),
      &acre::LayoutOf<Box<Wide>>(),
      &acre::LayoutOf<Box<Wide*>>(),
      &acre::LayoutOf<Box<Box<int>>>(),
      &acre::LayoutOf<Values>(),
      &acre::LayoutOf<Both>(),
      &acre::LayoutOf<Pack<int>>(),
      &acre::LayoutOf<Pack<int, Wide, int>>(),
      &acre::LayoutOf<Sized<int>>(),
      &acre::LayoutOf<Sized<const int>>(),
      &acre::LayoutOf<HoldsRaw>(),
      Layout([] { return std::int16_t{1}; }),
      Layout([] { return std::int64_t{1}; })};
  return layouts[argc]->size == 0 ? 1 : 0;
}
