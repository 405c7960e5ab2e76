// SPDX-License-Identifier: MIT
//
// Guards what hosts do to a process: fork while other threads make arenas,
// fibers whose stack is not the thread's, collector settings switched late.

#include <doctest/doctest.h>
#include <gc/gc.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/chunk_source.h"
#include "acre/gc.h"
#include "acre/holders.h"
#include "acre/layout.h"
#include "acre/vector.h"
#include "collecting.h"
#include "support/death.h"
#include "support/sanitizer.h"

namespace host_process_test {

using acre::Arena;

void MakeAndEnd() {
  Arena arena({.name = "short", .source = &acre::MallocSource::Instance()});
  auto* numbers = arena.New<acre::Vector<int>>();
  for (int i = 0; i < 100; ++i) numbers->push_back(i);
}

/// Runs `body` on a stack of its own; libgc is told, as a host does.
class Fiber {
 public:
  explicit Fiber(void (*body)()) {
    stack_ = static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    GC_stack_base before;
    void* handle = GC_get_my_stackbottom(&before);
    GC_stack_base here = before;
    here.mem_base = stack_ + kSize;
    ucontext_t fiber;
    getcontext(&fiber);
    fiber.uc_stack.ss_sp = stack_;
    fiber.uc_stack.ss_size = kSize;
    fiber.uc_link = &outside_;
    makecontext(&fiber, body, 0);
    SetBottom(handle, here);
    swapcontext(&outside_, &fiber);
    SetBottom(handle, before);
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
  ~Fiber() { munmap(stack_, kSize); }

 private:
  /// libgc wants its lock held.
  static void SetBottom(void* thread, const GC_stack_base& bottom) {
    std::pair<void*, const GC_stack_base*> call{thread, &bottom};
    GC_call_with_alloc_lock(
        [](void* data) -> void* {
          const auto& [of, at] = *static_cast<decltype(call)*>(data);
          GC_set_stackbottom(of, at);
          return nullptr;
        },
        &call);
  }

  static constexpr std::size_t kSize = std::size_t{1} << 20;
  char* stack_;
  ucontext_t outside_;
};

Arena* g_arena = nullptr;
acre::HolderReport* g_report = nullptr;

__attribute__((noinline)) void LookFromFiber() {
  int* volatile held = g_arena->New<int>(1);
  *g_report = acre::FindHolders(*g_arena);
  asm volatile("" : : "r"(&held) : "memory");
}

struct Item {
  Item* target = nullptr;
};
ACRE_LAYOUT(Item, target)
acre::AuditReport* g_audit = nullptr;

__attribute__((noinline)) void AuditFromFiber() {
  Item local;
  Item* item = g_arena->New<Item>();
  item->target = &local;
  *g_audit = acre::Audit(*g_arena, *item);
  item->target = nullptr;
}

TEST_CASE("fork: a child goes on while other threads had the locks") {
  // AddressSanitizer's malloc (g++ 12, clang 14) leaves its own locks as they
  // are at a fork. tests/run runs this in a checked build without it.
  if (ACRE_TEST_ASAN) return;
  std::atomic<bool> stop{false};
  std::thread other([&] {
    while (!stop) MakeAndEnd();
  });
  int hung = 0;
  int failed = 0;
  for (int i = 0; i < 200; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      std::signal(SIGALRM, SIG_DFL);
      alarm(10);
      MakeAndEnd();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    hung += WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? 1 : 0;
    failed += status != 0 ? 1 : 0;
  }
  stop = true;
  other.join();
  CHECK(hung == 0);
  CHECK(failed == 0);
}

TEST_CASE("fork: parent and child both go on with what the thread had") {
  Arena arena;
  auto* numbers = arena.New<acre::Vector<int>>();
  numbers->push_back(1);
  const pid_t child = fork();
  if (child == 0) {
    for (int i = 0; i < 100000; ++i) numbers->push_back(i);
    arena.Reset();
    _exit(arena.New<int>(7) != nullptr ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0);
  numbers->push_back(2);
  CHECK(numbers->size() == 2);
}

TEST_CASE("fibers: FindHolders on a stack that is not the thread's own") {
  acre_test::NeedCollector();
  Arena arena({.name = "of a fiber"});
  static_cast<void>(arena.New<int>(1));
  acre::HolderReport report;
  g_arena = &arena;
  g_report = &report;
  const Fiber fiber(&LookFromFiber);
  CHECK(report.error.empty());
  bool is_on_stack = false;
  for (const acre::Holder& holder : report.holders) {
    is_on_stack |= holder.kind == acre::HolderKind::kStack;
  }
  CHECK(is_on_stack);
}

TEST_CASE("fibers: what stands on their stack is told as that") {
  acre_test::NeedCollector();
  Arena arena({.name = "of a fiber"});
  static_cast<void>(arena.New<int>(1));
  acre::AuditReport report;
  g_arena = &arena;
  g_audit = &report;
  const Fiber fiber(&AuditFromFiber);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].target == acre::Target::kStack);
}

TEST_CASE("collector settings: told, before and after acre has begun") {
  acre_test::NeedCollector();
  static_cast<void>(acre::CollectorSeesInteriorPointers());
  const acre::CollectorSettings settings = acre::GetCollectorSettings();
  CHECK(settings.is_initialised);
  CHECK(settings.acre_has_begun);
  CHECK(settings.version >= 0x80000);
  CHECK(settings.interior_pointers == acre::CollectorSeesInteriorPointers());
  CHECK_FALSE(settings.is_disabled);
  GC_disable();
  CHECK(acre::GetCollectorSettings().is_disabled);
  GC_enable();
}

TEST_CASE("collector settings: interior pointers switched off late") {
  acre_test::NeedCollector();
  const acre_test::Death death = acre_test::RunInChild([] {
    // One block a chunk: large objects, held by the addresses of their first
    // bytes alone.
    Arena arena({.name = "explicit", .max_chunk = 65536});
    acre::Arena* collected =
        acre::NewCollectedArena({.name = "collected", .max_chunk = 65536});
    acre_test::Hidden blocks[2][40];
    for (int i = 0; i < 40; ++i) {
      for (Arena* a : {&arena, collected}) {
        void* block = a->Allocate(40000);
        std::memset(block, 'A' + i % 26, 40000);
        blocks[a == &arena ? 0 : 1][i] = acre_test::Hidden(block);
      }
    }
    GC_set_all_interior_pointers(0);
    static_cast<void>(acre::CollectorSeesInteriorPointers());
    for (int round = 0; round < 3; ++round) {
      acre_test::Collect(2);
      for (int i = 0; i < 200; ++i) {
        std::memset(GC_malloc_atomic(40000), '!', 40000);
      }
    }
    for (int i = 0; i < 40; ++i) {
      for (const auto& row : blocks) {
        const auto* bytes = static_cast<const char*>(row[i].reveal());
        if (bytes[0] != 'A' + i % 26 || bytes[39999] != 'A' + i % 26)
          std::abort();
      }
    }
    acre::ArenaRef<int> ref = acre::RefTo(collected->New<int>(1));
    asm volatile("" : : "r"(&ref) : "memory");
    _exit(0);
  });
  INFO(death.text);
  CHECK_FALSE(death.died);
}

}  // namespace host_process_test
