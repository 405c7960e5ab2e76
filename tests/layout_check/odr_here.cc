// SPDX-License-Identifier: MIT
//
// Two sources that disagree about structs, as a program and a library that was
// built before a header changed. The linker keeps the layouts of this one; what
// the other (odr_there.cc) says of the same structs is found.
//
// EXPECT: odr::Saved: size: the layout says 8 bytes, the compiler 16 bytes (struct Saved {  // there)
// EXPECT: odr::Saved.armor: no such field: the layout says 4 bytes at offset 4, the compiler it has no such field (struct Saved {  // there)
// EXPECT: odr::Saved.shield: missing field: the layout says not listed, the compiler int at offset 4 (struct Saved {  // there)
// EXPECT: odr::Saved.next: hidden pointer: the layout says not listed, the compiler pointer to odr::Saved at offset 8 (struct Saved {  // there)
// EXPECT: odr::Moved.a: offset: the layout says offset 0, the compiler offset 4 (struct Moved {  // there)
// EXPECT: odr::Moved.b: offset: the layout says offset 4, the compiler offset 0 (struct Moved {  // there)
// EXPECT: odr::Grown.count: size: the layout says 4 bytes, the compiler 8 bytes (struct Grown {  // there)
// EXPECT: odr::Key.key: hidden pointer: the layout says plain data, the compiler pointer to odr::Saved at offset 0 (struct Key {  // there)
// EXPECT: odr::Owner.owned: type: the layout says pointer to odr::Saved, the compiler pointer to odr::Key (struct Owner {  // there)
// EXPECT: odr::Slot<int>.b: hidden pointer: the layout says plain data, the compiler pointer to int at offset 8 (struct Slot {  // there)
// EXPECT: odr::Tagged<3>.here: no such field: the layout says 4 bytes at offset 0, the compiler it has no such field (struct Tagged {  // there)
// EXPECT: odr::Tagged<3>.there: missing field: the layout says not listed, the compiler int at offset 0 (struct Tagged {  // there)
// EXPECT: 8 layouts, 12 disagreements

#include <acre/element.h>

#include <cstdint>

namespace odr {

struct Saved {
  std::int32_t hp;
  std::int32_t armor;
};
ACRE_LAYOUT(Saved, hp, armor)

struct Moved {
  std::int32_t a;
  std::int32_t b;
};
ACRE_LAYOUT(Moved, a, b)

struct Grown {
  std::int32_t count;
  alignas(8) std::int64_t last;
};
ACRE_LAYOUT(Grown, count, last)

struct Key {
  std::int64_t key;
};
ACRE_LAYOUT(Key, key)

struct Owner {
  Saved* owned;
};
ACRE_LAYOUT(Owner, owned)

template <class T>
struct Slot {
  T a;
  std::intptr_t b;
  ACRE_LAYOUT_INSIDE(Slot, a, b)
};

template <auto N>
struct Tagged {
  decltype(N) here;
  ACRE_LAYOUT_INSIDE(Tagged, here)
};

}  // namespace odr

std::size_t There(int index);

int main(int argc, char**) {
  using namespace odr;
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<Saved>(),     &acre::LayoutOf<Moved>(),
      &acre::LayoutOf<Grown>(),     &acre::LayoutOf<Key>(),
      &acre::LayoutOf<Owner>(),     &acre::LayoutOf<Slot<int>>(),
      &acre::LayoutOf<Tagged<3>>(), &acre::LayoutOf<Tagged<3L>>()};
  return layouts[argc]->size + There(argc) == 0 ? 1 : 0;
}
