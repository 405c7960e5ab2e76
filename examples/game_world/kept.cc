// SPDX-License-Identifier: MIT

#include "kept.h"

#include <acre/audit.h>
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "kinds.h"
#include "report.h"
#include "sim.h"
#include "timing.h"

namespace game {
namespace {

/// Calls visit(thing) for each, in an order that a file keeps.
template <class Visit>
void ForEachThing(World& world, Visit visit) {
  for (auto& [name, level] : world.levels) {
    for (Thing& thing : level->things) visit(thing);
    for (Thing* missile : level->missiles) visit(*missile);
  }
}

/// False where a name is none, or one is missing.
bool NameKinds(Kept& kept) {
  std::size_t next = 0;
  bool are_known = true;
  ForEachThing(*kept.world, [&](Thing& thing) {
    thing.kind =
        next < kept.kinds.size() ? FindKind(kept.kinds[next++]) : nullptr;
    are_known = are_known && thing.kind != nullptr;
  });
  return are_known && next == kept.kinds.size();
}

struct Played {
  bool is_good = false;
  std::uint64_t checksum = 0;
};

Played Play(acre::SavedArena<Kept>& saved, std::int32_t tics) {
  Played played;
  if (!saved) {
    fmt::print(stderr, "game_world: {}\n", saved.error().text());
    return played;
  }
  if (saved->world == nullptr || !NameKinds(*saved)) {
    fmt::print(stderr, "game_world: the kinds of its things are not known\n");
    return played;
  }
  fmt::print("  checksum  {:016x}{}\n", Checksum(*saved->world),
             saved.is_moved() ? ", moved to another address" : "");
  Game game{.arena = saved.arena(), .world = *saved->world};
  const Stopwatch watch;
  RunTics(game, tics);
  PrintGame(game, watch.Milliseconds());
  played.checksum = Checksum(*saved->world);
  fmt::print("  played    {:016x}\n", played.checksum);
  const acre::AuditReport report = acre::Audit(saved.arena(), *saved);
  PrintAudit(report, 0);
  played.is_good = report.clean();
  return played;
}

/// Why the file could not be written; empty where it was. The world is as
/// before afterwards.
std::string KeepWorld(acre::Arena& arena, World& world,
                      const std::string& path) {
  auto* const kept = arena.New<Kept>();
  kept->world = &world;
  ForEachThing(world, [&](const Thing& thing) {
    kept->kinds.emplace_back(thing.kind->name);
  });
  // Where a kind lies is of no use to another process.
  const Stopwatch watch;
  const acre::SaveError error =
      acre::Save(arena, *kept, path.c_str(), {.outside = acre::Outside::kNull});
  const double milliseconds = watch.Milliseconds();
  arena.Free(kept);
  if (error) return error.text();
  std::error_code ignored;
  const auto bytes = std::filesystem::file_size(path, ignored);
  fmt::print("  saved     {}, {:.2f} MiB, in {:.1f} ms, on the disk\n", path,
             Mebibytes(bytes), milliseconds);
  return {};
}

}  // namespace

bool PlayAndKeep(acre::Arena& arena, World& world, const std::string& path,
                 std::int32_t tics) {
  fmt::print("  checksum  {:016x}\n", Checksum(world));
  const std::string error = KeepWorld(arena, world, path);
  if (!error.empty()) {
    fmt::print(stderr, "game_world: {}\n", error);
    return false;
  }
  Game game{.arena = arena, .world = world};
  const Stopwatch watch;
  RunTics(game, tics);
  PrintGame(game, watch.Milliseconds());
  fmt::print("  played    {:016x}\n", Checksum(world));
  return true;
}

bool PlayKept(const std::string& path, std::int32_t tics) {
  const Stopwatch watch;
  auto mapped = acre::MapArena<Kept>(path.c_str());
  fmt::print("Mapped in {:.3f} ms\n", watch.Milliseconds());
  const Played first = Play(mapped, tics);
  if (!first.is_good) return false;
  // As one would with a file of somebody else's. The address is taken now.
  const Stopwatch again;
  auto loaded = acre::LoadArena<Kept>(path.c_str());
  fmt::print("Loaded, with every pointer looked at, in {:.1f} ms\n",
             again.Milliseconds());
  const Played second = Play(loaded, tics);
  if (!second.is_good) return false;
  const bool are_same = first.checksum == second.checksum;
  fmt::print("{}\n",
             are_same ? "Both ended the same" : "They ended differently");
  return are_same;
}

}  // namespace game
