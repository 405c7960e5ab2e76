// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: union, use std::variant

#include <variant>

#include "acre/arena.h"

union Number {
  int whole;
  float real;
};

struct Item {
#ifdef ACRE_CONTROL
  std::variant<int, float> field;
#else
  Number field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
