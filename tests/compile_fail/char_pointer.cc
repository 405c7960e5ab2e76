// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: char\*, use acre::String or a borrowed

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  const int* field;
#else
  const char* field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
