// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::unordered_map, use acre::Map

#include <unordered_map>

#include "acre/arena.h"
#include "acre/map.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::Map<int, int> field;
#else
  std::unordered_map<int, int> field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
