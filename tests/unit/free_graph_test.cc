// SPDX-License-Identifier: MIT
//
// Guards FreeGraph: exactly what owned fields reach is freed, each block once,
// and nothing at all where one of them leads out of the arena, or to no such
// object.

#include <doctest/doctest.h>

#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace free_graph_test {

struct Node {
  Node* left;
  Node* right;
  Node* seen;  // not owned
  std::int64_t value;
};
ACRE_LAYOUT(Node, owned(left), owned(right), seen, value)

struct Table {
  std::span<Node> rows;
  Node* favourite;  // may point into rows
  std::span<int> keys;
  std::span<int> shared;  // not owned
};
ACRE_LAYOUT(Table, owned(rows), owned(favourite), owned(keys), shared)

struct Branch {
  std::int32_t number = 0;
  Branch* left = nullptr;
  Branch* right = nullptr;
  acre::String name;
  acre::Vector<Branch*> twigs;
};
ACRE_LAYOUT(Branch, number, owned(left), owned(right), name, owned(twigs))

struct Wrapped {
  std::optional<Node*> maybe;
  std::variant<int, Node*> either;
  std::pair<int, Node*> second;
  Node* several[3];
  std::tuple<int, Node*> last;
};
ACRE_LAYOUT(Wrapped, owned(maybe), owned(either), owned(second), owned(several),
            owned(last))

struct Inner {
  Node* node;
};
ACRE_LAYOUT(Inner, owned(node))
struct Outer {
  Inner inner;
  Inner* link;  // not owned
};
ACRE_LAYOUT(Outer, inner, link)

std::size_t Live(const acre::Arena& arena) { return arena.stats().live(); }

TEST_CASE("FreeGraph: frees what owned fields reach, and nothing else") {
  acre::Arena arena;
  Node* kept = arena.New<Node>();
  kept->left = arena.New<Node>();
  const std::size_t before = Live(arena);
  Node* root = arena.New<Node>();
  root->left = arena.New<Node>();
  root->right = arena.New<Node>();
  root->left->right = arena.New<Node>();
  root->left->seen = kept;
  arena.FreeGraph(root);
  CHECK(Live(arena) == before);
  arena.FreeGraph(kept);
  CHECK(Live(arena) == 0);
}

TEST_CASE("FreeGraph: cycles and shared nodes are freed once") {
  acre::Arena arena;
  Node* a = arena.New<Node>();
  Node* b = arena.New<Node>();
  Node* c = arena.New<Node>();
  a->left = b;
  a->right = c;
  b->left = c;
  b->right = a;
  c->left = c;
  arena.FreeGraph(a);
  CHECK(Live(arena) == 0);
  std::vector<Node*> again;
  for (int i = 0; i < 3; ++i) again.push_back(arena.New<Node>());
  CHECK(again[0] != again[1]);
  CHECK(again[1] != again[2]);
  CHECK(again[0] != again[2]);
}

TEST_CASE(
    "FreeGraph: an owned span goes whole, pointers into it are no blocks") {
  acre::Arena arena;
  const std::span<int> shared = arena.NewArray<int>(10);
  const std::size_t before = Live(arena);
  Table* table = arena.New<Table>();
  table->rows = arena.NewArray<Node>(100);
  table->favourite = &table->rows[40];
  table->keys = arena.NewArray<int>(33);
  table->shared = shared;
  for (Node& row : table->rows) row.left = arena.New<Node>();
  table->rows[7].right = &table->rows[8];
  table->rows[9].right = &table->rows[0];
  arena.FreeGraph(table);
  CHECK(Live(arena) == before);
}

TEST_CASE("FreeGraph: a pointer to the first element is no second block") {
  acre::Arena arena;
  Table* table = arena.New<Table>();
  table->rows = arena.NewArray<Node>(5);
  table->favourite = table->rows.data();
  arena.FreeGraph(table);
  CHECK(Live(arena) == 0);
}

TEST_CASE("FreeGraph: an empty owned span is freed like any other") {
  acre::Arena arena;
  Table* table = arena.New<Table>();
  table->keys = arena.NewArray<int>(0);
  arena.FreeGraph(table);
  CHECK(Live(arena) == 0);
}

TEST_CASE(
    "FreeGraph: notes hold inside optional, variant, pair, array, tuple") {
  acre::Arena arena;
  Wrapped* wrapped = arena.New<Wrapped>();
  wrapped->maybe = arena.New<Node>();
  wrapped->either = arena.New<Node>();
  wrapped->second.second = arena.New<Node>();
  for (Node*& node : wrapped->several) node = arena.New<Node>();
  std::get<1>(wrapped->last) = arena.New<Node>();
  arena.FreeGraph(wrapped);
  CHECK(Live(arena) == 0);
  wrapped = arena.New<Wrapped>();  // nothing set
  arena.FreeGraph(wrapped);
  CHECK(Live(arena) == 0);
}

