// SPDX-License-Identifier: MIT
//
// Guards audits that run by themselves: a leak that nobody asks for is told at
// the next collection, with its path, once; the program can be stopped there.

#include <doctest/doctest.h>
#include <gc/gc.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/audit_policy.h"
#include "acre/baseline.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "collecting.h"
#include "reports.h"
#include "support/death.h"

namespace automatic_audit_test {

using acre::Arena;
using acre::AuditPolicy;
using acre::AuditReport;
using acre::Target;
using acre_test::Reports;

struct Thing {
  Thing* target = nullptr;
  acre::Vector<Thing*> seen;
  Thing* accepted = nullptr;
};
ACRE_LAYOUT(Thing, target, seen, reviewed(accepted, "kept by the test"))

struct World {
  acre::Map<acre::String, acre::Vector<Thing>> levels;
};
ACRE_LAYOUT(World, levels)

/// The only reference to the object is the leak.
__attribute__((noinline)) void Plant(Thing*& slot, std::size_t bytes = 200) {
  slot = static_cast<Thing*>(GC_MALLOC(bytes));
}

World* MakeWorld(Arena& arena) {
  World* world = arena.New<World>();
  world->levels["MAP07"].resize(10);
  return world;
}

/// Runs a test case in a process of its own: the variable is read once, and the
/// hook is installed once.
acre_test::Death RunAlone(const char* test_case, const char* value) {
  return acre_test::RunInChild([=] {
    setenv("ACRE_AUDIT", value, 1);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execl("/proc/self/exe", "unit_tests", "--no-skip", "--minimal", test_case,
          nullptr);
  });
}
acre_test::Death RunPlanted(const char* value) {
  return RunAlone("--test-case=child of automatic audit", value);
}

std::atomic<int> host_events{0};

struct Object {
  Object* target = nullptr;
  std::int64_t number = 0;
};
ACRE_LAYOUT(Object, target, number)
struct Planted {
  acre::Vector<Object> things;
};
ACRE_LAYOUT(Planted, things)

__attribute__((noinline)) void PlantObject(Object& object) {
  object.target = static_cast<Object*>(GC_MALLOC(sizeof(Object)));
  object.target->number = 42;
}

TEST_CASE("automatic audit: a leak is told at the next collection, once") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "game"});
  World* world = MakeWorld(arena);
  Plant(world->levels["MAP07"][3].target);
  acre_test::Collect();
  acre::FlushAudits();
  auto found = reports.findings();
  REQUIRE(found.size() == 1);
  CHECK(found[0].path ==
        "automatic_audit_test::World.levels[\"MAP07\"][3].target");
  CHECK(found[0].target == Target::kCollectedHeap);
  CHECK(found[0].certainty == acre::Certainty::kExact);
  CHECK(found[0].slot == &world->levels["MAP07"][3].target);
  CHECK(found[0].what.find("collected object of 2") == 0);  // 200 and a bit
  acre_test::Collect(3);
  acre::FlushAudits();
  CHECK(reports.findings().size() == 1);

  Plant(world->levels["MAP07"][4].seen.emplace_back());
  world->levels["MAP07"][5].accepted = static_cast<Thing*>(GC_MALLOC(64));
  acre_test::Collect(2);
  acre::FlushAudits();
  found = reports.findings();
  REQUIRE(found.size() == 2);
  CHECK(found[1].path ==
        "automatic_audit_test::World.levels[\"MAP07\"][4].seen[0]");
}

TEST_CASE("automatic audit: told by finalizers, without another operation") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  World* world = MakeWorld(arena);
  Plant(world->levels["MAP07"][3].target);
  // A stale word may hide the sentinel from one collection.
  for (int i = 0; i < 10 && reports.findings().empty(); ++i) {
    acre_test::Collect();
  }
  CHECK(reports.findings().size() == 1);
}

