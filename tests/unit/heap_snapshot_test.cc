// SPDX-License-Identifier: MIT
//
// Guards heap snapshots: the format to the letter, every block a node, every
// pointer an edge, leaks as edges to the collected heap.

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <gc/gc.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/snapshot.h"
#include "support/written.h"

namespace heap_snapshot_test {

using acre::Arena;
using acre::AuditReport;
using acre::AuditRoot;
using acre::RootOf;
using acre_test::Snapshot;
using acre_test::SnapshotEdge;

struct Node {
  Node* next = nullptr;
  acre::Vector<Node*> more;
};
ACRE_LAYOUT(Node, next, more)

struct World {
  acre::Map<acre::String, Node*> nodes;
  acre::Vector<Node> row;
  acre::Set<acre::String> names;
  acre::String title;
  std::span<Node> view;
  std::optional<Node*> maybe;
};
ACRE_LAYOUT(World, nodes, row, names, title, view, maybe)

Snapshot SnapshotOf(const Arena& arena, std::span<const AuditRoot> roots,
                    const AuditReport& report) {
  const std::string text = acre_test::Written([&](std::FILE* file) {
    return acre::WriteHeapSnapshot(file, arena, roots, report);
  });
  Snapshot snapshot = acre_test::ReadSnapshot(text);
  REQUIRE_MESSAGE(snapshot.error.empty(), snapshot.error);
  if (acre::kChecked) {
    std::size_t own = 0;
    for (const acre_test::SnapshotNode& node : snapshot.nodes) {
      const bool is_own = !node.name.ends_with("(collected)") &&
                          !node.name.starts_with("chunk of arena");
      own += is_own ? node.self_size : 0;
    }
    CHECK(own == arena.stats().live());
  }
  return snapshot;
}

/// Audited as a whole.
Snapshot SnapshotOf(const Arena& arena,
                    std::initializer_list<AuditRoot> roots = {}) {
  const std::span<const AuditRoot> span(roots.begin(), roots.end());
  return SnapshotOf(arena, span, acre::AuditAll(arena, span));
}

constexpr std::string_view kNode = "heap_snapshot_test::Node";
constexpr std::string_view kWorld = "heap_snapshot_test::World";

/// The one node of that name.
std::size_t Only(const Snapshot& snapshot, std::string_view name) {
  const std::vector<std::size_t> found = snapshot.Named(name);
  REQUIRE_MESSAGE(found.size() == 1, name);
  return found[0];
}

/// Where the one edge of that name leads.
std::size_t Follow(const Snapshot& snapshot, std::size_t from,
                   std::string_view name) {
  std::optional<std::size_t> to;
  for (const SnapshotEdge& edge : snapshot.nodes[from].edges) {
    if (edge.name != name) continue;
    REQUIRE_FALSE(to);
    to = edge.to;
  }
  REQUIRE_MESSAGE(to, name);
  return *to;
}

bool HangsFromRoot(const Snapshot& snapshot, std::size_t node) {
  for (const SnapshotEdge& edge : snapshot.nodes[0].edges) {
    if (edge.to == node) return true;
  }
  return false;
}

Node* Collected() { return static_cast<Node*>(GC_MALLOC(10'000)); }

TEST_CASE("WriteHeapSnapshot: an empty arena is a root") {
  const Arena arena;
  const Snapshot snapshot = SnapshotOf(arena);
  REQUIRE(snapshot.nodes.size() == 2);
  CHECK(snapshot.nodes[0].type == "synthetic");
  CHECK(snapshot.nodes[0].name == "");
  CHECK(snapshot.nodes[1].name == "(GC roots)");
}

TEST_CASE("WriteHeapSnapshot: blocks are nodes, pointers are edges") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* first = arena.New<Node>();
  first->next = arena.New<Node>(first);
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*first)});
  REQUIRE(snapshot.Named(kNode).size() == 2);
  const std::size_t a = snapshot.Named(kNode)[0];
  const std::size_t b = snapshot.Named(kNode)[1];
  CHECK(snapshot.nodes[a].type == "object");
  CHECK(snapshot.nodes[a].self_size == sizeof(Node));
  CHECK(snapshot.Count(a, ".next", b) == 1);
  CHECK(snapshot.Count(b, ".next", a) == 1);
  CHECK(snapshot.nodes[a].edges.size() == 1);
  CHECK(HangsFromRoot(snapshot, a));
  CHECK_FALSE(HangsFromRoot(snapshot, b));
}

