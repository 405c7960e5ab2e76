// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::any, use std::variant

#include <any>
#include <variant>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  std::variant<int, double> field;
#else
  std::any field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
