// SPDX-License-Identifier: MIT
//
// Guards History as a whole: long random programs of an arena's verbs and its
// containers, captured, restored back and forth, and played again, against
// copies of what should be there.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/gc.h"
#include "acre/history.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/shared_memory.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace history_model_test {

using acre::FrameId;
using acre::History;
using acre::PageTracking;
using acre_test::CountingSource;
using acre_test::Scaled;

struct Node {
  acre::String name;
  Node* next = nullptr;
};
ACRE_LAYOUT(Node, name, next)

struct World {
  acre::Map<std::uint32_t, acre::String> names;
  acre::Vector<Node*> nodes;
  acre::Vector<acre::Vector<std::uint64_t>> rows;
};
ACRE_LAYOUT(World, names, nodes, rows)

struct Block {
  unsigned char* bytes;
  std::size_t size;
  std::size_t align;
  std::size_t level;  // marks that were open when it was made
  unsigned char tag;
};

/// What is in the arena, as far as a program of it knows.
struct Known {
  World* world = nullptr;
  std::vector<Block> blocks;
  std::vector<acre::Mark> marks;
};

/// That and everything that can be asked.
struct Picture {
  Known known;
  std::string contents;
  std::string stats;
};

class Program {
 public:
  explicit Program(acre::Arena& arena) : arena_(arena) { NewWorld(); }

  /// The same for one seed and one picture: `trace` is every address given.
  std::string Play(std::uint64_t seed, int steps) {
    random_.seed(seed);
    trace_.clear();
    for (int i = 0; i < steps; ++i) Step();
    return trace_;
  }

  Picture Take() const { return {known_, Contents(), Stats()}; }
  void Put(const Known& known) { known_ = known; }
  int errors() const { return errors_; }
  bool gave_back() const { return gave_back_; }
  /// How often large chunks may have gone back to the source.
  int gifts() const { return gifts_; }
  void set_gave_back(bool value) { gave_back_ = value; }

 private:
  std::uint64_t Below(std::uint64_t n) { return random_() % n; }
  void Expect(bool condition) { errors_ += !condition; }
  void Trace(const void* p) {
    trace_ += std::to_string(reinterpret_cast<std::uintptr_t>(p)) + " ";
  }

  void NewWorld() {
    known_.world = arena_.New<World>();
    Trace(known_.world);
  }

  void Step() {
    World& world = *known_.world;
    const bool is_marked = !known_.marks.empty();
    switch (const std::uint64_t dice = Below(200)) {
      default:
        if (dice < 70) return Make();
        if (dice < 120) return Drop();
        // Containers older than a mark must not grow.
        if (is_marked) return;
        if (dice < 150) {
          const auto key = static_cast<std::uint32_t>(Below(300));
          world.names[key] = std::string(Below(60), 'a' + char(key % 26));
        } else if (dice < 165) {
          world.names.erase(static_cast<std::uint32_t>(Below(300)));
        } else if (dice < 185) {
          if (world.rows.size() < 40) world.rows.emplace_back();
          world.rows[Below(world.rows.size())].push_back(random_());
        } else if (dice < 193) {
          Node* node = arena_.New<Node>();
          node->name = std::to_string(random_());
          if (!world.nodes.empty()) node->next = world.nodes[0];
          world.nodes.insert(world.nodes.begin(), node);
          Trace(node);
        }
        return;
      case 193:
        if (is_marked || world.nodes.empty()) return;
        for (Node* node : world.nodes) arena_.Free(node);
        return world.nodes.clear();
      case 194:
      case 195:
        if (known_.marks.size() == 3) return;
        return known_.marks.push_back(arena_.Checkpoint());
      case 196:
      case 197: {
        if (!is_marked) return;
        known_.marks.resize(Below(known_.marks.size()) + 1);
        arena_.Rewind(known_.marks.back());
        known_.marks.pop_back();
        return (void)std::erase_if(known_.blocks, [&](const Block& block) {
          return block.level > known_.marks.size();
        });
      }
      case 198:
        // As a frame loop that keeps its containers: rarely.
        if (Below(4) != 0) return;
        known_.blocks.clear();
        known_.marks.clear();
        if (arena_.stats().large_blocks != 0) ++gifts_;
        switch (Below(4)) {
          case 0:
            arena_.Reset(acre::ResetMode::kClear);
            break;
          case 1:
            gave_back_ = true;
            ++gifts_;
            arena_.Reset(acre::ResetMode::kRelease);
            break;
          default:
            arena_.Reset();
        }
        return NewWorld();
      case 199:
        if (!world.rows.empty() && !is_marked) {
          world.rows.erase(world.rows.begin());
        }
    }
  }

