// SPDX-License-Identifier: MIT
// EXPECT: World\.first\.next\.inventory: std::unordered_map, use acre::Map

// Types that refer to each other end the walk; the shortest path is told.

#include <unordered_map>

#include "acre/arena.h"
#include "acre/map.h"

struct Room;
struct Door {
  Room* next;
};
ACRE_LAYOUT(Door, next)

struct Room {
  Door* door;
#ifdef ACRE_CONTROL
  acre::Map<int, int> inventory;
#else
  std::unordered_map<int, int> inventory;
#endif
};
ACRE_LAYOUT(Room, door, inventory)

struct World {
  Door* first;
};
ACRE_LAYOUT(World, first)

int main() {
  acre::Arena arena;
  arena.New<World>();
}
