// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::multiset, use acre::Map to a count

#include <set>

#include "acre/arena.h"
#include "acre/map.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, int> field;
#else
  std::multiset<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
