// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::set, use acre::Set

#include <set>

#include "acre/arena.h"
#include "acre/set.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Set<int> field;
#else
  std::set<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
