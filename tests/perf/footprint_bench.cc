// SPDX-License-Identifier: MIT
//
// Phase change: fill with blocks of one size, free them all, fill with blocks
// of another. What is held at most, over the bytes asked for in a phase: 1 is
// ideal, 2 means that no phase could use what the one before had freed. Each
// in a process of its own.

#include <algorithm>
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
  Add("footprint", cell, name, [=](benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) {
      Report(state, InChild([&] { return Footprint<A>(phases, held); }));
    }
  })->Iterations(1);
}

template <class A>
void AddResident(const char* name, std::size_t phases) {
  AddOne<A>("resident: " + CellName(phases), name, phases,
            [](const A&, std::size_t before) {
              const std::size_t now = ResidentBytes();
              return now > before ? now - before : 0;
            });
}

}  // namespace

void DefineCells() {
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
