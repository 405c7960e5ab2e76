// SPDX-License-Identifier: MIT
// EXPECT: an arena aligns to at most 4096 bytes

#include "acre/arena.h"

#ifdef ACRE_CONTROL
struct alignas(4096) Item {
#else
struct alignas(8192) Item {
#endif
  char field[8192];
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.NewArray<Item>(2);
}
