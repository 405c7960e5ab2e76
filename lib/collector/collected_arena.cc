// SPDX-License-Identifier: MIT
//
// Chunks on the collected heap, and the arenas that the collector frees.
//
//   collected arena (one cycle, alive or dead as a whole):
//     control block --cells--> cell <-> cell ...      scanned memory
//          ^                     |
//          +---- first word ---- chunk                8 bytes scanned
//
//   explicit arena (kept by the anchor, wherever the Arena stands):
//     anchor (uncollectable) ---> chunk               nothing scanned
//        ^---- second word ----------+   (hidden: chunks are not scanned)

#include <atomic>

#include "acre/detail/size_class.h"
#include "acre/failure.h"
#include "acre/gc.h"
#include "collector/gc_slots.h"
#include "collector/libgc.h"
#include "collector/traced_source.h"
#include "core/commons.h"
#include "core/life.h"
#include "core/slow_path.h"
#include "core/tracer.h"

namespace acre::inline ACRE_ABI {
namespace detail {
namespace {

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
    // The chunk first, held by this frame: getting it may run finalizers that
    // acquire another one.
    for (const std::size_t size : {wanted, min_size}) {
      void* chunk =
          owner_->is_traced()
              ? NewTracedChunk(size, owner_, nullptr)
              : GC_generic_malloc(RequestFor(size),
                                  static_cast<int>(GetKinds().back_link));
      if (chunk == nullptr) continue;
      Cell* cell = NewCell();
      if (cell == nullptr) return {};
      if (owner_->is_traced()) {
        *TracedMemory::CookieOf(chunk, size) = cell;
      } else {
        *static_cast<Header*>(chunk) = {owner_, cell};
      }
      *cell = {chunk, cells_, nullptr};
      if (cells_ != nullptr) {
        cells_->prev = cell;
        TellWritten(cells_);
      }
      cells_ = cell;
      TellWritten(cell);
      TellWritten(owner_);
      return {chunk, size};
    }
    return {};
  }

  // The collector frees it: somebody may still hold a pointer into it, which
  // from now on keeps that chunk alone, no longer the arena.
  void Release(ChunkMemory memory) noexcept override {
    auto* header = static_cast<Header*>(memory.address);
    auto* cell = static_cast<Cell*>(
        owner_->is_traced()
            ? *TracedMemory::CookieOf(memory.address, memory.size)
            : header->cookie);
    (cell->prev != nullptr ? cell->prev->next : cells_) = cell->next;
    if (cell->next != nullptr) cell->next->prev = cell->prev;
    if (owner_->is_traced()) {
      CloseTracedChunk(memory.address);
    } else {
      *header = {nullptr, nullptr};
    }
    *cell = {};  // whoever still sees it sees no other chunk
  }

 private:
  Cell* NewCell() {
    if (first_.chunk == nullptr) return &first_;
    return static_cast<Cell*>(GC_malloc(sizeof(Cell)));
  }

  Arena* owner_;           // this control block
  Cell* cells_ = nullptr;  // of all chunks
  Cell first_ = {};        // one of them, for arenas of one chunk
};

/// Keeps one token of OnCollected; on the collected heap.
struct TokenCell {
  void* token;
  TokenCell* next;
};

/// What NewCollectedArena allocates. The arena comes first, so that a pointer
/// to it is the address of the object. It is scanned, so nothing in it may be
/// left unwritten: no padding.
struct ControlBlock {
  explicit ControlBlock(const ArenaOptions& options)
      : arena(options), source(&arena) {}

