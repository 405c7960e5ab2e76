// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::initializer_list, use acre::Vector

#include <initializer_list>

#include "acre/arena.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Vector<int> field;
#else
  std::initializer_list<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
