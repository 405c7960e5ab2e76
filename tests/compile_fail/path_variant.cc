// SPDX-License-Identifier: MIT
// EXPECT: World\.player<alternative>\.inventory: std::unordered_map, use acre::Map

#include <unordered_map>
#include <variant>

#include "acre/arena.h"
#include "acre/map.h"

struct Player {
#ifdef ACRE_CONTROL
  acre::Map<int, int> inventory;
#else
  std::unordered_map<int, int> inventory;
#endif
};
ACRE_LAYOUT(Player, inventory)

struct World {
  std::variant<int, Player*> player;
};
ACRE_LAYOUT(World, player)

int main() {
  acre::Arena arena;
  arena.New<World>();
}
