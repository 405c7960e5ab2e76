// SPDX-License-Identifier: MIT
//
// Blocks: how containers and deep copy get memory of an arena. Internal to
// acre.

#ifndef ACRE_DETAIL_BLOCKS_H_
#define ACRE_DETAIL_BLOCKS_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

/// Blocks for the containers and for deep copy, which know sizes at run time.
/// `type` is the element type, for records of blocks.
struct Blocks {
  static void* Take(Arena& arena, std::size_t bytes, std::size_t align,
                    const TypeLayout* type);
  /// A block where that takes no call, so that no other code runs meanwhile;
  /// null where there is none, for alignments above the granule's, in checked
  /// builds and in traced arenas.
  static void* TakeAtHand(Arena& arena, std::size_t bytes, std::size_t align);
  static void* TryTake(Arena& arena, std::size_t bytes, std::size_t align,
                       const TypeLayout* type);
  static void Give(Arena& arena, void* block, std::size_t bytes,
                   std::size_t align, const TypeLayout* type);
  /// Release builds: grows a block to twice its bytes where it ends at the
  /// arena's cursor. False, and nothing done, where it does not. Requires: the
  /// bytes are a power of two, 16 or more, and the alignment is 16 or less:
  /// such a block has exactly these bytes. (One with a chunk of its own is
  /// never at the cursor: the next chunk begins with a header.)
  static bool TryDouble(Arena& arena, void* block, std::size_t bytes);
  /// Where TryGrow found too little room: a block alone in the arena's current
  /// chunk gets the rest of it, by whole elements, `least` bytes at least and
  /// `most` at most. Returns its bytes, or 0 and nothing done.
  static std::size_t GrowIntoRest(Arena& arena, void* block, std::size_t bytes,
                                  std::size_t least, std::size_t most,
                                  const TypeLayout& element);
  /// The bytes that belong to a block above kInlineMax: those of its size
  /// class, or, where it has a chunk of its own, no more than it asked for.
  /// Requires: the alignment is the granule's at most.
  static std::size_t BytesOfLarge(const void* block, std::size_t bytes);
  /// Room for several blocks, one behind the other: the caller cuts it, by size
  /// classes up to the granule's alignment. Null where memory runs out.
  /// `bytes`: a multiple of the granule.
  static char* TryTakeRoom(Arena& arena, std::size_t bytes);
  /// A block was cut from room: from now on it is as if Take had returned it.
  static void NoteCut(Arena& arena, void* block, std::size_t bytes,
                      std::size_t align, const TypeLayout* type) {
    if (AreRecorded(arena)) NoteCutSlow(arena, block, bytes, align, type);
  }
  static void NoteCutSlow(Arena& arena, void* block, std::size_t bytes,
                          std::size_t align, const TypeLayout* type);
  /// The same of a block that has its contents already.
  static void NoteFilled(Arena& arena, void* block, std::size_t bytes,
                         std::size_t align, const TypeLayout* type) {
    if constexpr (kChecked) NoteFilledSlow(arena, block, bytes, align, type);
  }
  static void NoteFilledSlow(Arena& arena, void* block, std::size_t bytes,
                             std::size_t align, const TypeLayout* type);
  /// Gives back room that no block was cut from.
  static void GiveRoom(Arena& arena, char* room, std::size_t bytes);
  /// The arena is a LockedArena's from now on.
  static void NoteLocked(Arena& arena);
  [[noreturn]] static void Fail(const Arena& arena, std::size_t bytes);
  /// True where something is known of blocks: in checked builds, and of those
  /// in audited pages (ArenaOptions::audit_one_in).
  static bool AreRecorded(const Arena& arena);
  /// Blocks are objects of the collected heap: what is in them holds others.
  static bool AreScanned(const Arena& arena);
  /// Elements of `element` bytes each are none any more, in storage that goes
  /// on: fills them, as far as audits look there.
  static void Wipe(const Arena& arena, void* first, std::size_t bytes,
                   std::size_t element);
  /// The block just taken is the storage of a container: what of it is in use
  /// only its handle knows. Records remember it; and `table`, the layout
  /// of the container, where the elements do not lie in a row.
  static void NoteStorage(const Arena& arena, const void* block,
                          const TypeLayout* table = nullptr) {
    if (AreRecorded(arena)) NoteStorageSlow(arena, block, table);
  }
  /// A Vector's storage has grown in place: it may lie in audited pages now.
  static void NoteLonger(Arena& arena, void* block, std::size_t old_bytes,
                         std::size_t bytes, const TypeLayout& element) {
    if (!kChecked && AreRecorded(arena)) {
      NoteLongerSlow(arena, block, old_bytes, bytes, element);
    }
  }
  static void NoteLongerSlow(Arena& arena, void* block, std::size_t old_bytes,
                             std::size_t bytes, const TypeLayout& element);
  static void NoteStorageSlow(const Arena& arena, const void* block,
                              const TypeLayout* table);
  /// In the block just taken as raw memory a row of such elements begins at an
  /// offset. A traced arena has it traced by their layout; more than one are
  /// zero.
  static void NoteRow(Arena& arena, void* block, std::size_t bytes,
                      std::size_t offset, const TypeLayout& element);
  /// The same; what was known of the rest of the block stays.
  static void AddRow(Arena& arena, void* block, std::size_t bytes,
                     std::size_t offset, const TypeLayout& element);
  /// A table has erased an element: see Arena::erasures.
  static void CountErasure(Arena& arena);
};

// ------------------------------------------------------------ implementation

ACRE_INLINE void* Blocks::TakeAtHand(Arena& arena, std::size_t bytes,
                                     std::size_t align) {
  if (kChecked || bytes - 1 >= kInlineMax || align > kGranule) return nullptr;
  return arena.TakeAtHand(bytes, align);
}

ACRE_INLINE void* Blocks::TryTake(Arena& arena, std::size_t bytes,
                                  std::size_t align, const TypeLayout* type) {
  return arena.Take(bytes, align, type);
}

ACRE_INLINE void* Blocks::Take(Arena& arena, std::size_t bytes,
                               std::size_t align, const TypeLayout* type) {
  void* block = arena.Take(bytes, align, type);
  if (ACRE_UNLIKELY(block == nullptr)) arena.FailAllocation(bytes);
  return block;
}

ACRE_INLINE bool Blocks::TryDouble(Arena& arena, void* block,
                                   std::size_t bytes) {
  if (static_cast<char*>(block) + bytes != arena.cursor_) return false;
  if (bytes > arena.remaining()) return false;
  arena.cursor_ += bytes;
  return true;
}

ACRE_INLINE void Blocks::CountErasure(Arena& arena) {
  __atomic_store_n(&arena.erasures_, arena.erasures() + 1, __ATOMIC_RELAXED);
}

inline bool Blocks::AreRecorded(const Arena& arena) {
  return kChecked || ACRE_UNLIKELY(arena.sampler_ != nullptr);
}
inline bool Blocks::AreScanned(const Arena& arena) {
  return ACRE_UNLIKELY(arena.is_heap_);
}
inline void Blocks::NoteLocked(Arena& arena) { arena.locked_ = true; }
inline void Blocks::Fail(const Arena& arena, std::size_t bytes) {
  arena.FailAllocation(bytes);
}

ACRE_INLINE void Blocks::Give(Arena& arena, void* block, std::size_t bytes,
                              std::size_t align, const TypeLayout* type) {
  arena.Give(block, bytes, align, type);
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_BLOCKS_H_
