// SPDX-License-Identifier: MIT
//
// Writes reports of planted arenas into a folder, for
// tests/hygiene/html_report: what browsers, DevTools and Graphviz make of them.
//
//   report_pages FOLDER

#include <fmt/format.h>
#include <gc/gc.h>

#include <cstdio>
#include <string>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace {

struct Thing {
  std::int32_t x = 0;
  std::int32_t health = 100;
  Thing* target = nullptr;
  acre::Vector<Thing*> seen;
};
ACRE_LAYOUT(Thing, x, health, target, seen)

struct Level {
  acre::String title;
  acre::Vector<Thing> things;
  Thing* boss = nullptr;
};
ACRE_LAYOUT(Level, title, things, boss)

struct World {
  acre::Map<acre::String, Level*> levels;
  std::string_view motto;
  Thing* first = nullptr;
};
ACRE_LAYOUT(World, levels, motto, first)

constexpr const char* kHostile = "</script><script>alert(1)</script>&lt;";

World* MakeWorld(acre::Arena& arena, int levels, int things) {
  World* world = arena.New<World>();
  for (int i = 0; i < levels; ++i) {
    Level* level = arena.New<Level>();
    level->title = acre::String(
        arena, fmt::format("The {}th of the levels of this world", i + 1));
    level->things.resize(static_cast<std::size_t>(things));
    for (Thing& thing : level->things) {
      thing.seen.push_back(&level->things[0]);
      thing.target = arena.New<Thing>();
    }
    for (std::size_t j = 0; j < level->things.size(); j += 3) {
      arena.Free(level->things[j].target);
      level->things[j].target = nullptr;
    }
    world->levels[acre::String(arena, fmt::format("MAP{:02}", i + 1))] = level;
  }
  return world;
}

Thing* Collected() { return static_cast<Thing*>(GC_MALLOC(10'000)); }

class Reports {
 public:
  explicit Reports(std::string folder) : folder_(std::move(folder)) {}

  /// All reports of one arena, as NAME.html and so on.
  void Write(const char* name, const acre::Arena& arena, const World& world,
             const acre::AuditReport& report) {
    Put(name, ".html",
        [&](std::FILE* file) { return acre::WriteHtml(file, arena, report); });
    Put(name, ".heapsnapshot", [&](std::FILE* file) {
      return acre::WriteHeapSnapshot(file, arena, {acre::RootOf(world)},
                                     report);
    });
    Put(name, ".dot", [&](std::FILE* file) {
      return std::fputs(acre::ToDot(report).c_str(), file) >= 0;
    });
    Put(name, ".jsonl", [&](std::FILE* file) {
      return std::fputs(acre::ToJsonLines(report).c_str(), file) >= 0;
    });
  }

  bool all_written() const { return all_written_; }

 private:
  template <class Body>
  void Put(const char* name, const char* suffix, Body body) {
    const std::string path = folder_ + "/" + name + suffix;
    std::FILE* file = std::fopen(path.c_str(), "w");
    const bool written = file != nullptr && body(file);
    if (file == nullptr || std::fclose(file) != 0 || !written) {
      std::perror(path.c_str());
      all_written_ = false;
    }
  }

  std::string folder_;
  bool all_written_ = true;
};

void WriteClean(Reports& reports) {
  acre::Arena arena({.name = "clean"});
  const World* world = MakeWorld(arena, 4, 50);
  reports.Write("clean", arena, *world, acre::Audit(arena, *world));
}

/// One leak, one pointer into another arena, one, known, into a freed block.
void WriteFew(Reports& reports) {
  acre::Arena arena({.name = "level"});
  acre::Arena other({.name = "menu"});
  World* world = MakeWorld(arena, 8, 60);
  world->levels["MAP06"]->things[29].target = Collected();
  world->levels["MAP02"]->boss = other.New<Thing>();
  Thing* freed = arena.New<Thing>();
  world->first = freed;
  arena.Free(freed);
  arena.New<Level>()->things.resize(9);
  // Without blocks only what a root reaches has a path.
  acre::AuditReport report = acre::kChecked
                                 ? acre::AuditAll(arena, {acre::RootOf(*world)},
                                                  {.report_garbage = true})
                                 : acre::Audit(arena, *world);
  for (acre::Finding& finding : report.findings) {
    finding.is_known = finding.target == acre::Target::kFreed;
    report.known += finding.is_known;
  }
  reports.Write("few", arena, *world, report);
}

void WriteHostile(Reports& reports) {
  acre::Arena arena({.name = kHostile});
  World* world = MakeWorld(arena, 1, 2);
  Level* level = arena.New<Level>();
  world->levels[acre::String(arena, kHostile)] = level;
  level->boss = Collected();
  level = arena.New<Level>();
  world->levels[acre::String(arena, "\xff\xc3 \" \\ \n\x01 \xe2\x82\xac")] =
      level;
  level->boss = Collected();
  reports.Write("hostile", arena, *world, acre::Audit(arena, *world));
}

void WriteMany(Reports& reports) {
  acre::Arena arena({.name = "many"});
  World* world = MakeWorld(arena, 32, 4000);
  Thing* target = Collected();
  int planted = 0;
  for (auto& [name, level] : world->levels) {
    for (std::size_t i = 0; i < level->things.size(); i += 10) {
      if (planted++ == 10'000) break;
      level->things[i].target = target;
    }
  }
  reports.Write("many", arena, *world,
                acre::Audit(arena, *world, {.max_findings = 10'000}));
  GC_reachable_here(target);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Reports reports(argv[1]);
  WriteClean(reports);
  WriteFew(reports);
  WriteHostile(reports);
  WriteMany(reports);
  return reports.all_written() ? 0 : 1;
}
