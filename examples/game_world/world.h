// SPDX-License-Identifier: MIT
//
// The world: all levels of a game as one cyclic graph in one arena.
//
//   World --levels--> Level --> sectors, lines, sides, vertexes, things
//
//         from, to            front, back             sector
//   Point <-------- Line <===============> Side ----------------> Sector
//                    ^         line                               ^  |  |
//                    +------------------- lines, toward ----------|--+  |
//                              Thing <--- things -----------------|-----+
//                              |  ^--- target, source             |
//                              +------- sector -------------------+
//
// A Level owns its parts by value, in Vectors that are filled once and do not
// grow afterwards: pointers to parts stay good. Missiles come and go one by
// one. Everything dies with the arena.

#ifndef GAME_WORLD_WORLD_H_
#define GAME_WORLD_WORLD_H_

#include <acre/layout.h>
#include <acre/map.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <cstdint>

#include "kinds.h"

namespace game {

struct Line;
struct Sector;
struct Side;

/// Parts of a map unit: positions are whole numbers of 1/16.
inline constexpr std::int32_t kUnit = 16;

struct Point {
  std::int32_t x = 0;
  std::int32_t y = 0;
};
ACRE_LAYOUT(Point, x, y)

/// One for all walls that show it.
struct Texture {
  acre::String name;
  std::int32_t uses = 0;
};
ACRE_LAYOUT(Texture, name, uses)

enum class ThingState : std::uint8_t { kAsleep, kAwake, kDead };

struct Thing {
  const ThingKind* kind = nullptr;  // static, never null
  Sector* sector = nullptr;         // null: outside of the level
  Sector* home = nullptr;           // where it began, and returns to
  Thing* target = nullptr;          // whom it hunts
  Thing* source = nullptr;          // who shot it
  Point at;
  Point start;            // in `home`
  Point velocity;         // of missiles; of walkers on a detour
  std::int32_t z = 0;     // map units
  std::int32_t wait = 0;  // moves or tics until the next decision
  std::int32_t health = 0;
  ThingState state = ThingState::kAsleep;
};
ACRE_LAYOUT(Thing, borrowed(kind), sector, home, target, source, at, start,
            velocity, z, wait, health, state)

struct Line {
  Point* from = nullptr;
  Point* to = nullptr;
  Side* front = nullptr;  // right of from -> to, never null
  Side* back = nullptr;   // null: a wall
  std::uint16_t flags = 0;
  std::uint16_t special = 0;  // what it does when crossed or used
  std::uint16_t tag = 0;      // and to which sectors
};
ACRE_LAYOUT(Line, from, to, front, back, flags, special, tag)

struct Side {
  Sector* sector = nullptr;  // never null
  Line* line = nullptr;      // null where no line uses this side
  Texture* upper = nullptr;
  Texture* lower = nullptr;
  Texture* middle = nullptr;
  std::int16_t x_offset = 0;
  std::int16_t y_offset = 0;
};
ACRE_LAYOUT(Side, sector, line, upper, lower, middle, x_offset, y_offset)

struct Sector {
  acre::Vector<Line*> lines;    // all around it
  acre::Vector<Thing*> things;  // players and monsters in it, alive
  Line* toward = nullptr;       // the way to the player leads across this
  Texture* floor_flat = nullptr;
  Texture* ceiling_flat = nullptr;
  std::int32_t steps = -1;  // sectors between here and the player; -1: no way
  std::int32_t floor = 0;   // heights in map units
  std::int32_t ceiling = 0;
  std::int16_t light = 0;
  std::uint16_t special = 0;
  std::uint16_t tag = 0;
  Point low;  // corners of the bounding box
  Point high;
};
ACRE_LAYOUT(Sector, lines, things, toward, floor_flat, ceiling_flat, steps,
            floor, ceiling, light, special, tag, low, high)

enum class DoorPhase : std::uint8_t { kOpening, kOpen, kClosing };

/// A sector whose ceiling moves.
struct Door {
  std::int32_t top = 0;   // where the ceiling stops
  std::int32_t wait = 0;  // tics until it closes
  DoorPhase phase = DoorPhase::kOpening;
};
ACRE_LAYOUT(Door, top, wait, phase)

struct Level {
  acre::String name;
  acre::Vector<Point> vertexes;
  acre::Vector<Sector> sectors;
  acre::Vector<Side> sides;
  acre::Vector<Line> lines;
  acre::Vector<Thing> things;
  acre::Vector<Thing*> monsters;   // those of `things`
  acre::Vector<Thing*> missiles;   // in flight, each from New
  Thing* player = nullptr;         // one of `things`; null: nobody starts here
  Thing* prey = nullptr;           // whom the player hunts
  acre::Map<Sector*, Door> doors;  // that move now
  acre::Map<std::int32_t, acre::Vector<Sector*>> by_tag;  // tag 0 left out
  acre::Map<Sector*, std::int32_t> heard;                 // the last shot
  acre::Map<std::int32_t, std::int32_t> kills;            // by type of thing
  acre::Vector<Sector*> queue;                            // for searches
};
ACRE_LAYOUT(Level, name, vertexes, sectors, sides, lines, things, monsters,
            owned(missiles), player, prey, doors, by_tag, heard, kills, queue)

struct World {
  acre::Map<acre::String, Level*> levels;
  acre::Map<acre::String, Texture*> textures;
};
ACRE_LAYOUT(World, owned(levels), owned(textures))

/// The sector on the other side, or null: `line` is a wall.
inline Sector* Across(const Line& line, const Sector* sector) {
  if (line.back == nullptr) return nullptr;
  return line.front->sector == sector ? line.back->sector : line.front->sector;
}

}  // namespace game

#endif  // GAME_WORLD_WORLD_H_
