// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: function pointer, use an enum or declare it borrowed

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  void (*field)(int);
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
