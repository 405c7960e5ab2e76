// SPDX-License-Identifier: MIT
//
// A host may promise libgc to say itself where it writes
// (GC_set_manual_vdb_allowed): an incremental collection then looks again only
// at what it was told of. What acre writes into scanned memory without a word,
// slots and traced chunks, is told of here, all of it, while the world stands
// and before the collector asks.

#include "acre/detail/gc_events.h"
#include "collector/gc_slots.h"
#include "collector/libgc.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

void TellOf(const Arena& arena) {
  SlowPath path(const_cast<Arena&>(arena));
  const ArenaEntry& entry = *path.Entry();
  if (arena.is_collected()) GC_end_stubborn_change(&arena);
  const SlotSegment* segment = arena.is_collected()
                                   ? HeldSegments(const_cast<Arena&>(arena))
                                   : entry.refs.all;
  for (; segment != nullptr; segment = segment->held) {
    GC_end_stubborn_change(segment);
  }
  if (!arena.is_traced()) return;
  // Of a large object one page is enough.
  for (const Chunk* c = entry.chunks; c != nullptr; c = c->next_owned) {
    GC_end_stubborn_change(c->memory.address);
  }
}

void TellWhenStopped(CollectionEvent event) {
  if (event != CollectionEvent::kStopped || GC_is_incremental_mode() == 0) {
    return;
  }
  index::ForEachArena([](void*, const Arena& arena) { TellOf(arena); },
                      nullptr);
}

}  // namespace

bool StartTelling() {
  return GC_get_manual_vdb_allowed() == 0 ||
         AddCollectionHook(&TellWhenStopped);
}

}  // namespace acre::inline ACRE_ABI::detail
