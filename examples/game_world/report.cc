// SPDX-License-Identifier: MIT

#include "report.h"

#include <fmt/format.h>

namespace game {
namespace {

struct Counts {
  std::size_t sectors = 0;
  std::size_t lines = 0;
  std::size_t sides = 0;
  std::size_t vertexes = 0;
  std::size_t things = 0;
  std::size_t monsters = 0;
};

Counts CountParts(const World& world) {
  Counts counts;
  for (const auto& [name, level] : world.levels) {
    counts.sectors += level->sectors.size();
    counts.lines += level->lines.size();
    counts.sides += level->sides.size();
    counts.vertexes += level->vertexes.size();
    counts.things += level->things.size();
    counts.monsters += level->monsters.size();
  }
  return counts;
}

}  // namespace

double Mebibytes(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

void PrintWorld(const World& world, const acre::Arena& arena,
                double milliseconds) {
  const acre::ArenaStats stats = arena.stats();
  const Counts counts = CountParts(world);
  fmt::print(
      "  built     {:.1f} ms; {:.2f} MiB live, {:.2f} MiB reserved in "
      "{} chunks and {} large blocks\n",
      milliseconds, Mebibytes(stats.live()), Mebibytes(stats.reserved),
      stats.chunks, stats.large_blocks);
  fmt::print(
      "  contents  {} levels, {} sectors, {} lines, {} sides, {} "
      "vertexes\n"
      "            {} things, {} of them monsters, {} textures\n",
      world.levels.size(), counts.sectors, counts.lines, counts.sides,
      counts.vertexes, counts.things, counts.monsters, world.textures.size());
}

void PrintGame(const Game& game, double milliseconds) {
  const Counters& counters = game.counters;
  fmt::print("  played    {} tics in {:.0f} ms\n", game.tic, milliseconds);
  fmt::print(
      "            {} missiles born, {} freed; {} doors opened, {} "
      "closed\n",
      counters.missiles_born, counters.missiles_freed, counters.doors_opened,
      counters.doors_closed);
  fmt::print("            {} wakeups; {} moves, {} into another sector\n",
             counters.wakeups, counters.moves, counters.sector_moves);
  fmt::print("            {} kills, {} deaths of players, {} returns\n",
             counters.kills, counters.player_deaths, counters.returns);
}

void PrintAudit(const acre::AuditReport& report, double milliseconds) {
  fmt::print(
      "  audited   leaks {}, findings {}; {} objects and {} pointers "
      "in {:.0f} ms\n",
      report.leaks(), report.findings.size(), report.objects, report.pointers,
      milliseconds);
  if (!report.clean()) fmt::print("{}", acre::ToText(report));
}

void PrintCollections(const CollectionTimes& times, const GcCopy& copy) {
  fmt::print("Full collection (median of 11)\n");
  fmt::print("  {:8.2f} ms  neither world\n", times.empty);
  fmt::print("  {:8.2f} ms  the world in the arena\n", times.arena);
  fmt::print("  {:8.2f} ms  the world as {} collected objects, {:.2f} MiB\n",
             times.objects, copy.objects, Mebibytes(copy.bytes));
  fmt::print("  {:8.1f}     ratio, objects to arena\n",
             times.objects / times.arena);
}

}  // namespace game
