// SPDX-License-Identifier: MIT
// EXPECT: Item: has a destructor, Reset would not run it

#include "acre/arena.h"

struct Item {
#ifndef ACRE_CONTROL
  ~Item() { field = 0; }
#endif
  int field;
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
