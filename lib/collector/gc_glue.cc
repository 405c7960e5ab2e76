// SPDX-License-Identifier: MIT
//
// The only file of the core that talks to libgc.
//
// Two kinds of object, made once a process:
//   back-link kind   the collector scans the first 8 bytes: collected arenas
//   plain kind       the collector scans nothing: explicit arenas
// Both are told from other objects by GC_get_kind_and_size.
//
//   collected arena (one cycle, alive or dead as a whole):
//     control block --cells--> cell <-> cell ...      scanned memory
//          ^                     |
//          +---- first word ---- chunk                8 bytes scanned
//
//   explicit arena (kept by the anchor, wherever the Arena stands):
//     anchor (uncollectable) ---> chunk               nothing scanned
//        ^---- second word ----------+   (hidden: chunks are not scanned)

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>
#include <gc/gc_mark.h>

#include <atomic>
#include <mutex>

#include "acre/detail/gc_events.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/size_class.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

struct Kinds {
  unsigned back_link;
  unsigned plain;
};

std::atomic<bool> g_initialised{false};

void EnsureCollector() {
  if (g_initialised.load(std::memory_order_acquire)) return;
  // One thread at a time: allowing it twice at once breaks libgc's tables.
  static std::mutex lock;
  const std::lock_guard<std::mutex> hold(lock);
  if (g_initialised.load(std::memory_order_relaxed)) return;
  if (GC_is_init_called() == 0) GC_INIT();
  GC_allow_register_threads();
  g_initialised.store(true, std::memory_order_release);
}

const Kinds& GetKinds() {
  static const Kinds kinds = [] {
    EnsureCollector();
    // Arguments: freelist, descriptor, add object size to it, clear new ones.
    return Kinds{GC_new_kind(GC_new_free_list(), 8 | GC_DS_LENGTH, 0, 0),
                 GC_new_kind(GC_new_free_list(), 0 | GC_DS_LENGTH, 0, 0)};
  }();
  return kinds;
}

void CheckThread() {
  if (!kChecked) return;
  ACRE_CHECK(GC_thread_is_registered() != 0,
             "this thread is not registered with the collector; put a "
             "ThreadRegistration on its stack before it allocates");
}

// With interior pointers on, libgc adds a byte to every request so that a
// pointer past the end is not the neighbour's; asking for one byte less makes
// the object fill its pages exactly. That byte is the one arenas never use.
std::size_t RequestFor(std::size_t size) { return size - 1; }

/// The words that a chunk's first 16 bytes are to its source.
struct Header {
  void* back_link;
  void* cookie;  // anchor, or cell
};
static_assert(sizeof(Header) == kChunkHeader);

/// Keeps one chunk of a collected arena; on the collected heap.
struct Cell {
  void* chunk;
  Cell* next;
  Cell* prev;
};

/// The source of one collected arena; part of its control block.
class BackLinkSource final : public ChunkSource {
 public:
  explicit BackLinkSource(Arena* owner) : owner_(owner) {}

  ChunkMemory Acquire(std::size_t min_size, std::size_t wanted) override {
    CheckThread();
    auto* cell = static_cast<Cell*>(GC_malloc(sizeof(Cell)));
    if (cell == nullptr) return {};
    for (const std::size_t size : {wanted, min_size}) {
      void* chunk = GC_generic_malloc(RequestFor(size),
                                      static_cast<int>(GetKinds().back_link));
      if (chunk == nullptr) continue;
      *static_cast<Header*>(chunk) = {owner_, cell};
      *cell = {chunk, cells_, nullptr};
      if (cells_ != nullptr) cells_->prev = cell;
      cells_ = cell;
      return {chunk, size};
    }
    return {};
  }

  // The collector frees it: somebody may still hold a pointer into it, which
  // from now on keeps that chunk alone, no longer the arena.
  void Release(ChunkMemory memory) noexcept override {
    auto* header = static_cast<Header*>(memory.address);
    auto* cell = static_cast<Cell*>(header->cookie);
    (cell->prev != nullptr ? cell->prev->next : cells_) = cell->next;
    if (cell->next != nullptr) cell->next->prev = cell->prev;
    *header = {nullptr, nullptr};
  }

 private:
  Arena* owner_;           // this control block
  Cell* cells_ = nullptr;  // of all chunks
};

/// What NewCollectedArena allocates. The arena comes first, so that a pointer
/// to it is the address of the object.
struct ControlBlock {
  explicit ControlBlock(ArenaOptions options)
      : arena(WithSource(options, &source)), source(&arena) {}

  static ArenaOptions WithSource(ArenaOptions options, ChunkSource* source) {
    options.source = source;
    return options;
  }

