// SPDX-License-Identifier: MIT
//
// What happens around a collection: hooks with the world stopped, and what runs
// after it, outside callbacks.

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <mutex>
#include <thread>

#include "acre/detail/around_fork.h"
#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "collector/libgc.h"
#include "core/commons.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

using EventProc = GC_on_collection_event_proc;
constexpr std::size_t kMaxHooks = 32;
constexpr std::size_t kMaxHosts = 8;

/// A hook, and the event proc of the copy of acre that holds its code.
struct Hook {
  std::atomic<CollectionHook> call{nullptr};
  EventProc proc = nullptr;
};

/// A callback of the host, and the proc of acre that it may call in turn: that
/// was set when the host set its own. Null: none was.
struct Host {
  EventProc proc;
  EventProc below;
};

/// Of all copies of acre. One of them has its proc in libgc, which calls the
/// hooks of all.
struct Chain {
  std::mutex lock;  // guards additions and removals
  std::atomic<EventProc> installed{nullptr};
  std::atomic<unsigned> host_count{0};
  Host hosts[kMaxHosts] = {};  // the last one is the outermost
  Hook hooks[kMaxHooks];
  // Hosts' callbacks that are running. Events come one at a time, under the
  // collector's lock.
  unsigned depth = 0;
  // The lowest address that a frame of a hook is known to have had. Stacks grow
  // down on everything that libgc runs on and we know.
  std::atomic<std::uintptr_t> deepest{0};
  // The process whose hooks run, or 0: in a forked child none does.
  std::atomic<pid_t> running_in{0};
};

Chain& TheChain() {
  static Chain& chain = Common<Chain>("events", 0);
  return chain;
}

std::atomic<void (*)()> g_after{nullptr};

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
  Chain& chain = TheChain();
  chain.running_in.store(getpid());
  chain.deepest.store(
      reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)));
  for (const Hook& hook : chain.hooks) {
    if (const CollectionHook call = hook.call.load()) call(event);
  }
  ClearStack(chain.deepest.load());
  chain.running_in.store(0);
}

/// A host's callback calls the one before it, which may be this function: then
/// it is the turn of the host's that was there before. Each is called once.
void CallHosts(GC_EventType event) {
  Chain& chain = TheChain();
  const unsigned count = chain.host_count.load();
  if (chain.depth >= count) return;
  const EventProc proc = chain.hosts[count - 1 - chain.depth].proc;
  ++chain.depth;
  proc(event);
  --chain.depth;
}

