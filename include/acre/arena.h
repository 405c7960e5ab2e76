// SPDX-License-Identifier: MIT
//
// Arena: memory handed out by moving a pointer, given back one block at a time
// (Free) or all at once (Reset). The collector never scans what is inside.
//
//   acre::Arena arena;                       // explicit: lives as long as this
//   Player* p = arena.New<Player>("Ann", 100);
//   std::span<int> grid = arena.NewArray<int>(64);
//   arena.Free(p);                           // this block, for reuse
//   arena.Reset();                           // everything
//
// Ownership: the arena owns its chunks and everything in them; it owns nothing
// that a pointer inside it points to elsewhere. Pointers handed out are valid
// until Free, Reset, a Rewind past them, or the arena's end.
// Lifetime: an `Arena` made by you is explicit. One that lives as long as the
// collector sees a pointer into it is made by NewCollectedArena (<acre/gc.h>).
// Threads: one arena, one thread at a time; see HandOver.
// Complexity: New, Allocate and Free are constant, a new chunk and the release
// of a block above 256 KiB aside.

#ifndef ACRE_ARENA_H_
#define ACRE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include "acre/arena_options.h"
#include "acre/chunk_source.h"
#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/detail/handles.h"
#include "acre/detail/size_class.h"
#include "acre/detail/wants_auditor.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI {

namespace detail {
struct ArenaEntry;  // lib/core/chunk_index.h
struct Blocks;      // acre/detail/blocks.h
struct Chunk;       // lib/core/chunk.h
struct MarkState;   // lib/core/mark.h
struct Sampler;     // lib/core/sampler.h
class SlowPath;     // lib/core/slow_path.h
struct Tracer;      // lib/core/tracer.h

/// A free block; the link lies in the block itself.
struct FreeBlock {
  FreeBlock* next;
};

void FreeGraph(Arena& arena, const TypeLayout& type, void* root);

/// Fails unless `align` is a power of two up to kMaxAlignment.
ACRE_INLINE void CheckAlignment(std::size_t align) {
  ACRE_CHECK(align - 1 < kMaxAlignment && (align & (align - 1)) == 0,
             "alignment %zu is not a power of two up to %zu", align,
             kMaxAlignment);
}
}  // namespace detail

/// A position to which an arena can be rewound. Copyable, a plain value.
class Mark {
 public:
  Mark() = default;

 private:
  friend class detail::SlowPath;
  Mark(const Arena* arena, detail::MarkState* state, std::uint64_t stamp)
      : arena_(arena), state_(state), stamp_(stamp) {}

  const Arena* arena_ = nullptr;        // for comparison only
  detail::MarkState* state_ = nullptr;  // where it is while it is open
  std::uint64_t stamp_ = 0;  // names the opening; an arena uses none twice
};

/// See the top of this file.
class Arena {
 public:
  /// Touches neither the source nor the collector until the first allocation.
  explicit Arena(const ArenaOptions& options = {});
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  /// Gives every chunk back. Runs no destructors of elements.
  ~Arena();

  // ------------------------------------------------------------ allocation

  /// Constructs a T: `T(args...)`, or `T{args...}` for aggregates; without
  /// arguments the object is value-initialised (zeros, in recycled memory
  /// too). Containers inside it are bound to this arena.
  /// Throws: what the constructor throws (the block is given back, and the
  /// slots of its GcRefs; storage that containers got in the constructor stays
  /// until Reset), and what the out-of-memory handler throws.
  template <class T, class... Args>
  T* New(Args&&... args);

  /// As New; null where memory runs out.
  template <class T, class... Args>
  [[nodiscard]] T* TryNew(Args&&... args);

  /// `count` value-initialised elements. Zero gives an empty span.
  template <class T>
  std::span<T> NewArray(std::size_t count);

  /// As NewArray; a span with null data where memory runs out (a request for
  /// zero elements succeeds, with non-null data).
  template <class T>
  [[nodiscard]] std::span<T> TryNewArray(std::size_t count);