  Arena arena;
  BackLinkSource source;
};

}  // namespace

// ------------------------------------------------------------------ events

namespace {

constexpr std::size_t kMaxHooks = 4;
std::atomic<CollectionHook> g_hooks[kMaxHooks];
std::atomic<GC_on_collection_event_proc> g_next_event_proc{nullptr};
std::atomic<void (*)()> g_after{nullptr};

// Events come one at a time, under the collector's lock. A host that was given
// this function as the one before calls it from its own: that is no event.
bool g_is_in_event = false;

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
  for (const auto& slot : g_hooks) {
    if (const CollectionHook hook = slot.load()) hook(ours);
  }
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

bool AddCollectionHook(CollectionHook hook) {
  static std::mutex lock;
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

bool IsThreadRegistered() noexcept {
  EnsureCollector();
  return GC_thread_is_registered() != 0;
}

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

const void* CollectedBase(const void* address) noexcept {
  if (!g_initialised.load(std::memory_order_acquire) &&
      GC_is_init_called() == 0) {
    return nullptr;
  }
  return GC_base(const_cast<void*>(address));
}

std::size_t CollectedSize(const void* base) noexcept { return GC_size(base); }

bool IsUncollectable(const void* base) noexcept {
  // Numbers fixed in libgc since 6.0: uncollectable, and its pointer-free form.
  constexpr int kUncollectable = 2;
  constexpr int kAtomicUncollectable = 3;
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  return (kind == kUncollectable || kind == kAtomicUncollectable) &&
         !IsArenaChunk(base);
}

bool IsPointerFree(const void* base) noexcept {
  constexpr int kPointerFree = 0;  // fixed like the above
  constexpr int kAtomicUncollectable = 3;
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  return kind == kPointerFree || kind == kAtomicUncollectable;
}

bool IsArenaChunk(const void* base) noexcept {
  std::size_t size = 0;
  const int kind = GC_get_kind_and_size(base, &size);
  const Kinds& kinds = GetKinds();
  return kind == static_cast<int>(kinds.back_link) ||
         kind == static_cast<int>(kinds.plain);
}

}  // namespace detail

ChunkMemory CollectedSource::Acquire(std::size_t min_size, std::size_t wanted) {
  detail::EnsureCollector();
  detail::CheckThread();
  auto* anchor = static_cast<void**>(GC_malloc_uncollectable(sizeof(void*)));
  if (anchor == nullptr) return {};
  const int kind = static_cast<int>(detail::GetKinds().plain);
  for (const std::size_t size : {wanted, min_size}) {
    // "Ignore off page": the anchor holds the address of the first byte, so no
    // pointer into the middle needs honouring, and libgc need not avoid pages
    // that something seems to point to.
    void* chunk =
        GC_generic_malloc_ignore_off_page(detail::RequestFor(size), kind);
    if (chunk == nullptr) continue;
    *anchor = chunk;
    *static_cast<detail::Header*>(chunk) = {nullptr, anchor};
    return {chunk, size};
  }
  GC_FREE(anchor);
  return {};
}

void CollectedSource::Release(ChunkMemory memory) noexcept {
  GC_FREE(static_cast<detail::Header*>(memory.address)->cookie);
  GC_FREE(memory.address);
}

CollectedSource& CollectedSource::Instance() noexcept {
  // Never destroyed: arenas of static duration may outlive any destructor.
  alignas(CollectedSource) static std::byte storage[sizeof(CollectedSource)];
  static CollectedSource* const instance = ::new (storage) CollectedSource;
  return *instance;
}

Arena* NewCollectedArena(const ArenaOptions& options) {
  ACRE_CHECK(options.source == nullptr,
             "NewCollectedArena('%s'): only the collected heap can keep a "
             "collected arena alive; leave options.source null",
             options.name);
  detail::EnsureCollector();
  detail::CheckThread();
  void* memory = GC_malloc(sizeof(detail::ControlBlock));
  if (memory == nullptr) {
    detail::FailOutOfMemory(
        {options.name, sizeof(detail::ControlBlock), 0, options.byte_limit});
  }
  Arena* arena = &(::new (memory) detail::ControlBlock(options))->arena;
  detail::SlowPath path(*arena);
  path.MakeCollected();
  detail::ArenaEntry* entry = path.Entry();
  if (entry == nullptr || GC_general_register_disappearing_link(
                              reinterpret_cast<void**>(&entry->hidden_arena),
                              memory) != GC_SUCCESS) {
    detail::FailOutOfMemory(
        {options.name, sizeof(detail::ControlBlock), 0, options.byte_limit});
  }
  return arena;
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
