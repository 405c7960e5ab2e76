// SPDX-License-Identifier: MIT
//
// Guards layouts of types that know each other, one of which holds the other by
// value: whichever the compiler is asked for first. (clang looks at what a
// layout leads to before it knows all of the layout.)

#include <doctest/doctest.h>

#include <optional>
#include <utility>
#include <variant>

#include "acre/arena.h"
#include "acre/deep_copy.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/vector.h"

namespace mutual_layout_test {

struct Hub;
struct Node {
  Hub* hub = nullptr;
};
struct Hub {
  Node mine;
};
ACRE_LAYOUT(Node, hub)
ACRE_LAYOUT(Hub, mine)
static_assert(acre::Element<Node>);

struct Town;
struct House {
  acre::Vector<Town*> towns;
  std::pair<Town*, int> first;
};
struct Town {
  acre::Vector<House*> all;
  House mine[2];
  std::variant<int, House> choice;
};
ACRE_LAYOUT(House, towns, first)
ACRE_LAYOUT(Town, all, mine, choice)
static_assert(acre::Element<House>);

struct Tree;
struct Leaf {
  acre::Map<int, std::pair<Tree*, int>> trees;
  std::optional<Tree*> first;
};
struct Tree {
  std::optional<Leaf> leaf;
  std::pair<Leaf, int> other;
};
ACRE_LAYOUT(Leaf, trees, first)
ACRE_LAYOUT(Tree, leaf, other)
static_assert(acre::Element<Leaf>);

TEST_CASE("types that hold each other, the held one asked for first") {
  acre::Arena arena;
  acre::Arena target;
  Node* const node = arena.New<Node>();
  Hub* const hub = arena.New<Hub>();
  node->hub = hub;
  hub->mine.hub = hub;
  const Node* const node_copy = acre::DeepCopy(target, *node);
  CHECK(node_copy->hub->mine.hub == node_copy->hub);

  auto* const house = arena.New<House>();
  auto* const town = arena.New<Town>();
  town->all.push_back(house);
  town->mine[1].first.first = town;
  house->towns.push_back(town);
  const Town* const town_copy = acre::DeepCopy(target, *town);
  CHECK(town_copy->all[0]->towns[0] == town_copy);
  CHECK(town_copy->mine[1].first.first == town_copy);

  auto* const tree = arena.New<Tree>();
  tree->other.first.trees[3] = {tree, 7};
  const Tree* const tree_copy = acre::DeepCopy(target, *tree);
  CHECK(tree_copy->other.first.trees.get(3)->first == tree_copy);
}

}  // namespace mutual_layout_test