TEST_CASE("automatic audit: containers and views that leave the arena") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  Arena* collected = acre::NewCollectedArena();
  Thing* thing = arena.New<Thing>();
  thing->target = collected->New<Thing>();
  Thing* other = arena.New<Thing>();
  const acre::Vector<Thing*> leaking(*collected, 3);
  std::memcpy(static_cast<void*>(&other->seen), &leaking, sizeof leaking);
  acre_test::Collect();
  acre::FlushAudits();
  const auto found = reports.findings();
  REQUIRE(found.size() == 2);
  CHECK(found[0].target == Target::kCollectedArena);
  CHECK(found[1].target == Target::kCollectedArena);
  CHECK(found[1].kind == acre::FindingKind::kContainer);
  const acre::Vector<Thing*> empty;
  std::memcpy(static_cast<void*>(&other->seen), &empty, sizeof empty);
  GC_reachable_here(collected);
}

TEST_CASE("automatic audit: collected arenas are audited while they live") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena* arena = acre::NewCollectedArena({.name = "result"});
  Plant(arena->New<Thing>()->target);
  acre_test::Collect();
  acre::FlushAudits();
  CHECK(reports.findings().size() == 1);
  GC_reachable_here(arena);
}

TEST_CASE("automatic audit: an arena that did not change is not walked") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  World* world = MakeWorld(arena);
  acre_test::Collect();
  const auto before = acre::CollectionAuditsSoFar();
  acre_test::Collect();
  const auto same = acre::CollectionAuditsSoFar();
  CHECK(same.unchanged > before.unchanged);
  // A store that the arena does not see.
  Plant(world->levels["MAP07"][9].target);
  acre_test::Collect();
  acre::FlushAudits();
  CHECK(acre::CollectionAuditsSoFar().audited > same.audited);
  CHECK(reports.findings().size() == 1);
}

TEST_CASE("automatic audit: more leaks than there is room for are told later") {
  if (!acre::kChecked) return;
  const Reports reports;
  constexpr std::size_t kThings = 5000;
  Arena arena;
  const std::span<Thing> things = arena.NewArray<Thing>(kThings);
  // Those not told at once are found again where their targets live on, from
  // the first collection on, which may come any time.
  auto** keep =
      static_cast<void**>(GC_MALLOC_UNCOLLECTABLE(kThings * sizeof(void*)));
  for (std::size_t i = 0; i < kThings; ++i) {
    Plant(things[i].target);
    keep[i] = things[i].target;
  }
  for (int i = 0; i < 4; ++i) {
    acre_test::Collect();
    acre::FlushAudits();
  }
  bool was_full = false;
  for (const AuditReport& report : Reports::all()) {
    CHECK(report.leaks() == report.findings.size() + report.omitted);
    CHECK((report.omitted == 0) ==
          (report.note.find("no room") == std::string::npos));
    was_full |= report.omitted != 0;
  }
  CHECK(was_full);
  CHECK(reports.findings().size() == kThings);
  GC_FREE(keep);
}

TEST_CASE("automatic audit: memory that is used again is told again") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  std::size_t told = 0;
  const auto expect_one = [&] {
    acre_test::Collect();
    acre::FlushAudits();
    CHECK(reports.findings().size() == ++told);
    acre_test::Collect();
    acre::FlushAudits();
    CHECK(reports.findings().size() == told);
  };
  // The same object all the time, so that the address is the same too.
  auto* target = static_cast<Thing*>(GC_MALLOC(5000));
  void** keep = static_cast<void**>(GC_MALLOC_UNCOLLECTABLE(sizeof(void*)));
  *keep = target;
  Thing* thing = arena.New<Thing>();
  thing->target = target;
  expect_one();
  arena.Free(thing);
  Thing* again = arena.New<Thing>();
  REQUIRE(again == thing);
  again->target = target;
  expect_one();
  arena.Reset();
  again = arena.New<Thing>();
  again->target = target;
  expect_one();
  const acre::Mark mark = arena.Checkpoint();
  arena.New<Thing>()->target = target;
  expect_one();
  arena.Rewind(mark);
  acre_test::Collect();
  acre::FlushAudits();
  CHECK(reports.findings().size() == told);  // the older one is not told again
  GC_FREE(keep);
}

TEST_CASE("automatic audit: a reporter that throws stops nothing") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  acre::SetAuditPolicy(arena, {.on_collection = false, .on_free = true});
  struct Thrown {};
  const acre::AuditReporter before =
      acre::SetAuditReporter([](const AuditReport&) { throw Thrown(); });
  Thing* thing = arena.New<Thing>();
  Plant(thing->target);
  CHECK_THROWS_AS(arena.Free(thing), Thrown);
  acre::SetAuditReporter(before);
  Thing* other = arena.New<Thing>();
  Plant(other->target);
  arena.Free(other);
  CHECK(reports.findings().size() == 1);
  arena.Free(thing);  // was not freed
}

