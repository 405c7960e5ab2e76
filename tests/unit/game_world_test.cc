// SPDX-License-Identifier: MIT
//
// Guards the main example, on generated levels: the graph is what the records
// say, the game is the same every time, the audit finds nothing but what was
// planted, and the world goes as it came.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <set>
#include <string>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/mmap_source.h"
#include "build.h"
#include "gc_world.h"
#include "generate.h"
#include "sim.h"
#include "support/scaled.h"

namespace game_world_test {

using namespace game;

constexpr std::int32_t kTics = 300;

bool IsOwn(const acre::Arena& arena, const void* p) {
  return p == nullptr || arena.Owns(p);
}

bool IsLinked(const acre::Arena& arena, const Level& level) {
  for (const Line& line : level.lines) {
    if (line.front == nullptr || line.front->line != &line) return false;
    if (line.back != nullptr && line.back->line != &line) return false;
    const Sector& sector = *line.front->sector;
    if (sector.lines.index_of(&line) == sector.lines.npos) return false;
    if (!IsOwn(arena, line.from) || !IsOwn(arena, line.to)) return false;
  }
  for (const Thing* monster : level.monsters) {
    if (monster->kind->role != Role::kMonster) return false;
    if (!IsOwn(arena, monster->sector)) return false;
  }
  return true;
}

/// Each player and monster alive stands in the list of its sector, and only
/// there; no one else stands in any.
bool ListsAreRight(const Level& level) {
  std::multiset<const Thing*> listed;
  for (const Sector& sector : level.sectors) {
    for (const Thing* thing : sector.things) {
      if (thing->sector != &sector) return false;
      listed.insert(thing);
    }
  }
  std::multiset<const Thing*> alive;
  for (const Thing* monster : level.monsters) {
    if (monster->state != ThingState::kDead) alive.insert(monster);
  }
  const Thing* player = level.player;
  if (player != nullptr && player->state != ThingState::kDead) {
    alive.insert(player);
  }
  return listed == alive;
}

Game Play(acre::Arena& arena, World& world) {
  Game game{.arena = arena, .world = world};
  RunTics(game, kTics);
  return game;
}

TEST_CASE("generated levels become a linked world in one arena") {
  acre::Arena arena;
  const auto levels = GenerateLevels(5);
  const World& world = *BuildWorld(arena, levels);
  REQUIRE(world.levels.size() == 5);
  for (const RawLevel& raw : levels) {
    const Level& level = *world.levels.at(raw.name);
    CHECK(level.name == raw.name);
    CHECK(level.sectors.size() == raw.sectors.size());
    CHECK(level.lines.size() == raw.lines.size());
    CHECK(level.things.size() == raw.things.size());
    CHECK(level.player != nullptr);
    CHECK(level.monsters.size() > 20);
    CHECK(IsLinked(arena, level));
    CHECK(ListsAreRight(level));
  }
}

TEST_CASE("every thing lies in the sector around it") {
  acre::Arena arena;
  World& world = *BuildWorld(arena, GenerateLevels(1));
  Level& level = *world.levels.at("MAP01");
  for (const Thing& thing : level.things) {
    REQUIRE(thing.sector != nullptr);
    CHECK(thing.sector->low.x <= thing.at.x);
    CHECK(thing.at.x <= thing.sector->high.x);
    CHECK(thing.sector->low.y <= thing.at.y);
    CHECK(thing.at.y <= thing.sector->high.y);
  }
  CHECK(FindSector(level, {-1000 * kUnit, 0}) == nullptr);
}

TEST_CASE("the game is played, and the same every time") {
  const auto levels = GenerateLevels(4);
  acre::Arena first;
  acre::Arena second;
  World& world = *BuildWorld(first, levels);
  World& again = *BuildWorld(second, levels);
  CHECK(Checksum(world) == Checksum(again));
  const std::uint64_t before = Checksum(world);
  const Counters counters = Play(first, world).counters;
  CHECK(counters == Play(second, again).counters);
  CHECK(Checksum(world) == Checksum(again));
  CHECK(Checksum(world) != before);
  CHECK(counters.missiles_born > 0);
  CHECK(counters.missiles_freed > 0);
  CHECK(counters.doors_opened > 0);
  CHECK(counters.wakeups > 0);
  CHECK(counters.sector_moves > 0);
  for (const auto& [name, level] : world.levels) {
    CHECK(IsLinked(first, *level));
    CHECK(ListsAreRight(*level));
  }
}

TEST_CASE("missiles in flight are those born and not freed") {
  acre::Arena arena;
  World& world = *BuildWorld(arena, GenerateLevels(4));
  const Counters counters = Play(arena, world).counters;
  std::size_t flying = 0;
  for (const auto& [name, level] : world.levels) {
    flying += level->missiles.size();
  }
  CHECK(flying == counters.missiles_born - counters.missiles_freed);
}

TEST_CASE("the audit finds nothing, before and after the game") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  acre::Arena arena({.source = &source});
  World& world = *BuildWorld(arena, GenerateLevels(3));
  const acre::AuditReport report = acre::Audit(arena, world);
  CHECK(report.clean());
  CHECK(report.pointers > 1000);
  Game game{.arena = arena, .world = world};
  for (int i = 0; i < 4; ++i) {
    CHECK(acre::Audit(arena, world).clean());
    const acre::AuditReport all =
        acre::AuditAll(arena, {acre::RootOf(world)}, {.report_garbage = true});
    CHECK(all.clean());
    CHECK(all.garbage.empty());  // the game frees what it lets go
    RunTics(game, acre_test::Scaled(1000, 300));
  }
}

