// SPDX-License-Identifier: MIT
// EXPECT: acre: no hash for this part of a key: specialise acre::Hash
#include <utility>

#include "acre/arena.h"
#include "acre/layout.h"
#include "acre/map.h"

struct Point {
  int x;
  friend bool operator==(const Point&, const Point&) = default;
};
ACRE_LAYOUT(Point, x)

void Use(acre::Arena& arena) {
#ifdef ACRE_CONTROL
  acre::Map<std::pair<int, int>, int> map(arena);
  map[{1, 2}] = 2;
#else
  acre::Map<std::pair<Point, int>, int> map(arena);
  map[{{1}, 2}] = 2;
#endif
}
