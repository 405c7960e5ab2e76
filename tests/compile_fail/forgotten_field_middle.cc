// SPDX-License-Identifier: MIT
// EXPECT: Item: ACRE_LAYOUT leaves a field out, or a hole to declare opaque, after 'first'

#include "acre/arena.h"

struct Item {
  int* first;
  int* second;
  int* third;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Item, first, second, third)
#else
ACRE_LAYOUT(Item, first, third)
#endif

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
