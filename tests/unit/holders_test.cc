// SPDX-License-Identifier: MIT
//
// Guards the reverse audit: each kind of holder is found where it stands, and
// Reset refuses while there is one.

#include "acre/holders.h"

#include <doctest/doctest.h>
#include <gc/gc.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "acre/layout.h"
#include "collecting.h"
#include "support/death.h"

namespace holders_test {

using acre::Arena;
using acre::FindHolders;
using acre::Holder;
using acre::HolderKind;
using acre::HolderReport;
using namespace std::chrono_literals;

struct Thing {
  Thing* next = nullptr;
  int id = 0;
};
ACRE_LAYOUT(Thing, next, id)

Thing* volatile g_thing = nullptr;
struct Table {
  int before[4];
  Thing* volatile thing;
};
Table g_table;

// Reserved before anything runs. Addresses that the system hands out later may
// be those of something that is gone, and stacks are full of such.
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kPieces = 64;
char* const never_used = static_cast<char*>(
    mmap(nullptr, kPieces* kPiece, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));

/// Memory at addresses that nothing in this process has ever had: no stale word
/// points there.
acre::ArenaOptions Fresh(const char* name = "arena") {
  static std::vector<std::unique_ptr<acre::FixedSource>> sources;
  acre_test::NeedCollector();
  REQUIRE(sources.size() < kPieces);
  char* piece = never_used + sources.size() * kPiece;
  sources.push_back(std::make_unique<acre::FixedSource>(
      std::span(reinterpret_cast<std::byte*>(piece), kPiece)));
  return {.name = name, .source = sources.back().get()};
}

/// A block whose address nobody has, nor has this thread's stack ever had it.
acre_test::Hidden Make(Arena& arena) {
  acre_test::NeedCollector();
  acre_test::Hidden block;
  arena.HandOver();
  std::thread([&] {
    const acre::ThreadRegistration here;
    block = acre_test::Hidden(arena.New<Thing>());
    arena.HandOver();
  }).join();
  return block;
}

/// Those that hold an address inside the block.
std::vector<Holder> HoldersOf(const Arena& arena,
                              const acre_test::Hidden& block,
                              const acre::HolderOptions& options = {}) {
  acre_test::ClobberStack();
  const HolderReport report = FindHolders(arena, options);
  CHECK(report.error.empty());
  CHECK(report.unread_stacks == 0);
  std::vector<Holder> found;
  const char* begin = static_cast<const char*>(block.reveal());
  for (const Holder& holder : report.holders) {
    const auto* address = static_cast<const char*>(holder.address);
    if (address >= begin && address < begin + sizeof(Thing)) {
      found.push_back(holder);
    }
  }
  return found;
}

/// The compiler may leave copies in its own frames: those are holders too, and
/// true ones.
std::vector<Holder> Without(std::vector<Holder> all, HolderKind kind) {
  std::erase_if(all, [kind](const Holder& h) { return h.kind == kind; });
  return all;
}

/// A frame's work: nothing of it is left but a number.
__attribute__((noinline)) int PlayFrame(Arena& arena) {
  Thing* last = nullptr;
  for (int i = 0; i < 100; ++i) {
    Thing* thing = arena.New<Thing>();
    thing->next = last;
    thing->id = i;
    last = thing;
  }
  int sum = 0;
  for (const Thing* thing = last; thing != nullptr; thing = thing->next) {
    sum += thing->id;
  }
  return sum;
}

TEST_CASE("FindHolders: nobody") {
  Arena arena(Fresh("level"));
  const acre_test::Hidden block = Make(arena);
  CHECK(HoldersOf(arena, block).empty());
  CHECK(FindHolders(arena).arena == "level");
  Arena empty;
  CHECK(FindHolders(empty).holders.empty());
}

TEST_CASE("FindHolders: a static variable, by name") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  g_thing = static_cast<Thing*>(block.reveal());
  auto found = Without(HoldersOf(arena, block), HolderKind::kStack);
  found = Without(found, HolderKind::kRegister);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == HolderKind::kStatic);
  CHECK(found[0].slot == const_cast<Thing**>(&g_thing));
  CHECK(found[0].name == "holders_test::g_thing");
  g_thing = nullptr;

  g_table.thing = static_cast<Thing*>(block.reveal());
  found = Without(HoldersOf(arena, block), HolderKind::kStack);
  found = Without(found, HolderKind::kRegister);
  REQUIRE(found.size() == 1);
  CHECK(found[0].name == "holders_test::g_table+0x10");
  g_table.thing = nullptr;
}

