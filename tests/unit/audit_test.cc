// SPDX-License-Identifier: MIT
//
// Guards the audit: a pointer that must not be there is found wherever it
// stands and wherever it leads, exactly once, with its path; no other is.

#include "acre/audit.h"

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
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
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "malloced.h"
#include "support/scaled.h"

namespace audit_test {

using acre::Arena;
using acre::Audit;
using acre::AuditReport;
using acre::Certainty;
using acre::Finding;
using acre::FindingKind;
using acre::Map;
using acre::Set;
using acre::String;
using acre::Target;
using acre::Vector;

struct Cell {
  Cell* next = nullptr;
  Cell* other = nullptr;
};
ACRE_LAYOUT(Cell, next, other)

/// Cells do not fit into it anywhere.
struct Other {
  Other* other = nullptr;
  std::int64_t number = 0;
};
ACRE_LAYOUT(Other, other, number)

/// A slot of each kind.
struct Leaf {
  Cell* pointer = nullptr;
  std::span<Cell> span;
  std::string_view text;
  Vector<Cell> vector;
};
ACRE_LAYOUT(Leaf, pointer, span, text, vector)

struct Inner {
  int number = 0;
  Leaf leaf;
};
ACRE_LAYOUT(Inner, number, leaf)

struct Shelf {
  Map<String, Inner> boxes;
  Vector<Leaf> row;
};
ACRE_LAYOUT(Shelf, boxes, row)

/// A leaf at each place.
struct World {
  Leaf field;
  Inner nested;
  std::array<Leaf, 2> array;
  Leaf c_array[2];
  std::optional<Leaf> optional;
  std::variant<int, Leaf> variant;
  std::tuple<int, Leaf> tuple;
  std::pair<int, Leaf> pair;
  Vector<Leaf> vector;
  Map<String, Leaf> map;
  Map<int, Leaf> numbered;
  Map<String, Vector<Shelf>> shelves;
  Leaf* pointer = nullptr;
  std::span<Leaf> span;
  Map<Cell*, int> keys;
  Set<Cell*> set;
};
ACRE_LAYOUT(World, field, nested, array, c_array, optional, variant, tuple,
            pair, vector, map, numbered, shelves, pointer, span, keys, set)

struct Place {
  Leaf* leaf;
  std::string path;
};

World* MakeWorld(Arena& arena) {
  World* world = arena.New<World>();
  world->optional.emplace();
  world->variant.emplace<Leaf>();
  world->vector.resize(3);
  static_cast<void>(world->map["MAP07"]);
  static_cast<void>(world->numbered[-5]);
  world->shelves["a"].resize(2);
  static_cast<void>(world->shelves["a"][1].boxes["b"]);
  world->shelves["a"][1].row.resize(2);
  world->pointer = arena.New<Leaf>();
  world->span = arena.NewArray<Leaf>(4);
  return world;
}

std::vector<Place> PlacesOf(World& world) {
  Shelf& shelf = world.shelves["a"][1];
  return {{&world.field, ".field"},
          {&world.nested.leaf, ".nested.leaf"},
          {&world.array[1], ".array[1]"},
          {&world.c_array[1], ".c_array[1]"},
          {&*world.optional, ".optional.value()"},
          {&std::get<1>(world.variant), ".variant.get<1>()"},
          {&std::get<1>(world.tuple), ".tuple.get<1>()"},
          {&world.pair.second, ".pair.second"},
          {&world.vector[2], ".vector[2]"},
          {&world.map["MAP07"], ".map[\"MAP07\"]"},
          {&world.numbered[-5], ".numbered[-5]"},
          {&shelf.boxes["b"].leaf, ".shelves[\"a\"][1].boxes[\"b\"].leaf"},
          {&shelf.row[0], ".shelves[\"a\"][1].row[0]"},
          {world.pointer, ".pointer"},
          {&world.span[3], ".span[3]"}};
}

/// A bad address, and how it is to be told.
struct Bad {
  const char* name;
  void* address;
  Target target;
  Certainty certainty = Certainty::kExact;
};

Cell static_cells[2];

void CheckOne(const AuditReport& report, const std::string& path,
              FindingKind kind, const Bad& bad, const void* slot) {
  CAPTURE(path);
  CAPTURE(bad.name);
  REQUIRE(report.findings.size() == 1);
  const Finding& finding = report.findings.front();
  CHECK(finding.path == "audit_test::World" + path);
  CHECK(finding.kind == kind);
  CHECK(finding.target == bad.target);
  CHECK(finding.certainty == bad.certainty);
  CHECK(finding.slot == slot);
  CHECK(finding.address == bad.address);
  CHECK_FALSE(finding.what.empty());
  CHECK_FALSE(finding.hint.empty());
  const bool is_leak = bad.target == Target::kCollectedHeap ||
                       bad.target == Target::kCollectedArena;
  CHECK(finding.is_leak() == is_leak);
  CHECK(report.leaks() == (is_leak ? 1u : 0u));
}

/// Nothing but what the world reaches is in the arena.
void CheckSame(const AuditReport& one, const AuditReport& all) {
  REQUIRE(one.findings.size() == all.findings.size());
  for (std::size_t i = 0; i < one.findings.size(); ++i) {
    CHECK(one.findings[i].path == all.findings[i].path);
    CHECK(one.findings[i].slot == all.findings[i].slot);
    CHECK(one.findings[i].kind == all.findings[i].kind);
    CHECK(one.findings[i].target == all.findings[i].target);
  }
}

/// Plants the address in each slot of each leaf, alone.
void CheckEverywhere(const Arena& arena, World& world, const Bad& bad,
                     bool in_texts = true) {
  const acre::AuditOptions options{.report_static = true};
  const auto audit = [&] {
    AuditReport report = Audit(arena, world, options);
    if (acre::kChecked) {  // finds the same, without knowing the root
      CheckSame(report, acre::AuditAll(arena, options));
    }
    return report;
  };
  auto* cell = static_cast<Cell*>(bad.address);
  for (const auto& [leaf, path] : PlacesOf(world)) {
    leaf->pointer = cell;
    CheckOne(audit(), path + ".pointer", FindingKind::kPointer, bad,
             &leaf->pointer);
    leaf->pointer = nullptr;
    leaf->span = {cell, 2};
    CheckOne(audit(), path + ".span", FindingKind::kSpan, bad, &leaf->span);
    leaf->span = {};
    if (in_texts && bad.target != Target::kMisaligned) {
      leaf->text = {static_cast<const char*>(bad.address), 5};
      CheckOne(audit(), path + ".text", FindingKind::kString, bad, &leaf->text);
      leaf->text = {};
    }
    REQUIRE(audit().clean());
  }
  world.keys[cell] = 1;
  CheckOne(audit(), ".keys{#0}", FindingKind::kPointer, bad,
           &world.keys.begin()->first);
  world.keys.clear();
  world.set.insert(cell);
  CheckOne(audit(), ".set{#0}", FindingKind::kPointer, bad,
           &*world.set.begin());
  world.set.clear();
  REQUIRE(audit().clean());
}

void CheckCellsEverywhere(const Arena& arena, World& world, const Bad& bad) {
  CheckEverywhere(arena, world, bad, false);
}

/// Puts a handle where move assignment would refuse or rebind it.
void Plant(Vector<Cell>& slot, const Vector<Cell>& handle) {
  std::memcpy(static_cast<void*>(&slot), &handle, sizeof handle);
}

void CheckStorageEverywhere(const Arena& arena, World& world,
                            const Vector<Cell>& storage, const Bad& bad) {
  for (const auto& [leaf, path] : PlacesOf(world)) {
    const Vector<Cell> empty;
    Plant(leaf->vector, storage);
    CheckOne(Audit(arena, world), path + ".vector", FindingKind::kContainer,
             bad, &leaf->vector);
    Plant(leaf->vector, empty);
    REQUIRE(Audit(arena, world).clean());
  }
}

struct Link {
  Link* next = nullptr;
};
ACRE_LAYOUT(Link, next)
struct Thing {
  Link link;  // at offset 0: the same address
  Cell* owner = nullptr;
};
ACRE_LAYOUT(Thing, link, owner)
struct Things {
  Link* first = nullptr;
  Thing* thing = nullptr;
};
ACRE_LAYOUT(Things, first, thing)

struct Picks {
  Vector<Cell> cells;
  Cell* pick = nullptr;
  std::span<Cell> some;
};
ACRE_LAYOUT(Picks, cells, pick, some)

struct FirstAndAll {
  Cell* first = nullptr;
  std::span<Cell> all;
};
ACRE_LAYOUT(FirstAndAll, first, all)

struct Inner2 {
  std::int64_t number = 0;
  Vector<Cell> cells;
};
ACRE_LAYOUT(Inner2, number, cells)
struct Whole {
  Inner2 inner;
  std::array<Cell, 4> row;
};
ACRE_LAYOUT(Whole, inner, row)
struct Derived : Cell {
  Cell* own = nullptr;
};
ACRE_LAYOUT(Derived, base(Cell), own)
struct Listed : Cell {
  Cell* own = nullptr;
};
ACRE_LAYOUT(Listed, next, other, own)

struct Members {
  Whole whole;
  Derived derived;
  Listed listed;
  String text;
  std::variant<int, Whole> choice;
  std::tuple<int, Cell> tuple;
  Map<int, Cell> map;
  Cell* cell = nullptr;
  std::span<Cell> span;
  Vector<Cell>* handle = nullptr;
  std::int64_t* number = nullptr;
  Cell* base = nullptr;
  Cell* flat = nullptr;
  std::string_view view;
  unsigned char* byte = nullptr;
  Whole* part = nullptr;
  Cell* item = nullptr;
  Cell* entry = nullptr;
};
ACRE_LAYOUT(Members, whole, derived, listed, text, choice, tuple, map, cell,
            span, handle, number, base, flat, view, byte, part, item, entry)

struct Noted {
  Cell* skipped = nullptr;
  Cell* known = nullptr;
  std::array<Cell*, 2> several = {};
  Cell* plain = nullptr;
};
ACRE_LAYOUT(Noted, borrowed(skipped), reviewed(known, "kept by the host"),
            reviewed(several, "kept by the host"), plain)

TEST_CASE("Audit: a world without bad pointers is clean") {
  Arena arena({.name = "level"});
  World* world = MakeWorld(arena);
  world->field.pointer = arena.New<Cell>();
  world->field.pointer->next = world->field.pointer;
  world->field.text = "a literal";
  world->vector[0].vector.resize(5);
  world->keys[world->field.pointer] = 1;
  const AuditReport report = Audit(arena, *world);
  CHECK(report.clean());
  CHECK(report.leaks() == 0);
  CHECK(report.arena == "level");
  CHECK(report.objects > 5);
  CHECK(report.pointers > 5);
  CHECK(report.omitted == 0);
  CHECK(report.reviewed == 0);
}

TEST_CASE("Audit: the collected heap, small, large and inside") {
  Arena arena;
  World* world = MakeWorld(arena);
  auto* small = static_cast<char*>(GC_MALLOC(2 * sizeof(Cell)));
  auto* large = static_cast<char*>(GC_MALLOC(10'000));
  CheckEverywhere(
      arena, *world,
      {"small", small, Target::kCollectedHeap, Certainty::kAmbiguous});
  CheckEverywhere(arena, *world, {"large", large, Target::kCollectedHeap});
  CheckEverywhere(arena, *world,
                  {"inside", large + 800, Target::kCollectedHeap});
  GC_reachable_here(small);
  GC_reachable_here(large);
}

TEST_CASE("Audit: other arenas, collected and explicit") {
  Arena arena;
  World* world = MakeWorld(arena);
  Arena* collected = acre::NewCollectedArena();
  CheckEverywhere(
      arena, *world,
      {"collected", collected->New<Cell>(), Target::kCollectedArena});
  Arena explicit_arena;
  CheckEverywhere(
      arena, *world,
      {"explicit", explicit_arena.New<Cell>(), Target::kOtherArena});
  Arena malloced({.source = &acre::MallocSource::Instance()});
  CheckEverywhere(arena, *world,
                  {"malloced", malloced.New<Cell>(), Target::kOtherArena});
  GC_reachable_here(collected);
}

TEST_CASE("Audit: stack, static storage and malloc") {
  Arena arena;
  World* world = MakeWorld(arena);
  Cell local[2];
  CheckEverywhere(arena, *world, {"stack", local, Target::kStack});
  CheckEverywhere(arena, *world, {"static", static_cells, Target::kStatic});
  const acre_test::Malloced block(64);
  CheckEverywhere(arena, *world, {"malloc", block.get(), Target::kUnknown});
}

TEST_CASE("Audit: the arena's own memory, unused, misaligned and freed") {
  Arena arena;
  World* world = MakeWorld(arena);
  world->keys.reserve(4);
  world->set.reserve(4);
  auto* last = static_cast<char*>(arena.Allocate(16));
  REQUIRE(arena.Owns(last + 4096));
  CheckEverywhere(arena, *world,
                  {"past the end", last + 4096, Target::kUnused});
  Cell* cells = arena.NewArray<Cell>(4).data();
  CheckEverywhere(
      arena, *world,
      {"misaligned", reinterpret_cast<char*>(cells) + 4, Target::kMisaligned});
  if (acre::kChecked) {
    arena.New<Other>();  // else the end of `cells`
    const std::span<Cell> dead = arena.NewArray<Cell>(8);
    arena.Free(dead);
    CheckEverywhere(arena, *world, {"freed", dead.data(), Target::kFreed});
    // A text may lie anywhere: these are wrong for cells only.
    const std::span<Other> other = arena.NewArray<Other>(8);
    REQUIRE(static_cast<void*>(other.data()) == dead.data());
    CheckCellsEverywhere(arena, *world,
                         {"used again", other.data(), Target::kOtherType});
    CheckCellsEverywhere(arena, *world,
                         {"inside", &other[1].number, Target::kInterior});
    CheckCellsEverywhere(arena, *world,
                         {"storage", world->vector.data(), Target::kOtherType});
  }
}

TEST_CASE("Audit: memory that Reset or Rewind gave up") {
  Arena arena;
  static_cast<void>(arena.Allocate(20'000));
  auto* old = static_cast<char*>(arena.Allocate(1000));
  arena.Reset();
  World* world = MakeWorld(arena);
  world->keys.reserve(4);
  world->set.reserve(4);
  CheckEverywhere(arena, *world, {"reset", old, Target::kStale});
  const acre::Mark mark = arena.Checkpoint();
  static_cast<void>(arena.Allocate(30'000));
  auto* young = static_cast<char*>(arena.Allocate(1000));
  arena.Rewind(mark);
  CheckEverywhere(arena, *world, {"rewound", young, Target::kStale});
  CheckEverywhere(arena, *world, {"never used", young + 8192, Target::kUnused});
}

TEST_CASE("Audit: pointers to members, elements and bases are fine") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Members* members = arena.New<Members>();
  members->whole.inner.cells.resize(3);
  members->whole.row = {};
  members->cell = &members->whole.inner.cells[2];
  members->span = {members->whole.row.data() + 1, 2};
  members->handle = &members->whole.inner.cells;
  members->number = &members->whole.inner.number;
  members->base = &members->derived;
  members->flat = static_cast<Cell*>(static_cast<void*>(&members->listed));
  members->text = "short";
  members->view = members->text.view();
  members->byte =
      reinterpret_cast<unsigned char*>(&members->whole.inner.number);
  members->part = &members->choice.emplace<Whole>();
  members->item = &std::get<1>(members->tuple);
  members->entry = &members->map[7];
  const AuditReport report = Audit(arena, *members);
  for (const Finding& finding : report.findings) {
    FAIL_CHECK(finding.path << " " << finding.what);
  }
  CHECK(acre::AuditAll(arena).clean());
}

TEST_CASE("Audit: a span that reaches past what was handed out") {
  Arena arena;
  World* world = MakeWorld(arena);
  const std::span<Cell> cells = arena.NewArray<Cell>(2);
  world->field.span = {cells.data(), 100'000};
  const AuditReport report = Audit(arena, *world);
  CheckOne(report, ".field.span", FindingKind::kSpan,
           {"past", cells.data(), Target::kUnused}, &world->field.span);
  if (acre::kChecked) {  // the blocks are known
    world->field.span = {cells.data(), 3};
    CHECK(Audit(arena, *world).findings.size() == 1);
  }
  world->field.span = cells;
  CHECK(Audit(arena, *world).clean());
}

TEST_CASE("Audit: a span of more elements than memory has bytes") {
  Arena arena;
  World* world = MakeWorld(arena);
  const std::span<Cell> cells = arena.NewArray<Cell>(2);
  // As bytes these counts wrap around to 0, 16 and 32.
  const std::size_t wrapping = SIZE_MAX / sizeof(Cell) + 1;
  for (std::size_t count : {wrapping, wrapping + 1, wrapping + 2, SIZE_MAX}) {
    world->field.span = {cells.data(), count};
    CheckOne(Audit(arena, *world), ".field.span", FindingKind::kSpan,
             {"garbage", cells.data(), Target::kUnused}, &world->field.span);
  }
}

TEST_CASE("Audit: container storage of other arenas") {
  Arena arena;
  World* world = MakeWorld(arena);
  Arena other;
  const Vector<Cell> foreign(other, 3);
  CheckStorageEverywhere(
      arena, *world, foreign,
      {"other", const_cast<Cell*>(foreign.data()), Target::kOtherArena});
  Arena* collected = acre::NewCollectedArena();
  const Vector<Cell> leaking(*collected, 3);
  CheckStorageEverywhere(arena, *world, leaking,
                         {"collected", const_cast<Cell*>(leaking.data()),
                          Target::kCollectedArena});
}

TEST_CASE("Audit: container storage that Reset or Rewind gave up") {
  Arena arena;
  static_cast<void>(arena.Allocate(1000));
  Vector<Cell> old(arena, 3);
  Cell* const old_data = old.data();
  arena.Reset();
  World* world = MakeWorld(arena);
  CheckStorageEverywhere(arena, *world, old,
                         {"reset", old_data, Target::kStale});
  const acre::Mark mark = arena.Checkpoint();
  Vector<Cell> young(arena, 3);
  Cell* const young_data = young.data();
  arena.Rewind(mark);
  CheckStorageEverywhere(arena, *world, young,
                         {"rewound", young_data, Target::kStale});
}

TEST_CASE("Audit: static storage is reported on request only") {
  Arena arena;
  Cell* cell = arena.New<Cell>();
  cell->next = static_cells;
  CHECK(Audit(arena, *cell).clean());
  CHECK(Audit(arena, *cell, {.report_static = true}).findings.size() == 1);
}

TEST_CASE("Audit: null pointers, empty spans and empty texts are ignored") {
  Arena arena;
  World* world = MakeWorld(arena);
  Cell local;
  world->field.span = {&local, 0};
  world->field.text = {reinterpret_cast<const char*>(&local), 0};
  CHECK(Audit(arena, *world, {.report_static = true}).clean());
}

TEST_CASE("Audit: a link at offset 0 does not hide the struct around it") {
  Arena arena;
  Things* things = arena.New<Things>();
  things->thing = arena.New<Thing>();
  things->first = &things->thing->link;
  things->thing->owner = static_cast<Cell*>(GC_MALLOC(10'000));
  const AuditReport report = Audit(arena, *things);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::Things.thing.owner");
  CHECK(report.findings[0].target == Target::kCollectedHeap);
}

TEST_CASE("Audit: a pointer to the first element does not hide the others") {
  Arena arena;
  FirstAndAll* root = arena.New<FirstAndAll>();
  root->all = arena.NewArray<Cell>(4);
  root->first = &root->all[0];
  Cell local;
  root->all[2].next = &local;
  const AuditReport report = Audit(arena, *root);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::FirstAndAll.all[2].next");
}

TEST_CASE("Audit: a slot that is reached in several ways is reported once") {
  Arena arena;
  Picks* picks = arena.New<Picks>();
  picks->cells.resize(3);
  picks->pick = &picks->cells[1];
  picks->some = {&picks->cells[0], 2};
  Cell local;
  picks->cells[1].next = &local;
  const AuditReport report = Audit(arena, *picks);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::Picks.cells[1].next");
  CHECK(report.findings[0].slot == &picks->cells[1].next);
}

TEST_CASE("Audit: a root outside the arena") {
  Arena arena;
  Cell local;
  Cell root;
  root.other = &local;  // not the arena's
  root.next = arena.New<Cell>();
  CHECK(Audit(arena, root).clean());
  root.next->other = &local;
  const AuditReport report = Audit(arena, root);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::Cell.next.other");
  CHECK(report.findings[0].slot == &root.next->other);
}

TEST_CASE("Audit: borrowed fields are skipped, reviewed ones counted") {
  Arena arena;
  Noted* noted = arena.New<Noted>();
  Cell local;
  noted->skipped = &local;
  AuditReport report = Audit(arena, *noted);
  CHECK(report.clean());
  CHECK(report.reviewed == 0);
  CHECK(report.pointers == 0);
  noted->known = &local;
  noted->several = {&local, &local};
  report = Audit(arena, *noted);
  CHECK(report.clean());
  CHECK(report.reviewed == 3);
  noted->plain = &local;
  report = Audit(arena, *noted);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::Noted.plain");
  CHECK(report.reviewed == 3);
}

TEST_CASE("Audit: findings beyond the maximum are counted") {
  Arena arena;
  Picks* picks = arena.New<Picks>();
  picks->cells.resize(50);
  Cell local;
  for (Cell& cell : picks->cells) cell.other = &local;
  const AuditReport report = Audit(arena, *picks, {.max_findings = 7});
  REQUIRE(report.findings.size() == 7);
  CHECK(report.omitted == 43);
  CHECK(report.findings[6].path == "audit_test::Picks.cells[6].other");
  CHECK(Audit(arena, *picks).findings.size() == 50);
}

TEST_CASE("Audit: the order is that of the shortest paths, each time") {
  Arena arena;
  Cell* root = arena.New<Cell>();
  root->next = arena.New<Cell>();
  root->next->next = arena.New<Cell>();
  root->next->next->next = root;  // and round again
  Cell local;
  root->other = &local;
  root->next->other = &local;
  root->next->next->other = &local;
  for (int i = 0; i < 3; ++i) {
    const AuditReport report = Audit(arena, *root);
    REQUIRE(report.findings.size() == 3);
    CHECK(report.findings[0].path == "audit_test::Cell.other");
    CHECK(report.findings[1].path == "audit_test::Cell.next.other");
    CHECK(report.findings[2].path == "audit_test::Cell.next.next.other");
  }
}

TEST_CASE("Audit: a list of a million cells, with a leak at its end") {
  Arena arena({.source = &acre::MallocSource::Instance()});
  acre_test::NeedCollector();
  constexpr int kCells = acre_test::Scaled(1'000'000, 200'000);
  auto* leak = static_cast<Cell*>(GC_MALLOC(10'000));
  Cell* head = arena.New<Cell>(nullptr, leak);
  for (int i = 1; i < kCells; ++i) head = arena.New<Cell>(head, nullptr);
  const AuditReport report = Audit(arena, *head);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.leaks() == 1);
  CHECK(report.objects == kCells);
  const std::string& path = report.findings[0].path;
  CHECK(path.starts_with("audit_test::Cell.next.next."));
  CHECK(path.ends_with(".next.other"));
  CHECK(path.find(" more)...") != std::string::npos);
  CHECK(path.size() < 400);
  GC_reachable_here(leak);
}

TEST_CASE("Audit: changes nothing") {
  Arena arena;
  World* world = MakeWorld(arena);
  Cell local;
  for (const auto& [leaf, path] : PlacesOf(*world)) leaf->pointer = &local;
  std::vector<char> before(sizeof(World));
  std::memcpy(before.data(), world, sizeof(World));
  const acre::ArenaStats stats = arena.stats();
  CHECK(Audit(arena, *world).findings.size() == PlacesOf(*world).size());
  CHECK(std::memcmp(before.data(), world, sizeof(World)) == 0);
  CHECK(arena.stats().live() == stats.live());
  CHECK(arena.stats().reserved == stats.reserved);
  CHECK(world->map["MAP07"].pointer == &local);
}

// The storage of `scopes` and the Vector that is the first part of its first
// element lie at one address.
struct Nested {
  acre::Vector<Nested> kids = {};
  int id = 0;
  int* leak = nullptr;
};
ACRE_LAYOUT(Nested, kids, id, leak)
struct NestedRoot {
  acre::Vector<Nested>* current = nullptr;
  acre::Vector<Nested> scopes;
};
ACRE_LAYOUT(NestedRoot, current, scopes)

struct ManyPointers {
  acre::Vector<int*> others;
  acre::Vector<int*> leaks;
};
ACRE_LAYOUT(ManyPointers, others, leaks)

TEST_CASE("audit: storage is walked though a container lies at its address") {
  using audit_test::NestedRoot;
  acre::Arena arena;
  auto* root = arena.New<NestedRoot>();
  for (int i = 1; i <= 3; ++i) root->scopes.emplace_back().id = i;
  root->scopes[0].kids.emplace_back().id = 11;
  root->current = &root->scopes[0].kids;
  CHECK(acre::Audit(arena, *root).clean());
  root->scopes[2].leak = static_cast<int*>(GC_malloc(16));
  const acre::AuditReport report = acre::Audit(arena, *root);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_test::NestedRoot.scopes[2].leak");
}

TEST_CASE("audit: leaks are counted and listed before other findings") {
  acre::Arena arena;
  auto* many = arena.New<audit_test::ManyPointers>();
  int local = 0;
  for (int i = 0; i < 20; ++i) many->others.push_back(&local);
  for (int i = 0; i < 3; ++i) {
    many->leaks.push_back(static_cast<int*>(GC_malloc(16)));
  }
  const acre::AuditReport report =
      acre::Audit(arena, *many, {.max_findings = 5});
  CHECK(report.findings.size() == 5);
  CHECK(report.leaks() == 3);
  CHECK(report.omitted == 18);
  CHECK(report.findings[4].is_leak());
  CHECK(report.findings[2].is_leak());
  CHECK_FALSE(report.findings[1].is_leak());
  const acre::AuditReport few = acre::Audit(arena, *many, {.max_findings = 2});
  CHECK(few.findings.size() == 2);
  CHECK(few.findings[0].is_leak());
  CHECK(few.findings[1].is_leak());
  CHECK(few.leaks() == 3);
}

TEST_CASE("audit: what the collector never frees is no leak") {
  acre::Arena arena;
  auto* many = arena.New<audit_test::ManyPointers>();
  many->others.push_back(static_cast<int*>(GC_malloc_uncollectable(16)));
  many->others.push_back(static_cast<int*>(GC_malloc_atomic_uncollectable(16)));
  const acre::AuditReport report = acre::Audit(arena, *many);
  CHECK(report.leaks() == 0);
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].what ==
        "an uncollectable object: the collector does not free it");
  for (int* object : many->others) GC_free(object);
}

struct Ends {
  Cell* begin = nullptr;
  Cell* end = nullptr;
  std::span<std::byte> bytes;
  std::int64_t* numbers_end = nullptr;
};
ACRE_LAYOUT(Ends, begin, end, bytes, numbers_end)

TEST_CASE("audit: ends of arrays, and bytes of anything, are fine") {
  Arena arena;
  auto* ends = arena.New<audit_test::Ends>();
  const std::span<Cell> cells = arena.NewArray<Cell>(8);
  auto* behind = arena.New<audit_test::Other>();
  behind->number = -1;  // walked as a Cell this would be a finding
  ends->begin = cells.data();
  ends->end = cells.data() + cells.size();
  REQUIRE(static_cast<void*>(ends->end) == behind);
  ends->bytes = std::as_writable_bytes(std::span(ends, 1));
  const std::span<std::int64_t> numbers = arena.NewArray<std::int64_t>(5);
  ends->numbers_end = numbers.data() + 5;
  if (acre::kChecked) {
    CHECK(Audit(arena, *ends).clean());
    CHECK(acre::AuditAll(arena, {acre::RootOf(*ends)}).clean());
    // One object is no array: behind it stands something else.
    ends->end = cells.data();
    Cell* one = arena.New<Cell>();
    arena.New<audit_test::Other>();
    ends->begin = one + 1;
    CHECK(Audit(arena, *ends).findings.size() == 1);
  }
}

TEST_CASE("audit: pointers into a very large block take no longer") {
  if (!acre::kChecked) return;
  Arena arena;
  const auto time = [&](std::size_t size) {
    const std::span<Cell> cells = arena.NewArray<Cell>(size);
    auto* many = arena.New<Picks>();
    many->cells.resize(20'000);
    for (Cell& cell : many->cells) cell.next = &cells[size - 1];
    const auto start = std::chrono::steady_clock::now();
    CHECK(Audit(arena, *many).clean());
    return std::chrono::steady_clock::now() - start;
  };
  const auto small = time(1000);
  // 160 MB: word by word this took a thousand times as long.
  CHECK(time(10'000'000) < 50 * small + std::chrono::milliseconds(200));
}

}  // namespace audit_test
