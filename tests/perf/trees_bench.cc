// SPDX-License-Identifier: MIT
//
// Two programs that allocators are compared by, each as a whole: binary-trees
// of the Computer Language Benchmarks Game (depth 18), and the shape of Hans
// Boehm's GCBench (a stretch tree, a long-lived tree and array, short-lived
// trees made from the top and from the bottom). Nanoseconds a node, what it
// takes to give them back included.

#include <gc.h>

#include <cstdlib>
#include <memory>
#include <memory_resource>
#include <vector>

#include "acre/arena.h"
#include "perf.h"

namespace perf {
namespace {

struct Tree {
  Tree* left;
  Tree* right;
  std::int32_t i;  // GCBench's; untouched by binary-trees
  std::int32_t j;
};
ACRE_LAYOUT(Tree, left, right, i, j)

// Interface: Tree* New(left, right); void Drop(Tree* all that was made).

struct InArena {
  acre::Arena arena;
  Tree* New(Tree* left, Tree* right) { return arena.New<Tree>(left, right); }
  void Drop(Tree*) { arena.Reset(); }
};

struct InPmr {
  // The largest tree, depth 19, has 2^20 nodes.
  static constexpr std::size_t kBuffer = (std::size_t{1} << 20) * sizeof(Tree);
  std::unique_ptr<std::byte[]> buffer{new std::byte[kBuffer]};
  std::pmr::monotonic_buffer_resource memory{buffer.get(), kBuffer};

  Tree* New(Tree* left, Tree* right) {
    return new (memory.allocate(sizeof(Tree), alignof(Tree)))
        Tree{left, right, 0, 0};
  }
  void Drop(Tree*) { memory.release(); }
};

struct ByMalloc {
  Tree* New(Tree* left, Tree* right) {
    return new (std::malloc(sizeof(Tree))) Tree{left, right, 0, 0};
  }
  void Drop(Tree* tree) {
    if (tree == nullptr) return;
    Drop(tree->left);
    Drop(tree->right);
    std::free(tree);
  }
};

struct Collected {
  Tree* New(Tree* left, Tree* right) {
    return new (GC_malloc(sizeof(Tree))) Tree{left, right, 0, 0};
  }
  void Drop(Tree*) {}
};

template <class A>
Tree* BottomUp(A& allocation, int depth) {
  if (depth == 0) return allocation.New(nullptr, nullptr);
  Tree* left = BottomUp(allocation, depth - 1);
  return allocation.New(left, BottomUp(allocation, depth - 1));
}

template <class A>
void Populate(A& allocation, Tree* tree, int depth) {
  if (depth == 0) return;
  tree->left = allocation.New(nullptr, nullptr);
  tree->right = allocation.New(nullptr, nullptr);
  Populate(allocation, tree->left, depth - 1);
  Populate(allocation, tree->right, depth - 1);
}

std::size_t CountNodes(const Tree* tree) {
  if (tree == nullptr) return 0;
  return 1 + CountNodes(tree->left) + CountNodes(tree->right);
}

std::size_t NodesOf(int depth) { return (std::size_t{2} << depth) - 1; }

// Each program returns how many nodes it made. Short-lived trees have an
// allocator of their own, so that dropping one ends nothing else.

template <class A>
std::size_t BinaryTrees(A& lasting, A& passing, int max_depth) {
  constexpr int kMinDepth = 4;
  Tree* stretch = BottomUp(passing, max_depth + 1);
  std::size_t made = CountNodes(stretch);
  passing.Drop(stretch);
  Tree* long_lived = BottomUp(lasting, max_depth);
  for (int depth = kMinDepth; depth <= max_depth; depth += 2) {
    const int count = 1 << (max_depth - depth + kMinDepth);
    for (int i = 0; i < count; ++i) {
      Tree* tree = BottomUp(passing, depth);
      made += CountNodes(tree);
      passing.Drop(tree);
    }
  }
  made += CountNodes(long_lived);
  lasting.Drop(long_lived);
  return made;
}

template <class A>
std::size_t GcBench(A& lasting, A& passing, int stretch_depth) {
  constexpr int kMinDepth = 4;
  constexpr std::size_t kArray = 500'000;
  const int max_depth = stretch_depth - 2;
  Tree* stretch = BottomUp(passing, stretch_depth);
  Sink(stretch);
  passing.Drop(stretch);
  Tree* long_lived = lasting.New(nullptr, nullptr);
  Populate(lasting, long_lived, max_depth);
  // Not scanned, as GCBench has it, and the same for all.
  std::vector<double> array(kArray, 1.0);
  Sink(array.data());
  std::size_t made = NodesOf(stretch_depth) + NodesOf(max_depth);
  for (int depth = kMinDepth; depth <= max_depth; depth += 2) {
    const std::size_t count = 2 * NodesOf(stretch_depth) / NodesOf(depth);
    for (std::size_t i = 0; i < count; ++i) {
      Tree* top_down = passing.New(nullptr, nullptr);
      Populate(passing, top_down, depth);
      Sink(top_down);
      passing.Drop(top_down);
      Tree* bottom_up = BottomUp(passing, depth);
      Sink(bottom_up);
      passing.Drop(bottom_up);
      made += 2 * NodesOf(depth);
    }
  }
  Sink(long_lived);
  lasting.Drop(long_lived);
  return made;
}

template <class A>
void AddAllocation(const char* name) {
  const int depth = BySmoke(8, 18);
  const auto add = [&](const char* cell, auto program) {
    Add("trees", cell, name,
        [=](benchmark::State& state) {
          const auto lasting = std::make_unique<A>();
          const auto passing = std::make_unique<A>();
          program(*lasting, *passing, depth);  // warms what they keep
          std::size_t made = 0;
          for ([[maybe_unused]] auto _ : state) {
            made += program(*lasting, *passing, depth);
          }
          state.SetItemsProcessed(static_cast<std::int64_t>(made));
        },
        {.passes = 1});
  };
  add("binary-trees, depth 18", BinaryTrees<A>);
  add("GCBench", GcBench<A>);
}

}  // namespace

void DefineCells() {
  GC_INIT();
  AddAllocation<InArena>("acre::Arena");
  AddAllocation<InPmr>("pmr");
  AddAllocation<ByMalloc>("malloc");
  AddAllocation<Collected>("GC_malloc");
}

}  // namespace perf
