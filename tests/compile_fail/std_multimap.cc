// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::multimap, use acre::Map of acre::Vector

#include <map>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/vector.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, acre::Vector<int>> field;
#else
  std::multimap<int, int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
