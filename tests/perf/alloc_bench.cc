// SPDX-License-Identifier: MIT
//
// New until `count` objects are alive, then Reset: hot (4k objects, in cache)
// and 1M objects; 16 B, 64 B, and sizes drawn from 8..256 B. Nanoseconds an
// object, its share of the Reset included. And the price of Reset a chunk.

#include <memory>
#include <string>
#include <vector>

#include "acre/gc.h"
#include "allocators.h"
#include "perf.h"

#ifdef ACRE_PERF_BUMPALO
#include "bumpalo.h"
#endif
#ifdef ACRE_PERF_LLVM
#include <llvm/Support/Allocator.h>
#endif
#ifdef ACRE_PERF_PROTOBUF
#include <google/protobuf/arena.h>
#endif

namespace perf {
namespace {

constexpr std::size_t kSizes = 4096;  // a power of two

const std::vector<std::uint16_t>& Sizes() {
  static const std::vector<std::uint16_t> sizes = [] {
    Random random(1);
    std::vector<std::uint16_t> drawn(kSizes);
    for (auto& size : drawn) {
      size = static_cast<std::uint16_t>(8 * (1 + random.Below(32)));
    }
    return drawn;
  }();
  return sizes;
}

#ifdef ACRE_PERF_LLVM
template <std::size_t kSlab>
struct Llvm : ByBytes<Llvm<kSlab>> {
  llvm::BumpPtrAllocatorImpl<llvm::MallocAllocator, kSlab, kSlab> bump;

  void* Allocate(std::size_t bytes) {
    return bump.Allocate(bytes, llvm::Align(16));
  }
  void Reset() { bump.Reset(); }
};
#endif

#ifdef ACRE_PERF_PROTOBUF
struct Protobuf : ByBytes<Protobuf> {
  struct alignas(16) Unit {
    std::byte bytes[16];
  };
  google::protobuf::Arena arena;

  void* Allocate(std::size_t bytes) {
    const std::size_t units = (bytes + sizeof(Unit) - 1) / sizeof(Unit);
    return google::protobuf::Arena::CreateArray<Unit>(&arena, units);
  }
  void Reset() { arena.Reset(); }
};
#endif

// A size of 0 stands for mixed sizes.
struct Cell {
  std::string name;
  std::size_t bytes;
  std::size_t count;
  const char* group = "alloc";
};

template <std::size_t kBytes, class A>
void Pass(A& allocator, std::size_t count) {
  const std::uint16_t* sizes = Sizes().data();
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (kBytes != 0) {
      Sink(allocator.template New<kBytes>(i));
    } else {
      void* block = allocator.Allocate(sizes[i % kSizes]);
      *static_cast<std::uint64_t*>(block) = i;
      Sink(block);
    }
  }
  allocator.Reset();
}

template <class A>
void PassOf(const Cell& cell, A& allocator) {
  switch (cell.bytes) {
    case 16:
      return Pass<16>(allocator, cell.count);
    case 64:
      return Pass<64>(allocator, cell.count);
    default:
      return Pass<0>(allocator, cell.count);
  }
}

// `pass` is one round: allocate, Reset. Two of them before the clock starts:
// what is kept across Reset is then there (bumpalo keeps its largest chunk,
// which holds everything from the second on), and its pages are warm.
void Run(benchmark::State& state, const Cell& cell, const auto& pass) {
  pass();
  pass();
  for ([[maybe_unused]] auto _ : state) pass();
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(cell.count));
}

template <class A>
void AddAllocator(const Cell& cell, const char* name, auto... arguments) {
  Add(cell.group, cell.name, name, [=](benchmark::State& state) {
    // On the heap: a local whose address stays local would live in registers.
    const auto allocator = std::make_unique<A>(arguments...);
    Run(state, cell, [&] { PassOf(cell, *allocator); });
  });
}

void AddBumpalo([[maybe_unused]] const Cell& cell) {
#ifdef ACRE_PERF_BUMPALO
  Add(cell.group, cell.name, "bumpalo", [=](benchmark::State& state) {
    void* bump = acre_perf_bumpalo_new();
    Run(state, cell, [&] {
      switch (cell.bytes) {
        case 16:
          return acre_perf_bumpalo_16(bump, cell.count);
        case 64:
          return acre_perf_bumpalo_64(bump, cell.count);
        default:
          return acre_perf_bumpalo_mixed(bump, cell.count, Sizes().data(),
                                         kSizes - 1);
      }
    });
    acre_perf_bumpalo_delete(bump);
  });
#endif
}