TEST_CASE("automatic audit: arenas cost the same however many there are") {
  if (!acre::kChecked) return;  // without watches there is nothing to show
  acre_test::NeedCollector();
  const auto seconds = [](std::size_t count) {
    std::vector<std::unique_ptr<Arena>> arenas;
    const std::clock_t start = std::clock();
    for (std::size_t i = 0; i < count; ++i) {
      arenas.push_back(std::make_unique<Arena>());
      static_cast<void>(arenas.back()->New<int>(1));
    }
    return static_cast<double>(std::clock() - start);
  };
  static_cast<void>(seconds(16000));  // the memory is there then
  const double few = std::min(seconds(1000), seconds(1000)) + 100;
  // 16 times as long, 256 where each looks at all others.
  CHECK(seconds(16000) < 80 * few);
}

TEST_CASE("automatic audit: on Reset, Rewind, Free and the arena's end") {
  if (!acre::kChecked) return;
  const Reports reports;
  std::size_t told = 0;
  const auto expect_one = [&] {
    const auto found = reports.findings();
    REQUIRE(found.size() == ++told);
    CHECK(found.back().path == "automatic_audit_test::Thing.target");
  };
  {
    Arena arena;
    acre::SetAuditPolicy(arena, {.on_reset = true, .on_free = true});
    arena.New<Thing>()->target = static_cast<Thing*>(GC_MALLOC(64));
    CHECK(reports.findings().empty());
    arena.Reset();
    expect_one();
    const acre::Mark mark = arena.Checkpoint();
    arena.New<Thing>()->target = static_cast<Thing*>(GC_MALLOC(64));
    arena.Rewind(mark);
    expect_one();
    Thing* thing = arena.New<Thing>();
    thing->target = static_cast<Thing*>(GC_MALLOC(64));
    arena.Free(thing);
    expect_one();
    arena.New<Thing>()->target = static_cast<Thing*>(GC_MALLOC(64));
  }
  expect_one();
}

TEST_CASE("automatic audit: every so many allocations") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  acre::SetAuditPolicy(arena, {.every_allocations = 10});
  arena.New<Thing>()->target = static_cast<Thing*>(GC_MALLOC(64));
  for (int i = 1; i < 9; ++i) arena.New<Thing>();
  CHECK(reports.findings().empty());
  arena.New<Thing>();
  CHECK(reports.findings().size() == 1);
}

TEST_CASE("automatic audit: another thread's arena is told on its thread") {
  if (!acre::kChecked) return;
  const Reports reports;
  acre_test::NeedCollector();  // before there are threads
  std::atomic<int> step{0};
  std::thread thread([&] {
    const acre::ThreadRegistration here;
    Arena arena({.name = "theirs"});
    World* world = MakeWorld(arena);
    Plant(world->levels["MAP07"][1].target);
    acre_test::ClobberStack();
    step = 1;
    while (step == 1) std::this_thread::yield();
    arena.New<Thing>();  // tells
    step = 3;
  });
  while (step != 1) std::this_thread::yield();
  acre_test::Collect();
  acre::FlushAudits();
  CHECK(reports.findings().empty());
  step = 2;
  thread.join();
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.findings()[0].path ==
        "automatic_audit_test::World.levels[\"MAP07\"][1].target");
}

TEST_CASE("automatic audit: objects that are being made are not judged") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena;
  acre::SetAuditPolicy(arena, {.on_collection = true, .every_allocations = 1});
  for (int i = 0; i < 50; ++i) {
    Thing* thing = arena.New<Thing>();
    thing->seen.resize(static_cast<std::size_t>(i));
    if (i % 10 == 0) GC_gcollect();
  }
  CHECK(reports.findings().empty());
}

