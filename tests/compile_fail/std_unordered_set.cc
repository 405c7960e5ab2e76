// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::unordered_set, use acre::Set

#include <unordered_set>

#include "acre/arena.h"
#include "acre/set.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Set<int> field;
#else
  std::unordered_set<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
