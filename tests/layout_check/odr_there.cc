// SPDX-License-Identifier: MIT
//
// The other half of odr_here.cc.

#include <acre/element.h>

#include <cstdint>

namespace odr {

struct Saved {  // there
  std::int32_t hp;
  std::int32_t shield;
  Saved* next;
};
ACRE_LAYOUT(Saved, hp, shield, next)

struct Moved {  // there
  std::int32_t b;
  std::int32_t a;
};
ACRE_LAYOUT(Moved, b, a)

struct Grown {  // there
  std::int64_t count;
  std::int64_t last;
};
ACRE_LAYOUT(Grown, count, last)

struct Key {  // there
  Saved* key;
};
ACRE_LAYOUT(Key, key)

struct Owner {  // there
  Key* owned;
};
ACRE_LAYOUT(Owner, owned)

template <class T>
struct Slot {  // there
  T a;
  T* b;
  ACRE_LAYOUT_INSIDE(Slot, a, b)
};

template <auto N>
struct Tagged {  // there
  decltype(N) there;
  ACRE_LAYOUT_INSIDE(Tagged, there)
};

}  // namespace odr

std::size_t There(int index) {
  using namespace odr;
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<Saved>(),    &acre::LayoutOf<Moved>(),
      &acre::LayoutOf<Grown>(),    &acre::LayoutOf<Key>(),
      &acre::LayoutOf<Owner>(),    &acre::LayoutOf<Slot<int>>(),
      &acre::LayoutOf<Tagged<3>>()};
  return layouts[index]->size;
}