  Arena arena;
  BackLinkSource source;
  TokenCell* tokens = nullptr;      // of OnCollected
  SlotSegment* segments = nullptr;  // of GcRefs and GcWeakRefs
};
static_assert(sizeof(ControlBlock) ==
              sizeof(Arena) + sizeof(BackLinkSource) + 2 * sizeof(void*));

ControlBlock& ControlBlockOf(Arena& arena) {
  return reinterpret_cast<ControlBlock&>(arena);
}

/// What a token's finalizer is to do. Uncollectable: it is what holds `data`.
struct Farewell {
  void (*run)(void* data);
  void* data;
};

std::atomic<std::size_t> g_farewells{0};  // to be run

void GC_CALLBACK OnTokenFinalized(void*, void* data) {
  const Farewell farewell = *static_cast<Farewell*>(data);
  g_farewells.fetch_sub(1);
  GC_FREE(data);  // first: what runs may throw
  farewell.run(farewell.data);
}

[[noreturn]] void FailControlBlock(const ArenaOptions& options,
                                   std::size_t bytes) {
  FailOutOfMemory({options.name, bytes, 0, options.byte_limit});
}

}  // namespace

std::size_t CountFarewells() noexcept { return g_farewells.load(); }

void HoldSegment(Arena& arena, SlotSegment* segment) {
  SlotSegment*& segments = ControlBlockOf(arena).segments;
  segment->held = segments;
  segments = segment;
}

const SlotSegment* HeldSegments(Arena& arena) {
  return ControlBlockOf(arena).segments;
}

void DropSegments(Arena& arena) { ControlBlockOf(arena).segments = nullptr; }

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
    detail::TellWritten(anchor);
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
  ACRE_CHECK(!detail::SearchesForLeaks(),
             "NewCollectedArena('%s'): this process searches for leaks "
             "(GC_find_leak), and libgc then ends nothing by itself; use an "
             "Arena",
             options.name);
  void* memory = GC_malloc(sizeof(detail::ControlBlock));
  if (memory == nullptr) {
    detail::FailControlBlock(options, sizeof(detail::ControlBlock));
  }
  auto* block = ::new (memory) detail::ControlBlock(options);
  Arena* arena = &block->arena;
  detail::SlowPath path(*arena);
  path.MakeCollected(&block->source);
  detail::Pin();  // the collector ends it, at any time: its code has to stay
  detail::ArenaEntry* entry = path.Entry();
  if (entry == nullptr || GC_general_register_disappearing_link(
                              reinterpret_cast<void**>(&entry->hidden_arena),
                              memory) != GC_SUCCESS) {
    detail::FailControlBlock(options, sizeof(detail::ControlBlock));
  }
  if (kChecked) detail::life::Follow(arena, entry);
  return arena;
}

// The arena holds the token, and nothing else does: what has a finalizer is the
// token, so that the arena and its chunks are gone when it runs. On the control
// block an ordered finalizer would keep the arena for ever, since control block
// and chunks form a cycle; and any finalizer would be handed what is freed.
void OnCollected(Arena& arena, void (*run)(void* data), void* data) {
  ACRE_CHECK(arena.is_collected(),
             "OnCollected: arena '%s' is explicit: it ends with its Arena",
             arena.name());
  detail::CheckThread();
  auto& block = detail::ControlBlockOf(arena);
  auto* cell =
      static_cast<detail::TokenCell*>(GC_malloc(sizeof(detail::TokenCell)));
  void* token = GC_malloc_atomic(1);
  auto* farewell = static_cast<detail::Farewell*>(
      GC_malloc_uncollectable(sizeof(detail::Farewell)));
  if (cell == nullptr || token == nullptr || farewell == nullptr) {
    if (farewell != nullptr) GC_FREE(farewell);
    detail::FailControlBlock(arena.options(), sizeof(detail::Farewell));
  }
  *farewell = {run, data};
  detail::TellWritten(farewell);
  detail::g_farewells.fetch_add(1);
  detail::Pin();
  GC_register_finalizer_no_order(token, &detail::OnTokenFinalized, farewell,
                                 nullptr, nullptr);
  *cell = {token, block.tokens};
  block.tokens = cell;
  detail::TellWritten(cell);
  detail::TellWritten(&block);
}

}  // namespace acre::inline ACRE_ABI