  /// Raw bytes, contents arbitrary. Requires: align a power of two, at most
  /// 4096. Zero bytes gives a distinct block.
  [[nodiscard]] void* Allocate(std::size_t bytes, std::size_t align = kGranule);
  [[nodiscard]] void* TryAllocate(std::size_t bytes,
                                  std::size_t align = kGranule);

  // ------------------------------------------------------------------- free

  /// Gives back what New<T> returned, and the storage of the containers that
  /// *object holds by value. Follows no pointer. Null does nothing.
  /// Requires: T is the very type that was allocated (checked builds verify).
  template <class T>
  void Free(T* object);

  /// Gives back what NewArray<T> returned, whole.
  template <class T, std::size_t N>
  void Free(std::span<T, N> array);

  /// Gives back what Allocate(bytes, align) returned.
  void Free(void* block, std::size_t bytes, std::size_t align = kGranule);

  /// As Free(object), and then everything that fields declared `owned` reach.
  /// Each block is freed once, cycles and sharing included. Refuses (misuse)
  /// when an owned pointer leads out of this arena, in checked builds also to
  /// what is freed already or of another type; then nothing is freed.
  /// Linear in the blocks freed, times their logarithm.
  template <class T>
  void FreeGraph(T* object);

  /// Grows the block in place; true where that worked, false (and nothing
  /// changed) where not. Works for the block allocated last and not recycled.
  bool TryGrow(void* block, std::size_t old_bytes, std::size_t new_bytes,
               std::size_t align = kGranule);

  /// Makes a block of Allocate longer (null and 0 bytes: a new one): in place
  /// where TryGrow can, otherwise by moving its contents to a new block and
  /// freeing the old. Returns where it is now: a new block is of the youngest
  /// mark, whose Rewind takes it. Fails like Allocate; then the old block is as
  /// it was.
  [[nodiscard]] void* Grow(void* block, std::size_t old_bytes,
                           std::size_t new_bytes, std::size_t align = kGranule);

  /// Makes a block of Allocate shorter and returns where it is now: in place,
  /// and what lies behind new_bytes is handed out again; except that a block
  /// with a chunk of its own keeps that while it fills half of it, and moves
  /// when it does not (that may fail like Allocate; then it is as it was). Of
  /// marks, see Grow.
  [[nodiscard]] void* Shrink(void* block, std::size_t old_bytes,
                             std::size_t new_bytes,
                             std::size_t align = kGranule);

  /// Room for `bytes` bytes of small blocks in one chunk, so that they come
  /// without asking the source. A hint where freelists serve them anyway.
  void Reserve(std::size_t bytes);
  /// As Reserve; false where memory runs out.
  [[nodiscard]] bool TryReserve(std::size_t bytes);

  // ------------------------------------------------------------ whole arena

  /// Ends the life of everything inside. Closes all marks. Constant for kKeep
  /// (large blocks: one step each), else linear in what was used.
  void Reset(ResetMode mode = ResetMode::kKeep);

  /// Opens a mark. While it is open, blocks older than it may be freed but are
  /// not re-used, and containers older than it must not grow (nor blocks that
  /// are to last: see Grow).
  [[nodiscard]] Mark Checkpoint();

  /// Ends the life of everything allocated since the mark, and closes it and
  /// all younger ones. Blocks freed meanwhile become usable. Refuses (misuse)
  /// a mark that was closed by a Rewind or Reset.
  void Rewind(Mark mark);

  /// True while Rewind(mark) is allowed. Constant.
  bool IsOpen(Mark mark) const noexcept;

  /// The next thread that uses this arena becomes its user (checked builds
  /// know the user and refuse others). The caller provides the ordering. Until
  /// then it has no user: a thread that runs finalizers is none. Where every
  /// use would begin with it: ArenaUse::kHostLocked.
  void HandOver() noexcept;

  // ---------------------------------------------------------------- queries

  /// True for an address inside one of this arena's chunks, whether the block
  /// there is live or not. Constant, any thread.
  bool Owns(const void* address) const noexcept;

  /// Linear in the number of chunks, and of open marks.
  ArenaStats stats() const noexcept;

  /// How many Resets there have been.
  std::uint64_t resets() const noexcept { return resets_; }

