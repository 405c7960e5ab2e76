// SPDX-License-Identifier: MIT
//
// DeepCopy of a million nodes into an arena with warm pages, and memcpy of the
// bytes that the same nodes take, into a warm buffer. "(by hand)" is a copy
// written for these very nodes. And of four nodes that all know each other, as
// a message is: against std containers, with an unordered_map that knows which
// nodes were copied. And by two threads, against one. And of a game's world:
// some thousand entities, found by number, in order and by place. Nanoseconds a
// node.

#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "acre/deep_copy.h"
#include "acre/map.h"
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
  auto source = std::make_shared<Source>();
  auto* root = source->arena.New<ValueNode>();
  Random random(7);
  source->nodes = FillTree(*root, TreeDepth(), random);
  source->copy = [root](acre::Arena& to) { return acre::DeepCopy(to, *root); };
  return source;
}

std::shared_ptr<Source> PointerSource(const GraphShape& shape) {
  auto source = std::make_shared<Source>();
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
void TimePasses(benchmark::State& state, std::size_t nodes, const auto& pass) {
  for (int i = 0; i < 2; ++i) pass();
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(pass());
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(nodes));
}

void DeepCopies(benchmark::State& state, const Source& source,
                const std::function<const void*(acre::Arena&)>& copy) {
  acre::Arena target;
  TimePasses(state, source.nodes, [&] {
    const double seconds = Seconds([&] { Sink(copy(target)); });
    target.Reset();
    return seconds;
  });
}

void Memcpys(benchmark::State& state, const Source& source) {
  std::vector<std::byte> buffer(source.arena.stats().carved);
  TimePasses(state, source.nodes, [&] {
    return Seconds([&] {
      CopyBytes(source.arena, buffer.data());
      Sink(buffer.data());
    });
  });
}

// `copies`: so many are timed.
void AddCell(const std::string& cell, const std::shared_ptr<Source>& source,
             int copies = BySmoke(1, 3), const char* group = "copy") {
  const Timing timing{.passes = copies, .by_body = true};
  Add(
      group, cell, "acre::DeepCopy",
      [=](benchmark::State& state) {
        DeepCopies(state, *source, source->copy);
      },
      timing);
  if (source->copy_by_hand) {
    Add(
        group, cell, "(by hand)",
        [=](benchmark::State& state) {
          DeepCopies(state, *source, source->copy_by_hand);
        },
        timing);
  }
  Add(
      group, cell, "memcpy",
      [=](benchmark::State& state) { Memcpys(state, *source); }, timing);
}

void AddThreadsCell(const char* cell, const GraphShape& shape) {
  const Timing timing{.passes = BySmoke(1, 3), .by_body = true};
  const auto source = std::make_shared<Source>();
  source->nodes = shape.size();
  const Node* root = MakeNodes(source->arena, shape);
  for (const unsigned threads : {2u, 1u}) {
    const auto copy = [=](acre::Arena& to) {
      return acre::DeepCopy(to, *root, {.threads = threads});
    };
    Add(
        "copy", cell, threads == 2 ? "two threads" : "one thread",
        [=](benchmark::State& state) { DeepCopies(state, *source, copy); },
        timing);
  }
}

// ------------------------------------------------------------------ few nodes

constexpr std::size_t kFew = 4;

/// Everyone is linked with everyone.
GraphShape FewShape() {
  Random random(7);  // the names of TreeShape
  GraphShape shape;
  for (std::size_t i = 0; i < kFew; ++i) {
    shape.names.push_back(DrawName(random));
    shape.links.push_back({0, 1, 2, 3});
  }
  return shape;
}

struct StdNode {
  std::string name;
  std::vector<StdNode*> links;
};
using StdNodes = std::vector<std::unique_ptr<StdNode>>;

StdNodes MakeStdNodes(const GraphShape& shape) {
  StdNodes nodes;
  for (const std::string& name : shape.names) {
    nodes.push_back(std::make_unique<StdNode>(StdNode{name, {}}));
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const auto link : shape.links[i]) {
      nodes[i]->links.push_back(nodes[link].get());
    }
  }
  return nodes;
}