TEST_CASE("WriteHeapSnapshot: what nothing leads to hangs from the root") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* lone = arena.New<Node>();
  lone->next = lone;
  Node* circle = arena.New<Node>();
  circle->next = arena.New<Node>(circle);
  static_cast<void>(arena.Allocate(100));
  const Snapshot snapshot = SnapshotOf(arena);
  CHECK(HangsFromRoot(snapshot, Only(snapshot, "raw bytes")));
  CHECK(snapshot.nodes[Only(snapshot, "raw bytes")].type == "native");
  REQUIRE(snapshot.Named(kNode).size() == 3);
  std::size_t tops = 0;
  for (const std::size_t node : snapshot.Named(kNode)) {
    tops += HangsFromRoot(snapshot, node);
  }
  CHECK(tops == 2);  // one stands for the circle
}

TEST_CASE("WriteHeapSnapshot: edges have the names that paths have") {
  if (!acre::kChecked) return;
  Arena arena;
  World* world = arena.New<World>();
  world->nodes["a"] = arena.New<Node>();
  world->nodes[acre::String(arena, "a key that does not fit into its handle")] =
      arena.New<Node>();
  world->row.resize(3);
  world->row[2].next = world->nodes["a"];
  world->row[1].more.resize(2);
  world->row[1].more[1] = world->nodes["a"];
  world->names.insert(
      acre::String(arena, "a name that does not fit into its handle"));
  world->title = "a title that does not fit into its handle";
  world->view = arena.NewArray<Node>(4);
  world->view[3].next = &world->view[0];
  world->maybe = world->nodes["a"];
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*world)});

  const std::size_t top = Only(snapshot, kWorld);
  const std::size_t map = Follow(snapshot, top, ".nodes");
  const std::size_t a = Follow(snapshot, map, "[\"a\"]");
  CHECK(snapshot.nodes[map].name == "storage of a Map or Set");
  CHECK(snapshot.nodes[a].name == kNode);
  const std::string key = "\"a key that does not fit into its handle\"";
  CHECK(snapshot.nodes[Follow(snapshot, map, "{" + key + "}")].name == key);
  CHECK(snapshot.nodes[Follow(snapshot, map, "[" + key + "]")].name == kNode);

  const std::size_t row = Follow(snapshot, top, ".row");
  CHECK(snapshot.nodes[row].name == fmt::format("storage of {}", kNode));
  CHECK(snapshot.Count(row, "[2].next", a) == 1);
  const std::size_t more = Follow(snapshot, row, "[1].more");
  REQUIRE(snapshot.nodes[more].edges.size() == 1);
  CHECK(snapshot.nodes[more].edges[0].type == "element");
  CHECK(snapshot.nodes[more].edges[0].index == 1);
  CHECK(snapshot.nodes[more].edges[0].to == a);

  const std::size_t title = Follow(snapshot, top, ".title");
  CHECK(snapshot.nodes[title].type == "string");
  CHECK(snapshot.nodes[title].name ==
        "\"a title that does not fit into its handl...\"");
  const std::size_t array = Follow(snapshot, top, ".view");
  CHECK(snapshot.nodes[array].name == fmt::format("{}[]", kNode));
  CHECK(snapshot.nodes[array].self_size == 4 * sizeof(Node));
  CHECK(snapshot.Count(array, "[3].next", array) == 1);
  CHECK(snapshot.Count(top, ".maybe.value()", a) == 1);
}

