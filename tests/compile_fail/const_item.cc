// SPDX-License-Identifier: MIT
// EXPECT: no const elements: arrays and containers write and move theirs
// EXPECT: RequireItem(<|.*T = )const int
// EXPECT: RequireItem(<|.*T = )const short
// EXPECT: RequireItem(<|.*T = )const long
// EXPECT: RequireItem(<|.*T = )const char

// What arrays and containers hold is written and moved, so it is not const;
// an object made by New may be, and the keys of a Map are.

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/vector.h"

#ifdef ACRE_CONTROL
template <class T>
using Item = T;
#else
template <class T>
using Item = const T;
#endif

int main() {
  acre::Arena arena;
  arena.New<const int>(1);
  static_cast<void>(arena.NewArray<Item<int>>(3));
  acre::Vector<Item<short>>(arena).push_back(1);
  acre::Map<int, Item<long>>(arena).try_emplace(1, 2);
  acre::Set<Item<char>>(arena).insert('a');
}