/// What `root` reaches, behind `copies`.
void CopyStd(const StdNode& root, StdNodes& copies) {
  std::unordered_map<const StdNode*, StdNode*> known;
  std::vector<const StdNode*> to_do;
  const auto copy_of = [&](const StdNode* node) {
    StdNode*& copy = known[node];
    if (copy == nullptr) {
      copies.push_back(std::make_unique<StdNode>(StdNode{node->name, {}}));
      copy = copies.back().get();
      to_do.push_back(node);
    }
    return copy;
  };
  copy_of(&root);
  while (!to_do.empty()) {
    const StdNode* node = to_do.back();
    to_do.pop_back();
    StdNode* copy = known[node];
    copy->links.reserve(node->links.size());
    for (const StdNode* link : node->links) {
      copy->links.push_back(copy_of(link));
    }
  }
}

void AddFewCell() {
  constexpr std::size_t kCopies = 1000;
  const GraphShape shape = FewShape();
  const auto source = PointerSource(shape);
  const auto nodes = std::make_shared<StdNodes>(MakeStdNodes(shape));
  const Timing timing{.passes = BySmoke(1, 100), .by_body = true};
  const auto add = [&](const char* name, auto copy_many) {
    Add(
        "copy", "four nodes", name,
        [=](benchmark::State& state) {
          acre::Arena arena;
          StdNodes copies;
          copies.reserve(kCopies * kFew);
          TimePasses(state, kCopies * kFew, [&] {
            const double seconds = Seconds([&] { copy_many(arena, copies); });
            arena.Reset();
            copies.clear();
            return seconds;
          });
        },
        timing);
  };
  add("acre::DeepCopy", [=](acre::Arena& arena, StdNodes&) {
    for (std::size_t i = 0; i < kCopies; ++i) Sink(source->copy(arena));
  });
  add("std", [=](acre::Arena&, StdNodes& copies) {
    for (std::size_t i = 0; i < kCopies; ++i) CopyStd(*nodes->front(), copies);
    Sink(copies.size());
  });
}

// ------------------------------------------------------------------- a world

struct Entity {
  std::uint32_t id = 0;
  std::int32_t health = 100;
  float position[3] = {};
  float velocity[3] = {};
  Entity* target = nullptr;
  acre::Vector<std::uint32_t> carries;
  acre::String name;
};
ACRE_LAYOUT(Entity, id, health, position, velocity, target, carries, name)

struct World {
  acre::Map<std::uint32_t, Entity*> by_id;
  acre::Vector<Entity*> in_order;
  acre::Vector<acre::Vector<Entity*>> by_place;
};
ACRE_LAYOUT(World, by_id, in_order, by_place)

std::shared_ptr<Source> WorldSource() {
  constexpr std::size_t kPlaces = 64 * 64;
  const auto count = BySmoke<std::uint32_t>(200, 20'000);
  const auto source = std::make_shared<Source>();
  source->nodes = count;
  Random random(9);
  auto* world = source->arena.New<World>();
  world->by_place.resize(kPlaces);
  for (std::uint32_t i = 0; i < count; ++i) {
    auto* entity = source->arena.New<Entity>();
    entity->id = i;
    entity->name =
        i % 8 == 0 ? "a name longer than what a String has inside" : "imp";
    for (std::size_t k = random.Below(4); k != 0; --k) {
      entity->carries.push_back(static_cast<std::uint32_t>(random.Below(100)));
    }
    world->by_id[i] = entity;
    world->in_order.push_back(entity);
    world->by_place[random.Below(kPlaces)].push_back(entity);
  }
  for (Entity* entity : world->in_order) {
    entity->target = world->in_order[random.Below(count)];
  }
  source->copy = [world](acre::Arena& to) {
    return acre::DeepCopy(to, *world);
  };
  return source;
}

// For curves. A level more of the tree is ten times the nodes.
void AddSizes() {
  if (is_smoke() || round() != 0) return;
  int copies = 100'000;
  for (int depth = 1; depth <= TreeDepth(); ++depth, copies /= 5) {
    const GraphShape tree = TreeShape(depth);
    const std::string size = PowerOfTen(tree.size());
    AddCell("tree of pointers " + size, PointerSource(tree), copies,
            "copy-between");
    AddCell("graph " + size, PointerSource(CyclicShape(depth)), copies,
            "copy-between");
  }
}

}  // namespace

void DefineCells() {
  AddCell("tree, by value", ValueTree());
  AddCell("tree of pointers", PointerSource(TreeShape()));
  AddCell("graph", PointerSource(CyclicShape()));
  AddThreadsCell("tree of pointers, threads", TreeShape());
  AddThreadsCell("graph, threads", CyclicShape());
  AddFewCell();
  AddCell("a world of 20,000 entities", WorldSource(), BySmoke(1, 20));
  AddSizes();
}

}  // namespace perf