  /// Bytes that the inline code can hand out before anything else is tried.
  std::size_t remaining() const noexcept {
    return static_cast<std::size_t>(limit_ - cursor_);
  }

  /// Calls visit(const ChunkInfo&) for every chunk: those in use, oldest first,
  /// then large ones, then spares. `visit` must not allocate here.
  template <class Visit>
  void ForEachChunk(Visit visit) const {
    VisitChunks(
        [](void* context, const ChunkInfo& info) {
          (*static_cast<Visit*>(context))(info);
        },
        &visit);
  }

  /// Replaces ArenaOptions::byte_limit. What is held already stays.
  void set_byte_limit(std::size_t bytes) noexcept {
    options_.byte_limit = bytes;
  }
  /// SIZE_MAX where none is set.
  std::size_t byte_limit() const noexcept { return options_.byte_limit; }
  const char* name() const noexcept { return options_.name; }
  const ArenaOptions& options() const noexcept { return options_; }
  /// True for arenas made by NewCollectedArena.
  bool is_collected() const noexcept { return collected_; }
  /// True where the collector sees pointers in it: see ArenaOptions::trace.
  bool is_traced() const noexcept { return options_.trace != Trace::kNothing; }

  // ----------------------------------------------------------- for containers

  /// The stamp of allocations made now. A stamp names the stretch between two
  /// marks, frames or Resets in which something was allocated; none is used
  /// twice.
  std::uint64_t stamp() const noexcept { return stamp_; }

  /// False once a Reset, Rewind or History::Restore has passed allocations of
  /// that stamp (of containers; for ArenaRef see there).
  /// Constant; for what is older than the youngest mark or frame, the logarithm
  /// of the number of open marks, and of frames that were restored.
  bool IsLive(std::uint64_t stamp) const noexcept {
    return stamp == stamp_ || (older_ != nullptr && IsLiveOlder(stamp));
  }

  /// Elements that tables in this arena have erased, and tables that were
  /// cleared: by it an iterator sees whether what it knew of those ahead holds.
  /// May be read while another thread erases from another table (LockedArena).
  std::uint64_t erasures() const noexcept {
    return __atomic_load_n(&erasures_, __ATOMIC_RELAXED);
  }

 private:
  friend class detail::SlowPath;
  friend struct detail::Blocks;
  friend class BumpArena;

  /// Declared only: clang describes a class with a constexpr constructor to
  /// debuggers in every program, another one where its constructor stands.
  enum class Described : bool {};
  constexpr Arena(Described, Described);

  /// The next `bytes` bytes of the current chunk, or null where it has less.
  /// Requires: a multiple of the granule, small (the end is an address that
  /// must not wrap around).
  void* Bump(std::size_t bytes);
  void* Take(std::size_t bytes, std::size_t align, const TypeLayout* type);
  /// A block that needs no call, or null; release builds. Requires: of a size
  /// that is taken inline.
  void* TakeAtHand(std::size_t bytes, std::size_t align);
  void Give(void* block, std::size_t bytes, std::size_t align,
            const TypeLayout* type);
  ACRE_COLD void* TakeSlow(std::size_t bytes, std::size_t align,
                           const TypeLayout* type);
  ACRE_COLD void GiveSlow(void* block, std::size_t bytes, std::size_t align,
                          const TypeLayout* type);
  void CheckFree(void* block, std::size_t bytes, std::size_t align,
                 const TypeLayout* type);
  bool IsLiveOlder(std::uint64_t stamp) const noexcept;
  ACRE_INLINE detail::FreeBlock* FreeBlockOf(unsigned index) const {
    if (index <= detail::kNearClasses) return near_free_[index];
    return far_free_ == nullptr ? nullptr
                                : far_free_[index - detail::kNearClasses - 1];
  }
  /// Requires, of the second row: it has been made.
  ACRE_INLINE detail::FreeBlock*& FreeList(unsigned index) {
    return index <= detail::kNearClasses
               ? near_free_[index]
               : far_free_[index - detail::kNearClasses - 1];
  }
  [[noreturn]] ACRE_COLD void FailAllocation(std::size_t bytes) const;
  void VisitChunks(void (*visit)(void* context, const ChunkInfo& info),
                   void* context) const;

