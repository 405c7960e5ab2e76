// SPDX-License-Identifier: MIT
// EXPECT: deleted

#include <utility>

#include "acre/arena.h"

int main() {
  acre::Arena arena;
#ifdef ACRE_CONTROL
  acre::Arena& other = arena;
#else
  acre::Arena other = std::move(arena);
#endif
  other.Reset();
}
