// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::shared_mutex, keep locks outside the arena

#include <shared_mutex>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::shared_mutex field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
