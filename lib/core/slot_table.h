// SPDX-License-Identifier: MIT
//
// SlotTable: what an arena knows of the slots of its GcRefs, or of its
// GcWeakRefs. The core holds it, in the arena's entry, and says when a stretch
// of the arena ends; collector/gc_slots.h knows the rest. Internal to acre.

#ifndef ACRE_LIB_CORE_SLOT_TABLE_H_
#define ACRE_LIB_CORE_SLOT_TABLE_H_

#include <cstdint>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

struct ArenaEntry;   // core/chunk_index.h
struct SlotSegment;  // collector/gc_slots.h

struct SlotTable {
  SlotSegment* levels = nullptr;  // the first of each level, innermost first
  SlotSegment* spares = nullptr;  // in no level, empty
  SlotSegment* all = nullptr;     // linked by `held`
};

#pragma GCC visibility push(hidden)
namespace slots {

/// Gives up the slots of references that a Rewind to the mark of that stamp has
/// ended.
void Rewind(ArenaEntry& entry, std::uint64_t stamp);
/// Gives all up; `release`: memory, too. Not where a History keeps frames.
void Reset(ArenaEntry& entry, bool release);
/// The arena ends.
void End(ArenaEntry& entry);

}  // namespace slots
#pragma GCC visibility pop
}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_LIB_CORE_SLOT_TABLE_H_
