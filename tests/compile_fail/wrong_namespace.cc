// SPDX-License-Identifier: MIT
// EXPECT: acre: ACRE_LAYOUT stands in the namespace of its type

#include "acre/arena.h"

namespace library {
struct Thing {
  int count;
  Thing* next;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Thing, count, next)
#endif
}  // namespace library
#ifndef ACRE_CONTROL
ACRE_LAYOUT(library::Thing, count, next)
#endif

int main() {
  acre::Arena arena;
  arena.New<library::Thing>();
}