// The bug that the auditor is for: a heap pointer in an arena, every other
// reference dropped, and a collection.
TEST_CASE("child of automatic audit" * doctest::skip()) {
  Arena arena({.name = "game"});
  Planted* world = arena.New<Planted>();
  world->things.resize(5);
  PlantObject(world->things[3]);
  acre_test::ClobberStack();
  GC_gcollect();
  std::fputs("still running\n", stderr);
  for (int i = 0; i < 10'000; ++i) {
    static_cast<Object*>(GC_MALLOC(sizeof(Object)))->number = -1;
  }
  if (world->things[3].target->number != 42) {
    std::fputs("the target is somebody else's memory\n", stderr);
  }
}

TEST_CASE("automatic audit: ACRE_AUDIT stops the program, or nothing") {
  if (!acre::kChecked) return;
  const auto says = [](const acre_test::Death& death, const char* text) {
    INFO(death.text);
    return death.text.find(text) != std::string::npos;
  };
  const char* const kLeak =
      "LEAK: automatic_audit_test::Planted.things[3].target";
  const acre_test::Death aborted = RunPlanted("abort");
  CHECK(aborted.died);
  CHECK(says(aborted, kLeak));
  CHECK(says(aborted, "audit of arena 'game': 1 new finding"));
  CHECK_FALSE(says(aborted, "still running"));
  const acre_test::Death reported = RunPlanted("report");
  CHECK_FALSE(reported.died);
  CHECK(says(reported, kLeak));
  CHECK(says(reported, "still running"));
  const acre_test::Death off = RunPlanted("off");
  CHECK_FALSE(off.died);
  CHECK_FALSE(says(off, "LEAK"));
  CHECK(says(off, "the target is somebody else's memory"));
  CHECK(says(RunPlanted("loud"),
             "ACRE_AUDIT is 'loud', not off, report or abort"));
}

TEST_CASE("child of an audit with a host" * doctest::skip()) {
  GC_INIT();
  GC_set_on_collection_event([](GC_EventType event) {
    if (event == GC_EVENT_POST_STOP_WORLD) ++host_events;
  });
  Arena arena({.name = "game"});
  Planted* world = arena.New<Planted>();
  world->things.resize(5);
  PlantObject(world->things[3]);
  acre_test::ClobberStack();
  host_events = 0;
  GC_gcollect();
  GC_gcollect();
  std::fprintf(stderr, "the host saw %d collections\n", host_events.load());
}

TEST_CASE("automatic audit: the host's callback is called before acre's") {
  if (!acre::kChecked) return;
  const acre_test::Death child =
      RunAlone("--test-case=child of an audit with a host", "report");
  INFO(child.text);
  CHECK(child.text.find("the host saw 2 collections") != std::string::npos);
  CHECK(child.text.find("things[3].target") != std::string::npos);
}

std::atomic<int> g_inner_events{0};
GC_on_collection_event_proc g_before = nullptr;

void OnInnerEvent(GC_EventType event) {
  if (event == GC_EVENT_POST_STOP_WORLD) ++g_inner_events;
}

void OnOuterEvent(GC_EventType event) {
  if (event == GC_EVENT_POST_STOP_WORLD) ++host_events;
  g_before(event);
}

// The second one calls the one before it, which is acre's, and acre the first.
TEST_CASE("child of an audit with two callbacks" * doctest::skip()) {
  GC_INIT();
  GC_set_on_collection_event(&OnInnerEvent);
  Arena arena({.name = "game"});
  Planted* world = arena.New<Planted>();
  g_before = GC_get_on_collection_event();
  GC_set_on_collection_event(&OnOuterEvent);
  Arena second;
  second.New<int>(1);  // acre notices
  world->things.resize(5);
  PlantObject(world->things[3]);
  acre_test::ClobberStack();
  host_events = 0;
  g_inner_events = 0;
  GC_gcollect();
  GC_gcollect();
  std::fprintf(stderr, "the host saw %d and %d\n", host_events.load(),
               g_inner_events.load());
}

TEST_CASE(
    "automatic audit: no callback of the host's is lost, or called twice") {
  if (!acre::kChecked) return;
  const acre_test::Death child =
      RunAlone("--test-case=child of an audit with two callbacks", "report");
  INFO(child.text);
  CHECK(child.text.find("the host saw 2 and 2") != std::string::npos);
  CHECK(child.text.find("things[3].target") != std::string::npos);
}

// ------------------------------------------------------- hosts and hand-overs

