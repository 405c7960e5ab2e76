// SPDX-License-Identifier: MIT
//
// The page that README shows: a small game with three planted faults, of three
// kinds. ./picture beside this runs it, and takes the picture.

#include <acre/arena.h>
#include <acre/audit.h>
#include <acre/audit_report.h>
#include <acre/map.h>
#include <acre/string.h>
#include <acre/vector.h>
#include <gc/gc.h>

#include <cstdio>

namespace game {

struct Texture {
  int width = 64;
  int height = 64;
};
ACRE_LAYOUT(Texture, width, height)

struct Player {
  acre::String name;
  int health = 100;
  acre::Vector<Player*> friends;
  Texture* skin = nullptr;
};
ACRE_LAYOUT(Player, name, health, friends, skin)

struct Level {
  acre::String title;
  acre::Vector<Player> players;
  acre::Map<acre::String, Player*> by_name;
};
ACRE_LAYOUT(Level, title, players, by_name)

struct World {
  acre::Map<acre::String, Level*> levels;
};
ACRE_LAYOUT(World, levels)

void Fill(acre::Arena& arena, World& world) {
  for (const char* title : {"MAP01", "MAP07", "MAP31"}) {
    Level* level = arena.New<Level>();
    world.levels[title] = level;
    level->title = title;
    level->players.reserve(4);
    for (const char* name : {"Ann", "Bob", "Cid", "Eve"}) {
      Player& player = level->players.emplace_back();
      player.name = name;
      player.friends.push_back(&level->players[0]);
      level->by_name[name] = &player;
    }
  }
}

}  // namespace game

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  acre::Arena arena({.name = "world"});
  acre::Arena menu({.name = "menu"});
  auto* world = arena.New<game::World>();
  game::Fill(arena, *world);
  const auto player = [&](const char* level, std::size_t i) -> game::Player& {
    return world->levels.at(level)->players[i];
  };

  auto* collected =
      static_cast<game::Texture*>(GC_malloc(sizeof(game::Texture)));
  player("MAP07", 2).skin = collected;
  player("MAP31", 1).skin = menu.New<game::Texture>();
  auto* gone = arena.New<game::Player>();
  player("MAP01", 3).friends.push_back(gone);
  arena.Free(gone);

  const acre::AuditReport report =
      acre::AuditAll(arena, {acre::RootOf(*world)});
  std::FILE* file = std::fopen(argv[1], "w");
  if (file == nullptr) return 1;
  const bool is_written = acre::WriteHtml(file, arena, report);
  return std::fclose(file) == 0 && is_written ? 0 : 1;
}
