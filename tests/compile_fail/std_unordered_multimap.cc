// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::unordered_multimap, use acre::Map of acre::Vector

#include <unordered_map>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, acre::Vector<int>> field;
#else
  std::unordered_multimap<int, int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
