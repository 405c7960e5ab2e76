// SPDX-License-Identifier: MIT
// EXPECT: Derived: unregistered type, add ACRE_LAYOUT

// A layout of the base must not pass for one of the derived type.

#include "acre/arena.h"

struct Base {
  int field;
};
ACRE_LAYOUT(Base, field)

struct Derived : Base {
  int* hidden;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Derived, base(Base), hidden)
#endif

int main() {
  acre::Arena arena;
  arena.New<Derived>();
}
