// SPDX-License-Identifier: MIT
// EXPECT: Derived: ACRE_LAYOUT leaves a field out, or a hole to declare opaque, after

#include "acre/arena.h"

struct Base {
  int* first;
};
ACRE_LAYOUT(Base, first)

struct Derived : Base {
  int* second;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Derived, base(Base), second)
#else
ACRE_LAYOUT(Derived, second)
#endif

int main() {
  acre::Arena arena;
  arena.New<Derived>();
}
