// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: reference, use a pointer

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int* field;
#else
  int& field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
