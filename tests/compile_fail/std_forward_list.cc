// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::forward_list, use pointers made by New

#include <forward_list>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  Item* field;
#else
  std::forward_list<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