/// What a thread that only runs finalizers does.
void CollectElsewhere(int times) {
  std::thread other([times] {
    const acre::ThreadRegistration here;
    acre_test::Collect(times);
  });
  other.join();
}

TEST_CASE("automatic audit: handed over, an arena has no user") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "handed"});
  World* world = MakeWorld(arena);
  Plant(world->levels["MAP07"][1].target);
  arena.HandOver();
  CollectElsewhere(1);
  CHECK(reports.findings().empty());  // the other thread may not look into it
  static_cast<void>(arena.New<int>(1));
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.findings()[0].path ==
        "automatic_audit_test::World.levels[\"MAP07\"][1].target");
}

TEST_CASE("automatic audit: findings do not wait for ever for their thread") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "idle"});
  Thing* thing = arena.New<Thing>();
  Plant(thing->target);
  arena.HandOver();
  CollectElsewhere(6);
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.findings()[0].path == "automatic_audit_test::Thing.target");
  CHECK(reports.all()[0].note.find("does not use the arena") !=
        std::string::npos);
}

TEST_CASE("automatic audit: a host-locked arena is told by whoever uses it") {
  if (!acre::kChecked) return;
  const Reports reports;
  Arena arena({.name = "locked", .use = acre::ArenaUse::kHostLocked});
  World* world = MakeWorld(arena);
  Plant(world->levels["MAP07"][1].target);
  acre_test::Collect();  // this thread used it last, and holds no lock now
  CHECK(reports.findings().empty());
  std::thread other([&] {
    const acre::ThreadRegistration here;
    static_cast<void>(arena.New<int>(1));  // no HandOver
  });
  other.join();
  REQUIRE(reports.findings().size() == 1);
  CHECK(reports.findings()[0].path ==
        "automatic_audit_test::World.levels[\"MAP07\"][1].target");
  arena.Free(arena.New<int>(2));

  Plant(world->levels["MAP07"][2].target);
  acre_test::Collect();
  acre::FlushAudits();  // with the lock
  CHECK(reports.findings().size() == 2);
}

TEST_CASE("automatic audit: two threads at once in a host-locked arena") {
  if (!acre::kChecked) return;
  struct Source final : acre::ChunkSource {
    acre::ChunkMemory Acquire(std::size_t, std::size_t wanted) override {
      return {std::malloc(wanted), wanted};
    }
    void Release(acre::ChunkMemory memory) noexcept override {
      std::free(memory.address);
    }
  };
  CHECK_DIES(
      {
        acre::SetAuditReporter([](const AuditReport&) {});
        Source source;
        Arena arena({.name = "locked",
                     .source = &source,
                     .use = acre::ArenaUse::kHostLocked});
        std::atomic<bool> stop{false};
        const auto work = [&] {
          while (!stop) arena.Free(arena.New<int>(1));
        };
        std::thread a(work);
        std::thread b(work);
        a.join();
        b.join();
      },
      // Whichever check the two meet first.
      "used by two threads at once|double Free|no block starts there|not a "
      "block of arena 'locked'");
}

TEST_CASE(
    "automatic audit: what a handler throws where nothing may be thrown") {
  if (!acre::kChecked) return;
  struct Stopped {};
  const acre::MisuseHandler before =
      acre::SetMisuseHandler([](const char*) { throw Stopped(); });
  const Reports reports;
  Arena other({.name = "other"});
  static_cast<void>(other.New<int>(1));
  {
    Arena arena({.name = "ending"});
    acre::SetAuditPolicy(
        arena, {.on_reset = true, .action = acre::AuditAction::kAbort});
    Plant(arena.New<Thing>()->target);
  }  // told, and not std::terminate
  CHECK(reports.findings().size() == 1);
  CHECK_THROWS_AS(static_cast<void>(other.New<int>(1)), Stopped);
  static_cast<void>(other.New<int>(1));  // once

  // In a thread that runs finalizers: whose it is nobody can know.
  acre::SetAuditPolicy(other, {.action = acre::AuditAction::kAbort});
  Plant(other.New<Thing>()->target);
  CollectElsewhere(2);
  CHECK(reports.findings().size() == 2);
  CHECK_THROWS_AS(static_cast<void>(other.New<int>(1)), Stopped);
  acre::SetMisuseHandler(before);
}

}  // namespace automatic_audit_test