TEST_CASE("FreeGraph: owned fields of members by value are followed") {
  acre::Arena arena;
  Inner* other = arena.New<Inner>();
  const std::size_t before = Live(arena);
  Outer* outer = arena.New<Outer>();
  outer->inner.node = arena.New<Node>();
  outer->link = other;
  arena.FreeGraph(outer);
  CHECK(Live(arena) == before);
}

TEST_CASE("FreeGraph: refuses what is not the arena's and frees nothing") {
  struct Refused {};
  acre::SetMisuseHandler([](const char*) { throw Refused(); });
  acre::Arena arena;
  acre::Arena other;
  static Node global{};
  for (Node* foreign : {other.New<Node>(), &global}) {
    Node* root = arena.New<Node>();
    root->left = arena.New<Node>();
    root->left->left = arena.New<Node>();
    root->left->left->right = foreign;
    root->right = arena.New<Node>();
    const std::size_t before = Live(arena);
    CHECK_THROWS_AS(arena.FreeGraph(root), Refused);
    CHECK(Live(arena) == before);
    root->left->left->right = nullptr;
    arena.FreeGraph(root);  // all blocks are still good
    CHECK(Live(arena) == 0);
  }
  CHECK_THROWS_AS(arena.FreeGraph(&global), Refused);
  acre::SetMisuseHandler(nullptr);
}

TEST_CASE("FreeGraph: the refusal names the field") {
  acre::Arena arena({.name = "forest"});
  Node* root = arena.New<Node>();
  Node local{};
  root->right = &local;
  CHECK_DIES(arena.FreeGraph(root),
             "FreeGraph in arena 'forest': 'right' leads to .*nothing was "
             "freed");
}

TEST_CASE("checked: FreeGraph finds a target that was freed before") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  Table* table = arena.New<Table>();
  table->keys = arena.NewArray<int>(5);
  arena.Free(table->keys);
  CHECK_DIES(arena.FreeGraph(table),
             "'keys' leads to .*, in a freed block of int\\[5\\]");
}

TEST_CASE("checked: FreeGraph reads nothing of a block that was freed") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena({.name = "forest"});
  Branch* root = arena.New<Branch>();
  root->left = arena.New<Branch>();
  Branch* freed = root->right = arena.New<Branch>();
  freed->name = "a name that does not fit into the handle";
  arena.Free(freed);
  CHECK_DIES(arena.FreeGraph(root),
             "FreeGraph in arena 'forest': 'right' leads to .*, in a freed "
             "block of free_graph_test::Branch; nothing was freed");
  root->right = nullptr;
  root->left->twigs.push_back(arena.New<Branch>());
  arena.Free(root->left->twigs[0]);
  CHECK_DIES(arena.FreeGraph(root), "'twigs' leads to .*, in a freed block");
  CHECK_DIES(arena.FreeGraph(freed), "'the object itself' leads to .* freed");
}

TEST_CASE("checked: FreeGraph believes no block to hold another type") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  Branch* root = arena.New<Branch>();
  void* target = &arena.NewArray<std::int64_t>(100)[1];
  const auto refuses = [&](const char* pattern) {
    root->left = static_cast<Branch*>(target);
    CHECK_DIES(arena.FreeGraph(root), pattern);
  };
  refuses("'left' leads to .*, in a block of another type, .*\\[100\\]");
  target = arena.Allocate(sizeof(Branch));
  refuses("'left' leads to .*, in a block of another type, .* raw bytes");
  auto* list = arena.New<acre::Vector<Branch>>();
  list->resize(1);
  target = &(*list)[0];  // its container gives it back
  refuses("'left' leads to .*, in storage of a container");
  acre::Arena given_up;
  Node* old = given_up.New<Node>();
  given_up.Reset();
  CHECK_DIES(given_up.FreeGraph(old), "leads to .*, where no block is");
}

TEST_CASE("FreeGraph: a list of a million nodes does not overflow the stack") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  Node* head = nullptr;
  for (int i = 0; i < acre_test::Scaled(1'000'000, 200'000); ++i) {
    Node* node = arena.New<Node>();
    node->left = head;
    head = node;
  }
  arena.FreeGraph(head);
  CHECK(Live(arena) == 0);
}

}  // namespace free_graph_test
