// SPDX-License-Identifier: MIT
//
// DeepCopy of a million nodes into an arena with warm pages, and memcpy of the
// bytes that the same nodes take, into a warm buffer. "(by hand)" is a copy
// written for these very nodes. Nanoseconds a node.

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "acre/deep_copy.h"
#include "copy_by_hand.h"
#include "node.h"
#include "perf.h"

namespace perf {
namespace {

// An arena full of nodes, and what stands for its root.
struct Source {
  acre::Arena arena;
  std::size_t nodes = 0;
  std::function<const void*(acre::Arena&)> copy;
  std::function<const void*(acre::Arena&)> copy_by_hand;  // or none
};

std::shared_ptr<Source> ValueTree() {
  const auto source = std::make_shared<Source>();
  auto* root = source->arena.New<ValueNode>();
  Random random(7);
  source->nodes = FillTree(*root, TreeDepth(), random);
  source->copy = [root](acre::Arena& to) { return acre::DeepCopy(to, *root); };
  return source;
}

std::shared_ptr<Source> PointerSource(const GraphShape& shape) {
  const auto source = std::make_shared<Source>();
  source->nodes = shape.size();
  const Node* root = MakeNodes(source->arena, shape);
  source->copy = [root](acre::Arena& to) { return acre::DeepCopy(to, *root); };
  source->copy_by_hand = [root, from = &source->arena](acre::Arena& to) {
    return CopyByHand(*from, to).Run(root);
  };
  return source;
}

void CopyBytes(const acre::Arena& arena, std::byte* to) {
  arena.ForEachChunk([&](const acre::ChunkInfo& chunk) {
    std::memcpy(to, chunk.begin, chunk.used);
    to += chunk.used;
  });
}

// `pass` is run twice before it is timed, to warm what it writes to and what
// it takes from the system and gives back.
void TimePasses(benchmark::State& state, const Source& source,
                const auto& pass) {
  for (int i = 0; i < 2; ++i) pass();
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(pass());
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(source.nodes));
}

void DeepCopies(benchmark::State& state, const Source& source,
                const std::function<const void*(acre::Arena&)>& copy) {
  acre::Arena target;
  TimePasses(state, source, [&] {
    const double seconds = Seconds([&] { Sink(copy(target)); });
    target.Reset();
    return seconds;
  });
}

void Memcpys(benchmark::State& state, const Source& source) {
  std::vector<std::byte> buffer(source.arena.stats().carved);
  TimePasses(state, source, [&] {
    return Seconds([&] {
      CopyBytes(source.arena, buffer.data());
      Sink(buffer.data());
    });
  });
}

void AddCell(const char* cell, const std::shared_ptr<Source>& source) {
  const Timing timing{.passes = BySmoke(1, 3), .by_body = true};
  Add(
      "copy", cell, "acre::DeepCopy",
      [=](benchmark::State& state) {
        DeepCopies(state, *source, source->copy);
      },
      timing);
  if (source->copy_by_hand) {
    Add(
        "copy", cell, "(by hand)",
        [=](benchmark::State& state) {
          DeepCopies(state, *source, source->copy_by_hand);
        },
        timing);
  }
  Add(
      "copy", cell, "memcpy",
      [=](benchmark::State& state) { Memcpys(state, *source); }, timing);
}

}  // namespace

void DefineCells() {
  AddCell("tree, by value", ValueTree());
  AddCell("tree of pointers", PointerSource(TreeShape()));
  AddCell("graph", PointerSource(CyclicShape()));
}

}  // namespace perf
