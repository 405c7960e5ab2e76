// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::function, use an index or an enum

#include <functional>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int field;
#else
  std::function<void()> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
