// SPDX-License-Identifier: MIT
// EXPECT: deleted

// Copying is DeepCopy or Clone; it is never hidden in an initialisation.

#include <utility>

#include "acre/arena.h"
#include "acre/vector.h"

int main() {
  acre::Arena arena;
  acre::Vector<int> values(arena);
#ifdef ACRE_CONTROL
  acre::Vector<int> other = std::move(values);
#else
  acre::Vector<int> other = values;
#endif
  other.push_back(1);
}
