// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: volatile, keep device memory outside the arena

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  volatile int field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
