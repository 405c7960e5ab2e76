// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::vector, use acre::Vector

#include <vector>

#include "acre/arena.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Vector<int> field;
#else
  std::vector<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
