// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: void\*, give it a type

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int* field;
#else
  void* field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.NewArray<Item>(2);
}
