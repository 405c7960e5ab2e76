// SPDX-License-Identifier: MIT
//
// A first look at acre. Prints:
//   2 players, 0 leaks
//   Ann has a dented lantern

#include <acre/arena.h>
#include <acre/audit.h>
#include <acre/deep_copy.h>
#include <acre/gc.h>
#include <acre/map.h>
#include <acre/string.h>
#include <acre/vector.h>
#include <fmt/format.h>

struct Player {
  acre::String name;
  std::int32_t health = 100;
  Player* target = nullptr;
  acre::Vector<acre::String> items = {};
};
ACRE_LAYOUT(Player, name, health, target, items)

struct Game {
  acre::Map<acre::String, Player*> players;
};
ACRE_LAYOUT(Game, players)

int main() {
  acre::Arena arena({.name = "game"});
  auto* game = arena.New<Game>();
  for (const char* name : {"Ann", "Bob", "Cy"}) {
    game->players[name] = arena.New<Player>(name);
  }
  Player* ann = game->players["Ann"];
  Player* bob = game->players["Bob"];
  ann->items.push_back("a dented lantern");
  ann->target = bob;  // pointers, sharing and cycles as you like
  bob->target = ann;

  arena.Free(game->players["Cy"]);  // one block, at once for reuse
  game->players.erase("Cy");

  const acre::AuditReport report = acre::Audit(arena, *game);
  fmt::print("{} players, {} leaks\n", game->players.size(), report.leaks());

  // What is to outlive the arena goes into one that the collector keeps.
  Game* saved = acre::DeepCopy(*acre::NewCollectedArena(), *game);
  arena.Reset();  // everything above is gone, the memory is kept for more

  Player* found = saved->players.at("Bob")->target;
  fmt::print("{} has {}\n", found->name.view(), found->items[0].view());
}
