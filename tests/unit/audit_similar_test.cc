// SPDX-License-Identifier: MIT
//
// Guards the audit's comparison of types: pointers that differ in const alone
// may lead to each other's objects, as the language lets them, and no others.

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <span>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/layout.h"
#include "acre/vector.h"

namespace audit_similar_test {

using acre::Arena;
using acre::Audit;
using acre::Target;

struct Other {
  std::int64_t number = 0;
};
ACRE_LAYOUT(Other, number)

struct Node {
  Node* up = nullptr;
  Node** deep = nullptr;
  Other* other = nullptr;
  Node* row[3] = {};
  std::array<Node*, 3> array = {};
  acre::Vector<Node*> list;
};
ACRE_LAYOUT(Node, up, deep, other, row, array, list)

struct Watcher {
  const Node* const* slot = nullptr;
  const Node* const* const* deep = nullptr;
  std::span<const Node* const> list;
  const Node* const (*row)[3] = nullptr;
  const std::array<const Node*, 3>* array = nullptr;
};
ACRE_LAYOUT(Watcher, slot, deep, list, row, array)

TEST_CASE("Audit: pointers may lead to pointers that differ in const alone") {
  Arena arena;
  Node* node = arena.New<Node>();
  node->up = node;
  node->deep = &node->up;
  node->list.push_back(node);
  Watcher* watcher = arena.New<Watcher>();
  watcher->slot = &node->up;
  watcher->deep = &node->deep;
  watcher->list = {node->list.data(), node->list.size()};
  CHECK(Audit(arena, *watcher).clean());
  watcher->slot = &node->row[1];
  CHECK(Audit(arena, *watcher).clean());
  const std::span<Node*> lone = arena.NewArray<Node*>(3);
  watcher->slot = &lone[2];
  watcher->list = lone;
  CHECK(Audit(arena, *watcher).clean());
  // g++ 12 does not convert it by itself.
  watcher->row = const_cast<const Node* const(*)[3]>(&node->row);
  CHECK(Audit(arena, *watcher).clean());
}

TEST_CASE("Audit: pointers to other things remain of another type") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  Watcher* watcher = arena.New<Watcher>();
  const auto target_of = [&](void* address) {
    watcher->slot = static_cast<const Node* const*>(address);
    const acre::AuditReport report = Audit(arena, *watcher);
    REQUIRE(report.findings.size() == 1);
    return report.findings[0].target;
  };
  CHECK(target_of(&node->deep) == Target::kInterior);   // of another depth
  CHECK(target_of(&node->other) == Target::kInterior);  // to another type
  CHECK(target_of(arena.New<Other*>()) == Target::kOtherType);
  watcher->slot = nullptr;
  // Similar types are those of the language: templates have none.
  void* array = &node->array;
  watcher->array = static_cast<const std::array<const Node*, 3>*>(array);
  CHECK_FALSE(Audit(arena, *watcher).clean());
}

}  // namespace audit_similar_test
