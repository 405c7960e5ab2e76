// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::jthread, keep threads outside the arena

#include <thread>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::jthread field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
