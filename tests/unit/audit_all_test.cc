// SPDX-License-Identifier: MIT
//
// Guards the audit of whole arenas: what no root reaches, what no layout
// describes, and nothing besides; garbage by type, and findings that are known.

#include <doctest/doctest.h>
#include <gc/gc.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/baseline.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"

namespace audit_all_test {

using acre::Arena;
using acre::AuditAll;
using acre::AuditReport;
using acre::Certainty;
using acre::FindingKind;
using acre::RootOf;
using acre::Target;

struct Node {
  Node* next = nullptr;
  acre::Vector<Node*> more;
};
ACRE_LAYOUT(Node, next, more)

struct World {
  acre::Map<acre::String, Node*> nodes;
  acre::String name;
};
ACRE_LAYOUT(World, nodes, name)

/// Words that look like pointers: one that a layout calls a number, one in a
/// hole.
struct Mixed {
  std::int64_t number = 0;
  std::uintptr_t hole = 0;
  Node* node = nullptr;
};
ACRE_LAYOUT(Mixed, number, opaque(hole, 8), node)

struct Blob {
  std::span<std::byte> bytes;
};
ACRE_LAYOUT(Blob, bytes)

struct Guest {
  Node* node = nullptr;
  Node* host = nullptr;
};
ACRE_LAYOUT(Guest, node, borrowed(host))

/// No pointer of it is looked at.
struct Badge {
  std::int64_t number = 0;
  Node* host = nullptr;
};
ACRE_LAYOUT(Badge, number, borrowed(host))

struct Inn {
  acre::Vector<Guest> row;
  acre::Map<std::int32_t, Guest> rooms;
  Guest owner = {};
  Badge* badge = nullptr;
  Node* stray = nullptr;
};
ACRE_LAYOUT(Inn, row, rooms, owner, badge, stray)

/// Slots whose pointer is not their first word.
struct Sign {
  std::string_view text;
  std::optional<Node*> maybe;
  std::variant<std::int64_t, Node*> either;
};
ACRE_LAYOUT(Sign, text, maybe, either)

struct Ledger {
  std::span<std::int64_t> numbers;
  std::span<std::byte> bytes;
};
ACRE_LAYOUT(Ledger, numbers, bytes)

struct Kept {
  Node* known = nullptr;
  Node* fresh = nullptr;
  acre::Vector<Node> list;
};
ACRE_LAYOUT(Kept, known, fresh, list)

Node* Collected(std::size_t bytes = 10'000) {
  return static_cast<Node*>(GC_MALLOC(bytes));
}

class TempFile {
 public:
  explicit TempFile(std::string_view text) {
    std::FILE* file = std::fopen(path(), "w");
    REQUIRE(file != nullptr);
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() {
    std::remove(path());
    acre::ClearBaseline();
  }
  static const char* path() { return "audit_all_test.baseline"; }
};

TEST_CASE("AuditAll: blocks that nothing reaches are audited") {
  if (!acre::kChecked) return;
  Arena arena;
  arena.New<World>();
  Node* lone = arena.New<Node>();
  Node* circle = arena.New<Node>();
  circle->next = arena.New<Node>();
  circle->next->next = circle;
  CHECK(AuditAll(arena).clean());

  lone->next = Collected();
  AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_all_test::Node.next");
  CHECK(report.findings[0].slot == &lone->next);
  lone->next = nullptr;

  circle->next->more.push_back(Collected());
  report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path == "audit_all_test::Node.next.more[0]");
  CHECK(report.findings[0].target == Target::kCollectedHeap);
  CHECK(report.leaks() == 1);
}

TEST_CASE("AuditAll: paths start at blocks that no pointer leads to") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* last = arena.New<Node>();
  Node* middle = arena.New<Node>(last);
  World* world = arena.New<World>();
  world->nodes["a"] = middle;
  last->next = Collected();
  const AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  const acre::Finding& finding = report.findings[0];
  CHECK(finding.path == "audit_all_test::World.nodes[\"a\"].next.next");
  CHECK(finding.field == ".next");
  REQUIRE(finding.steps.size() == 4);
  CHECK(finding.steps[0].part == "audit_all_test::World");
  CHECK(finding.steps[0].address == world);
  CHECK(finding.steps[1].part == ".nodes[\"a\"]");
  CHECK(finding.steps[2].address == middle);
  CHECK(finding.steps[3].part == ".next");
  CHECK(finding.steps[3].type == "audit_all_test::Node");
  CHECK(finding.steps[3].address == last);
}