void AddLlvm([[maybe_unused]] const Cell& cell) {
#ifdef ACRE_PERF_LLVM
  AddAllocator<Llvm<4096>>(cell, "llvm");
  AddAllocator<Llvm<std::size_t{1} << 20>>(cell, "llvm 1 MiB");
#endif
}

void AddProtobuf([[maybe_unused]] const Cell& cell) {
#ifdef ACRE_PERF_PROTOBUF
  AddAllocator<Protobuf>(cell, "protobuf");
#endif
}

void AddCell(const Cell& cell) {
  const std::size_t most = cell.bytes == 0 ? 256 : cell.bytes;
  AddAllocator<Acre<acre::BumpArena>>(cell, "acre::BumpArena");
  AddAllocator<Acre<acre::Arena>>(cell, "acre::Arena");
  AddAllocator<Bump>(cell, "hand bump");
  AddAllocator<Freelists>(cell, "hand bump, freelists");
  AddBumpalo(cell);
  AddAllocator<PmrBuffer>(cell, "pmr, big buffer", most * cell.count + 4096);
  AddAllocator<PmrDefault>(cell, "pmr");
  AddLlvm(cell);
  AddProtobuf(cell);
  if (LoadMimalloc() != nullptr) {
    AddAllocator<MimallocHeap>(cell, "mimalloc heap");
  }
  AddAllocator<Listed<MallocCalls>>(cell, "malloc", cell.count);
  AddAllocator<Collected>(cell, "GC_malloc", cell.count);
}

// The time of Reset alone, for each chunk in use.
void AddReset(std::size_t bytes) {
  const std::size_t count = BySmoke<std::size_t>(10'000, 1'000'000);
  const std::string name = "Reset of 1M " + std::to_string(bytes) + " B";
  Add("alloc", name + " per chunk", "acre::Arena",
      [=](benchmark::State& state) {
        acre::Arena arena;
        std::size_t chunks = 0;
        for ([[maybe_unused]] auto _ : state) {
          for (std::size_t i = 0; i < count; ++i) Sink(arena.Allocate(bytes));
          chunks += arena.stats().chunks;
          state.SetIterationTime(Seconds([&] { arena.Reset(); }));
        }
        state.SetItemsProcessed(static_cast<std::int64_t>(chunks));
      },
      {.passes = BySmoke(1, 20), .by_body = true});
}

// Arenas that are small: made, ten objects, ended. Nanoseconds for all of it.
template <class Work>
void AddSmall(const std::string& cell, const std::string& name, Work work) {
  Add("alloc", cell, name, [=](benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state) work();
    state.SetItemsProcessed(state.iterations());
  });
}

void AddSmallArenas() {
  constexpr int kObjects = 10;
  constexpr std::size_t kBytes = 48;
  const auto fill = [](auto& arena) {
    for (int i = 0; i < kObjects; ++i) Sink(arena.Allocate(kBytes));
  };
  AddSmall("an arena of ten objects", "acre::Arena", [=] {
    acre::Arena arena;
    fill(arena);
  });
  AddSmall("an arena of ten objects", "acre::Arena, malloc", [=] {
    acre::Arena arena({.source = &acre::MallocSource::Instance()});
    fill(arena);
  });
  AddSmall("an arena of ten objects", "pmr", [] {
    std::pmr::monotonic_buffer_resource arena;
    for (int i = 0; i < kObjects; ++i) Sink(arena.allocate(kBytes));
  });
  AddSmall("a collected arena of ten objects", "acre::Arena",
           [=] { fill(*acre::NewCollectedArena()); });
  AddSmall("a collected arena of ten objects", "GC_malloc", [] {
    for (int i = 0; i < kObjects; ++i) Sink(GC_malloc(kBytes));
  });
}

}  // namespace

void DefineCells() {
  const std::size_t hot = BySmoke<std::size_t>(64, 4096);
  const std::size_t many = BySmoke<std::size_t>(1000, 1'000'000);
  AddCell({"New 16 B, 4k", 16, hot});
  AddCell({"New 64 B, 4k", 64, hot});
  AddCell({"New mixed, 4k", 0, hot});
  AddCell({"New 16 B, 1M", 16, many});
  AddCell({"New 64 B, 1M", 64, many});
  AddCell({"New mixed, 1M", 0, many});
  AddReset(16);
  AddReset(64);
  AddSmallArenas();
  // For curves.
  if (is_smoke() || round() != 0) return;
  for (std::size_t n = 10; n <= 1'000'000; n *= 10) {
    AddCell({"New 64 B " + PowerOfTen(n), 64, n, "alloc-between"});
  }
}

}  // namespace perf