  template <class T, class... Args>
  T* ConstructIn(void* block, Args&&... args);
  template <class T>
  std::span<T> ConstructArray(void* block, std::size_t count);

  // Hot: the first two cache lines serve New and Free of small blocks.
  char* cursor_ = nullptr;  // next free byte of current_, 16-aligned
  char* limit_ = nullptr;   // cursor_ <= limit_; both null without a chunk;
                            // the chunk's, or below it: see
                            // lib/core/reclaim.cc
  const void* older_ = nullptr;  // not null: other stamps may be live, too
  std::size_t freed_ = 0;        // bytes ever put on freelists since Reset
  std::size_t reused_ = 0;       // bytes ever taken from them; <= freed_
  std::uint64_t stamp_ = 1;
  // freed_ from which on Free asks the slow path whether to look for chunks
  // that are free as a whole. 0: always (a mark is open, freelists are left
  // out, or nobody knows yet).
  std::size_t reclaim_at_ = 0;
  // Freelists, null where empty: by class, and those from the one behind on.
  // The second row is made when one of its blocks is freed; null until then.
  detail::FreeBlock* near_free_[detail::kNearClasses + 1] = {};
  detail::FreeBlock** far_free_ = nullptr;
  std::uint64_t erasures_ = 0;

  // Cold.
  detail::MarkState* mark_ = nullptr;      // youngest open mark, or null
  detail::Chunk* first_ = nullptr;         // used chunks, current_, then spares
  detail::Chunk* current_ = nullptr;       // in that list; null: none yet
  detail::Chunk* large_ = nullptr;         // chunks of single blocks, in use
  detail::Chunk* large_spares_ = nullptr;  // the same, retained
  ChunkSource* source_;                    // never null
  detail::ArenaEntry* entry_;              // in the registry, never null
  std::size_t reserved_ = 0;               // bytes held from source_, all lists
  std::size_t scanned_ = 0;                // freed_ at the last reclaim scan
  std::size_t unreclaimed_ = 0;            // what that left on the freelists
  std::uint64_t next_stamp_ = 2;           // > every stamp given out
  std::uint64_t next_order_ = 1;           // of the next chunk put to use
  std::uint64_t reset_order_ = 1;          // chunks of a lower order are spares
  std::uint64_t reset_stamp_ = 0;          // marks of a lower stamp are closed
  std::uint64_t resets_ = 0;
  ArenaOptions options_;
  detail::Tracer* tracer_ = nullptr;  // a traced arena's, from its first chunk
  detail::Sampler* sampler_ = nullptr;  // from the first audited page; release
  // Where it is audited: the thread that uses it, and whether that is changing
  // the fields above at the moment; read by collector callbacks.
  std::uintptr_t user_ = 0;  // atomic: see SlowPath
  bool updating_ = false;    // atomic: see SlowPath
  bool collected_ = false;
  // No padding: the collector scans the arenas that it owns, and what nobody
  // wrote may be an address from an old stack.
  bool locked_ = false;      // a LockedArena's
  bool is_heap_ = false;     // HeapArena()
  unsigned vain_scans_ = 0;  // one after the other, up to 6
};

/// The arena with a chunk that holds `address`, or null. Constant, any thread.
Arena* ArenaOf(const void* address) noexcept;

// ------------------------------------------------------------ implementation

ACRE_INLINE void* Arena::Bump(std::size_t bytes) {
  char* const block = cursor_;
  const auto end = reinterpret_cast<std::uintptr_t>(block) + bytes;
  if (ACRE_UNLIKELY(end > reinterpret_cast<std::uintptr_t>(limit_))) {
    return nullptr;
  }
  cursor_ = block + bytes;
  ACRE_ASSUME(block != nullptr);  // spares callers a comparison
  return block;
}

