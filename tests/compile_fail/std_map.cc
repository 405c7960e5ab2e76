// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::map, use acre::Map

#include <map>

#include "acre/arena.h"
#include "acre/map.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, int> field;
#else
  std::map<int, int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
