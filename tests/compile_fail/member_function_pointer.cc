// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: function pointer, use an enum

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int Item::*field;
#else
  void (Item::*field)(int);
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
