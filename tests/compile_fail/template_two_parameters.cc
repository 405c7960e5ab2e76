// SPDX-License-Identifier: MIT
// EXPECT: Pair<.*>\.second: char\*, use acre::String

#include "acre/arena.h"

namespace library {
template <class A, class B>
struct Pair {
  A first;
  B second;
};
template <class A, class B>
ACRE_LAYOUT((Pair<A, B>), first, second)
}  // namespace library

int main() {
  acre::Arena arena;
#ifdef ACRE_CONTROL
  arena.New<library::Pair<int, int>>();
#else
  arena.New<library::Pair<int, char*>>();
#endif
}
