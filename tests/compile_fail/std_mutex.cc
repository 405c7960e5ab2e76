// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::mutex, keep locks outside the arena

#include <mutex>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::mutex field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
