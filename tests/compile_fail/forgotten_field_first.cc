// SPDX-License-Identifier: MIT
// EXPECT: Item: ACRE_LAYOUT leaves a field out, or a hole to declare opaque, after '\{'

#include "acre/arena.h"

struct Item {
  int* first;
  int* second;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Item, first, second)
#else
ACRE_LAYOUT(Item, second)
#endif

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
