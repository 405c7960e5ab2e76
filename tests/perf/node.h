// SPDX-License-Identifier: MIT
//
// The graphs that are copied and audited: nodes with a name of 16 to 24
// characters, ten children each. A tree by value, a tree of pointers, and a
// graph: the tree of pointers, with a pointer back to the parent (cycles) and
// one to a random node (sharing).

#ifndef ACRE_PERF_NODE_H_
#define ACRE_PERF_NODE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "acre/string.h"
#include "acre/vector.h"
#include "perf.h"

namespace perf {

struct ValueNode {
  acre::String name;
  acre::Vector<ValueNode> children;
};
ACRE_LAYOUT(ValueNode, name, children)

struct Node {
  acre::String name;
  acre::Vector<Node*> links;
};
ACRE_LAYOUT(Node, name, links)

inline constexpr std::size_t kFanOut = 10;

/// 1,111,111 nodes; 1,111 in a smoke run.
inline int TreeDepth() { return BySmoke(3, 6); }

inline std::string DrawName(Random& random) {
  std::string name(16 + random.Below(9), ' ');
  for (char& c : name) c = static_cast<char>('a' + random.Below(26));
  return name;
}

/// Fills `node`, which lies in the arena; how many nodes it made.
inline std::size_t FillTree(ValueNode& node, int depth, Random& random) {
  node.name = DrawName(random);
  std::size_t made = 1;
  if (depth == 0) return made;
  node.children.resize(kFanOut);
  for (ValueNode& child : node.children) {
    made += FillTree(child, depth - 1, random);
  }
  return made;
}

/// Names and links of all nodes, by number and breadth first; 0 is the root.
struct GraphShape {
  std::vector<std::string> names;
  std::vector<std::vector<std::uint32_t>> links;

  std::size_t size() const { return names.size(); }
};

inline GraphShape TreeShape(int depth = TreeDepth()) {
  Random random(7);
  std::size_t inner = 0;  // nodes with children: all but the last level
  for (int i = 0; i < depth; ++i) inner = inner * kFanOut + 1;
  GraphShape shape;
  const std::size_t count = inner * kFanOut + 1;
  shape.links.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    shape.names.push_back(DrawName(random));
    for (std::size_t k = 1; i < inner && k <= kFanOut; ++k) {
      shape.links[i].push_back(static_cast<std::uint32_t>(i * kFanOut + k));
    }
  }
  return shape;
}

inline GraphShape CyclicShape(int depth = TreeDepth()) {
  Random random(8);
  GraphShape shape = TreeShape(depth);
  for (std::size_t i = 1; i < shape.size(); ++i) {
    const auto parent = static_cast<std::uint32_t>((i - 1) / kFanOut);
    const auto other = static_cast<std::uint32_t>(random.Below(shape.size()));
    shape.links[i].insert(shape.links[i].end(), {parent, other});
  }
  return shape;
}

/// The root of that shape, in the arena.
inline Node* MakeNodes(acre::Arena& arena, const GraphShape& shape) {
  std::vector<Node*> nodes;
  for (const std::string& name : shape.names) {
    nodes.push_back(arena.New<Node>());
    nodes.back()->name = name;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i]->links.reserve(shape.links[i].size());
    for (const std::uint32_t link : shape.links[i]) {
      nodes[i]->links.push_back(nodes[link]);
    }
  }
  return nodes[0];
}

}  // namespace perf

#endif  // ACRE_PERF_NODE_H_
