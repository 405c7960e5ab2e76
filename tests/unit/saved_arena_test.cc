// SPDX-License-Identifier: MIT
//
// Guards <acre/saved_arena.h>: what comes back is what was saved, at its own
// address and elsewhere, and it is an arena as any other.

#include "acre/saved_arena.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "acre/audit.h"
#include "acre/checksum.h"
#include "acre/diff.h"
#include "acre/gc.h"
#include "acre/history.h"
#include "acre/mmap_source.h"
#include "acre/scope.h"
#include "saved_world.h"
#include "support/death.h"
#include "support/scaled.h"

namespace saved_arena_test {

using acre::Arena;
using acre::LoadArena;
using acre::MapArena;
using acre::Outside;
using acre::Save;
using acre::SavedArena;
using acre::SaveError;
using saved_world::Folder;
using saved_world::InTheWay;
using saved_world::kAddress;
using saved_world::kLongName;
using saved_world::MakeWorld;
using saved_world::ReadAll;
using saved_world::Thing;
using saved_world::Wide;
using saved_world::World;

/// Everything that can be done with a world; what comes of it does not depend
/// on where it lies.
void Play(Arena& arena, World& world) {
  for (int i = 0; i < 200; ++i) {
    auto* thing = arena.New<Thing>();
    thing->name = kLongName;
    world.players[std::to_string(i)] = thing;
    world.scores[thing] = i;
    world.inside[static_cast<std::uint32_t>(i)].name = kLongName;
    world.seen.insert(i);
    world.unseen.insert(i);
    world.guarded[std::to_string(i)] = -i;
    world.lines.emplace_back().emplace_back("x");
  }
  for (auto& [number, thing] : world.inside) thing.target = nullptr;
  for (int i = 0; i < 100; i += 3) {
    arena.Free(world.players.at(std::to_string(i)));
    world.players.erase(std::to_string(i));
    world.lines[static_cast<std::size_t>(i)].clear();
  }
  // Those that were freed are keys no longer, wherever they were.
  acre::erase_if(world.scores,
                 [](const auto& entry) { return entry.second % 2 == 0; });
  world.scores.clear();
  world.leader.reset();
  world.score = nullptr;  // its table has grown
  world.teams = {};
  world.pair = {};
  arena.Free(world.far);
  world.far = arena.New<Wide>();
}

std::uint64_t PlayedSum(Arena& arena, World& world) {
  Play(arena, world);
  const acre::AuditReport report = acre::Audit(arena, world);
  REQUIRE_MESSAGE(report.findings.empty(), acre::ToText(report));
  return acre::Checksum(arena, world);
}

/// What leads outside is saved by another engine than all else.
void CheckComesBack(bool has_inner_pointers, bool leads_outside) {
  CAPTURE(has_inner_pointers);
  CAPTURE(leads_outside);
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena({.name = "level"});
  World* world = MakeWorld(arena);
  if (!has_inner_pointers) {
    world->score = nullptr;
    world->health = nullptr;
    for (Thing& thing : world->things) thing.target = nullptr;
    world->some = {};
  }
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::string_view motto =
      std::exchange(world->motto, std::string_view());
  const std::uint64_t sum = acre::Checksum(arena, *world);
  world->motto = motto;
  if (leads_outside) world->motto = "a literal";
  REQUIRE(Save(arena, *world, file.c_str(),
               {.outside = leads_outside ? Outside::kNull : Outside::kRefuse,
                .address = kAddress})
              .text() == "");
  world->motto = {};
  CHECK(folder.files() == 1);
  const std::uint64_t played = PlayedSum(arena, *world);

  for (const bool is_elsewhere : {false, true}) {
    for (const int way : {0, 1, 2}) {
      CAPTURE(is_elsewhere);
      CAPTURE(way);
      std::optional<InTheWay> in_the_way;
      if (is_elsewhere) in_the_way.emplace(kAddress);
      SavedArena<World> saved =
          way == 0   ? MapArena<World>(file.c_str())
          : way == 1 ? MapArena<World>(file.c_str(), {.verify = true})
                     : LoadArena<World>(file.c_str(), {.name = "loaded"});
      REQUIRE_MESSAGE(saved, saved.error().text());
      CHECK(saved.is_moved() == is_elsewhere);
      CHECK(saved->motto == (leads_outside ? "" : "motto"));
      saved->motto = {};
      CHECK(acre::Checksum(saved.arena(), *saved) == sum);
      CHECK(acre::Audit(saved.arena(), *saved).findings.empty());
      CHECK(saved.arena().name() ==
            std::string_view(way == 2 ? "loaded" : "saved"));
      CHECK(acre::ArenaOf(&*saved) == &saved.arena());
      CHECK(saved->players.at("7")->drawn == 0);
      CHECK(saved->scores.at(saved->players.at("7")) == 7);
      CHECK(saved->guarded.at("8") == 8);
      if (has_inner_pointers) {
        CHECK(*saved->health == 1001);
        CHECK(saved->score == &saved->inside.at(6).health);
        CHECK(saved->some.data() == &saved->things[3]);
      }
      CHECK(reinterpret_cast<std::uintptr_t>(saved->far) % 64 == 0);
      CHECK(PlayedSum(saved.arena(), *saved) == played);
    }
  }
  // The file is as it was.
  SavedArena<World> last = MapArena<World>(file.c_str());
  last->motto = {};
  CHECK(acre::Checksum(last.arena(), *last) == sum);
}

TEST_CASE("SavedArena: what comes back is what was saved, wherever it lies") {
  CheckComesBack(true, false);
}
TEST_CASE("SavedArena: the same without pointers into objects") {
  CheckComesBack(false, false);
}
TEST_CASE("SavedArena: the same where something leads outside") {
  CheckComesBack(true, true);
  CheckComesBack(false, true);
}

TEST_CASE("SavedArena: what a mapped arena holds can be saved again") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::uint64_t sum = acre::Checksum(arena, *world);
  REQUIRE(!Save(arena, *world, file.c_str()));
  for (int i = 0; i < 3; ++i) {
    const SavedArena<World> saved = MapArena<World>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    // Over the very file that is mapped: the new one takes its place.
    REQUIRE(Save(saved.arena(), *saved, file.c_str()).text() == "");
    CHECK(acre::Checksum(saved.arena(), *saved) == sum);
  }
  const SavedArena<World> last = LoadArena<World>(file.c_str());
  REQUIRE_MESSAGE(last, last.error().text());
  CHECK(acre::Checksum(last.arena(), *last) == sum);
  CHECK(folder.files() == 1);
}

