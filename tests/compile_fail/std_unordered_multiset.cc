// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::unordered_multiset, use acre::Map to a count

#include <unordered_set>

#include "acre/arena.h"
#include "acre/map.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, int> field;
#else
  std::unordered_multiset<int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
