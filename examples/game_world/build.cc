// SPDX-License-Identifier: MIT

#include "build.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace game {
namespace {

Point ScaledPoint(std::int32_t x, std::int32_t y) {
  return {x * kUnit, y * kUnit};
}

void Widen(Sector& sector, Point at) {
  sector.low.x = std::min(sector.low.x, at.x);
  sector.low.y = std::min(sector.low.y, at.y);
  sector.high.x = std::max(sector.high.x, at.x);
  sector.high.y = std::max(sector.high.y, at.y);
}

std::int64_t BoxArea(const Sector& sector) {
  return std::int64_t{sector.high.x - sector.low.x} *
         (sector.high.y - sector.low.y);
}

bool BoxHolds(const Sector& sector, Point at) {
  return sector.low.x <= at.x && at.x <= sector.high.x &&
         sector.low.y <= at.y && at.y <= sector.high.y;
}

/// Does the ray from `at` to the right cross the line?
bool RayCrosses(const Line& line, Point at) {
  const Point a = *line.from;
  const Point b = *line.to;
  if ((a.y > at.y) == (b.y > at.y)) return false;
  const std::int64_t cross = std::int64_t{b.x - a.x} * (at.y - a.y) -
                             std::int64_t{b.y - a.y} * (at.x - a.x);
  return (cross > 0) == (b.y > a.y);
}

/// Lines with the sector on both sides bound nothing.
bool Surrounds(const Sector& sector, Point at) {
  bool is_inside = false;
  for (const Line* line : sector.lines) {
    if (Across(*line, &sector) != &sector && RayCrosses(*line, at)) {
      is_inside = !is_inside;
    }
  }
  return is_inside;
}

class Builder {
 public:
  Builder(acre::Arena& arena, World& world) : arena_(arena), world_(world) {}

  void AddLevel(const RawLevel& raw) {
    level_ = arena_.New<Level>();
    level_->name = raw.name;
    AddVertexes(raw);
    AddSectors(raw);
    AddSides(raw);
    AddLines(raw);
    AddThings(raw);
    world_.levels[raw.name] = level_;
  }

 private:
  /// The texture of that name, made at its first use. "-" stands for none.
  Texture* Use(std::string_view name) {
    if (name.empty() || name == "-") return nullptr;
    Texture*& texture = world_.textures[name];
    if (texture == nullptr) texture = arena_.New<Texture>(acre::String(name));
    ++texture->uses;
    return texture;
  }

  void AddVertexes(const RawLevel& raw) {
    level_->vertexes.reserve(raw.vertexes.size());
    for (const RawVertex& from : raw.vertexes) {
      level_->vertexes.push_back(ScaledPoint(from.x, from.y));
    }
  }

  void AddSectors(const RawLevel& raw) {
    level_->sectors.reserve(raw.sectors.size());
    for (const RawSector& from : raw.sectors) {
      Sector& sector = level_->sectors.emplace_back();
      sector.floor = from.floor;
      sector.ceiling = from.ceiling;
      sector.floor_flat = Use(from.floor_flat);
      sector.ceiling_flat = Use(from.ceiling_flat);
      sector.light = from.light;
      sector.special = from.special;
      sector.tag = from.tag;
      constexpr auto kMax = std::numeric_limits<std::int32_t>::max();
      sector.low = {kMax, kMax};
      sector.high = {-kMax, -kMax};
      if (from.tag != 0) level_->by_tag[from.tag].push_back(&sector);
    }
  }

  void AddSides(const RawLevel& raw) {
    level_->sides.reserve(raw.sides.size());
    for (const RawSide& from : raw.sides) {
      Side& side = level_->sides.emplace_back();
      side.sector = &level_->sectors[from.sector];
      side.upper = Use(from.upper);
      side.lower = Use(from.lower);
      side.middle = Use(from.middle);
      side.x_offset = from.x_offset;
      side.y_offset = from.y_offset;
    }
  }

  void AddLines(const RawLevel& raw) {
    level_->lines.reserve(raw.lines.size());
    for (const RawLine& from : raw.lines) {
      Line& line = level_->lines.emplace_back();
      line.from = &level_->vertexes[from.from];
      line.to = &level_->vertexes[from.to];
      line.flags = from.flags;
      line.special = from.special;
      line.tag = from.tag;
      line.front = Join(line, from.front);
      if (from.back != kNoSide) line.back = Join(line, from.back);
    }
  }

  /// The side, which now knows its line, as its sector does.
  Side* Join(Line& line, std::size_t index) {
    Side& side = level_->sides[index];
    side.line = &line;
    acre::Vector<Line*>& around = side.sector->lines;
    const bool has_sector_on_both_sides =
        !around.empty() && around.back() == &line;
    if (!has_sector_on_both_sides) around.push_back(&line);
    Widen(*side.sector, *line.from);
    Widen(*side.sector, *line.to);
    return &side;
  }

  void AddThings(const RawLevel& raw) {
    level_->things.reserve(raw.things.size());
    for (const RawThing& from : raw.things) {
      Thing& thing = level_->things.emplace_back();
      thing.kind = &KindOf(from.type);
      thing.at = thing.start = ScaledPoint(from.x, from.y);
      thing.health = thing.kind->health;
      thing.sector = thing.home = FindSector(*level_, thing.at);
      if (thing.sector != nullptr) Enlist(thing);
    }
  }

  void Enlist(Thing& thing) {
    thing.z = thing.sector->floor;
    if (thing.kind->role == Role::kMonster) {
      level_->monsters.push_back(&thing);
    } else if (thing.kind->role == Role::kPlayer) {
      level_->player = &thing;
    } else {
      return;
    }
    thing.sector->things.push_back(&thing);
  }

  acre::Arena& arena_;
  World& world_;
  Level* level_ = nullptr;  // the one being built
};

}  // namespace

World* BuildWorld(acre::Arena& arena, std::span<const RawLevel> levels) {
  World* world = arena.New<World>();
  Builder builder(arena, *world);
  for (const RawLevel& level : levels) builder.AddLevel(level);
  return world;
}

Sector* FindSector(Level& level, Point at) {
  Sector* best = nullptr;
  for (Sector& sector : level.sectors) {
    if (!BoxHolds(sector, at)) continue;
    if (best != nullptr && BoxArea(*best) <= BoxArea(sector)) continue;
    if (Surrounds(sector, at)) best = &sector;
  }
  return best;
}

}  // namespace game
