// SPDX-License-Identifier: MIT

#include "trace.h"

#include <algorithm>
#include <cmath>

namespace game {
namespace {

/// A move is short and crosses few lines; levels where it does not are broken.
constexpr int kMaxCrossings = 64;
constexpr double kNever = 2;  // beyond the end, which is at 1

/// Positive: c is to the left of a -> b.
std::int64_t Cross(Point a, Point b, Point c) {
  return std::int64_t{b.x - a.x} * (c.y - a.y) -
         std::int64_t{b.y - a.y} * (c.x - a.x);
}

/// A crossing of a line by a move from a to b.
struct Crossing {
  double when = kNever;        // 0: at a, 1: at b
  const Line* line = nullptr;  // null: none
  bool from_front = false;
};

Crossing Cross(const Line& line, Point a, Point b) {
  const std::int64_t at_a = Cross(*line.from, *line.to, a);
  const std::int64_t at_b = Cross(*line.from, *line.to, b);
  if ((at_a > 0) == (at_b > 0)) return {};
  const bool from_left = Cross(a, b, *line.from) > 0;
  if (from_left == (Cross(a, b, *line.to) > 0)) return {};
  const double when =
      static_cast<double>(at_a) / static_cast<double>(at_a - at_b);
  return {when, &line, at_a <= 0};
}

/// The first crossing after `last`, of the lines around `sector`.
Crossing NextCrossing(const Sector& sector, Point a, Point b,
                      const Crossing& last) {
  Crossing next;
  for (const Line* line : sector.lines) {
    if (line == last.line) continue;
    const Crossing crossing = Cross(*line, a, b);
    if (crossing.when >= last.when && crossing.when < next.when) {
      next = crossing;
    }
  }
  return next;
}

/// Missiles need an opening at their own height.
bool CanFly(std::int32_t z, const Sector& to) {
  return to.floor <= z && z < to.ceiling;
}

bool CanEnter(const Thing& thing, const Sector& from, const Sector& to) {
  return thing.kind->role == Role::kMissile ? CanFly(thing.z, to)
                                            : CanStep(from, to);
}

/// The sector behind the line, or null: there is none, or no entry.
Sector* Enter(const Thing& thing, const Sector& from,
              const Crossing& crossing) {
  const Line& line = *crossing.line;
  const Side* side = crossing.from_front ? line.back : line.front;
  if (side == nullptr) return nullptr;
  return CanEnter(thing, from, *side->sector) ? side->sector : nullptr;
}

}  // namespace

bool CanStep(const Sector& from, const Sector& to) {
  const std::int32_t ceiling = std::min(from.ceiling, to.ceiling);
  return to.floor - from.floor <= kStepHeight &&
         ceiling - std::max(from.floor, to.floor) >= kBodyHeight;
}

Way Trace(const Thing& thing, Point end) {
  Sector* sector = thing.sector;
  Crossing last{.when = 0};
  for (int i = 0; i < kMaxCrossings; ++i) {
    const Crossing next = NextCrossing(*sector, thing.at, end, last);
    if (next.line == nullptr) return {sector, nullptr};
    Sector* entered = Enter(thing, *sector, next);
    if (entered == nullptr) return {sector, next.line};
    sector = entered;
    last = next;
  }
  return {sector, last.line};
}

Way Walk(Game& game, Thing& walker, Point end) {
  const Way way = Trace(walker, end);
  if (way.wall != nullptr) return way;
  ++game.counters.moves;
  if (way.sector != walker.sector) ++game.counters.sector_moves;
  Place(walker, end, way.sector);
  return way;
}

void Place(Thing& walker, Point at, Sector* sector) {
  walker.at = at;
  if (walker.sector == sector) return;
  walker.sector->things.erase_value(&walker, 1);
  walker.sector = sector;
  walker.z = sector->floor;
  sector->things.push_back(&walker);
}

std::int32_t Distance(Point a, Point b) {
  const double x = b.x - a.x;
  const double y = b.y - a.y;
  return static_cast<std::int32_t>(std::sqrt(x * x + y * y));
}

Point Ahead(Point from, Point to, std::int32_t length) {
  const std::int64_t distance = std::max(Distance(from, to), 1);
  const std::int64_t x = std::int64_t{to.x - from.x} * length / distance;
  const std::int64_t y = std::int64_t{to.y - from.y} * length / distance;
  return {from.x + static_cast<std::int32_t>(x),
          from.y + static_cast<std::int32_t>(y)};
}

}  // namespace game