TEST_CASE("a planted leak is found once, with its path") {
  acre::Arena arena;
  World& world = *BuildWorld(arena, GenerateLevels(2));
  Play(arena, world);
  Level& level = *world.levels.at("MAP02");
  const std::size_t index =
      static_cast<std::size_t>(level.monsters[3] - level.things.data());
  Thing& hunter = level.things[index];
  hunter.target = ::new (GC_MALLOC(sizeof(Thing))) Thing{};
  const acre::AuditReport report = acre::Audit(arena, world);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.leaks() == 1);
  const acre::Finding& finding = report.findings[0];
  CHECK(finding.slot == &hunter.target);
  CHECK(finding.address == hunter.target);
  CHECK(finding.path == "game::World.levels[\"MAP02\"].things[" +
                            std::to_string(index) + "].target");
  hunter.target = nullptr;
  CHECK(acre::Audit(arena, world).clean());
}

TEST_CASE("a target that was freed is found by checked builds") {
  acre::Arena arena;
  World& world = *BuildWorld(arena, GenerateLevels(1));
  Thing* gone = arena.New<Thing>();
  world.levels.at("MAP01")->things[0].target = gone;
  CHECK(acre::Audit(arena, world).clean());
  arena.Free(gone);
  if (acre::kChecked) {
    CHECK(acre::Audit(arena, world).findings.size() == 1);
  }
}

TEST_CASE("reset, built and played again: no more memory than before") {
  acre::Arena arena;
  const auto levels = GenerateLevels(3);
  Play(arena, *BuildWorld(arena, levels));
  const std::size_t reserved = arena.stats().reserved;
  for (int round = 0; round < 3; ++round) {
    arena.Reset();
    Play(arena, *BuildWorld(arena, levels));
    CHECK(arena.stats().reserved == reserved);
  }
}

TEST_CASE("FreeGraph gives every block of a played world back") {
  acre::Arena arena;
  World* world = BuildWorld(arena, GenerateLevels(2));
  Play(arena, *world);
  CHECK(arena.stats().live() > 100000);
  arena.FreeGraph(world);
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("a deep copy goes on by itself, the same way") {
  acre::Arena arena;
  World& world = *BuildWorld(arena, GenerateLevels(2));
  Play(arena, world);
  acre::Arena other;
  World& copy = *acre::DeepCopy(other, world);
  CHECK(Checksum(copy) == Checksum(world));
  CHECK(acre::Audit(other, copy).clean());
  for (const auto& [name, level] : copy.levels) {
    CHECK(IsLinked(other, *level));
    CHECK(ListsAreRight(*level));
  }
  CHECK(Play(arena, world).counters == Play(other, copy).counters);
  CHECK(Checksum(copy) == Checksum(world));
}

TEST_CASE("the world of collected objects has as many parts") {
  acre::Arena arena;
  const World& world = *BuildWorld(arena, GenerateLevels(2));
  std::size_t parts = 0;
  for (const auto& [name, level] : world.levels) {
    parts += level->vertexes.size() + level->sectors.size() +
             level->sides.size() + level->lines.size() + level->things.size();
  }
  const GcCopy copy = CopyToCollectedHeap(world);
  CHECK(copy.world != nullptr);
  CHECK(copy.objects > parts);
}

}  // namespace game_world_test
