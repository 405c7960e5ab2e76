// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::reference_wrapper, use a pointer

#include <functional>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  int* field;
#else
  std::reference_wrapper<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
