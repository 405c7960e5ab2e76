// SPDX-License-Identifier: MIT
//
// Free one block, allocate another: which one and what size is random, 16 to
// 128 bytes, with 1k (in cache) and 100k (not in cache) blocks alive.
// Nanoseconds a pair. "loop alone" is what the loop costs without allocator.

#include <memory>
#include <string>
#include <vector>

#include "allocators.h"
#include "perf.h"

namespace perf {
namespace {

struct Step {
  std::uint32_t slot;  // which block is freed and replaced
  std::uint16_t bytes;
};

std::uint16_t DrawSize(Random& random) {
  return static_cast<std::uint16_t>(8 * (2 + random.Below(15)));
}

std::vector<Step> DrawSteps(std::size_t live) {
  Random random(2);
  std::vector<Step> steps(std::size_t{1} << 16);
  for (Step& step : steps) {
    step = {static_cast<std::uint32_t>(random.Below(live)), DrawSize(random)};
  }
  return steps;
}

struct Live {
  void* block;
  std::size_t bytes;
};

struct LoopAlone {
  std::uint64_t place[16];
  void* Allocate(std::size_t) { return place; }
  void Free(void*, std::size_t) {}
};

template <class A>
void Churn(benchmark::State& state, A& allocator, std::size_t live) {
  const std::vector<Step> steps = DrawSteps(live);
  Random random(3);
  // In the collected heap's sight: for GC_malloc this is what keeps blocks.
  auto* blocks =
      static_cast<Live*>(GC_malloc_uncollectable(live * sizeof(Live)));
  for (std::size_t i = 0; i < live; ++i) {
    const std::size_t bytes = DrawSize(random);
    blocks[i] = {allocator.Allocate(bytes), bytes};
    // No first touch is timed: allocators differ in what they have touched.
    *static_cast<std::uint64_t*>(blocks[i].block) = i;
  }
  for ([[maybe_unused]] auto _ : state) {
    for (const Step& step : steps) {
      Live& at = blocks[step.slot];
      allocator.Free(at.block, at.bytes);
      at = {allocator.Allocate(step.bytes), step.bytes};
      *static_cast<std::uint64_t*>(at.block) = step.slot;
      Sink(at.block);
    }
  }
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(steps.size()));
  for (std::size_t i = 0; i < live; ++i) {
    allocator.Free(blocks[i].block, blocks[i].bytes);
  }
  GC_free(blocks);
}

struct Cell {
  std::string name;
  std::size_t live;
  const char* group = "free";
};

template <class A>
void AddAllocator(const Cell& cell, const char* name) {
  Add(cell.group, cell.name, name, [live = cell.live](benchmark::State& state) {
    const auto allocator = std::make_unique<A>();
    Churn(state, *allocator, live);
  });
}

void AddCell(const Cell& cell) {
  AddAllocator<LoopAlone>(cell, "(loop alone)");
  AddAllocator<Acre<acre::Arena>>(cell, "acre::Arena");
  AddAllocator<Freelists>(cell, "hand bump, freelists");
  AddAllocator<PmrPool>(cell, "pmr pool");
  AddAllocator<MallocCalls>(cell, "malloc");
  AddAllocator<CollectorCalls>(cell, "GC_malloc");
  if (LoadMimalloc() != nullptr) {
    AddAllocator<MimallocCalls>(cell, "mimalloc");
  }
  if (LoadJemalloc() != nullptr) {
    AddAllocator<JemallocCalls>(cell, "jemalloc");
  }
}

}  // namespace

void DefineCells() {
  GC_INIT();
  AddCell({"Free + New, 1k live", BySmoke<std::size_t>(100, 1'000)});
  AddCell({"Free + New, 100k live", BySmoke<std::size_t>(1'000, 100'000)});
  // For curves.
  if (is_smoke() || round() != 0) return;
  for (std::size_t n = 10; n <= 1'000'000; n *= 10) {
    AddCell({"Free + New " + PowerOfTen(n), n, "free-between"});
  }
}

}  // namespace perf