TEST_CASE("WriteHeapSnapshot: leaks lead to the collected heap") {
  Arena arena;
  Arena other;
  Node* node = arena.New<Node>();
  node->next = Collected();
  node->more.push_back(other.New<Node>());
  node->more.push_back(Collected());
  const AuditRoot roots[] = {RootOf(*node)};
  const Snapshot snapshot = SnapshotOf(arena, roots, Audit(arena, *node));
  const std::size_t heap = Only(snapshot, "collected heap");
  const std::size_t elsewhere = Only(snapshot, "another arena");
  CHECK(snapshot.nodes[heap].self_size == 0);
  std::size_t leaks = 0;
  std::size_t others = 0;
  for (const auto& from : snapshot.nodes) {
    for (const SnapshotEdge& edge : from.edges) {
      leaks += edge.to == heap;
      others += edge.to == elsewhere;
    }
  }
  CHECK(leaks == 2);
  CHECK(others == 1);
  if (!acre::kChecked) return;
  CHECK(snapshot.Count(Only(snapshot, kNode), fmt::format("{}.next", kNode),
                       heap) == 1);
}

TEST_CASE("WriteHeapSnapshot: a leak in raw memory leaves its block") {
  if (!acre::kChecked) return;
  Arena arena;
  auto** words = static_cast<void**>(arena.Allocate(64));
  for (int i = 0; i < 8; ++i) words[i] = nullptr;
  words[3] = Collected();
  const Snapshot snapshot = SnapshotOf(arena);
  CHECK(snapshot.Count(Only(snapshot, "raw bytes"), "raw block[+24]",
                       Only(snapshot, "collected heap")) == 1);
}

TEST_CASE("WriteHeapSnapshot: a finding in no block hangs from the root") {
  const Arena arena;
  AuditReport report;
  acre::Finding& finding = report.findings.emplace_back();
  finding.path = "World.gone";
  finding.target = acre::Target::kStack;
  const Snapshot snapshot = SnapshotOf(arena, {}, report);
  CHECK(snapshot.Count(0, "World.gone", Only(snapshot, "stack")) == 1);
}

TEST_CASE("WriteHeapSnapshot: roots outside the arena are nodes of no size") {
  Arena arena;
  Node outside;
  outside.next = arena.New<Node>();
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(outside)});
  const std::size_t root =
      Only(snapshot, fmt::format("{} (outside the arena)", kNode));
  CHECK(HangsFromRoot(snapshot, root));
  CHECK(snapshot.nodes[root].self_size == 0);
  const std::size_t inside = Follow(snapshot, root, ".next");
  CHECK_FALSE(HangsFromRoot(snapshot, inside));
  CHECK(snapshot.nodes[inside].name == (acre::kChecked ? kNode : "chunk"));
}

TEST_CASE("WriteHeapSnapshot: freed, unused and stale memory is left out") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  node->next = arena.New<Node>();
  arena.Free(node->next);
  Snapshot snapshot = SnapshotOf(arena, {RootOf(*node)});
  CHECK(snapshot.Named(kNode).size() == 1);
  CHECK(snapshot.Count(Only(snapshot, kNode), fmt::format("{}.next", kNode),
                       Only(snapshot, "freed block")) == 1);
  Node stale;
  stale.more = acre::Vector<Node*>(arena);
  stale.more.push_back(node);
  arena.Reset();
  arena.New<Node>();
  snapshot = SnapshotOf(arena, {RootOf(stale)});
  CHECK(snapshot.Named(kNode).size() == 1);
}

TEST_CASE("WriteHeapSnapshot: sizes add up below an open mark, too") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  const acre::Mark mark = arena.Checkpoint();
  arena.Free(node);
  static_cast<void>(arena.Allocate(1, 256));
  static_cast<void>(arena.Allocate(1 << 20));
  SnapshotOf(arena);
  arena.Rewind(mark);
  SnapshotOf(arena);
}

