// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::atomic, an arena serves one thread at a time

#include <atomic>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::atomic<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
