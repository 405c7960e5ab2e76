// SPDX-License-Identifier: MIT
// EXPECT: World\.players.*\.inventory: std::unordered_map, use acre::Map

#include <unordered_map>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/vector.h"

struct Player {
#ifdef ACRE_CONTROL
  acre::Map<int, int> inventory;
#else
  std::unordered_map<int, int> inventory;
#endif
};
ACRE_LAYOUT(Player, inventory)

struct World {
  acre::Map<int, Player> players;
};
ACRE_LAYOUT(World, players)

int main() {
  acre::Arena arena;
  arena.New<World>();
}
