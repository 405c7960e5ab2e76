// SPDX-License-Identifier: MIT
//
// A host with settings of its own: arenas that are referred to survive its
// collections, others die, a planted leak is found at the next collection
// (checked builds), and what the host has set is as it was.
//
//   settings --list    names of settings
//   settings NAME      a process for each; says what went wrong

#define GC_THREADS  // declares more
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/arena_ref.h"
#include "acre/audit_policy.h"
#include "acre/chunk_source.h"
#include "acre/gc.h"
#include "acre/guarded.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"

namespace settings {

struct Thing {
  Thing* target = nullptr;
};
ACRE_LAYOUT(Thing, target)

struct World {
  acre::Map<acre::String, std::int64_t> numbers;
};
ACRE_LAYOUT(World, numbers)

namespace {

int g_failures = 0;

void Check(bool condition, const char* text, int line) {
  if (condition) return;
  ++g_failures;
  std::printf("line %d: %s is wrong\n", line, text);
}
#define CHECK(condition) Check((condition), #condition, __LINE__)

// ------------------------------------------------------------- what is asked

/// How references lie where any host can keep them: in memory that is scanned,
/// by the addresses of first bytes.
struct Cell {
  acre::ArenaRef<World> world;
};

Cell* g_cell = nullptr;  // uncollectable: no root is needed for it

__attribute__((noinline)) void ClearStack(int depth = 20) {
  char frame[4096];
  std::memset(frame, 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");
  if (depth != 0) ClearStack(depth - 1);
  asm volatile("" : : "r"(frame) : "memory");
}

/// Garbage of all sizes, so that what was freed is overwritten.
__attribute__((noinline)) void Press() {
  for (std::size_t size = 16; size <= 262144; size *= 2) {
    for (std::size_t i = 0; i < 1000000 / size + 2; ++i) {
      std::memset(GC_MALLOC_ATOMIC(size), 0x5A, size);
    }
  }
}

void Collect() {
  ClearStack();
  GC_gcollect();
  GC_invoke_finalizers();
}

std::string NameOf(int i) {
  return "a name that is longer than what is inline " + std::to_string(i);
}

__attribute__((noinline)) void MakeSurvivor() {
  acre::Arena* arena = acre::NewCollectedArena({.name = "survivor"});
  World* world = arena->New<World>();
  for (int i = 0; i < 5000; ++i) world->numbers[NameOf(i)] = i;
  g_cell->world = acre::RefTo(world);
}

void CheckSurvivor() {
  for (int i = 0; i < 5000; ++i) {
    const auto* found = g_cell->world->numbers.get(NameOf(i));
    if (found == nullptr || *found != i) {
      CHECK(!"an entry of the survivor is lost");
      return;
    }
  }
}

int g_dead = 0;

__attribute__((noinline)) void MakeDropped() {
  acre::Arena* arena = acre::NewCollectedArena({.name = "dropped"});
  acre::OnCollected(*arena, [](void*) { ++g_dead; });
  World* world = arena->New<World>();
  for (int i = 0; i < 300; ++i) world->numbers[NameOf(i)] = i;
}

void CheckDeaths() {
  constexpr int kArenas = 100;
  g_dead = 0;
  for (int i = 0; i < kArenas; ++i) MakeDropped();
  for (int i = 0; i < 20 && g_dead < kArenas - 5; ++i) {
    Press();
    Collect();
  }
  CHECK(g_dead >= kArenas - 5);  // stale words may hold a few
}

int g_leaks = 0;

/// From none on.
void CountLeaks() {
  g_leaks = 0;
  acre::SetAuditReporter([](const acre::AuditReport& report) {
    g_leaks += static_cast<int>(report.leaks());
  });
}

__attribute__((noinline)) void Plant(Thing& thing) {
  thing.target = static_cast<Thing*>(GC_MALLOC(64));
}

/// In an explicit arena and in a collected one.
void CheckLeaks() {
  CountLeaks();
  acre::Arena arena({.name = "leaky"});
  acre::Arena* const collected = acre::NewCollectedArena({.name = "leaky too"});
  Plant(*arena.New<Thing>());
  Plant(*collected->New<Thing>());
  Collect();
  acre::FlushAudits();
  CHECK(g_leaks == (acre::kChecked ? 2 : 0));
  // Told once.
  Collect();
  acre::FlushAudits();
  CHECK(g_leaks == (acre::kChecked ? 2 : 0));
  static_cast<void>(collected->New<int>(1));
}

// ------------------------------------------------------------------ settings

/// What a host may have set, and acre leaves alone.
struct Globals {
  int interior_pointers = GC_get_all_interior_pointers();
  int no_dls = GC_get_no_dls();
  int on_demand = GC_get_finalize_on_demand();
  int java = GC_get_java_finalization();
  GC_word divisor = GC_get_free_space_divisor();
  GC_warn_proc warn = GC_get_warn_proc();
  GC_start_callback_proc start = GC_get_start_callback();
  GC_finalizer_notifier_proc notifier = GC_get_finalizer_notifier();
  GC_oom_func oom = GC_get_oom_fn();
  int incremental = GC_is_incremental_mode();
  int disabled = GC_is_disabled();

  friend bool operator==(const Globals&, const Globals&) = default;
};

int g_events = 0;
GC_on_collection_event_proc g_event_before = nullptr;

void CountEvent(GC_EventType event) {
  if (event == GC_EVENT_END) ++g_events;
}
void CountEventAndChain(GC_EventType event) {
  CountEvent(event);
  if (g_event_before != nullptr) g_event_before(event);
}
void SetChainedEvent() {
  g_event_before = GC_get_on_collection_event();
  GC_set_on_collection_event(&CountEventAndChain);
}

int g_starts = 0;
int g_warnings = 0;
int g_finalized = 0;

/// Finalizers that allocate, collect and use arenas.
void FinalizeBusily(void*, void*) {
  ++g_finalized;
  static_cast<void>(GC_MALLOC(100));
  acre::Arena arena({.name = "of a finalizer"});
  World* const world = arena.New<World>();
  for (int i = 0; i < 100; ++i) world->numbers[NameOf(i)] = i;
  if (g_finalized % 10 == 0) GC_gcollect();
}
__attribute__((noinline)) void MakeFinalizable() {
  for (int i = 0; i < 200; ++i) {
    GC_REGISTER_FINALIZER(GC_MALLOC(32), &FinalizeBusily, nullptr, nullptr,
                          nullptr);
  }
}

__attribute__((noinline)) void UseHere() {
  acre::Arena arena({.name = "used for a while"});
  World* const world = arena.New<World>();
  for (int i = 0; i < 100; ++i) world->numbers[NameOf(i)] = i;
  GC_gcollect();
  CHECK(world->numbers.size() == 100);
}
/// What a thread does with acre that ends before the main one begins.
void UseInThread() {
  const acre::ThreadRegistration registration;
  UseHere();
}
/// The same of one whose last arena ends with the thread, as thread_local.
void UseToTheEnd() {
  thread_local acre::Arena arena({.name = "thread_local"});
  static_cast<void>(arena.New<Thing>());
  UseInThread();
}
void Register() {
  static const acre::ThreadRegistration registration;
  CHECK(GC_thread_is_registered() != 0);
}

std::atomic<bool> g_goes{true};
std::thread* g_stays = nullptr;

/// Begins in a thread that goes on meanwhile.
void StartThread() {
  std::atomic<bool> has_begun{false};
  g_stays = new std::thread([&has_begun] {
    UseInThread();
    has_begun.store(true);
    while (g_goes.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  while (!has_begun.load()) std::this_thread::yield();
}
void StopThread() {
  g_goes.store(false);
  g_stays->join();
  GC_gcollect();
}

/// An arena that needs no collector, with a leak in it; audited from the next
/// block on that it hands out.
acre::Arena& TheOldest() {
  static acre::Arena arena(
      {.name = "oldest", .source = &acre::MallocSource::Instance()});
  return arena;
}
Thing* g_oldest = nullptr;
void MakeOldest() {
  g_oldest = TheOldest().New<Thing>();
  CHECK(!acre::GetCollectorSettings().is_initialised);
}
void CheckOldest() {
  CountLeaks();
  Plant(*g_oldest);
  static_cast<void>(TheOldest().New<Thing>());
  Collect();
  acre::FlushAudits();
  CHECK(g_leaks == (acre::kChecked ? 1 : 0));
}

/// libgc prints what nobody points to: nothing of acre's, and what the test has
/// lost. Collected arenas are refused, with the reason.
void CheckLeaksOfCollector() {
  std::FILE* const told = std::tmpfile();
  const int errors = dup(STDERR_FILENO);
  dup2(fileno(told), STDERR_FILENO);
  const auto count_leaked = [&] {
    std::rewind(told);
    int count = 0;
    for (char line[256]; std::fgets(line, sizeof line, told) != nullptr;) {
      count += std::strstr(line, "bject at 0x") != nullptr ? 1 : 0;
    }
    return count;
  };
  for (int i = 0; i < 5; ++i) {
    UseHere();
    Collect();
  }
  CHECK(count_leaked() == 0);
  // What an arena hides is lost to both.
  CountLeaks();
  acre::Arena arena({.name = "leaky"});
  for (int i = 0; i < 10; ++i) Plant(*arena.New<Thing>());
  Collect();
  acre::FlushAudits();
  dup2(errors, STDERR_FILENO);
  CHECK(count_leaked() >= 9);
  CHECK(g_leaks == (acre::kChecked ? 10 : 0));
  const bool is_refused = acre::Guarded(
      [] { return acre::NewCollectedArena() == nullptr; },
      [](const acre::GuardedError& error) {
        return std::strstr(error.text, "searches for leaks") != nullptr;
      });
  CHECK(is_refused);
}

void Nothing() {}

struct Setting {
  const char* name;
  void (*before)() = &Nothing;  ///< GC_INIT
  void (*after)() = &Nothing;   ///< GC_INIT, before acre does anything
  void (*began)() = &Nothing;   ///< after acre's first collected arena
  void (*check)() = &Nothing;   ///< at the end
  bool is_late = false;         ///< acre is there before GC_INIT
  bool has_collected = true;    ///< collected arenas can be had
};

const Setting kSettings[] = {
    {.name = "as it is"},
    {.name = "GC_INIT after acre", .is_late = true},
    {.name = "a source of its own, before GC_INIT",
     .before = &MakeOldest,
     .began = &CheckOldest},
    {.name = "begun in a thread that ends",
     .before =
         [] {
           std::thread(&UseInThread).join();
           Register();
           std::thread(&UseInThread).join();
         }},
    {.name = "begun in a thread that ends, and its arena with it",
     .before =
         [] {
           std::thread(&UseToTheEnd).join();
           Register();
           std::thread(&UseInThread).join();
         }},
    {.name = "begun in a thread that stays",
     .before =
         [] {
           StartThread();
           Register();
         },
     .check = &StopThread},
    {.name = "interior pointers off",
     .before = [] { GC_set_all_interior_pointers(0); },
     .check = [] { CHECK(!acre::CollectorSeesInteriorPointers()); }},
    {.name = "interior pointers off after acre",
     .began =
         [] {
           GC_set_all_interior_pointers(0);
           CHECK(!acre::CollectorSeesInteriorPointers());  // tells acre
         }},
    {.name = "no shared libraries", .before = [] { GC_set_no_dls(1); }},
    {.name = "interior pointers off, no shared libraries",
     .before =
         [] {
           GC_set_all_interior_pointers(0);
           GC_set_no_dls(1);
         }},
    {.name = "finalizers on demand",
     .after = [] { GC_set_finalize_on_demand(1); }},
    {.name = "finalizers on demand, told",
     .after =
         [] {
           GC_set_finalize_on_demand(1);
           GC_set_finalizer_notifier(&Nothing);
         }},
    {.name = "Java's finalization off",
     .before = [] { GC_set_java_finalization(0); }},
    {.name = "Java's finalization on",
     .before = [] { GC_set_java_finalization(1); }},
    {.name = "one marker", .before = [] { GC_set_markers_count(1); }},
    {.name = "two markers", .before = [] { GC_set_markers_count(2); }},
    {.name = "incremental",
     .after = [] { GC_enable_incremental(); },
     .check = [] { CHECK(GC_is_incremental_mode() != 0); }},
    {.name = "incremental, interior pointers off",
     .before = [] { GC_set_all_interior_pointers(0); },
     .after = [] { GC_enable_incremental(); }},
    {.name = "free space divisor 1",
     .after = [] { GC_set_free_space_divisor(1); }},
    {.name = "free space divisor 20",
     .after = [] { GC_set_free_space_divisor(20); }},
    {.name = "a function for warnings",
     .before = [] { GC_set_warn_proc([](char*, GC_word) { ++g_warnings; }); }},
    {.name = "a function at the start",
     .before = [] { GC_set_start_callback([] { ++g_starts; }); },
     .check = [] { CHECK(g_starts > 10); }},
    {.name = "events, set before",
     .before = [] { GC_set_on_collection_event(&CountEvent); },
     .check = [] { CHECK(g_events > 10); }},
    {.name = "events, set after",
     .began = &SetChainedEvent,
     .check = [] { CHECK(g_events > 10); }},
    {.name = "events, set before and after",
     .before = [] { GC_set_on_collection_event(&CountEvent); },
     .began = &SetChainedEvent,
     .check = [] { CHECK(g_events > 20); }},  // each counts
    // The arenas that CheckLeaks makes notice.
    {.name = "events, not chained",
     .began = [] { GC_set_on_collection_event(&CountEvent); },
     .check = [] { CHECK(g_events > 10); }},
    {.name = "finalizers that collect",
     .began = &MakeFinalizable,
     .check = [] { CHECK(g_finalized > 150); }},
    {.name = "finalizers that collect, on demand",
     .after = [] { GC_set_finalize_on_demand(1); },
     .began = &MakeFinalizable,
     .check = [] { CHECK(g_finalized > 150); }},
    {.name = "searching for leaks",
     .before = [] { GC_set_find_leak(1); },
     .check = &CheckLeaksOfCollector,
     .has_collected = false},
    {.name = "unmapping at each collection",
     .after = [] { GC_set_force_unmap_on_gcollect(1); }},
    {.name = "roots cleared", .began = [] { GC_clear_roots(); }},
    {.name = "disabled for a while",
     .after = [] { GC_disable(); },
     .began = [] { GC_enable(); }},
};

void Run(const Setting& setting) {
  setting.before();
  if (setting.is_late) {
    static acre::Arena early({.name = "early"});
    CHECK(*early.New<int>(1) == 1);
  }
  GC_INIT();
  setting.after();
  g_cell = static_cast<Cell*>(GC_MALLOC_UNCOLLECTABLE(sizeof(Cell)));
  const Globals before;
  if (!setting.has_collected) {
    setting.check();
    CHECK(Globals() == before);
    return;
  }
  MakeSurvivor();
  CHECK(Globals() == before);
  setting.began();
  const Globals settled;
  for (int i = 0; i < 10; ++i) {
    Press();
    Collect();
  }
  CheckSurvivor();
  CheckDeaths();
  CheckLeaks();
  CheckSurvivor();
  setting.check();
  CHECK(Globals() == settled);
  GC_FREE(g_cell);
}

}  // namespace
}  // namespace settings

int main(int argc, char** argv) {
  for (const settings::Setting& setting : settings::kSettings) {
    if (argc == 2 && std::strcmp(argv[1], "--list") == 0) {
      std::puts(setting.name);
    } else if (argc == 2 && std::strcmp(argv[1], setting.name) == 0) {
      settings::Run(setting);
      return settings::g_failures == 0 ? 0 : 1;
    }
  }
  return argc == 2 && std::strcmp(argv[1], "--list") == 0 ? 0 : 2;
}
