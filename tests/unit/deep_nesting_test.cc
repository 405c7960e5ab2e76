// SPDX-License-Identifier: MIT
//
// Guards every walk over layouts against containers in containers that nest
// deeper than any stack: copies, audits, releases.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/scaled.h"

namespace deep_nesting_test {

using acre::Arena;
using acre::Map;
using acre::String;
using acre::Vector;

struct Box {
  Vector<Box> inner;
  int* where = nullptr;
  int depth = 0;
};
ACRE_LAYOUT(Box, inner, where, depth)

struct Drawer {
  Map<int, Drawer> inner;
  Vector<String> labels;
};
ACRE_LAYOUT(Drawer, inner, labels)

// A call for each would take more than the 8 MiB of a stack.
constexpr int kDepth = acre_test::Scaled(300'000, 60'000);

// Each Box in the Vector of the one before; `where` leads to the outermost.
Box* Nest(Arena& arena) {
  Box* top = arena.New<Box>();
  Box* at = top;
  for (int i = 1; i <= kDepth; ++i) {
    at->inner.resize(1);
    at = &at->inner[0];
    at->depth = i;
    at->where = &top->depth;
  }
  return top;
}

Box* Innermost(Box* box) {
  while (!box->inner.empty()) box = &box->inner[0];
  return box;
}

void CheckCopy(const Arena& to, Box* copy) {
  const int* where = &copy->depth;
  int depth = 0;
  for (Box* box = copy; !box->inner.empty();) {
    box = &box->inner[0];
    REQUIRE(to.Owns(box));
    REQUIRE(box->depth == ++depth);
    if (depth < kDepth) REQUIRE(box->where == where);
  }
  CHECK(depth == kDepth);
}

TEST_CASE("Nesting: copies of what lies in arenas") {
  Arena from;
  Arena to;
  Box* copy = acre::DeepCopy(to, *Nest(from));
  CheckCopy(to, copy);
  CHECK(Innermost(copy)->where == &copy->depth);
}

TEST_CASE("Nesting: copies of what leads to other memory") {
  Arena from;
  Arena to;
  Box* top = Nest(from);
  const auto other = std::make_unique<int>(7);
  Innermost(top)->where = other.get();
  Box* copy = acre::DeepCopy(to, *top);
  CheckCopy(to, copy);
  CHECK(Innermost(copy)->where != other.get());
  CHECK(*Innermost(copy)->where == 7);
}

TEST_CASE("Nesting: copies that run out of memory") {
  Arena from;
  const Box* top = Nest(from);
  Arena small({.source = &acre::MallocSource::Instance(),
               .byte_limit = std::size_t{1} << 20});
  CHECK(acre::TryDeepCopy(small, *top) == nullptr);
  CHECK(small.stats().live() == 0);
}

TEST_CASE("Nesting: audits, with and without a finding") {
  Arena arena;
  Box* top = Nest(arena);
  const acre::AuditReport clean = acre::Audit(arena, *top);
  CHECK(clean.findings.empty());
  CHECK(clean.objects >= kDepth);
  Innermost(top)->where = static_cast<int*>(GC_MALLOC(sizeof(int)));
  const acre::AuditReport report = acre::Audit(arena, *top);
  REQUIRE(report.findings.size() == 1);
  // Release builds do not know the types of blocks, and take numbers beside
  // what was left in padding for pointers.
  if (!acre::kChecked) return;
  CHECK(acre::AuditAll(arena).findings.size() == 1);
}

TEST_CASE("Nesting: releases and frees what is nested") {
  Arena arena;
  Box* top = Nest(arena);
  top->inner.Release();
  arena.Free(top);
  CHECK(arena.stats().live() == 0);
  arena.FreeGraph(Nest(arena));
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("Nesting: releases trees, branch by branch") {
  Arena arena;
  Drawer* top = arena.New<Drawer>();
  Drawer* at = top;
  for (int i = 0; i < 3'000; ++i) {
    for (int side = 0; side < 3; ++side) {
      at->inner[i + side].labels.emplace_back(
          "a label that does not fit into a String");
      at->inner[i + side].inner[7].labels.resize(2);
    }
    at = &at->inner[i];
  }
  const std::size_t live = arena.stats().live();
  Drawer& moved = top->inner[-1];
  moved = std::move(top->inner[0]);
  CHECK(top->inner.erase(-1) == 1);
  CHECK(arena.stats().live() < live / 100);
  top->inner.Release();
  arena.Free(top);
  CHECK(arena.stats().live() == 0);
}

}  // namespace deep_nesting_test