ACRE_INLINE void* Arena::TakeAtHand(std::size_t bytes, std::size_t align) {
  const detail::SizeClass size = detail::ClassOf(bytes, align);
  if (detail::FreeBlock* block = FreeBlockOf(size.index);
      ACRE_UNLIKELY(block != nullptr)) {
    FreeList(size.index) = block->next;
    reused_ += size.bytes;
    return block;
  }
  return align <= kGranule ? Bump(size.bytes) : nullptr;
}

ACRE_INLINE void* Arena::Take(std::size_t bytes, std::size_t align,
                              const TypeLayout* type) {
  if (!kChecked && detail::IsTakenInline(bytes, align)) {
    if (void* block = TakeAtHand(bytes, align)) return block;
  }
  return TakeSlow(bytes, align, type);
}

ACRE_INLINE void Arena::Give(void* block, std::size_t bytes, std::size_t align,
                             const TypeLayout* type) {
  if (kChecked || bytes > detail::kInlineMax || freed_ >= reclaim_at_) {
    return GiveSlow(block, bytes, align, type);
  }
  const detail::SizeClass size = detail::ClassOf(bytes, align);
  if (size.index > detail::kNearClasses && far_free_ == nullptr) {
    return GiveSlow(block, bytes, align, type);
  }
  auto* free_block = static_cast<detail::FreeBlock*>(block);
  free_block->next = FreeList(size.index);
  FreeList(size.index) = free_block;
  freed_ += size.bytes;
}

template <class T, class... Args>
ACRE_INLINE T* Arena::ConstructIn(void* block, Args&&... args) {
  T* object;
#if ACRE_EXCEPTIONS
  if constexpr (detail::IsNothrowConstructible<T, Args...>()) {
    object = detail::ConstructAt<T>(block, std::forward<Args>(args)...);
  } else {
    if constexpr (detail::kRefsIn<T>) std::memset(block, 0, sizeof(T));
    try {
      object = detail::ConstructAt<T>(block, std::forward<Args>(args)...);
    } catch (...) {
      if constexpr (detail::kRefsIn<T>) {
        detail::ReleaseRefs(LayoutOf<T>(), block);
      }
      Give(block, sizeof(T), alignof(T), &LayoutOf<T>());
      throw;
    }
  }
#else
  object = detail::ConstructAt<T>(block, std::forward<Args>(args)...);
#endif
  if constexpr (detail::kHandlesIn<T>) {
    detail::BindHandles(LayoutOf<T>(), object, this);
  }
  return object;
}

template <class T, class... Args>
ACRE_INLINE T* Arena::New(Args&&... args) {
  static_assert(detail::RequireElement<T>());
  static_assert(alignof(T) <= kMaxAlignment,
                "acre: an arena aligns to at most 4096 bytes");
  void* block = Take(sizeof(T), alignof(T), &LayoutOf<T>());
  if (ACRE_UNLIKELY(block == nullptr)) FailAllocation(sizeof(T));
  return ConstructIn<T>(block, std::forward<Args>(args)...);
}

template <class T, class... Args>
ACRE_INLINE T* Arena::TryNew(Args&&... args) {
  static_assert(detail::RequireElement<T>());
  static_assert(alignof(T) <= kMaxAlignment,
                "acre: an arena aligns to at most 4096 bytes");
  void* block = Take(sizeof(T), alignof(T), &LayoutOf<T>());
  if (ACRE_UNLIKELY(block == nullptr)) return nullptr;
  return detail::NullWithoutMemory<T, Args...>(
      [&] { return ConstructIn<T>(block, std::forward<Args>(args)...); });
}