TEST_CASE("AuditAll: freed blocks are not looked at") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  node->next = Collected();
  CHECK(AuditAll(arena).leaks() == 1);
  arena.Free(node);
  CHECK(AuditAll(arena).clean());
  Node* other = arena.New<Node>();
  other->next = Collected();
  arena.Reset();
  CHECK(AuditAll(arena).clean());
}

TEST_CASE("AuditAll: garbage, by type, most bytes first") {
  if (!acre::kChecked) return;
  Arena arena;
  World* world = arena.New<World>();
  world->nodes["a"] = arena.New<Node>();
  world->nodes["a"]->more.resize(100);
  world->name = "a name that does not fit into the handle";
  const auto garbage = [&] {
    return AuditAll(arena, {RootOf(*world)}, {.report_garbage = true}).garbage;
  };
  CHECK(garbage().empty());
  Node* lone = arena.New<Node>();
  lone->more.resize(2);
  arena.New<Node>();
  static_cast<void>(arena.Allocate(1000));
  const auto found = garbage();
  REQUIRE(found.size() == 3);
  CHECK(found[0].type == "raw bytes");
  CHECK(found[0].bytes == 1000);
  CHECK(found[1].type == "audit_all_test::Node");
  CHECK(found[1].blocks == 2);
  CHECK(found[1].bytes == 2 * sizeof(Node));
  CHECK(found[2].type == "storage of audit_all_test::Node*");
  CHECK(found[2].blocks == 1);
  CHECK(AuditAll(arena).garbage.empty());  // not asked for
}

TEST_CASE("AuditAll: raw memory is swept, word by word") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Blob* blob = arena.New<Blob>();
  auto** words = static_cast<void**>(arena.Allocate(64));
  for (int i = 0; i < 8; ++i) words[i] = nullptr;
  blob->bytes = {reinterpret_cast<std::byte*>(words), 64};
  CHECK(AuditAll(arena, {RootOf(*blob)}).clean());
  Node* target = Collected();
  words[3] = reinterpret_cast<char*>(target) + 16;
  words[5] = words;                       // the arena's own
  words[6] = &arena;                      // a stack
  words[7] = GC_malloc_uncollectable(8);  // nobody frees it
  const AuditReport report = AuditAll(arena, {RootOf(*blob)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == FindingKind::kWord);
  CHECK(report.findings[0].certainty == Certainty::kAmbiguous);
  CHECK(report.findings[0].target == Target::kCollectedHeap);
  CHECK(report.findings[0].slot == &words[3]);
  CHECK(report.findings[0].what.find("bytes") != std::string::npos);
  CHECK(report.words >= 8);
  if (acre::kChecked) {
    CHECK(report.findings[0].path == "audit_all_test::Blob.bytes[+24]");
  }
  CHECK(AuditAll(arena, {RootOf(*blob)}, {.sweep_raw = false}).clean());
  GC_free(words[7]);
}

TEST_CASE("AuditAll: handles know their arena, which is no leak") {
  Arena* arena = acre::NewCollectedArena();
  auto* world = arena->New<World>();
  for (int i = 0; i < 300; ++i) {
    Node* node = arena->New<Node>();
    node->more.push_back(node);
    world->nodes[std::to_string(i)] = node;
  }
  world->name = "a name that is too long to lie in the string itself";
  for (const AuditReport& report :
       {AuditAll(*arena), AuditAll(*arena, {RootOf(*world)})}) {
    for (const acre::Finding& finding : report.findings) {
      CHECK_MESSAGE(finding.address != arena, ToText(report));
      // Its memory was another arena's, of whose words a release build cannot
      // tell that they mean nothing any more.
      CHECK_MESSAGE(!acre::kChecked, ToText(report));
      CHECK(finding.kind == FindingKind::kWord);
    }
  }
}

