// SPDX-License-Identifier: MIT
// EXPECT: acre: say how many bytes: Free\(p, bytes\)

#include "acre/arena.h"

int main() {
  acre::Arena arena;
  void* block = arena.Allocate(64);
#ifdef ACRE_CONTROL
  arena.Free(block, 64);
#else
  arena.Free(block);
#endif
}