TEST_CASE("WriteHeapSnapshot: release builds show chunks") {
  if (acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  node->next = arena.New<Node>();
  static_cast<void>(arena.Allocate(1 << 20));
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*node)});
  CHECK(snapshot.Named("chunk").size() == 2);
  CHECK(snapshot.total_size() == arena.stats().carved);
}

TEST_CASE("WriteHeapSnapshot: names of any bytes") {
  if (!acre::kChecked) return;
  Arena arena;
  World* world = arena.New<World>();
  for (int byte = 0; byte < 256; ++byte) {
    const std::string key{'"', static_cast<char>(byte), '\\'};
    world->nodes[acre::String(arena, key)] = arena.New<Node>();
  }
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*world)});
  CHECK(snapshot.Named(kNode).size() == 256);
}

TEST_CASE("WriteHeapSnapshot: many keys do not make many strings") {
  if (!acre::kChecked) return;
  constexpr int kMany = 70'000;
  Arena arena;
  World* world = arena.New<World>();
  world->row.resize(kMany);
  for (int i = 0; i < kMany; ++i) {
    world->row[static_cast<std::size_t>(i)].next = &world->row[0];
  }
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*world)});
  CHECK(snapshot.strings.size() < 66'000);
  const std::size_t row = Follow(snapshot, Only(snapshot, kWorld), ".row");
  CHECK(snapshot.nodes[row].edges.size() == kMany);
  CHECK(snapshot.Count(row, "[9].next", row) == 1);
  CHECK(snapshot.Count(row, ".next", row) > 4000);
}

struct Texture {
  char pixels[100];
};

struct Sprite {
  acre::GcRef<Texture> texture;
  acre::GcWeakRef<Texture> cached;
  acre::GcRef<char> inside;  // a texture
  acre::GcRef<Texture> none;
};
ACRE_LAYOUT(Sprite, texture, cached, inside, none)

struct Scene {
  Sprite first;
  acre::Vector<acre::GcWeakRef<Texture>> seen;
  acre::Map<acre::String, acre::GcRef<void>> by_name;
};
ACRE_LAYOUT(Scene, first, seen, by_name)

Texture* NewTexture() {
  return static_cast<Texture*>(GC_MALLOC(sizeof(Texture)));
}

TEST_CASE("WriteHeapSnapshot: what a GcRef keeps is a node, weak ones do not") {
  if (!acre::kChecked) return;
  acre_test::NeedCollector();
  constexpr std::string_view kTexture =
      "heap_snapshot_test::Texture (collected)";
  Arena arena({.name = "scene"});
  acre::Arena* const other = acre::NewCollectedArena({.name = "other"});
  Scene* scene = arena.New<Scene>();
  Texture* shared = NewTexture();
  scene->first.texture = shared;
  scene->first.cached = shared;
  scene->first.inside = &shared->pixels[50];
  scene->seen.emplace_back(shared);
  Texture* weak = NewTexture();
  scene->seen.emplace_back(weak);
  scene->seen.emplace_back();
  scene->by_name["plain"] = GC_MALLOC(50);
  scene->by_name["chunk"] = other->New<int>(1);

  const AuditReport report = acre::AuditAll(arena);
  CHECK(report.findings.empty());
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*scene)});
  const std::size_t from = Only(snapshot, "heap_snapshot_test::Scene");
  REQUIRE(snapshot.Named(kTexture).size() == 2);
  const std::size_t texture = Follow(snapshot, from, ".first.texture");
  CHECK(snapshot.nodes[texture].name == kTexture);
  CHECK(snapshot.nodes[texture].type == "object");
  CHECK(snapshot.nodes[texture].self_size == GC_size(GC_base(shared)));
  CHECK(snapshot.nodes[texture].edges.empty());
  CHECK(Follow(snapshot, from, ".first.cached") == texture);
  CHECK(Follow(snapshot, from, ".first.inside") == texture);
  for (const SnapshotEdge& edge : snapshot.nodes[from].edges) {
    CHECK((edge.type == "weak") == (edge.name == ".first.cached"));
    CHECK(edge.name != ".first.none");
  }
  // Elements without a field have their number for a name.
  const std::size_t seen = Follow(snapshot, from, ".seen");
  REQUIRE(snapshot.nodes[seen].edges.size() == 2);
  for (const SnapshotEdge& edge : snapshot.nodes[seen].edges) {
    CHECK(edge.type == "weak");
    CHECK((edge.name == "[0]") == (edge.to == texture));
  }
  const std::size_t names = Follow(snapshot, from, ".by_name");
  CHECK(snapshot.nodes[Follow(snapshot, names, "[\"plain\"]")].name ==
        "void (collected)");
  CHECK(snapshot.nodes[Follow(snapshot, names, "[\"chunk\"]")].name ==
        "chunk of arena 'other'");
}