TEST_CASE("Save: equal worlds make equal files, where the address is given") {
  const Folder folder;
  Arena arena;
  const World* one = MakeWorld(arena);
  REQUIRE(!Save(arena, *one, (folder / "1").c_str(), {.address = kAddress}));
  REQUIRE(!Save(arena, *one, (folder / "2").c_str(), {.address = kAddress}));
  // What was freed is no part of the file.
  arena.Free(arena.New<Wide>());
  REQUIRE(!Save(arena, *one, (folder / "3").c_str(), {.address = kAddress}));
  // In checked builds no two arenas have the same stamps.
  CHECK((ReadAll(folder / "1") == ReadAll(folder / "3")) == !acre::kChecked);
  CHECK((ReadAll(folder / "1") == ReadAll(folder / "2")) == !acre::kChecked);
}

TEST_CASE("SavedArena: small ones, and one that is only a number") {
  const Folder folder;
  Arena arena;
  const int* number = arena.New<int>(42);
  REQUIRE(!Save(arena, *number, (folder / "number").c_str()));
  const SavedArena<int> saved = LoadArena<int>((folder / "number").c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(*saved == 42);

  // The root may be a part of something.
  const auto things = arena.NewArray<Thing>(4);
  things[2].health = 2;
  things[2].target = &things[3];
  REQUIRE(!Save(arena, things[2], (folder / "part").c_str()));
  const SavedArena<Thing> part = LoadArena<Thing>((folder / "part").c_str());
  REQUIRE_MESSAGE(part, part.error().text());
  CHECK(part->health == 2);
  CHECK(part->target->health == 100);
}

struct Node {
  Node* next = nullptr;
  acre::Vector<Node> children;
  std::int64_t number = 0;
};
ACRE_LAYOUT(Node, next, children, number)

TEST_CASE("SavedArena: long lists and deep nesting take no stack") {
  const Folder folder;
  Arena arena;
  auto* root = arena.New<Node>();
  const int count = acre_test::Scaled(300'000, 20'000);
  Node* last = root;
  Node* deepest = root;
  for (int i = 1; i < count; ++i) {
    last->next = arena.New<Node>();
    last = last->next;
    last->number = i;
    deepest = &deepest->children.emplace_back();
  }
  last->next = root;
  REQUIRE(Save(arena, *root, (folder / "list").c_str()).text() == "");
  const InTheWay in_the_way(kAddress);  // of nobody
  const SavedArena<Node> saved = LoadArena<Node>((folder / "list").c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  const Node* node = saved->next;
  for (int i = 1; i < count; ++i) {
    REQUIRE(node->number == i);
    node = node->next;
  }
  CHECK(node == &*saved);
  // An error at the end has a path that can be read.
  static Node elsewhere;
  last->next = &elsewhere;
  const SaveError error = Save(arena, *root, (folder / "list").c_str());
  CHECK(error.path.size() < 1000);
  CHECK(error.path.find("more)") != std::string::npos);
}

// ---------------------------------------------------------------- as an arena

TEST_CASE("SavedArena: marks, scopes, Reset and History work as in any") {
  const Folder folder;
  const std::string file = folder / "world";
  {
    Arena arena;
    REQUIRE(!Save(arena, *MakeWorld(arena), file.c_str()));
  }
  SavedArena<World> saved = MapArena<World>(file.c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  Arena& arena = saved.arena();
  const std::uint64_t sum = acre::Checksum(arena, *saved);
  {
    acre::History history(arena, *saved);
    const acre::FrameId frame = history.Capture();
    const std::uint64_t played = PlayedSum(arena, *saved);
    CHECK(acre::Diff(*saved, history, frame).differences.size() > 0);
    history.Restore(frame);
    CHECK(acre::Checksum(arena, *saved) == sum);
    CHECK(PlayedSum(arena, *saved) == played);
    history.Restore(frame);
  }
  {
    const acre::Scope scope(arena);
    arena.NewArray<Thing>(10'000);
  }
  CHECK(acre::Checksum(arena, *saved) == sum);
  const acre::ArenaStats before = arena.stats();
  arena.NewArray<Wide>(100'000);  // from elsewhere
  CHECK(arena.stats().reserved > before.reserved);
  arena.Reset();
  CHECK(arena.stats().live() == 0);
  World* again = MakeWorld(arena);
  CHECK(acre::Audit(arena, *again).findings.empty());
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(acre::Audit(arena, *MakeWorld(arena)).findings.empty());
}

TEST_CASE("SavedArena: many at once, moved, and ended in any order") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::uint64_t sum = acre::Checksum(arena, *world);
  REQUIRE(!Save(arena, *world, file.c_str()));
  std::vector<SavedArena<World>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(i % 2 == 0 ? MapArena<World>(file.c_str())
                             : LoadArena<World>(file.c_str()));
    CHECK(all.back().is_moved() == (i != 0));
  }
  all[3] = std::move(all[9]);
  all[3] = SavedArena<World>();
  CHECK(!all[9]);
  CHECK(!all[9].error());
  for (std::size_t i = 0; i < all.size(); i += 2) {
    CHECK(acre::Checksum(all[i].arena(), *all[i]) == sum);
    Play(all[i].arena(), *all[i]);
    all[i] = SavedArena<World>();
  }
  CHECK(acre::Checksum(all[5].arena(), *all[5]) == sum);
  CHECK_DIES(static_cast<void>(all[9].root()), "holds none");
  CHECK_DIES(static_cast<void>(MapArena<World>("/no/such/file").arena()),
             "/no/such/file: cannot be opened");
}

constexpr const char* kFileVariable = "ACRE_TEST_SAVED_FILE";

TEST_CASE("SavedArena: in a process of its own" * doctest::skip()) {
  const char* const file = std::getenv(kFileVariable);
  REQUIRE(file != nullptr);
  const SavedArena<World> saved = MapArena<World>(file);
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(saved->guarded.size() == 50);
  for (int i = 0; i < 50; ++i) {
    CHECK(saved->guarded.at(std::to_string(i)) == i);
    CHECK(saved->players.at(std::to_string(i))->health == i);
  }
}

TEST_CASE("SavedArena: another process, with seeds of its own") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  const World* world = MakeWorld(arena);
  REQUIRE(!Save(arena, *world, file.c_str()));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv(kFileVariable, file.c_str(), 1);
    ::execl("/proc/self/exe", "unit_tests", "--no-skip", "--minimal",
            "--test-case=SavedArena: in a process of its own", nullptr);
    ::_exit(77);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Save: of arenas over any source, in few chunks and in many") {
  const Folder folder;
  const std::string file = folder / "world";
  acre::MmapSource range({.reserve = std::size_t{1} << 30});
  acre::MallocSource& heap = acre::MallocSource::Instance();
  const acre::ArenaOptions all[] = {
      {.source = &range},
      {.source = &heap, .first_chunk = 4096, .max_chunk = 4096},
      {},
  };
  for (const acre::ArenaOptions& options : all) {
    Arena arena(options);
    World* world = MakeWorld(arena, 300);
    for (const auto& [name, thing] : world->players) thing->drawn = 0;
    REQUIRE(!Save(arena, *world, file.c_str()));
    const SavedArena<World> saved = LoadArena<World>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    CHECK(acre::Checksum(saved.arena(), *saved) ==
          acre::Checksum(arena, *world));
  }
  Arena* collected = acre::NewCollectedArena();
  World* world = MakeWorld(*collected);
  CHECK(Save(*collected, *world, file.c_str()).text() == "");
}

}  // namespace saved_arena_test