  void Make() {
    Block block{nullptr, Below(200), 16, known_.marks.size(),
                static_cast<unsigned char>(Below(256))};
    if (Below(10) == 0) block.size = Below(6000);
    if (Below(50) == 0) block.size = Below(600000);
    if (Below(12) == 0) block.align = std::size_t{1} << Below(13);
    block.bytes = static_cast<unsigned char*>(
        arena_.TryAllocate(block.size, block.align));
    if (block.bytes == nullptr) return;
    Trace(block.bytes);
    std::memset(block.bytes, block.tag, block.size);
    known_.blocks.push_back(block);
  }

  void Drop() {
    auto& blocks = known_.blocks;
    if (blocks.empty()) return;
    std::swap(blocks[Below(blocks.size())], blocks.back());
    const Block block = blocks.back();
    blocks.pop_back();
    Expect(IsWhole(block));
    if (block.size > 200000) {
      gave_back_ = true;
      ++gifts_;
    }
    arena_.Free(block.bytes, block.size, block.align);
  }

  static bool IsWhole(const Block& block) {
    return std::all_of(block.bytes, block.bytes + block.size,
                       [&](unsigned char c) { return c == block.tag; });
  }

  std::string Contents() const {
    std::string text;
    const World& world = *known_.world;
    for (const auto& [key, name] : world.names) {
      text += std::to_string(key) + "=" + std::string(name.view()) + " ";
    }
    for (const Node* node : world.nodes) {
      text += std::to_string(reinterpret_cast<std::uintptr_t>(node->next));
      text += std::string(node->name.view()) + " ";
    }
    for (const auto& row : world.rows) {
      for (const std::uint64_t value : row) text += std::to_string(value) + " ";
      text += "| ";
    }
    for (const Block& block : known_.blocks) text += IsWhole(block) ? '.' : '!';
    for (const acre::Mark mark : known_.marks) {
      text += arena_.IsOpen(mark) ? 'm' : '?';
    }
    return text;
  }

  std::string Stats() const {
    const acre::ArenaStats s = arena_.stats();
    std::string text;
    for (const std::uint64_t value :
         {std::uint64_t{s.chunks}, std::uint64_t{s.spare_chunks},
          std::uint64_t{s.large_blocks}, std::uint64_t{s.reserved},
          std::uint64_t{s.carved}, std::uint64_t{s.freed},
          std::uint64_t{s.current_used}, std::uint64_t{s.current_size},
          s.resets}) {
      text += std::to_string(value) + " ";
    }
    return text;
  }

  acre::Arena& arena_;
  std::mt19937_64 random_;
  Known known_;
  std::string trace_;
  bool gave_back_ = false;
  int gifts_ = 0;
  int errors_ = 0;
};

struct Kept {
  Picture picture;
  // What was played after it, if nothing else was.
  std::optional<std::uint64_t> seed = {};
  int gifts = 0;  // before it
  int steps = 0;
  std::string trace = {};
  std::string stats_after = {};
  std::string contents_after = {};
};

struct Result {
  int restores = 0;
  int replays = 0;
  int exact_replays = 0;
};

/// What differs when a program is played again: statistics where all memory is
/// one chunk, which does not get shorter; at a limit the arena gives spares to
/// the source, which need not come back at the same place.
enum class Exact { kAll, kAddresses, kNothing };

