// SPDX-License-Identifier: MIT
//
// The slots of GcRefs and GcWeakRefs: words in segments, which the collector
// scans (those of GcRefs) or a hook sweeps when marking ends (GcWeakRefs).
//
//   SlotTable: levels -> first segment of a level -> further ones of it
//                              | outer
//                        first of the next one ...
//              spares -> empty ones
//
// A level is the stretch between two marks of the arena, as the places of the
// references tell: when a Rewind ends it, its segments are given up as a whole.
// Nothing but segments says which levels there are, so that a frame of a
// History is a copy of them. They never move, and begin at a page.
//
// Segments of an explicit arena are uncollectable objects. Those of a collected
// arena hang on its control block, all in one chain.

#ifndef ACRE_LIB_COLLECTOR_GC_SLOTS_H_
#define ACRE_LIB_COLLECTOR_GC_SLOTS_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/gc_ref.h"
#include "core/chunk_index.h"
#include "core/slot_table.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

enum class SlotKind : std::uint8_t { kStrong, kWeak };

/// One object of the collected heap. A slot that is free holds one more than
/// the index of the next free one, or 1: no address.
struct SlotSegment {
  // What is longer than half of a page begins at one.
  static constexpr std::size_t kPage = 4096;
  static constexpr std::size_t kBytes = kSlotBytes;

  // Not part of what a frame keeps.
  SlotSegment* held;  // the next one of the table
  std::size_t seat;   // among those that are swept, from 1 on; 0: it is not
  ArenaEntry* entry;  // whose table it is in
  SlotKind kind;
  // The rest is.
  SlotSegment* next;    // of the level, or among spares
  SlotSegment* leader;  // the first of the level
  SlotSegment* outer;   // of a leader: that of the next level
  SlotSegment* open;    // of a leader: the first of its level with room
  SlotSegment* next_open;
  std::uint64_t level;  // the stamp of the mark that opened it; 0: none did
  std::uint32_t used;   // slots that are taken
  std::uint32_t fresh;  // slots from here on were never taken
  std::uint32_t free;   // 1 + index of the first one that was given back
  // Not part of it either.
  std::uint32_t frames;  // that have it, where it is a copy

  static constexpr std::size_t kHeader = std::size_t{12} * 8;
  static constexpr std::size_t kSlots = (kBytes - kHeader) / 8;
  std::uintptr_t slots[kSlots];

  static SlotSegment* Of(const std::uintptr_t* slot) {
    const auto at = reinterpret_cast<std::uintptr_t>(slot);
    return reinterpret_cast<SlotSegment*>(at & ~(kPage - 1));
  }
};

/// Collected arenas: the control block holds the segment from now on; none any
/// more. collected_arena.cc.
void HoldSegment(Arena& arena, SlotSegment* segment);
void DropSegments(Arena& arena);
const SlotSegment* HeldSegments(Arena& arena);

namespace slots {

/// A slot, null, for the reference at `place` in the arena; null where memory
/// ran out. May run finalizers, which may do the same.
std::uintptr_t* Take(Arena& arena, SlotKind kind, const void* place);
void Give(std::uintptr_t* slot);

/// A slot of a weak reference gets a target: it is swept, even where its arena
/// was found dead and a finalizer has brought it back. False where memory ran
/// out.
bool KeepSwept(const std::uintptr_t* slot);

/// Sees to it that as many can be taken for references at `place` (null: of the
/// innermost level), without asking for memory.
enum class Room : std::uint8_t { kThere, kMade, kNone };
/// kThere: nothing had to be done. kMade: finalizers may have run. kNone:
/// memory ran out.
Room Reserve(Arena& arena, SlotKind kind, std::size_t count, const void* place);

/// An empty one, in no table; null where memory ran out. May run finalizers.
SlotSegment* NewSegment(bool is_collected, SlotKind kind);
/// Not of a collected arena.
void FreeSegment(SlotSegment* segment);
/// Gives up what it holds, and puts it among the spares.
void MakeSpare(SlotTable& table, SlotSegment* segment);

/// Sees to it that the slots of GcWeakRefs are swept at each collection. False
/// where there are too many hooks.
bool StartSweeping();
/// The same where somebody has put an end to it; all of them are null then.
void SweepAnew();

/// Where the number of collections stands; that of the last one that was swept.
const unsigned long* CollectionNumber();
const unsigned long* SweptNumber();

}  // namespace slots
}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_LIB_COLLECTOR_GC_SLOTS_H_
