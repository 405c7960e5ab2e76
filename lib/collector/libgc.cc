// SPDX-License-Identifier: MIT
//
// How acre begins with libgc: initialisation, its kinds, threads, settings.

#include "collector/libgc.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <mutex>

#include "acre/detail/around_fork.h"
#include "acre/detail/gc_events.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "core/commons.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

// A chunk's first word is scanned and written at once, so clearing all of it
// gains nothing. A libgc with assertions demands it: 289 ms instead of 4.5 for
// chunks of 400 MiB.
#ifdef ACRE_GC_ASSERTS
constexpr int kClear = 1;
#else
constexpr int kClear = 0;
#endif

/// Of all copies of acre, of whatever version or mode: the collector has few
/// kinds, and a program that asks for one too many is aborted.
struct Start {
  std::mutex lock;  // not libgc's: libgc is called under it
  bool allowed_threads = false;
  std::atomic<bool> has_kinds{false};
  Kinds kinds = {};
};

Start& TheStart() {
  static Start& start = Common<Start>("libgc", 0);
  return start;
}

std::atomic<bool> g_initialised{false};
std::atomic<int> g_interior_pointers{1};  // as they were when last seen

/// A host may switch interior pointers off when acre has begun. From then on
/// libgc (8.2.2) takes the address of a large object for none, and forgets what
/// it was told before: it has to be told once more that offset 0 counts, or
/// chunks are lost. Not in callbacks: it takes the allocation lock.
void NoticeSwitch() {
  const int now = GC_get_all_interior_pointers();
  if (now == g_interior_pointers.load(std::memory_order_relaxed)) return;
  g_interior_pointers.store(now, std::memory_order_relaxed);
  GC_register_displacement(0);
}

/// Of the thread in which acre has initialised libgc, where that is not the
/// main one. Set once, and given up once.
pthread_key_t g_starter_key;
std::atomic<bool> g_has_starter{false};

void Leave(void*) {
  if (GC_thread_is_registered() != 0) GC_unregister_my_thread();
  pthread_key_delete(g_starter_key);
  g_has_starter.store(false);
}

/// libgc takes the thread that initialises it for the main one, which it waits
/// for at each collection, and which must not end. So any other leaves when it
/// ends, after its thread_local objects, which may be arenas.
/// Returns: whether this module has to stay until then.
bool LeaveAtItsEnd() {
  const bool is_main = syscall(SYS_gettid) == getpid();
  if (is_main || pthread_key_create(&g_starter_key, &Leave) != 0) return false;
  pthread_setspecific(g_starter_key, &g_starter_key);
  g_has_starter.store(true);
  return true;
}

/// Returns: whether this module has to stay loaded.
bool Begin() {
  Start& start = TheStart();
  RenewAfterFork(start.lock);
  // One thread at a time: allowing it twice at once breaks libgc's tables.
  const std::lock_guard<std::mutex> hold(start.lock);
  if (g_initialised.load(std::memory_order_relaxed)) return false;
  bool stays = false;
  if (GC_is_init_called() == 0) {
    GC_INIT();
    stays = LeaveAtItsEnd();
  }
  if (!start.allowed_threads) GC_allow_register_threads();
  start.allowed_threads = true;
  NoticeSwitch();
  g_initialised.store(true, std::memory_order_release);
  return stays;
}

}  // namespace

void EnsureCollector() {
  if (g_initialised.load(std::memory_order_acquire)) return NoticeSwitch();
  if (Begin()) Pin();
}

bool HasStarter() noexcept { return g_has_starter.load(); }

bool IsCollectorThere() noexcept {
  return g_initialised.load(std::memory_order_acquire) ||
         GC_is_init_called() != 0;
}

const Kinds& GetKinds() {
  Start& start = TheStart();
  if (start.has_kinds.load(std::memory_order_acquire)) return start.kinds;
  EnsureCollector();
  const std::lock_guard<std::mutex> hold(start.lock);
  if (start.has_kinds.load(std::memory_order_relaxed)) return start.kinds;
  // Arguments: freelist, descriptor, add object size to it, clear new ones.
  start.kinds = {GC_new_kind(GC_new_free_list(), 8 | GC_DS_LENGTH, 0, kClear),
                 GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 0, 0)};
  start.has_kinds.store(true, std::memory_order_release);
  return start.kinds;
}

void CheckThread() {
  if (!kChecked) return;
  ACRE_CHECK(GC_thread_is_registered() != 0,
             "this thread is not registered with the collector; put a "
             "ThreadRegistration on its stack before it allocates");
}

bool IsThreadRegistered() noexcept {
  EnsureCollector();
  return GC_thread_is_registered() != 0;
}

}  // namespace detail

CollectorSettings GetCollectorSettings() noexcept {
  CollectorSettings settings;
  settings.is_initialised = GC_is_init_called() != 0;
  settings.version = GC_get_version();
  settings.interior_pointers = GC_get_all_interior_pointers() != 0;
  settings.scans_libraries = GC_get_no_dls() == 0;
  settings.finalize_on_demand = GC_get_finalize_on_demand() != 0;
  settings.is_incremental = GC_is_incremental_mode() != 0;
  settings.is_disabled = settings.is_initialised && GC_is_disabled() != 0;
  settings.acre_has_begun = detail::g_initialised.load();
  return settings;
}

bool CollectorSeesInteriorPointers() noexcept {
  detail::EnsureCollector();
  return GC_get_all_interior_pointers() != 0;
}

ThreadRegistration::ThreadRegistration() {
  detail::EnsureCollector();
  if (GC_thread_is_registered() != 0) return;
  GC_stack_base base;
  const bool registered = GC_get_stack_base(&base) == GC_SUCCESS &&
                          GC_register_my_thread(&base) == GC_SUCCESS;
  ACRE_CHECK(registered, "the collector refused to register this thread");
  registered_here_ = true;
}

ThreadRegistration::~ThreadRegistration() {
  if (registered_here_) GC_unregister_my_thread();
}

}  // namespace acre::inline ACRE_ABI
