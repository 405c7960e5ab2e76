// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::list, use acre::Vector or pointers made by New

#include <list>

#include "acre/arena.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Vector<int> field;
#else
  std::list<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