TEST_CASE("AuditAll: words that lead to control blocks of arenas") {
  Arena* arena = acre::NewCollectedArena();
  Arena* other = acre::NewCollectedArena();
  auto** words = static_cast<void**>(arena->Allocate(64));
  std::memset(words, 0, 64);
  words[0] = arena;
  words[1] = reinterpret_cast<char*>(arena) + 24;
  words[2] = reinterpret_cast<char*>(arena) + sizeof(Arena);
  CHECK(AuditAll(*arena).findings.empty());
  words[6] = other;
  const AuditReport report = AuditAll(*arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].slot == &words[6]);
  CHECK(report.findings[0].target == Target::kCollectedHeap);
}

TEST_CASE("AuditAll: an explicit arena that is part of a collected object") {
  struct Host {
    Arena arena;
    std::uintptr_t rest = 0;
  };
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Host* host = ::new (GC_MALLOC(sizeof(Host))) Host{Arena({.source = &source})};
  auto** words = static_cast<void**>(host->arena.Allocate(16));
  words[0] = &host->arena;
  words[1] = nullptr;
  CHECK(AuditAll(host->arena).findings.empty());
  words[1] = &host->rest;
  CHECK(AuditAll(host->arena).findings.size() == 1);
  host->~Host();
}

TEST_CASE("AuditAll: words in raw memory tell whether the object is scanned") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  auto** words = static_cast<void**>(arena.Allocate(16));
  words[0] = GC_MALLOC_ATOMIC(5000);
  words[1] = nullptr;
  const AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].what.find("without pointers") != std::string::npos);
}

TEST_CASE("AuditAll: opaque holes are swept, registered numbers are not") {
  if (!acre::kChecked) return;
  Arena arena;
  const std::span<Mixed> row = arena.NewArray<Mixed>(3);
  row[1].number = reinterpret_cast<std::intptr_t>(Collected());
  CHECK(AuditAll(arena).clean());
  row[2].hole = reinterpret_cast<std::uintptr_t>(Collected());
  const AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].slot == &row[2].hole);
  CHECK(report.findings[0].kind == FindingKind::kWord);
  CHECK(report.findings[0].path == "audit_all_test::Mixed[2][+8]");
}

TEST_CASE("AuditAll: storage whose handle is outside is swept, or walked") {
  if (!acre::kChecked) return;
  Arena arena;
  acre::Vector<Node*> nodes(arena);
  nodes.push_back(nullptr);
  nodes.push_back(Collected());
  AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == FindingKind::kWord);
  report = AuditAll(arena, {RootOf(nodes)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == FindingKind::kPointer);
  CHECK(report.findings[0].path == "acre::Vector<audit_all_test::Node*>[1]");
}

TEST_CASE("AuditAll: storage that was freed under a handle") {
  if (!acre::kChecked) return;
  Arena arena;
  Node* node = arena.New<Node>();
  node->more.resize(4);
  alignas(Node) unsigned char copy[sizeof(Node)];
  std::memcpy(copy, static_cast<void*>(node), sizeof copy);
  node->more = acre::Vector<Node*>();
  Node* bad = arena.New<Node>();
  std::memcpy(static_cast<void*>(bad), copy, sizeof copy);
  AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].kind == FindingKind::kContainer);
  CHECK(report.findings[0].target == Target::kFreed);
  CHECK(report.findings[0].path == "audit_all_test::Node.more");
}

TEST_CASE("AuditAll: borrowed fields that the roots reach are not looked at") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Inn* inn = arena.New<Inn>();
  inn->row.resize(2);
  inn->row[1].host = Collected();
  inn->rooms[7].host = Collected();
  inn->owner.host = Collected();
  inn->badge = arena.New<Badge>(1, Collected());
  CHECK(AuditAll(arena, {RootOf(*inn)}).clean());

  Arena other;
  inn->stray = other.New<Node>();  // whatever else there is to tell
  const AuditReport report = AuditAll(arena, {RootOf(*inn)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].slot == &inn->stray);
  CHECK(report.leaks() == 0);
}

