// SPDX-License-Identifier: MIT
// EXPECT: a C array is an element as a field only: wrap it in std::array
// EXPECT: RequireElement(<|.*T = )int ?\[4\]
// EXPECT: RequireElement(<|.*T = )int ?\[3\]
// EXPECT: RequireElement(<|.*T = )int ?\[2\]

// A C array can be a field, but is neither made by New nor held by containers.

#include <array>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/vector.h"

struct Field {
  int numbers[4];
};
ACRE_LAYOUT(Field, numbers)

#ifdef ACRE_CONTROL
template <class T, std::size_t N>
using Array = std::array<T, N>;
#else
template <class T, std::size_t N>
using Array = T[N];
#endif

int main() {
  acre::Arena arena;
  arena.New<Field>();
  arena.New<Array<int, 4>>();
  acre::Vector<Array<int, 3>>(arena).resize(1);
  acre::Map<int, Array<int, 2>>(arena).try_emplace(1);
}