TEST_CASE(
    "WriteHeapSnapshot: weak references that are null, stray references") {
  if (!acre::kChecked) return;
  Arena arena;
  Sprite* sprite = arena.New<Sprite>();
  [&] { sprite->cached = NewTexture(); }();
  acre_test::Collect();
  const bool is_gone = !sprite->cached.lock();
  Snapshot snapshot = SnapshotOf(arena, {RootOf(*sprite)});
  const std::size_t from = Only(snapshot, "heap_snapshot_test::Sprite");
  CHECK(snapshot.nodes[from].edges.size() == (is_gone ? 0u : 1u));
  // Written over: nothing is drawn that the words lead to by chance.
  alignas(Sprite) unsigned char kept[sizeof(Sprite)];
  std::memcpy(kept, sprite, sizeof kept);
  for (const unsigned char byte : {0x00, 0x08, 0x7F, 0x80, 0xF0}) {
    CAPTURE(byte);
    std::memset(static_cast<void*>(sprite), byte, sizeof kept);
    const AuditReport nothing;
    snapshot = SnapshotOf(arena, std::span<const AuditRoot>(), nothing);
    CHECK(snapshot.nodes[Only(snapshot, "heap_snapshot_test::Sprite")]
              .edges.empty());
  }
  std::memcpy(static_cast<void*>(sprite), kept, sizeof kept);
}

TEST_CASE("WriteHeapSnapshot: what a traced arena points to is a node") {
  if (!acre::kChecked) return;
  Arena arena({.trace = acre::Trace::kPointersByLayout});
  Node* node = arena.New<Node>();
  node->next = Collected();
  node->more.push_back(node->next);
  const Snapshot snapshot = SnapshotOf(arena, {RootOf(*node)});
  const std::size_t from = Only(snapshot, kNode);
  const std::size_t to = Only(snapshot, "heap_snapshot_test::Node (collected)");
  CHECK(snapshot.nodes[to].self_size >= 10'000);
  CHECK(snapshot.Count(from, ".next", to) == 1);
  const std::size_t row = Follow(snapshot, from, ".more");
  REQUIRE(snapshot.nodes[row].edges.size() == 1);
  CHECK(snapshot.nodes[row].edges[0].to == to);
}

TEST_CASE("WriteHeapSnapshot: says that writing failed") {
  Arena arena;
  arena.New<Node>();
  const AuditReport report = AuditAll(arena);
  CHECK(acre_test::FailsOnFullDisk([&](std::FILE* file) {
    return acre::WriteHeapSnapshot(file, arena, {}, report);
  }));
  for (int i = 0; i < 10'000; ++i) arena.New<Node>();
  CHECK(acre_test::FailsOnFullDisk([&](std::FILE* file) {
    return acre::WriteHeapSnapshot(file, arena, {}, report);
  }));
}

}  // namespace heap_snapshot_test
