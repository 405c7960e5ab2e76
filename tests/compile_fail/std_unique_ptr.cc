// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::unique_ptr, use a plain pointer made by New

#include <memory>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int* field;
#else
  std::unique_ptr<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
