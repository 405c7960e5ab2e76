// SPDX-License-Identifier: MIT

#include "core/chunk_index.h"

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <new>

#include "acre/arena.h"
#include "acre/detail/around_fork.h"
#include "acre/detail/size_class.h"
#include "acre/detail/watch.h"
#include "core/commons.h"
#include "core/for_debuggers.h"
#include "core/life.h"
#include "core/page_tree.h"
#include "core/slow_path.h"
#include "core/this_thread.h"

namespace acre::inline ACRE_ABI::detail::index {
namespace {

/// One for all copies of acre of this version and mode; see commons.h.
struct State {
  PageTree tree;
  std::atomic<std::uint64_t> version{0};  // counts writes; odd while writing
  std::mutex lock;                        // guards all below, and all writes
  ArenaEntry* collected = nullptr;        // entries of collected arenas
  std::size_t collected_count = 0;
  std::size_t purge_at = 64;  // count at which dead entries are looked for
  ArenaEntry* free_entries = nullptr;
  std::atomic<ArenaEntry*> made{nullptr};  // read without the lock
  Chunk* free_chunks = nullptr;            // linked by next_owned
  // The thread that looks around while the world is stopped, or zero.
  std::atomic<std::uintptr_t> stopper{0};
  // Entries of small arenas that have ended, each with its one chunk; see Park.
  // A thread begins at a place of its own.
  static constexpr std::size_t kParked = 16;
  std::atomic<ArenaEntry*> parked[kParked] = {};
};

std::uintptr_t StoppingThread() {
  return static_cast<std::uintptr_t>(pthread_self());
}

// What is looked up before this copy has found the others: nothing is there.
constinit State g_nothing;
constinit std::atomic<State*> g_state{&g_nothing};

constexpr DebuggerWord kForDebuggers[] = {
    {"index.root", offsetof(State, tree) + offsetof(PageTree, root)},
    {"index.made", offsetof(State, made)},
    {"index.page_bits", PageTree::kPageBits},
    {"index.level_bits", PageTree::kLevelBits},
    {"IndexLink.chunk", offsetof(IndexLink, chunk)},
    {"IndexLink.next", offsetof(IndexLink, next)},
    {"", 0}};

const State& Current() noexcept {
  return *g_state.load(std::memory_order_acquire);
}

/// Differs where copies have other structs than these.
constexpr std::uint64_t kShape = (sizeof(State) << 48) + sizeof(Chunk) +
                                 (sizeof(ArenaEntry) << 12) +
                                 (std::uint64_t{sizeof(BlockInfo)} << 24) +
                                 (std::uint64_t{sizeof(Arena)} << 36);

State& TheState() {
  State* state = g_state.load(std::memory_order_acquire);
  if (state != &g_nothing) return *state;
  state = &Common<State>("index." ACRE_ABI_TEXT, kShape);
  TakeAroundFork(state->lock, LockRank::kIndex);
  g_state.store(state);
  return *state;
}

// Before every static arena: who asks for another copy's arena has to find it.
__attribute__((constructor(101))) void Join() { TheState(); }

/// The module is unloaded: by dlclose after Detach, where it was never pinned,
/// or at exit. What other copies would still look at is taken away. It stands
/// here, and not beside Detach, because every program has this file.
__attribute__((destructor)) void Leave() {
  if (!CanBeUnloaded()) return;
  LeaveForks();
  LeaveAudits();
}

class Writing {
 public:
  Writing() : state_(TheState()), hold_(state_.lock) {
    state_.version.fetch_add(1, std::memory_order_acq_rel);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() { state_.version.fetch_add(1, std::memory_order_release); }

  State* operator->() const { return &state_; }
  State& operator*() const { return state_; }

 private:
  State& state_;
  std::lock_guard<std::mutex> hold_;
};

/// `is_dead`: of an arena that the collector has taken, and nothing else.
Chunk* Look(const State& state, const void* address,
            bool is_dead = false) noexcept {
  const std::uintptr_t page = PageTree::PageOf(address);
  const PageTree::Leaf* const leaf = state.tree.Find(page);
  if (leaf == nullptr) return nullptr;
  const auto& slot = leaf->SlotOf(page);
  const auto* p = static_cast<const char*>(address);
  for (const IndexLink* link = slot.load(std::memory_order_acquire);
       link != nullptr; link = link->next.load(std::memory_order_acquire)) {
    Chunk* chunk = link->chunk;
    if (p < chunk->begin.load(std::memory_order_acquire) - kChunkHeader ||
        p >= chunk->end.load(std::memory_order_acquire)) {
      continue;
    }
    const ArenaEntry* owner = chunk->owner.load(std::memory_order_acquire);
    if (owner != nullptr && (owner->arena() == nullptr) == is_dead)
      return chunk;
  }
  return nullptr;
}

void TakeOut(State& state, Chunk* chunk) {
  state.tree.ForEachPage(
      chunk, [](PageTree::Leaf& leaf, std::uintptr_t page,
                const IndexLink* link) { PageTree::Unlink(leaf, page, link); });
  chunk->end.store(nullptr, std::memory_order_release);  // holds nothing
  chunk->owner.store(nullptr, std::memory_order_release);
}

void Recycle(State& state, Chunk* chunk) {
  chunk->blocks.Destroy();
  chunk->next_owned = state.free_chunks;
  state.free_chunks = chunk;
}

void Recycle(State& state, ArenaEntry* entry) {
  if (entry->watch != nullptr) entry->watch->Ended();
  entry->watch = nullptr;
  std::free(entry->sampler);
  entry->sampler = nullptr;

  while (Chunk* chunk = entry->chunks) {
    entry->chunks = chunk->next_owned;
    if (kChecked) life::NoteCollected(entry->name, chunk->memory);
    TakeOut(state, chunk);
    Recycle(state, chunk);
  }
  entry->lives.fetch_add(1);  // before another arena may move in
  entry->hidden_arena.store(0, std::memory_order_release);
  entry->next = state.free_entries;
  state.free_entries = entry;
}

/// Takes out an arena that the collector has freed.
void TakeDead(State& state, ArenaEntry* entry) {
  *entry->linked_at = entry->next;
  if (entry->next != nullptr) entry->next->linked_at = entry->linked_at;
  --state.collected_count;
  Recycle(state, entry);
}

/// Makes room in the slot of a page: what the collector has freed there goes.
/// Small chunks of living arenas may stay, they share their pages.
void TakeDeadFrom(State& state, const PageTree::Leaf& leaf,
                  std::uintptr_t page) {
  const auto& slot = leaf.SlotOf(page);
  const IndexLink* link = slot.load(std::memory_order_relaxed);
  while (link != nullptr) {
    ArenaEntry* owner = link->chunk->owner.load(std::memory_order_relaxed);
    if (owner != nullptr && owner->collected && !owner->is_alive()) {
      TakeDead(state, owner);
      link = slot.load(std::memory_order_relaxed);
    } else {
      link = link->next.load(std::memory_order_relaxed);
    }
  }
}

/// The same everywhere. Runs whenever the number of collected arenas has
/// doubled.
void Purge(State& state) {
  ArenaEntry* next = nullptr;
  for (ArenaEntry* entry = state.collected; entry != nullptr; entry = next) {
    next = entry->next;
    if (!entry->is_alive()) TakeDead(state, entry);
  }
  state.purge_at = std::max<std::size_t>(64, 2 * state.collected_count);
}

// Slabs of records are never freed: readers may hold stale pointers to them.
// A slab's first record is its own; no list of slabs is needed.
template <class T>
bool Refill(T*& free_list, T* T::*next) {
  constexpr std::size_t kSlab = 64;
  void* memory = std::calloc(kSlab, sizeof(T));
  if (memory == nullptr) return false;
  T* records = static_cast<T*>(memory);
  for (std::size_t i = kSlab; i-- > 0;) {
    T* record = ::new (static_cast<void*>(records + i)) T();
    record->*next = free_list;
    free_list = record;
  }
  return true;
}

void Reuse(Chunk* chunk, ArenaEntry* owner, ChunkMemory memory) {
  char* start = static_cast<char*>(memory.address);
  chunk->memory = memory;
  // Rounded down from size - 1: the last byte stays out of every block.
  chunk->limit = start + (memory.size - 1) / kGranule * kGranule;
  chunk->top = chunk->dirty = start + kChunkHeader;
  chunk->next = nullptr;
  chunk->order = 0;
  chunk->is_large = false;
  chunk->unclassed_end = nullptr;
  chunk->kept = nullptr;
  for (IndexLink* link :
       {&chunk->first_page, &chunk->inner_pages, &chunk->last_page}) {
    link->chunk = chunk;
    link->next.store(nullptr, std::memory_order_relaxed);
  }
  chunk->owner.store(owner, std::memory_order_release);
  chunk->begin.store(start + kChunkHeader, std::memory_order_release);
  chunk->end.store(start + memory.size, std::memory_order_release);
}

}  // namespace

// A debugger starts here, by the name alone: no code does. It stands in this
// file because every program has it.
extern const DebuggerRoot g_debugger_root __asm__(
    "acre_debugger_" ACRE_ABI_TEXT);
ACRE_RETAIN constinit const DebuggerRoot g_debugger_root{
    &g_state, SlowPath::debugger_words, kForDebuggers};

ArenaEntry* AddArena(Arena* arena, bool collected) {
  const Writing state;
  if (collected && state->collected_count >= state->purge_at) Purge(*state);
  if (state->free_entries == nullptr &&
      !Refill(state->free_entries, &ArenaEntry::next)) {
    return nullptr;
  }
  ArenaEntry* entry = state->free_entries;
  state->free_entries = entry->next;
  if (!entry->is_made) {
    entry->is_made = true;
    entry->next_made = state->made.load();
    state->made.store(entry);
  }
  entry->chunks = nullptr;
  entry->keeper = nullptr;
  entry->refs = entry->weak_refs = {};
  entry->times_brought_back = 0;
  entry->older_stamps.Drop();
  entry->collected = collected;
  if (kChecked) {
    std::snprintf(entry->name, sizeof entry->name, "%s", arena->name());
  }
  entry->next = nullptr;
  entry->hidden_arena.store(~reinterpret_cast<std::uintptr_t>(arena),
                            std::memory_order_release);
  if (collected) {
    entry->next = state->collected;
    entry->linked_at = &state->collected;
    if (state->collected != nullptr) {
      state->collected->linked_at = &entry->next;
    }
    state->collected = entry;
    ++state->collected_count;
  }
  return entry;
}

namespace {

/// Where this thread looks first.
std::size_t FirstParked() {
  // Threads lie apart by their stacks, megabytes, or by pages.
  const auto bits = reinterpret_cast<std::uintptr_t>(ThisThread());
  return (bits >> 12 ^ bits >> 20) % State::kParked;
}

}  // namespace

bool Park(ArenaEntry* entry) noexcept {
  State& state = TheState();
  const std::size_t first = FirstParked();
  for (std::size_t i = 0; i < State::kParked; ++i) {
    auto& place = state.parked[(first + i) % State::kParked];
    if (place.load(std::memory_order_relaxed) != nullptr) continue;
    entry->lives.fetch_add(1);
    entry->hidden_arena.store(0, std::memory_order_release);
    ArenaEntry* none = nullptr;
    if (place.compare_exchange_strong(none, entry)) return true;
    return false;  // the entry is dead; RemoveArena does not mind
  }
  return false;
}

ArenaEntry* Unpark(Arena* arena) noexcept {
  State& state = TheState();
  const std::size_t first = FirstParked();
  for (std::size_t i = 0; i < State::kParked; ++i) {
    auto& place = state.parked[(first + i) % State::kParked];
    if (place.load(std::memory_order_relaxed) == nullptr) continue;
    ArenaEntry* const entry = place.exchange(nullptr);
    if (entry == nullptr) continue;
    Chunk& chunk = *entry->chunks;
    chunk.top = chunk.dirty = chunk.begin;
    chunk.order = 0;
    chunk.next = nullptr;
    chunk.unclassed_end = nullptr;
    entry->hidden_arena.store(~reinterpret_cast<std::uintptr_t>(arena),
                              std::memory_order_release);
    return entry;
  }
  return nullptr;
}

FreeBlock** FarLists(ArenaEntry* entry) {
  if (entry->far_lists == nullptr) {
    entry->far_lists =
        static_cast<FreeBlock**>(std::calloc(kFarClasses, sizeof(FreeBlock*)));
  } else {
    std::fill_n(entry->far_lists, kFarClasses, nullptr);
  }
  return entry->far_lists;
}

void ForEachArena(void (*visit)(void*, const Arena&), void* context) {
  for (const ArenaEntry* entry = Current().made.load(); entry != nullptr;
       entry = entry->next_made) {
    if (const Arena* arena = entry->arena()) visit(context, *arena);
  }
}

void RemoveArena(ArenaEntry* entry) {
  const Writing state;
  Recycle(*state, entry);
}

namespace {

/// Whether something is known of blocks there.
bool HasRecords(const ArenaEntry& owner, ChunkMemory memory) {
  return kChecked || (owner.sampler != nullptr &&
                      owner.sampler->pages.HasAny(memory.address, memory.size));
}

/// For a chunk of `size` bytes; the records that it has are kept. False where
/// memory ran out.
bool MakeRecords(Chunk* chunk, std::size_t size) {
  const std::size_t bytes = size - kChunkHeader;
  if (chunk->blocks.exists()) return chunk->blocks.Extend(bytes);
  char* const begin = static_cast<char*>(chunk->memory.address);
  return chunk->blocks.Create(begin + kChunkHeader, bytes);
}

}  // namespace

Chunk* AddChunk(ArenaEntry* owner, ChunkMemory memory) {
  const auto last =
      reinterpret_cast<std::uintptr_t>(memory.address) + memory.size;
  if (last >> PageTree::kAddressBits != 0) return nullptr;
  const Writing state;
  if (state->free_chunks == nullptr &&
      !Refill(state->free_chunks, &Chunk::next_owned)) {
    return nullptr;
  }
  Chunk* chunk = state->free_chunks;
  chunk->memory = memory;
  const bool has_leaves = state->tree.ForEachPage(
      chunk, [&](const PageTree::Leaf& leaf, std::uintptr_t page,
                 const IndexLink*) { TakeDeadFrom(*state, leaf, page); });
  if (!has_leaves) return nullptr;
  if (HasRecords(*owner, memory) && !MakeRecords(chunk, memory.size)) {
    return nullptr;
  }
  for (Chunk** at = &state->free_chunks;; at = &(*at)->next_owned) {
    if (*at != chunk) continue;  // what was dead stands before it
    *at = chunk->next_owned;
    break;
  }
  Reuse(chunk, owner, memory);
  chunk->next_owned = owner->chunks;
  chunk->owned_at = &owner->chunks;
  if (owner->chunks != nullptr) owner->chunks->owned_at = &chunk->next_owned;
  owner->chunks = chunk;
  state->tree.ForEachPage(chunk, PageTree::Link);
  return chunk;
}

bool ExtendChunk(Chunk* chunk, std::size_t more) {
  char* const start = static_cast<char*>(chunk->memory.address);
  char* const old_end = start + chunk->memory.size;
  const std::uintptr_t old_last = PageTree::PageOf(old_end - 1);
  const std::uintptr_t last = PageTree::PageOf(old_end + more - 1);
  if ((reinterpret_cast<std::uintptr_t>(old_end) + more) >>
          PageTree::kAddressBits !=
      0) {
    return false;
  }
  const Writing state;
  for (std::uintptr_t page = old_last + 1; page <= last; ++page) {
    const PageTree::Leaf* const leaf = state->tree.Make(page);
    if (leaf == nullptr) return false;
    TakeDeadFrom(*state, *leaf, page);
  }
  ChunkMemory longer = chunk->memory;
  longer.size += more;
  if (HasRecords(*chunk->owner.load(), longer) &&
      !MakeRecords(chunk, longer.size)) {
    return false;
  }
  if (old_last != PageTree::PageOf(start)) {
    PageTree::Leaf& leaf = *state->tree.Find(old_last);
    PageTree::Unlink(leaf, old_last, &chunk->last_page);
    chunk->last_page.next.store(nullptr, std::memory_order_relaxed);
    PageTree::Link(leaf, old_last, &chunk->inner_pages);
  }
  for (std::uintptr_t page = old_last + 1; page < last; ++page) {
    PageTree::Link(*state->tree.Find(page), page, &chunk->inner_pages);
  }
  PageTree::Link(*state->tree.Find(last), last, &chunk->last_page);
  chunk->memory.size += more;
  chunk->end.store(start + chunk->memory.size, std::memory_order_release);
  return true;
}

void RemoveChunk(Chunk* chunk) {
  const Writing state;
  *chunk->owned_at = chunk->next_owned;
  if (chunk->next_owned != nullptr) {
    chunk->next_owned->owned_at = chunk->owned_at;
  }
  TakeOut(*state, chunk);
  state->tree.Recycle(chunk->memory);
  Recycle(*state, chunk);
}

bool FindCollected(const void* address, char* name, std::size_t size) noexcept {
  State& state = TheState();
  const std::lock_guard<std::mutex> hold(state.lock);
  const Chunk* chunk = Look(state, address, true);
  if (chunk == nullptr) return false;
  std::snprintf(name, size, "%s", chunk->owner.load()->name);
  return true;
}

std::size_t CountOfThisModule(char* name, std::size_t size) noexcept {
  const Writing state;
  Purge(*state);
  std::size_t count = 0;
  for (const ArenaEntry* entry = state->made.load(); entry != nullptr;
       entry = entry->next_made) {
    if (!entry->is_alive() || !IsOfThisModule(entry->source_code)) continue;
    if (count++ == 0) std::snprintf(name, size, "%s", entry->name);
  }
  return count;
}

void DropWatchesOf(const void* copy) noexcept {
  const Writing state;
  for (ArenaEntry* entry = state->made.load(); entry != nullptr;
       entry = entry->next_made) {
    if (entry->watch == nullptr || entry->watched_by != copy) continue;
    entry->watch->Ended();
    entry->watch = nullptr;
  }
}

Chunk* FindWhileStopped(const void* address) noexcept {
  return Look(Current(), address);
}

Chunk* Find(const void* address) noexcept {
  State& state = *g_state.load(std::memory_order_acquire);
  const std::uint64_t before = state.version.load(std::memory_order_acquire);
  Chunk* chunk = Look(state, address);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (ACRE_LIKELY((before & 1) == 0 &&
                  before == state.version.load(std::memory_order_relaxed))) {
    return chunk;
  }
  if (state.stopper.load(std::memory_order_relaxed) == StoppingThread()) {
    return chunk;  // who holds the lock may be stopped
  }
  const std::lock_guard<std::mutex> hold(state.lock);
  return Look(state, address);
}

void SetStopper(bool is_stopped) noexcept {
  g_state.load(std::memory_order_acquire)
      ->stopper.store(is_stopped ? StoppingThread() : 0,
                      std::memory_order_relaxed);
}

}  // namespace acre::inline ACRE_ABI::detail::index
