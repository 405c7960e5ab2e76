// SPDX-License-Identifier: MIT
// EXPECT: Item\.counter: unregistered type, add ACRE_LAYOUT_INSIDE in the class

#include "acre/arena.h"

class Counter {
 public:
  int count() const { return count_; }
#ifdef ACRE_CONTROL
  ACRE_LAYOUT_INSIDE(Counter, count_)
#endif

 private:
  int count_ = 0;
};

struct Item {
  Counter counter;
};
ACRE_LAYOUT(Item, counter)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