template <class T>
std::span<T> Arena::ConstructArray(void* block, std::size_t count) {
  T* data = static_cast<T*>(block);
  std::size_t made = 0;
  const auto construct = [&] {
    for (; made < count; ++made) ::new (data + made) T();
  };
#if ACRE_EXCEPTIONS
  if constexpr (!std::is_nothrow_default_constructible_v<T>) {
    if constexpr (detail::kRefsIn<T>) {
      std::memset(block, 0, count * sizeof(T));
    }
    try {
      construct();
    } catch (...) {
      if constexpr (detail::kHandlesIn<T>) {
        for (std::size_t i = 0; i < made; ++i) {
          detail::ReleaseHandles(LayoutOf<T>(), data + i);
        }
      }
      if constexpr (detail::kRefsIn<T>) {
        detail::ReleaseRefs(LayoutOf<T>(), data + made);
      }
      Give(block, count * sizeof(T), alignof(T), &LayoutOf<T>());
      throw;
    }
  } else {
    construct();
  }
#else
  construct();
#endif
  if constexpr (detail::kHandlesIn<T>) {
    for (std::size_t i = 0; i < count; ++i) {
      detail::BindHandles(LayoutOf<T>(), data + i, this);
    }
  }
  return {data, count};
}

template <class T>
std::span<T> Arena::TryNewArray(std::size_t count) {
  static_assert(detail::RequireItem<T>());
  static_assert(alignof(T) <= kMaxAlignment,
                "acre: an arena aligns to at most 4096 bytes");
  static_assert(std::is_default_constructible_v<T>,
                "acre: NewArray makes elements without arguments; use a Vector "
                "for a type without default constructor");
  if (count > PTRDIFF_MAX / sizeof(T)) return {};
  void* block = Take(count * sizeof(T), alignof(T), &LayoutOf<T>());
  if (block == nullptr) return {};
  return detail::NullWithoutMemory<T>(
      [&] { return ConstructArray<T>(block, count); });
}

template <class T>
std::span<T> Arena::NewArray(std::size_t count) {
  const std::span<T> array = TryNewArray<T>(count);
  if (ACRE_UNLIKELY(array.data() == nullptr)) {
    FailAllocation(count > SIZE_MAX / sizeof(T) ? SIZE_MAX : count * sizeof(T));
  }
  return array;
}

template <class T>
ACRE_INLINE void Arena::Free(T* object) {
  static_assert(!std::is_void_v<T>, "acre: say how many bytes: Free(p, bytes)");
  if (object == nullptr) return;
  using Object = std::remove_cv_t<T>;
  static_assert(detail::RequireElement<Object>());
  auto* mutable_object = const_cast<Object*>(object);
  // Before its containers are believed.
  if constexpr (kChecked) {
    CheckFree(mutable_object, sizeof(T), alignof(T), &LayoutOf<Object>());
  }
  if constexpr (detail::kHandlesIn<Object>) {
    detail::ReleaseHandles(LayoutOf<Object>(), mutable_object);
  }
  Give(mutable_object, sizeof(T), alignof(T), &LayoutOf<Object>());
}

template <class T, std::size_t N>
void Arena::Free(std::span<T, N> array) {
  if (array.data() == nullptr) return;
  using Object = std::remove_cv_t<T>;
  static_assert(detail::RequireElement<Object>());
  auto* data = const_cast<Object*>(array.data());
  if constexpr (kChecked) {
    CheckFree(data, array.size_bytes(), alignof(T), &LayoutOf<Object>());
  }
  if constexpr (detail::kHandlesIn<Object>) {
    for (std::size_t i = 0; i < array.size(); ++i) {
      detail::ReleaseHandles(LayoutOf<Object>(), data + i);
    }
  }
  Give(data, array.size_bytes(), alignof(T), &LayoutOf<Object>());
}

inline void Arena::Free(void* block, std::size_t bytes, std::size_t align) {
  if (block != nullptr) Give(block, bytes, align, nullptr);
}

template <class T>
void Arena::FreeGraph(T* object) {
  static_assert(detail::RequireElement<T>());
  if (object != nullptr) detail::FreeGraph(*this, LayoutOf<T>(), object);
}

ACRE_INLINE void* Arena::TryAllocate(std::size_t bytes, std::size_t align) {
  detail::CheckAlignment(align);
  return Take(bytes, align, nullptr);
}

ACRE_INLINE void* Arena::Allocate(std::size_t bytes, std::size_t align) {
  detail::CheckAlignment(align);
  void* block = Take(bytes, align, nullptr);
  if (ACRE_UNLIKELY(block == nullptr)) FailAllocation(bytes);
  return block;
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ARENA_H_