TEST_CASE("AuditAll: a leak that the roots reach counts once") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Sign* sign = arena.New<Sign>();
  sign->text = {static_cast<const char*>(GC_MALLOC_ATOMIC(5000)), 4};
  sign->maybe = Collected();
  sign->either = Collected();
  CHECK(Audit(arena, *sign).leaks() == 3);
  const AuditReport report = AuditAll(arena, {RootOf(*sign)});
  CHECK(report.leaks() == 3);
  CHECK(report.findings.size() == 3);
}

TEST_CASE("AuditAll: holes of what the roots reach are swept, nothing beside") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Mixed* mixed = arena.New<Mixed>();
  mixed->number = reinterpret_cast<std::intptr_t>(Collected());
  CHECK(AuditAll(arena, {RootOf(*mixed)}).clean());
  mixed->hole = reinterpret_cast<std::uintptr_t>(Collected());
  const AuditReport report = AuditAll(arena, {RootOf(*mixed)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].slot == &mixed->hole);
}

TEST_CASE("AuditAll: numbers that the roots reach are no pointers, bytes are") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Ledger* ledger = arena.New<Ledger>();
  auto** before = static_cast<Node**>(arena.Allocate(16));
  ledger->numbers = arena.NewArray<std::int64_t>(200);
  auto** behind = static_cast<Node**>(arena.Allocate(16));
  ledger->bytes = {reinterpret_cast<std::byte*>(behind), 16};
  before[0] = before[1] = behind[0] = behind[1] = nullptr;
  Node* target = Collected();
  for (std::int64_t& number : ledger->numbers) {
    number = reinterpret_cast<std::intptr_t>(target);
  }
  CHECK(AuditAll(arena, {RootOf(*ledger)}).clean());
  before[1] = behind[0] = target;
  const AuditReport report = AuditAll(arena, {RootOf(*ledger)});
  REQUIRE(report.findings.size() == 2);
  CHECK(report.findings[0].slot == &before[1]);
  CHECK(report.findings[1].slot == &behind[0]);
}

TEST_CASE("AuditAll: in release builds all is swept but what the roots reach") {
  if (acre::kChecked) return;
  acre::MmapSource source;
  Arena arena({.source = &source});
  Inn* inn = arena.New<Inn>();
  Guest* lone = arena.New<Guest>();
  lone->host = Collected();
  const AuditReport report = AuditAll(arena, {RootOf(*inn)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].slot == &lone->host);
  CHECK(report.findings[0].certainty == Certainty::kAmbiguous);
}

TEST_CASE("AuditAll: release builds say what they cannot know") {
  Arena arena;
  const AuditReport report = AuditAll(arena);
  CHECK(report.note.empty() == acre::kChecked);
}

TEST_CASE("AuditAll: roots are walked through containers, in release too") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  Arena other;
  World* world = arena.New<World>();
  world->nodes["a"] = arena.New<Node>();
  world->nodes["a"]->more.push_back(other.New<Node>());
  const AuditReport report = AuditAll(arena, {RootOf(*world)});
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path ==
        "audit_all_test::World.nodes[\"a\"].more[0]");
  CHECK(report.findings[0].target == Target::kOtherArena);
}

TEST_CASE("IdentityOf: words of raw memory have no addresses") {
  acre::MmapSource source;  // no stale words, which a release build sweeps
  Arena arena({.source = &source});
  auto** words = static_cast<void**>(arena.Allocate(32));
  words[0] = words[1] = nullptr;
  words[2] = words[3] = Collected();
  const AuditReport report = AuditAll(arena);
  REQUIRE(report.findings.size() == 2);
  CHECK(IdentityOf(report.findings[0]) == IdentityOf(report.findings[1]));
  CHECK(IdentityOf(report.findings[0]).find("0x") == std::string::npos);
}

