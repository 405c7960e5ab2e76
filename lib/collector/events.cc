// SPDX-License-Identifier: MIT
//
// What happens around a collection: hooks with the world stopped, and what runs
// after it, outside callbacks.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>

#include "acre/detail/around_fork.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "collector/libgc.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kMaxHooks = 4;
std::atomic<CollectionHook> g_hooks[kMaxHooks];
std::atomic<GC_on_collection_event_proc> g_next_event_proc{nullptr};
std::atomic<void (*)()> g_after{nullptr};

// Events come one at a time, under the collector's lock. A host that was given
// this function as the one before calls it from its own: that is no event.
bool g_is_in_event = false;

// The lowest address that a frame of a hook is known to have had. Stacks grow
// down on everything that libgc runs on and we know.
std::atomic<std::uintptr_t> g_deepest{0};

/// Zeroes the stack from `lowest` up to the caller's frame. Marking goes deeper
/// than the hooks did, through frames that it does not fill: an address that a
/// hook has left there would keep what it leads to.
__attribute__((noinline, no_sanitize("address"))) void ClearStack(
    std::uintptr_t lowest) {
  const auto here =
      reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  // What leaf functions have used below the frames that were noted.
  constexpr std::size_t kLeaves = 2048;
  const std::size_t bytes = here - std::min(here, lowest) + kLeaves;
  void* const frames = __builtin_alloca(bytes);  // NOLINT
  std::memset(frames, 0, bytes);
  asm volatile("" : : "r"(frames) : "memory");  // the zeros are needed
}

__attribute__((noinline)) void CallHooks(CollectionEvent event) {
  g_deepest.store(reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  for (const auto& slot : g_hooks) {
    if (const CollectionHook hook = slot.load()) hook(event);
  }
  ClearStack(g_deepest.load());
}

void GC_CALLBACK OnEvent(GC_EventType event) {
  if (g_is_in_event) return;
  if (const auto next = g_next_event_proc.load()) {
    g_is_in_event = true;
    next(event);
    g_is_in_event = false;
  }
  CollectionEvent ours;
  switch (event) {
    case GC_EVENT_POST_STOP_WORLD:
      ours = CollectionEvent::kStopped;
      break;
    case GC_EVENT_MARK_END:
      ours = CollectionEvent::kMarked;
      break;

    default:
      return;
  }
  CallHooks(ours);
}

/// An object that nobody holds: the next collection finalizes it.
__attribute__((noinline)) void DropSentinel();

void GC_CALLBACK OnFinalized(void*, void*) {
  DropSentinel();  // first: what runs may throw
  g_after.load()();
}

void DropSentinel() {
  void* sentinel = GC_malloc_atomic(1);
  if (sentinel == nullptr) return;
  GC_register_finalizer_no_order(sentinel, &OnFinalized, nullptr, nullptr,
                                 nullptr);
}

struct ObjectVisit {
  void (*visit)(void* context, const void* object, std::size_t bytes);
  void* context;
};

}  // namespace

void NoteStackUse(const void* frame) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(frame);
  if (address < g_deepest.load(std::memory_order_relaxed)) {
    g_deepest.store(address, std::memory_order_relaxed);
  }
}

bool AddCollectionHook(CollectionHook hook) {
  static std::mutex lock;
  RenewAfterFork(lock);
  const std::lock_guard<std::mutex> hold(lock);
  GetKinds();  // the hooks ask for them, where making them is not allowed
  if (GC_get_on_collection_event() != &OnEvent) {
    g_next_event_proc.store(GC_get_on_collection_event());
    GC_set_on_collection_event(&OnEvent);
  }
  for (auto& slot : g_hooks) {
    if (slot.load() == hook) return true;
    if (slot.load() != nullptr) continue;
    slot.store(hook);
    return true;
  }
  return false;
}

bool RunAfterCollections(void (*run)()) {
  EnsureCollector();
  if (GC_thread_is_registered() == 0) return false;
  if (g_after.exchange(run) == nullptr) DropSentinel();
  return true;
}

bool IsCollectorRunning() noexcept { return GC_is_init_called() != 0; }

bool CollectNow() {
  EnsureCollector();
  if (GC_is_disabled() != 0) return false;
  GC_gcollect();
  return true;
}

std::size_t CollectedHeapBytes() noexcept {
  GC_prof_stats_s stats;
  GC_get_prof_stats_unsafe(&stats, sizeof stats);
  return stats.heapsize_full;
}

void ForEachScannedObject(void (*visit)(void*, const void*, std::size_t),
                          void* context) {
  ObjectVisit visit_all{visit, context};
  GC_enumerate_reachable_objects_inner(
      [](void* object, std::size_t bytes, void* data) {
        if (IsPointerFree(object) || IsArenaChunk(object)) return;
        const auto& all = *static_cast<const ObjectVisit*>(data);
        all.visit(all.context, object, bytes);
      },
      &visit_all);
}

}  // namespace acre::inline ACRE_ABI::detail
