// SPDX-License-Identifier: MIT

#include "rollback.h"

#include <acre/checksum.h>
#include <acre/deep_copy.h>
#include <acre/diff.h>
#include <acre/history.h>
#include <acre/mmap_source.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <string_view>

#include "build.h"
#include "report.h"
#include "timing.h"

namespace game {
namespace {

/// A world in a range of addresses of its own: one chunk, however much grows.
struct Table {
  acre::MmapSource source{{.reserve = std::size_t{4} << 30}};
  acre::Arena arena{{.name = "match", .source = &source}};
  Match* match = nullptr;

  explicit Table(const Wad& wad) {
    World* world = BuildWorld(arena, wad.levels);
    match = arena.New<Match>();
    match->world = world;
  }
};

void Apply(Match& match, const Input& input) {
  std::map<std::string_view, Level*> levels;  // in the order of their names
  for (auto& [name, level] : match.world->levels) levels[name] = level;
  const auto index = static_cast<std::ptrdiff_t>(input.level);
  if (index >= static_cast<std::ptrdiff_t>(levels.size())) return;
  Level& level = *std::next(levels.begin(), index)->second;
  level.prey = nullptr;
  if (level.player != nullptr) level.player->wait = 0;
}

/// One tic. `inputs`: those known for it.
void Play(acre::Arena& arena, Match& match, const std::vector<Input>& inputs,
          std::int32_t known_until) {
  for (const Input& input : inputs) {
    if (input.tic == match.tic && input.tic < known_until) Apply(match, input);
  }
  Game game{arena, *match.world, match.random, match.counters, match.tic};
  RunTics(game, 1);
  match.random = game.random;
  match.counters = game.counters;
  match.tic = game.tic;
}

std::int32_t LevelsOf(const Wad& wad) {
  return static_cast<std::int32_t>(wad.levels.size());
}

const char* NameOf(acre::PageTracking tracking) {
  return tracking == acre::PageTracking::kKernel ? "told by the kernel"
                                                 : "compared";
}

}  // namespace

std::vector<Input> MakeInputs(std::int32_t tics, std::int32_t levels) {
  std::vector<Input> inputs;
  Random random(7);
  for (std::int32_t tic = 1; tic < tics && levels > 0;
       tic += 1 + random.Below(5)) {
    inputs.push_back({tic, random.Below(levels)});
  }
  return inputs;
}

bool PlayWithRollback(const Wad& wad, std::int32_t tics, std::int32_t back) {
  const std::vector<Input> inputs = MakeInputs(tics, LevelsOf(wad));
  fmt::print("Rollback: {} tics back at every tic, {} inputs\n", back,
             inputs.size());
  Table in_time(wad);
  Table late(wad);
  double straight = 0;
  for (std::int32_t tic = 0; tic < tics; ++tic) {
    const Stopwatch watch;
    Play(in_time.arena, *in_time.match, inputs, tics);
    straight += watch.Milliseconds();
  }
  acre::History history(late.arena, *late.match,
                        {.frames = static_cast<std::size_t>(back) + 1});
  std::vector<acre::FrameId> frames(static_cast<std::size_t>(tics) + 1);
  const auto capture = [&] {
    frames[static_cast<std::size_t>(late.match->tic)] = history.Capture();
  };
  double captured = 0;
  double restored = 0;
  double played = 0;
  std::int32_t plays = 0;
  const auto play = [&](std::int32_t known_until) {
    const Stopwatch before;
    capture();
    captured += before.Milliseconds();
    const Stopwatch watch;
    Play(late.arena, *late.match, inputs, known_until);
    played += watch.Milliseconds();
    ++plays;
  };
  const Stopwatch all;
  for (std::int32_t tic = 0; tic < tics + back; ++tic) {
    // The inputs of this tic come `back` tics later.
    if (tic < tics) play(tic + 1 - back);
    const std::int32_t from = tic - back;
    if (from < 0) continue;
    const Stopwatch watch;
    const std::int32_t now = late.match->tic;
    history.Restore(frames[static_cast<std::size_t>(from)]);
    restored += watch.Milliseconds();
    while (late.match->tic < now) play(from + 1);
  }
  const double milliseconds = all.Milliseconds();
  const double per_play = played / std::max(plays, 1);
  fmt::print(
      "  pages     {}; {} frames in {:.2f} MiB beside {:.2f} MiB\n"
      "  a tic     {:.3f} ms; beside it {:.3f} ms for its frame\n"
      "  back      {:.3f} ms for {} tics\n"
      "  in all    {:.0f} ms, {:.3f} of playing as many tics\n",
      NameOf(history.tracking()), history.frames(), Mebibytes(history.bytes()),
      Mebibytes(late.arena.stats().reserved), per_play,
      captured / std::max(plays, 1), restored / std::max(tics, 1), back,
      milliseconds, milliseconds / std::max(straight * plays / tics, 0.001));
  const bool is_same = acre::Checksum(late.arena, *late.match) ==
                       acre::Checksum(in_time.arena, *in_time.match);
  fmt::print("  checksum  {:016x}, {}\n",
             acre::Checksum(late.arena, *late.match),
             is_same ? "the same as with inputs in time"
                     : "another one than with inputs in time");
  if (!is_same) {
    fmt::print("{}", acre::ToText(acre::Diff(*in_time.match, *late.match,
                                             {.max_differences = 10})));
  }
  return is_same;
}

bool PlaySyncTest(const Wad& wad, std::int32_t tics, std::int32_t back) {
  fmt::print("Sync test: every tic again, {} tics later\n", back);
  const std::vector<Input> inputs = MakeInputs(tics, LevelsOf(wad));
  Table table(wad);
  acre::History history(table.arena, *table.match,
                        {.frames = static_cast<std::size_t>(back) + 2});
  std::vector<acre::FrameId> frames;
  std::vector<std::uint64_t> sums;
  const auto note = [&] {
    frames.push_back(history.Capture());
    sums.push_back(acre::Checksum(table.arena, *table.match));
  };
  note();
  for (std::int32_t tic = 0; tic < tics; ++tic) {
    Play(table.arena, *table.match, inputs, tics);
    note();
    if (tic + 1 < back) continue;
    // Only what is the same twice may be relied on by another machine.
    history.Restore(frames[frames.size() - 1 - static_cast<std::size_t>(back)]);
    for (std::int32_t k = 0; k < back; ++k) {
      Play(table.arena, *table.match, inputs, tics);
      const auto now = static_cast<std::size_t>(table.match->tic);
      if (acre::Checksum(table.arena, *table.match) == sums[now]) continue;
      fmt::print("  tic {} played again gives another state:\n", now);
      acre::Arena other({.name = "played again"});
      const Match* again = acre::DeepCopy(other, *table.match);
      history.Restore(frames[now]);
      fmt::print("{}", acre::ToText(acre::Diff(*table.match, *again,
                                               {.max_differences = 10})));
      return false;
    }
    history.Restore(frames.back());
  }
  fmt::print("  {} tics, checksums agree\n", tics);
  return true;
}

bool FindDesync(const Wad& wad, std::int32_t tics) {
  fmt::print("Desync: two worlds, one of which is spoilt\n");
  const std::vector<Input> inputs = MakeInputs(tics, LevelsOf(wad));
  Table mine(wad);
  Table theirs(wad);
  for (std::int32_t tic = 0; tic <= tics; ++tic) {
    if (tic == tics / 2) {
      for (auto& [name, level] : theirs.match->world->levels) {
        if (level->things.empty()) continue;
        level->things.back().health -= 3;
        break;
      }
    }
    const bool is_same = acre::Checksum(mine.arena, *mine.match) ==
                         acre::Checksum(theirs.arena, *theirs.match);
    if (!is_same) {
      const acre::DiffReport report = acre::Diff(*mine.match, *theirs.match);
      fmt::print("  tic {}: the worlds have parted\n{}", tic,
                 acre::ToText(report));
      return tic == tics / 2 && report.differences.size() == 1 &&
             report.differences[0].path.ends_with(".health");
    }
    Play(mine.arena, *mine.match, inputs, tics);
    Play(theirs.arena, *theirs.match, inputs, tics);
  }
  fmt::print("  nothing was found\n");
  return false;
}

}  // namespace game
