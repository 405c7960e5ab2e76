// SPDX-License-Identifier: MIT
//
// The game world: every level of a WAD in one arena, played, audited, broken
// on purpose, reset and played again; and what the collector pays for it.

#include <acre/arena.h>
#include <acre/audit.h>
#include <fmt/format.h>
#include <gc/gc.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <new>
#include <span>
#include <string>
#include <system_error>

#include "build.h"
#include "gc_world.h"
#include "generate.h"
#include "kept.h"
#include "options.h"
#include "report.h"
#include "rollback.h"
#ifdef GAME_WORLD_JSON
#include "saved.h"
#endif
#include "sim.h"
#include "timing.h"
#include "wad.h"

namespace game {
namespace {

/// libgc looks for references in global variables: this one keeps the world
/// of collected objects.
GcWorld* volatile collected_world = nullptr;

/// False, and said so, where something is not as it must be.
bool Expect(bool holds, const char* what) {
  if (!holds) fmt::print(stderr, "game_world: unexpected: {}\n", what);
  return holds;
}

Wad LoadLevels(const Options& options) {
  std::string path = options.wad;
  for (const char* usual : {"/usr/share/games/doom/freedoom2.wad",
                            "/usr/share/games/doom/freedoom1.wad"}) {
    std::error_code error;
    if (options.generated || !path.empty()) break;
    if (std::filesystem::exists(usual, error)) path = usual;
  }
  const Stopwatch watch;
  Wad wad = path.empty() ? Wad{GenerateLevels(), {}, {}} : ReadWad(path);
  if (wad.error.empty()) {
    fmt::print("Input: {}, {} levels, read in {:.1f} ms\n",
               path.empty() ? "generated levels" : path, wad.levels.size(),
               watch.Milliseconds());
    for (const std::string& text : wad.left_out) {
      fmt::print(stderr, "game_world: left out: {}\n", text);
    }
  }
  return wad;
}

acre::AuditReport AuditWorld(const acre::Arena& arena, const World& world) {
  const Stopwatch watch;
  acre::AuditReport report = acre::Audit(arena, world);
  PrintAudit(report, watch.Milliseconds());
  return report;
}

#ifdef GAME_WORLD_JSON
/// Null where the file is none, and said so.
World* Load(acre::Arena& arena, const std::string& path) {
  std::string error;
  World* world = LoadWorld(arena, path, error);
  if (world == nullptr) fmt::print(stderr, "game_world: {}\n", error);
  return world;
}

bool Save(const World& world, const std::string& path) {
  const Stopwatch watch;
  const std::string error = SaveWorld(world, path);
  if (!error.empty()) {
    fmt::print(stderr, "game_world: {}\n", error);
    return false;
  }
  fmt::print("  written   {} in {:.1f} ms\n", path, watch.Milliseconds());
  return true;
}
#endif

/// Null where it could not be built, or written.
World* Build(acre::Arena& arena, const Wad& wad, const Options& options) {
  const Stopwatch watch;
  World* world = nullptr;
#ifdef GAME_WORLD_JSON
  if (!options.from_json.empty()) {
    world = Load(arena, options.from_json);
    if (world == nullptr) return nullptr;
  }
#endif
  if (world == nullptr) world = BuildWorld(arena, wad.levels);
  PrintWorld(*world, arena, watch.Milliseconds());
  fmt::print("  checksum  {:016x}\n", Checksum(*world));
#ifdef GAME_WORLD_JSON
  if (!options.json.empty() && !Save(*world, options.json)) return nullptr;
  if (!options.from_json.empty() &&
      !Expect(IsSavedIn(*world, options.from_json),
              "the world is not what the file says")) {
    return nullptr;
  }
#endif
  return world;
}

std::uint64_t Play(acre::Arena& arena, World& world, std::int32_t tics) {
  Game game{.arena = arena, .world = world};
  const Stopwatch watch;
  RunTics(game, tics);
  PrintGame(game, watch.Milliseconds());
  return Checksum(world);
}

Thing* AnyThing(World& world) {
  for (auto& [name, level] : world.levels) {
    if (!level->things.empty()) return &level->things.back();
  }
  return nullptr;
}

/// The mistake that the auditor is for: a thing in the arena hunts one on the
/// collected heap, which the collector will free under its feet.
bool PlantLeak(const acre::Arena& arena, World& world) {
  Thing* hunter = AnyThing(world);
  if (hunter == nullptr) return true;  // a world without things
  Thing* const before = hunter->target;
  hunter->target = ::new (GC_MALLOC(sizeof(Thing))) Thing{};
  fmt::print("A thing is given a target on the collected heap\n");
  const acre::AuditReport report = AuditWorld(arena, world);
  hunter->target = before;
  fmt::print("The target is taken back\n");
  return Expect(report.leaks() == 1 && report.findings.size() == 1,
                "the planted leak is not the one finding") &&
         Expect(AuditWorld(arena, world).clean(), "findings after the repair");
}

struct Round {
  World* world = nullptr;
  std::uint64_t checksum = 0;
  bool is_good = false;
};

Round PlayRound(acre::Arena& arena, const Wad& wad, const Options& options) {
  Round round;
  round.world = Build(arena, wad, options);
  if (round.world == nullptr) return round;
  round.is_good = Expect(acre::Audit(arena, *round.world).clean(),
                         "findings in a world just built");
  round.checksum = Play(arena, *round.world, options.tics);
  round.is_good &= Expect(AuditWorld(arena, *round.world).clean(),
                          "findings in the world as played");
  return round;
}

/// The world of the second round; null where something was not as expected.
World* PlayTwice(acre::Arena& arena, const Wad& wad, const Options& options,
                 CollectionTimes& times) {
  fmt::print("First round\n");
  const Round first = PlayRound(arena, wad, options);
  times.arena = TimeCollection();
  if (!first.is_good || !PlantLeak(arena, *first.world)) return nullptr;

  const std::size_t reserved = arena.stats().reserved;
  arena.Reset();
  fmt::print("Second round, after Reset\n");
  const Round second = PlayRound(arena, wad, options);
  fmt::print("  memory    {:.2f} MiB reserved, {:.2f} MiB before\n",
             Mebibytes(arena.stats().reserved), Mebibytes(reserved));
  const bool is_good =
      second.is_good &&
      Expect(arena.stats().reserved <= reserved, "memory has grown") &&
      Expect(first.checksum == second.checksum, "the rounds differ");
  return is_good ? second.world : nullptr;
}

/// The time with the same world as collected objects, and no arena.
GcCopy TimeObjects(acre::Arena& arena, const World& world,
                   CollectionTimes& times) {
  const GcCopy copy = CopyToCollectedHeap(world);
  collected_world = copy.world;
  arena.Reset(acre::ResetMode::kRelease);
  times.objects = TimeCollection();
  collected_world = nullptr;
  return copy;
}

int Run(const Options& options) {
#ifndef GAME_WORLD_JSON
  if (!options.json.empty() || !options.from_json.empty()) {
    fmt::print(stderr,
               "game_world: built without JSON, which needs simdjson\n");
    return 1;
  }
#endif
  if (!options.load.empty()) {
    GC_INIT();
    return PlayKept(options.load, options.tics) ? 0 : 1;
  }
  const Wad wad = options.from_json.empty() ? LoadLevels(options) : Wad{};
  if (!wad.error.empty()) {
    fmt::print(stderr, "game_world: {}\n", wad.error);
    return 1;
  }
  GC_INIT();
  if (options.rollback != 0) {
    return PlayWithRollback(wad, options.tics, options.rollback) ? 0 : 1;
  }
  if (options.sync_test != 0) {
    return PlaySyncTest(wad, options.tics, options.sync_test) ? 0 : 1;
  }
  if (options.desync) return FindDesync(wad, options.tics) ? 0 : 1;
  if (!options.save.empty()) {
    acre::Arena arena({.name = "world"});
    World& world = *BuildWorld(arena, wad.levels);
    return PlayAndKeep(arena, world, options.save, options.tics) ? 0 : 1;
  }
  CollectionTimes times;
  times.empty = TimeCollection();
  acre::Arena arena({.name = "world"});
  const World* world = PlayTwice(arena, wad, options, times);
  if (world == nullptr) return 1;
  PrintCollections(times, TimeObjects(arena, *world, times));
  return 0;
}

}  // namespace
}  // namespace game

int main(int argc, char** argv) {
  const std::span words(argv, static_cast<std::size_t>(argc));
  const game::Options options = game::ParseOptions(words.subspan(1));
  if (!options.error.empty()) {
    fmt::print(stderr, "game_world: {}; see --help\n", options.error);
    return 2;
  }
  if (options.help) {
    fmt::print("{}", game::Usage());
    return 0;
  }
  return game::Run(options);
}
