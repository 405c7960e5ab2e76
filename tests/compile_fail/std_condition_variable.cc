// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::condition_variable, keep it outside the arena

#include <condition_variable>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::condition_variable field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
