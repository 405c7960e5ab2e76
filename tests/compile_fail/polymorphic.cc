// SPDX-License-Identifier: MIT
// EXPECT: Item: polymorphic type, use an enum or std::variant

#include "acre/arena.h"

struct Item {
#ifndef ACRE_CONTROL
  virtual int Cost() { return field; }
#endif
  int field;
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
