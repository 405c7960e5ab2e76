// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::stack, use acre::Vector

#include <stack>

#include "acre/arena.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Vector<int> field;
#else
  std::stack<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
