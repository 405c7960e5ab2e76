// SPDX-License-Identifier: MIT
//
// Phase change: fill with blocks of one size, free them all, fill with blocks
// of another. What is held at most, over the bytes asked for in a phase: 1 is
// ideal, 2 means that no phase could use what the one before had freed. Each
// in a process of its own.
//
// Waste: bytes of a full chunk (of malloc's heap) that are not what was asked
// for, rounding, headers and tails, over those that are.

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "allocators.h"
#include "child.h"
#include "perf.h"

namespace perf {
namespace {

// Draws the sizes of a phase.
using Draw = std::size_t (*)(Random& random);
struct Phase {
  const char* name;
  Draw draw;
};
constexpr Phase kPhases[] = {
    {"48 B", [](Random&) -> std::size_t { return 48; }},
    {"64 B", [](Random&) -> std::size_t { return 64; }},
    {"200 B", [](Random&) -> std::size_t { return 200; }},
    {"arrays",
     [](Random& random) -> std::size_t {
       return 1024 * (1 + random.Below(16));
     }},
};
struct Live {
  void* block;
  std::size_t bytes;
};

// 192 MiB: the chunk in use, 4 MiB, is two percent of it.
std::size_t PhaseBytes() { return BySmoke<std::size_t>(1 << 20, 192 << 20); }

template <class A>
void RunPhase(A& allocator, const Phase& phase, Live* blocks,
              std::size_t* used) {
  Random random(4);
  while (*used != 0) {
    --*used;
    allocator.Free(blocks[*used].block, blocks[*used].bytes);
  }
  for (std::size_t bytes = 0; bytes < PhaseBytes();) {
    const std::size_t size = phase.draw(random);
    void* block = allocator.Allocate(size);
    // Touched whole, so that all of it is resident.
    std::memset(block, 1, size);
    blocks[(*used)++] = {block, size};
    bytes += size;
  }
}

// `held(allocator, before)` is asked after each phase.
template <class A>
double Footprint(std::size_t phases, const auto& held) {
  const std::size_t most = PhaseBytes() / 48 + 1;
  auto* blocks =
      static_cast<Live*>(GC_malloc_uncollectable(most * sizeof(Live)));
  std::memset(static_cast<void*>(blocks), 1, most * sizeof(Live));
  const auto allocator = std::make_unique<A>();
  const std::size_t before = ResidentBytes();
  std::size_t used = 0;
  std::size_t peak = 0;
  for (std::size_t i = 0; i < phases; ++i) {
    RunPhase(*allocator, kPhases[i], blocks, &used);
    peak = std::max(peak, held(*allocator, before));
  }
  return static_cast<double>(peak) / static_cast<double>(PhaseBytes());
}

std::string CellName(std::size_t phases) {
  std::string name = kPhases[0].name;
  for (std::size_t i = 1; i < phases; ++i) {
    name += std::string(", ") + kPhases[i].name;
  }
  return name;
}

template <class A>
void AddOne(const std::string& cell, const char* name, std::size_t phases,
            auto held) {
  AddInChild("footprint", cell, name,
             [=] { return Footprint<A>(phases, held); });
}

template <class A>
void AddResident(const char* name, std::size_t phases) {
  AddOne<A>("resident: " + CellName(phases), name, phases,
            [](const A&, std::size_t before) {
              const std::size_t now = ResidentBytes();
              return now > before ? now - before : 0;
            });
}

constexpr Phase kWasted[] = {
    {"16 B", [](Random&) -> std::size_t { return 16; }},
    {"48 B", [](Random&) -> std::size_t { return 48; }},
    {"mixed 8-256 B",
     [](Random& random) -> std::size_t { return 8 + random.Below(249); }},
    {"arrays 1-16 KiB", kPhases[3].draw},
};

std::size_t WastedBytes() { return BySmoke<std::size_t>(1 << 20, 64 << 20); }

/// Draws until WastedBytes() are taken; how many were asked for.
std::size_t TakeAll(Draw draw, const auto& take) {
  Random random(4);
  std::size_t asked = 0;
  while (asked < WastedBytes()) {
    const std::size_t size = draw(random);
    take(size);
    asked += size;
  }
  return asked;
}

double WasteOf(std::size_t held, std::size_t asked) {
  return static_cast<double>(held) / static_cast<double>(asked) - 1;
}

template <class Arena>
double WasteInChunks(Draw draw) {
  Arena arena;
  const std::size_t asked =
      TakeAll(draw, [&](std::size_t size) { Sink(arena.Allocate(size)); });
  // What is left of the last chunk is not wasted yet.
  return WasteOf(arena.stats().reserved - arena.remaining(), asked);
}

double WasteInMalloc(Draw draw) {
  const auto held = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = held();
  const std::size_t asked =
      TakeAll(draw, [](std::size_t size) { Sink(std::malloc(size)); });
  return WasteOf(held() - before, asked);
}

void AddWaste(const Phase& phase, const char* name, double (*waste)(Draw)) {
  AddInChild("waste", phase.name, name, [=] { return waste(phase.draw); });
}

}  // namespace

void DefineCells() {
  for (const Phase& phase : kWasted) {
    AddWaste(phase, "acre::Arena", WasteInChunks<acre::Arena>);
    AddWaste(phase, "acre::BumpArena", WasteInChunks<acre::BumpArena>);
    AddWaste(phase, "malloc", WasteInMalloc);
  }
  using Arena = Acre<acre::Arena>;
  for (std::size_t phases = 2; phases <= std::size(kPhases); ++phases) {
    AddOne<Arena>("reserved: " + CellName(phases), "acre::Arena", phases,
                  [](const Arena& acre, std::size_t) {
                    return acre.arena.stats().reserved;
                  });
    AddResident<Arena>("acre::Arena", phases);
    AddResident<MallocCalls>("malloc", phases);
    if (LoadMimalloc() != nullptr) {
      AddResident<MimallocCalls>("mimalloc", phases);
    }
    if (LoadJemalloc() != nullptr) {
      AddResident<JemallocCalls>("jemalloc", phases);
    }
    AddResident<CollectorCalls>("GC_malloc", phases);
  }
}

}  // namespace perf
