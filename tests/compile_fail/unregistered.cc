// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: unregistered type, add ACRE_LAYOUT

#include "acre/arena.h"

struct Field {
  int value;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Field, value)
#endif

struct Item {
  Field field;
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
