// SPDX-License-Identifier: MIT
//
// Audit of a graph of a million nodes, and of smaller ones, and a full
// collection of the same graph as separate collected objects: both follow every
// pointer. Nanoseconds a node, the median of several, each in a process of its
// own.

#include <gc.h>

#include <cstring>
#include <vector>

#include "acre/audit.h"
#include "child.h"
#include "median.h"
#include "node.h"
#include "perf.h"

namespace perf {
namespace {

// A node as one writes it for the collector: its name and its links are
// objects of their own, the name without pointers.
struct CollectedNode {
  char* name;
  CollectedNode** links;
  std::size_t link_count;
};

void* volatile root = nullptr;  // keeps the graph

// Nanoseconds a node, the median.
double TimeWalks(std::size_t nodes, const auto& walk) {
  walk();
  std::vector<double> nanoseconds;
  for (int i = 0; i < BySmoke(1, 3); ++i) {
    nanoseconds.push_back(1e9 * Seconds(walk) / static_cast<double>(nodes));
  }
  return MedianOf(nanoseconds);
}

double AuditGraph(int depth) {
  const GraphShape shape = CyclicShape(depth);
  acre::Arena arena;
  const Node* nodes = MakeNodes(arena, shape);
  return TimeWalks(shape.size(), [&] {
    const acre::AuditReport report = acre::Audit(arena, *nodes);
    Sink(report.objects);
  });
}

CollectedNode* MakeNode(const std::string& name, std::size_t links) {
  auto* node = static_cast<CollectedNode*>(GC_malloc(sizeof(CollectedNode)));
  node->name = static_cast<char*>(GC_malloc_atomic(name.size() + 1));
  std::memcpy(node->name, name.c_str(), name.size() + 1);
  if (links != 0) {
    node->links =
        static_cast<CollectedNode**>(GC_malloc(links * sizeof(CollectedNode*)));
  }
  return node;
}

// The root, made like MakeNodes does in an arena.
CollectedNode* MakeCollected(const GraphShape& shape) {
  // Where the collector sees it, until all nodes are linked.
  auto** nodes = static_cast<CollectedNode**>(
      GC_malloc_uncollectable(shape.size() * sizeof(CollectedNode*)));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    nodes[i] = MakeNode(shape.names[i], shape.links[i].size());
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    for (const std::uint32_t link : shape.links[i]) {
      nodes[i]->links[nodes[i]->link_count++] = nodes[link];
    }
  }
  CollectedNode* first = nodes[0];
  GC_free(nodes);
  return first;
}

double CollectGraph(int depth) {
  GC_INIT();
  const GraphShape shape = CyclicShape(depth);
  root = MakeCollected(shape);
  return TimeWalks(shape.size(), [] { GC_gcollect(); });
}

void AddCell(const char* group, const std::string& cell, int depth) {
  const auto add = [&](const char* name, double (*measure)(int depth)) {
    AddInChild(group, cell, name, [=] { return measure(depth); });
  };
  add("acre::Audit", AuditGraph);
  add("GC_gcollect", CollectGraph);
}

}  // namespace

void DefineCells() {
  AddCell("audit", "graph of 1M nodes", TreeDepth());
  if (is_smoke() || round() != 0) return;
  // For curves. A level more of the tree is ten times the nodes.
  for (int depth = 1; depth <= TreeDepth(); ++depth) {
    AddCell("audit-between", "graph " + PowerOfTen(TreeShape(depth).size()),
            depth);
  }
}

}  // namespace perf