Result Run(acre::Arena& arena, PageTracking tracking, std::uint64_t seed,
           int rounds, std::size_t frames, Exact exact = Exact::kAll) {
  Result result;
  Program program(arena);
  History history(arena, {.frames = frames, .tracking = tracking});
  std::map<FrameId, Kept> kept;
  std::mt19937_64 random(seed);
  std::optional<FrameId> at;  // where nothing was done since
  for (int round = 0; round < rounds; ++round) {
    switch (random() % 5) {
      case 0:
      case 1: {
        const FrameId before = history.current();
        const FrameId frame = history.Capture();
        REQUIRE(frame > before);
        kept.erase(kept.upper_bound(before), kept.end());
        kept[frame] = {program.Take()};
        if (kept.size() > frames) kept.erase(kept.begin());
        at = frame;
        REQUIRE(history.frames() == kept.size());
        REQUIRE(history.oldest() == kept.begin()->first);
        REQUIRE(history.newest() == frame);
        break;
      }
      case 2: {
        if (kept.empty()) break;
        auto it = kept.begin();
        std::advance(it, random() % kept.size());
        history.Restore(it->first);
        const Kept& then = it->second;
        program.Put(then.picture.known);
        const Picture now = program.Take();
        REQUIRE(now.contents == then.picture.contents);
        REQUIRE(now.stats == then.picture.stats);
        REQUIRE(history.current() == it->first);
        ++result.restores;
        at = it->first;
        if (then.seed && random() % 2 == 0) {
          // A chunk that stood aside then may have gone back to the source
          // since, as no frame has it.
          program.set_gave_back(program.gifts() != then.gifts);
          const std::string trace = program.Play(*then.seed, then.steps);
          ++result.replays;
          // What was given to the source may come back elsewhere.
          if (!program.gave_back() && exact != Exact::kNothing) {
            REQUIRE(trace == then.trace);
            const Picture after = program.Take();
            REQUIRE(after.contents == then.contents_after);
            if (exact == Exact::kAll) {
              REQUIRE(after.stats == then.stats_after);
            }
            ++result.exact_replays;
          }
          at.reset();
        }
        break;
      }
      default: {
        const std::uint64_t play = random();
        const int steps = static_cast<int>(random() % 60);
        program.set_gave_back(false);
        const int gifts = program.gifts();
        const std::string trace = program.Play(play, steps);
        if (at) {
          const Picture after = program.Take();
          kept[*at].seed = play;
          kept[*at].gifts = gifts;
          kept[*at].steps = steps;
          kept[*at].trace = trace;
          kept[*at].stats_after = after.stats;
          kept[*at].contents_after = after.contents;
          at.reset();
        }
      }
    }
  }
  REQUIRE(program.errors() == 0);
  return result;
}

TEST_CASE("random programs come back as they were, and play the same again") {
  const int rounds = Scaled(1500, 150);
  for (const PageTracking tracking :
       {PageTracking::kComparing, PageTracking::kKernel}) {
    for (std::uint64_t seed = 1; seed <= Scaled(6, 2); ++seed) {
      CAPTURE(seed);
      CAPTURE(static_cast<int>(tracking));
      SUBCASE("chunks of malloc") {
        CountingSource source;
        {
          acre::Arena arena({.name = "model",
                             .source = &source,
                             .first_chunk = seed % 2 == 0 ? 4096u : 1u << 20});
          const Result result = Run(arena, tracking, seed, rounds, 8);
          CHECK(result.restores > rounds / 10);
          CHECK(result.replays > 0);
        }
        CHECK(source.held.empty());
        CHECK_FALSE(source.broken);
      }
      SUBCASE("one growing range") {
        acre::MmapSource source({.reserve = std::size_t{1} << 30});
        acre::Arena arena({.name = "model", .source = &source});
        const Result result =
            Run(arena, tracking, seed, rounds, 3, Exact::kAddresses);
        CHECK(result.exact_replays > 0);
      }
      SUBCASE("shared memory") {
        acre::SharedMemorySource source({.bytes = std::size_t{64} << 20});
        acre::Arena arena({.name = "model", .source = &source});
        Run(arena, tracking, seed, rounds, 16, Exact::kAddresses);
      }
      SUBCASE("the collected heap") {
        acre::Arena arena({.name = "model"});
        const Result result = Run(arena, tracking, seed, rounds, 16);
        CHECK(result.exact_replays > 0);
      }
      SUBCASE("a limit") {
        CountingSource source;
        acre::Arena arena({.name = "model",
                           .source = &source,
                           .byte_limit = std::size_t{4} << 20});
        Run(arena, tracking, seed, rounds, 1, Exact::kNothing);
      }
    }
  }
}

}  // namespace history_model_test
