// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::promise, keep it outside the arena

#include <future>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::promise<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
