// SPDX-License-Identifier: MIT
// EXPECT: acre: a hasher or equality with state
#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/set.h"

struct Near {
  explicit Near(int step) : width(step) {}
  bool operator()(int a, int b) const { return a / width == b / width; }
  int width;
};

bool Use(acre::Arena& arena) {
#ifdef ACRE_CONTROL
  acre::Set<int> set(arena);
#else
  acre::Set<int, acre::Hash<int>, Near> set(arena);
#endif
  return set.contains(1);
}