TEST_CASE("FindHolders: a collected object, with its size") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  auto** object = static_cast<void**>(GC_MALLOC(128));
  object[5] = static_cast<char*>(block.reveal()) + 8;  // inside it
  auto found = Without(HoldersOf(arena, block), HolderKind::kStack);
  found = Without(found, HolderKind::kRegister);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == HolderKind::kCollected);
  CHECK(found[0].base == object);
  CHECK(found[0].slot == &object[5]);
  CHECK(found[0].bytes == GC_size(object));
  object[5] = nullptr;
  CHECK(Without(Without(HoldersOf(arena, block), HolderKind::kStack),
                HolderKind::kRegister)
            .empty());
  GC_reachable_here(object);
}

TEST_CASE("FindHolders: memory that the collector does not scan is not asked") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  auto** object = static_cast<void**>(GC_MALLOC_ATOMIC(128));
  object[5] = block.reveal();
  CHECK(Without(Without(HoldersOf(arena, block), HolderKind::kStack),
                HolderKind::kRegister)
            .empty());
  GC_reachable_here(object);
}

TEST_CASE("FindHolders: another arena, whatever its source") {
  Arena arena(Fresh());
  Arena other({.name = "menu", .source = &acre::MallocSource::Instance()});
  const acre_test::Hidden block = Make(arena);
  Thing* holder = other.New<Thing>();
  holder->next = static_cast<Thing*>(block.reveal());
  auto found = Without(HoldersOf(arena, block), HolderKind::kStack);
  found = Without(found, HolderKind::kRegister);
  REQUIRE(found.size() == 1);
  CHECK(found[0].kind == HolderKind::kArena);
  CHECK(found[0].slot == &holder->next);
  CHECK(found[0].name == "menu");
}

TEST_CASE("FindHolders: this stack, and that of another thread") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  std::atomic<int> step{0};
  std::thread thread([&] {
    const acre::ThreadRegistration here;
    void* volatile local = block.reveal();
    step = 1;
    while (step == 1) std::this_thread::yield();
    static_cast<void>(local);
  });
  while (step != 1) std::this_thread::yield();
  const auto theirs = HoldersOf(arena, block);
  CHECK(std::any_of(theirs.begin(), theirs.end(), [](const Holder& holder) {
    return holder.kind == HolderKind::kStack && holder.thread != 0;
  }));
  step = 2;
  thread.join();

  void* local = block.reveal();
  const void* slot = &local;
  asm volatile("" : : "r"(slot) : "memory");  // lies on the stack now
  const auto ours = HoldersOf(arena, block);
  asm volatile("" : : "r"(slot) : "memory");
  CHECK(std::any_of(ours.begin(), ours.end(), [slot](const Holder& holder) {
    return holder.kind == HolderKind::kStack && holder.slot == slot;
  }));
}

/// Runs for a while, unknown to the collector, then waits, until released.
class Unregistered {
 public:
  Unregistered(const char* name, std::chrono::milliseconds busy)
      : thread_([this, busy] {
          step_ = 1;
          const auto begin = std::chrono::steady_clock::now();
          while (step_ == 1 &&
                 std::chrono::steady_clock::now() - begin < busy) {
          }
          step_.wait(1);
        }) {
    pthread_setname_np(thread_.native_handle(), name);
    while (step_ != 1) std::this_thread::yield();
  }
  ~Unregistered() {
    step_ = 2;
    step_.notify_all();
    thread_.join();
  }

 private:
  std::atomic<int> step_{0};
  std::thread thread_;
};

TEST_CASE("FindHolders: a thread that runs on is waited for, not for ever") {
  Arena arena(Fresh());
  static_cast<void>(Make(arena));
  {
    const Unregistered late("late", 30ms);
    CHECK(FindHolders(arena).unread_stacks == 0);
  }
  const Unregistered endless("endless", 1h);
  const Unregistered endless_too("endless too", 1h);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(FindHolders(arena).unread_stacks == 2);
  CHECK(std::chrono::steady_clock::now() - begin < 10s);
}

// From 8.3 on libgc has such a thread in incremental mode, and stops it never.
TEST_CASE("FindHolders: libgc's own thread is not waited for") {
  Arena arena(Fresh());
  static_cast<void>(Make(arena));
  const Unregistered own("GC-uffdwp", 1h);
  CHECK(FindHolders(arena).unread_stacks == 0);
}

// A marker's stack has a piece of the mark stack on it, left of the last
// collection: pointers to whatever it marked, which libgc never looks at.
TEST_CASE("FindHolders: libgc's markers hold nothing") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  const auto told_of = [&](const char* name) {
    std::atomic<int> step{0};
    std::thread thread([&] {
      pthread_setname_np(pthread_self(), name);
      void* volatile local = block.reveal();
      step = 1;
      step.notify_all();
      step.wait(1);
      static_cast<void>(local);
    });
    step.wait(0);
    const auto found = HoldersOf(arena, block);
    step = 2;
    step.notify_all();
    thread.join();
    return std::any_of(found.begin(), found.end(), [](const Holder& holder) {
      return holder.kind == HolderKind::kStack && holder.thread != 0 &&
             holder.thread != getpid();
    });
  };
  CHECK(told_of("a worker"));
  CHECK_FALSE(told_of("GC-marker-0"));
  CHECK_FALSE(told_of("GC-marker-12"));
}

