// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: incomplete type, define it before

#include "acre/arena.h"

struct Field;
#ifdef ACRE_CONTROL
struct Field {
  int value;
};
ACRE_LAYOUT(Field, value)
#endif

struct Item {
  Field* field;
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
