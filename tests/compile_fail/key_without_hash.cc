// SPDX-License-Identifier: MIT
// EXPECT: no hash for this key: specialise acre::Hash<K>

#include "acre/map.h"

struct Point {
  int x, y;
  bool operator==(const Point&) const = default;
};
ACRE_LAYOUT(Point, x, y)
#ifdef ACRE_CONTROL
template <>
struct acre::Hash<Point> {
  std::size_t operator()(const Point& p) const {
    return static_cast<std::size_t>(p.x ^ p.y);
  }
};
#endif

int main() {
  acre::Arena arena;
  acre::Map<Point, int> map(arena);
  map[{1, 2}] = 3;
}