TEST_CASE("FindHolders: roots of the user") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  auto** root = static_cast<void**>(std::calloc(4, sizeof(void*)));
  root[2] = block.reveal();
  CHECK(Without(HoldersOf(arena, block), HolderKind::kStack).size() <= 1);
  const acre::MemoryRange ranges[] = {{root, 4 * sizeof(void*)}};
  const auto found = HoldersOf(arena, block, {.roots = ranges});
  CHECK(std::any_of(found.begin(), found.end(), [&](const Holder& holder) {
    return holder.kind == HolderKind::kRoot && holder.slot == &root[2];
  }));
  std::free(root);
}

TEST_CASE("FindHolders: beyond the maximum they are counted") {
  Arena arena(Fresh());
  const acre_test::Hidden block = Make(arena);
  auto** object = static_cast<void**>(GC_MALLOC(100 * sizeof(void*)));
  for (int i = 0; i < 100; ++i) object[i] = block.reveal();
  const HolderReport report = FindHolders(arena, {.max_holders = 10});
  CHECK(report.holders.size() == 10);
  CHECK(report.omitted >= 90);
  GC_reachable_here(object);
}

TEST_CASE("FindHolders: a disabled collector is told") {
  Arena arena(Fresh());
  static_cast<void>(Make(arena));
  GC_disable();
  const HolderReport report = FindHolders(arena);
  GC_enable();
  CHECK(report.error.find("disabled") != std::string::npos);
  CHECK_FALSE(HolderReport::kBlindSpots.empty());
}

TEST_CASE("Reset: refuses while somebody holds, and loses nothing") {
  Arena arena(Fresh("level"));
  const acre_test::Hidden block = Make(arena);
  static_cast<Thing*>(block.reveal())->id = 42;
  g_thing = static_cast<Thing*>(block.reveal());
  CHECK_DIES(
      arena.Reset(acre::ResetMode::kClear | acre::ResetMode::kNoHolders),
      "Reset of arena 'level'.*nothing was lost[^]*holders_test::g_thing");
  struct Refused {};
  acre::SetMisuseHandler([](const char*) { throw Refused(); });
  CHECK_THROWS_AS(
      arena.Reset(acre::ResetMode::kClear | acre::ResetMode::kNoHolders),
      Refused);
  acre::SetMisuseHandler(nullptr);
  CHECK(g_thing->id == 42);
  CHECK(arena.stats().resets == 0);
  g_thing = nullptr;
}

TEST_CASE("Reset: goes through where nobody holds") {
  Arena arena(Fresh());
  static_cast<void>(Make(arena));
  acre_test::ClobberStack();
  arena.Reset(acre::ResetMode::kKeep | acre::ResetMode::kNoHolders);
  CHECK(arena.stats().resets == 1);
}

/// Where the frame of a function begins that is called from here.
__attribute__((noinline)) const char* CalleesFrame() {
  return static_cast<const char*>(__builtin_frame_address(0));
}

TEST_CASE("FindHolders: frames of functions that have returned are not read") {
  Arena arena(Fresh());
  CHECK(PlayFrame(arena) == 4950);
  const HolderReport report = FindHolders(arena);
  constexpr std::ptrdiff_t kSaved = 40;  // the registers of this function
  for (const Holder& holder : report.holders) {
    if (holder.kind != HolderKind::kStack) continue;
    CHECK(static_cast<const char*>(holder.slot) >= CalleesFrame() - kSaved);
  }
}

TEST_CASE("FindHolders: a thread that is not registered is told so") {
  Arena arena(Fresh());
  static_cast<void>(Make(arena));
  HolderReport report;
  std::thread([&] { report = FindHolders(arena); }).join();
  CHECK(report.error.find("not registered") != std::string::npos);
}

TEST_CASE("holders: of a collected arena, what points to it or to a header") {
  acre_test::NeedCollector();
  acre::Arena* arena = acre::NewCollectedArena({.name = "kept"});
  void* block = arena->Allocate(100);
  auto** holder = static_cast<void**>(GC_malloc_uncollectable(32));
  const auto counts = [&](const acre::HolderOptions& options) {
    std::size_t count = 0;
    for (const auto& found : acre::FindHolders(*arena, options).holders) {
      count += found.base == holder ? 1 : 0;
    }
    return count;
  };
  CHECK(counts({}) == 0);
  holder[0] = static_cast<char*>(block) - acre::kChunkHeader;
  CHECK(counts({}) == 1);
  holder[1] = arena;
  CHECK(counts({}) == 1);
  CHECK(counts({.include_arena = true}) == 2);
  // A spare keeps the arena as well.
  arena->Reset();
  CHECK(counts({}) == 1);
  GC_free(holder);
}

}  // namespace holders_test