void GC_CALLBACK OnEvent(GC_EventType event) {
  const bool is_outermost = TheChain().depth == 0;
  CallHosts(event);
  if (!is_outermost) return;
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

bool IsOfSomeCopy(const Chain& chain, EventProc proc) {
  return proc == &OnEvent ||
         std::any_of(std::begin(chain.hooks), std::end(chain.hooks),
                     [=](const Hook& hook) { return hook.proc == proc; });
}

/// The host has set `proc`; from now on it is called by acre's.
void AddHost(Chain& chain, EventProc proc) {
  unsigned count = chain.host_count.load();
  if (proc == nullptr) return chain.host_count.store(0);
  Host* const end =
      std::remove_if(chain.hosts, chain.hosts + count,
                     [=](const Host& host) { return host.proc == proc; });
  count = static_cast<unsigned>(end - chain.hosts);
  if (count == kMaxHosts) {  // the one that waits longest is given up
    std::copy(chain.hosts + 1, chain.hosts + kMaxHosts, chain.hosts);
    --count;
  }
  chain.hosts[count] = {proc, chain.installed.load()};
  chain.host_count.store(count + 1);
}

void Install(Chain& chain) {
  const EventProc set = GC_get_on_collection_event();
  if (set != nullptr && set == chain.installed.load()) return;
  if (set != nullptr && IsOfSomeCopy(chain, set)) {
    chain.installed.store(set);
    return;
  }
  AddHost(chain, set);
  chain.installed.store(&OnEvent);
  GC_set_on_collection_event(&OnEvent);
}

/// Has another copy's proc called, or the host's alone.
void HandBack(Chain& chain) {
  if (chain.installed.load() != &OnEvent) {
    GC_get_on_collection_event();  // waits for an event that is under way
    return;
  }
  for (const Hook& hook : chain.hooks) {
    if (hook.proc == nullptr) continue;
    chain.installed.store(hook.proc);
    GC_set_on_collection_event(hook.proc);
    return;
  }
  const unsigned count = chain.host_count.load();
  GC_set_on_collection_event(count == 0 ? nullptr
                                        : chain.hosts[count - 1].proc);
  chain.host_count.store(0);
  chain.installed.store(nullptr);
}

// -------------------------------------------------------------- the sentinel

// An object that nobody holds: the next collection finalizes it. Its address is
// complemented; 0 from the collection that finds it dead.
std::atomic<std::uintptr_t> g_sentinel{0};
std::atomic<bool> g_is_awaited{false};  // its finalizer is to run

__attribute__((noinline)) void DropSentinel();

void GC_CALLBACK OnFinalized(void*, void*) {
  const auto after = g_after.load();
  if (after == nullptr) return g_is_awaited.store(false);
  DropSentinel();  // first: what runs may throw
  after();
}

void DropSentinel() {
  if (SearchesForLeaks()) return g_is_awaited.store(false);
  void* sentinel = GC_malloc_atomic(1);
  g_is_awaited.store(sentinel != nullptr);
  if (sentinel == nullptr) return;
  g_sentinel.store(~reinterpret_cast<std::uintptr_t>(sentinel));
  GC_general_register_disappearing_link(reinterpret_cast<void**>(&g_sentinel),
                                        sentinel);
  GC_register_finalizer_no_order(sentinel, &OnFinalized, nullptr, nullptr,
                                 nullptr);
}

void* GC_CALLBACK Reveal(void*) {
  const std::uintptr_t hidden = g_sentinel.load();
  return hidden == 0 ? nullptr : reinterpret_cast<void*>(~hidden);
}

/// False where its finalizer is to run in a moment, and does not.
bool TakeSentinelBack() {
  g_after.store(nullptr);
  if (!g_is_awaited.load()) return true;
  if (void* const sentinel = GC_call_with_alloc_lock(&Reveal, nullptr)) {
    GC_register_finalizer_no_order(sentinel, nullptr, nullptr, nullptr,
                                   nullptr);
    GC_unregister_disappearing_link(reinterpret_cast<void**>(&g_sentinel));
    g_sentinel.store(0);
    g_is_awaited.store(false);
    return true;
  }
  for (int tries = 0; tries < 100 && g_is_awaited.load(); ++tries) {
    if (GC_get_finalize_on_demand() == 0) GC_invoke_finalizers();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return !g_is_awaited.load();
}

struct ObjectVisit {
  void (*visit)(void* context, const void* object, std::size_t bytes);
  void* context;
};

}  // namespace

void NoteStackUse(const void* frame) noexcept {
  std::atomic<std::uintptr_t>& deepest = TheChain().deepest;
  const auto address = reinterpret_cast<std::uintptr_t>(frame);
  if (address < deepest.load(std::memory_order_relaxed)) {
    deepest.store(address, std::memory_order_relaxed);
  }
}

bool AddCollectionHook(CollectionHook hook) {
  Chain& chain = TheChain();
  RenewAfterFork(chain.lock);
  const std::lock_guard<std::mutex> hold(chain.lock);
  GetKinds();  // the hooks ask for them, where making them is not allowed
  Pin();
  Install(chain);
  for (Hook& slot : chain.hooks) {
    if (slot.call.load() == hook) return true;
  }
  for (Hook& slot : chain.hooks) {
    if (slot.call.load() != nullptr) continue;
    slot.proc = &OnEvent;
    slot.call.store(hook);
    return true;
  }
  return false;
}

const char* WhyNotDetach() noexcept {
  Chain& chain = TheChain();
  const std::lock_guard<std::mutex> hold(chain.lock);
  const char* const why =
      "a collection callback that the host has set calls acre's";
  const EventProc installed = chain.installed.load();
  if (installed == &OnEvent && GC_get_on_collection_event() != &OnEvent) {
    return why;
  }
  const bool is_below =
      std::any_of(chain.hosts, chain.hosts + chain.host_count.load(),
                  [](const Host& host) { return host.below == &OnEvent; });
  return is_below ? why : nullptr;
}

bool LeaveCollections() noexcept {
  const auto after = g_after.load();
  if (!TakeSentinelBack()) {
    g_after.store(after);
    return false;
  }
  Chain& chain = TheChain();
  const std::lock_guard<std::mutex> hold(chain.lock);
  for (Hook& slot : chain.hooks) {
    if (slot.proc != &OnEvent) continue;
    slot.call.store(nullptr);
    slot.proc = nullptr;
  }
  HandBack(chain);
  return true;
}

bool RunAfterCollections(void (*run)()) {
  EnsureCollector();
  if (GC_thread_is_registered() == 0) return false;
  Pin();
  if (g_after.exchange(run) == nullptr) DropSentinel();
  return true;
}

bool StandsInCollections() noexcept {
  return !IsCollectorRunning() || GC_thread_is_registered() != 0;
}

void AwaitHooks() noexcept {
  const Chain& chain = TheChain();
  while (chain.running_in.load() == getpid()) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
  }
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
