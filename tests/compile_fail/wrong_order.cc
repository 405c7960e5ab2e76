// SPDX-License-Identifier: MIT
// EXPECT: Item: ACRE_LAYOUT lists a field twice, out of order or in a union: 'first'

#include "acre/arena.h"

struct Item {
  int first;
  int second;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Item, first, second)
#else
ACRE_LAYOUT(Item, second, first)
#endif

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