namespace {

struct Unnamed {
  Unnamed* next = nullptr;
  acre::Vector<acre::Vector<Unnamed*>> rows;
};
ACRE_LAYOUT(Unnamed, next, rows)

}  // namespace

TEST_CASE("IdentityOf: types are spelled the same by all compilers") {
  Arena arena;
  auto* object = arena.New<Unnamed>();
  object->next = static_cast<Unnamed*>(static_cast<void*>(Collected()));
  AuditReport report = Audit(arena, *object);
  REQUIRE(report.findings.size() == 1);
  CHECK(IdentityOf(report.findings[0]) ==
        "audit_all_test::(anonymous namespace)::Unnamed.next pointer->"
        "collected heap audit_all_test::(anonymous namespace)::Unnamed");
  object->next = nullptr;
  object->rows.emplace_back().push_back(
      static_cast<Unnamed*>(static_cast<void*>(Collected())));
  report = Audit(arena, object->rows);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].path ==
        "acre::Vector<acre::Vector<audit_all_test::(anonymous namespace)::"
        "Unnamed*>>[0][0]");
}

TEST_CASE("IdentityOf: indices, keys and circles are left out") {
  Arena arena;
  Kept* kept = arena.New<Kept>();
  kept->list.resize(9);
  kept->list[4].next = Collected();
  kept->list[7].next = arena.New<Node>();
  kept->list[7].next->next = arena.New<Node>(Collected());
  const AuditReport report = Audit(arena, *kept);
  REQUIRE(report.findings.size() == 2);
  CHECK(IdentityOf(report.findings[0]) ==
        "audit_all_test::Kept.list[].next pointer->collected heap "
        "audit_all_test::Node");
  CHECK(IdentityOf(report.findings[1]) == IdentityOf(report.findings[0]));

  acre::Finding finding;
  finding.path = R"(W.a["x]\"[y"].b{#3}[+16])";
  CHECK(IdentityOf(finding) == "W.a[].b{}[] pointer->unknown memory ");
}

TEST_CASE("baseline: only what is new fails") {
  Arena arena({.name = "game"});
  Kept* kept = arena.New<Kept>();
  kept->known = Collected();
  const AuditReport before = Audit(arena, *kept);
  CHECK(before.known == 0);
  CHECK(acre::NewFindings(before) == 1);
  CHECK(acre::ExitStatus(before) == 1);

  const std::string text = acre::ToBaseline(before);
  CHECK(text.find("audit_all_test::Kept.known pointer->collected heap "
                  "audit_all_test::Node\n") != std::string::npos);
  const TempFile file(text + "\r\n  \n# nothing\n");
  std::string error;
  REQUIRE(acre::LoadBaseline(file.path(), &error));
  AuditReport report = Audit(arena, *kept);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].is_known);
  CHECK(report.known == 1);
  CHECK(report.leaks() == 1);
  CHECK(acre::ExitStatus(report) == 0);
  CHECK(ToText(report).find("known: audit_all_test::Kept.known") !=
        std::string::npos);

  kept->fresh = Collected();
  report = Audit(arena, *kept);
  CHECK(report.findings.size() == 2);
  CHECK(acre::NewFindings(report) == 1);
  CHECK(acre::ExitStatus(report) == 1);
  CHECK(acre::ExitStatus(Audit(arena, *kept, {.max_findings = 0})) == 1);
}

TEST_CASE("baseline: a file that cannot be read is named") {
  std::string error;
  CHECK_FALSE(acre::LoadBaseline("no/such/file", &error));
  CHECK(error.find("'no/such/file'") != std::string::npos);
  CHECK(error.find("No such file") != std::string::npos);
  CHECK_FALSE(acre::LoadBaseline(".", &error));
}

TEST_CASE("ToText: colours on request only") {
  Arena arena;
  Kept* kept = arena.New<Kept>();
  kept->known = Collected();
  const AuditReport report = Audit(arena, *kept);
  CHECK(ToText(report).find('\x1b') == std::string::npos);
  CHECK(ToText(report, {.color = true}).find("\x1b[1;31mLEAK") !=
        std::string::npos);
}

}  // namespace audit_all_test
