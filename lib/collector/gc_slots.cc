// SPDX-License-Identifier: MIT

#include "collector/gc_slots.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "acre/detail/gc_events.h"
#include "acre/failure.h"
#include "acre/gc_ref.h"
#include "collector/libgc.h"
#include "core/commons.h"
#include "core/slow_path.h"

// Read-only, says gc.h, which prefers the function.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
extern "C" __attribute__((weak)) GC_word GC_gc_no;

namespace acre::inline ACRE_ABI::detail::slots {
namespace {

static_assert(offsetof(SlotSegment, slots) == SlotSegment::kHeader);
static_assert(sizeof(SlotSegment) <= SlotSegment::kBytes);

SlotTable& TableOf(ArenaEntry& entry, SlotKind kind) {
  return kind == SlotKind::kStrong ? entry.refs : entry.weak_refs;
}

// -------------------------------------------------------------------- sweeping

/// Segments that are swept, of all copies of acre. Their addresses are
/// complemented: what is here keeps nothing. Never unmapped.
struct Seats {
  static constexpr std::size_t kCount = 510;
  std::atomic<Seats*> next{nullptr};
  std::atomic<std::uintptr_t> hidden[kCount] = {};
};

struct Sweep {
  std::atomic<bool> has_begun{false};
  unsigned long number = 0;  // of the collection that has swept last
  Seats first;
};

Sweep& TheSweep() {
  static Sweep& sweep = Common<Sweep>("sweep." ACRE_ABI_TEXT, sizeof(Sweep));
  return sweep;
}

/// Calls visit(seat) for each that is taken.
template <class Visit>
void ForEachSeat(Visit visit) {
  for (Seats* s = &TheSweep().first; s != nullptr; s = s->next.load()) {
    for (std::atomic<std::uintptr_t>& seat : s->hidden) {
      if (seat.load(std::memory_order_relaxed) != 0) visit(seat);
    }
  }
}

SlotSegment* Reveal(const std::atomic<std::uintptr_t>& seat) {
  return reinterpret_cast<SlotSegment*>(~seat.load());
}

/// True for what a slot holds that refers to something; what is free holds a
/// small number.
bool IsHidden(std::uintptr_t value) { return value >> 63 != 0; }

void ClearAll(SlotSegment& segment) {
  for (std::uint32_t i = 0; i < segment.fresh; ++i) {
    if (IsHidden(segment.slots[i])) segment.slots[i] = 0;
  }
}

/// False where what the slot refers to was not marked. What is no object of the
/// collected heap is always there.
bool IsTargetMarked(std::uintptr_t hidden) {
  void* target = reinterpret_cast<void*>(~(hidden | GcWeakRefRep::kIsBase));
  if ((hidden & GcWeakRefRep::kIsBase) == 0) {
    target = GC_base(target);
    if (target == nullptr) return true;
  }
  return GC_is_marked(target) != 0;
}

void SweepSegment(SlotSegment& segment) {
  for (std::uint32_t i = 0; i < segment.fresh; ++i) {
    const std::uintptr_t hidden = segment.slots[i];
    if (IsHidden(hidden) && !IsTargetMarked(hidden)) segment.slots[i] = 0;
  }
}

void SweepWhenMarked(CollectionEvent event) {
  if (event != CollectionEvent::kMarked) return;
  Sweep& sweep = TheSweep();
  const unsigned long now = GC_get_gc_no();
  if (sweep.number == now) return;  // another copy of acre has swept
  // Of a collection that nobody swept after it is not known what it freed.
  const bool has_missed = sweep.number + 1 != now;
  ForEachSeat([&](std::atomic<std::uintptr_t>& seat) {
    SlotSegment& segment = *Reveal(seat);
    if (GC_is_marked(&segment) == 0) {
      // Of an arena that dies. A finalizer may still see it.
      ClearAll(segment);
      seat.store(0);
    } else if (has_missed) {
      ClearAll(segment);
    } else {
      SweepSegment(segment);
    }
  });
  sweep.number = now;
}

/// Requires the collector's lock.
void* GC_CALLBACK LoseAll(void*) {
  ForEachSeat(
      [](std::atomic<std::uintptr_t>& seat) { ClearAll(*Reveal(seat)); });
  TheSweep().number = GC_get_gc_no();
  return nullptr;
}

/// False where memory ran out. The segment is empty.
bool TakeSeat(SlotSegment* segment) {
  const std::uintptr_t hidden = ~reinterpret_cast<std::uintptr_t>(segment);
  segment->seat = 1;
  for (Seats* s = &TheSweep().first;; s = s->next.load()) {
    for (std::atomic<std::uintptr_t>& seat : s->hidden) {
      std::uintptr_t none = 0;
      if (seat.load(std::memory_order_relaxed) == 0 &&
          seat.compare_exchange_strong(none, hidden)) {
        return true;
      }
      ++segment->seat;
    }
    if (s->next.load() != nullptr) continue;
    auto* more = new (std::nothrow) Seats;
    if (more == nullptr) return false;
    Seats* none = nullptr;
    if (!s->next.compare_exchange_strong(none, more)) delete more;
  }
}

std::atomic<std::uintptr_t>& SeatAt(std::size_t number) {
  Seats* s = &TheSweep().first;
  std::size_t index = number - 1;
  for (; index >= Seats::kCount; index -= Seats::kCount) s = s->next.load();
  return s->hidden[index];
}

void GiveSeat(SlotSegment* segment) {
  if (segment->seat == 0) return;
  std::uintptr_t mine = ~reinterpret_cast<std::uintptr_t>(segment);
  SeatAt(segment->seat).compare_exchange_strong(mine, 0);
  segment->seat = 0;
}

// -------------------------------------------------------------------- segments

}  // namespace

SlotSegment* NewSegment(bool is_collected, SlotKind kind) {
  void* memory = is_collected ? GC_malloc(SlotSegment::kBytes)
                 : kind == SlotKind::kStrong
                     ? GC_malloc_uncollectable(SlotSegment::kBytes)
                     : GC_malloc_atomic_uncollectable(SlotSegment::kBytes);
  if (memory == nullptr) return nullptr;
  ACRE_CHECK(
      reinterpret_cast<std::uintptr_t>(memory) % SlotSegment::kPage == 0,
      "the collector gives %zu bytes at %p: this libgc has blocks of less than "
      "a page, with which GcRef does not work",
      SlotSegment::kBytes, memory);
  std::memset(memory, 0, SlotSegment::kBytes);
  auto* segment = ::new (memory) SlotSegment;
  segment->kind = kind;
  if (kind == SlotKind::kStrong || TakeSeat(segment)) return segment;
  GC_FREE(memory);
  return nullptr;
}

void FreeSegment(SlotSegment* segment) {
  GiveSeat(segment);
  GC_FREE(segment);
}

void MakeSpare(SlotTable& table, SlotSegment* segment) {
  std::fill_n(segment->slots, segment->fresh, 0);
  segment->used = segment->fresh = segment->free = 0;
  segment->leader = nullptr;
  segment->next = table.spares;
  table.spares = segment;
}

namespace {

/// Adds an empty one to the spares. False where memory ran out.
bool AddSpare(Arena& arena, SlotKind kind) {
  EnsureCollector();
  CheckThread();
  const bool is_collected = arena.is_collected();
  if (kind == SlotKind::kWeak && !StartSweeping()) return false;
  if (!StartTelling()) return false;
  SlotSegment* const segment = NewSegment(is_collected, kind);
  if (segment == nullptr) return false;
  ArenaEntry& entry = *SlowPath(arena).Entry();
  SlotTable& table = TableOf(entry, kind);
  segment->entry = &entry;
  segment->next = table.spares;
  table.spares = segment;
  if (is_collected) {
    HoldSegment(arena, segment);
  } else {
    segment->held = table.all;
    table.all = segment;
  }
  return true;
}

/// Null where there is no spare.
SlotSegment* UseSpare(SlotTable& table, std::uint64_t level) {
  SlotSegment* const segment = table.spares;
  if (segment == nullptr) return nullptr;
  table.spares = segment->next;
  segment->next = segment->leader = segment->outer = nullptr;
  segment->open = segment->next_open = nullptr;
  segment->level = level;
  segment->used = segment->fresh = segment->free = 0;
  return segment;
}

/// The first segment of a level; null where there is none, and no spare.
SlotSegment* LeaderOf(SlotTable& table, std::uint64_t level) {
  SlotSegment** at = &table.levels;
  while (*at != nullptr && (*at)->level > level) at = &(*at)->outer;
  if (*at != nullptr && (*at)->level == level) return *at;
  SlotSegment* const leader = UseSpare(table, level);
  if (leader == nullptr) return nullptr;
  leader->leader = leader->open = leader;
  leader->outer = *at;
  *at = leader;
  return leader;
}

/// Null where there is no room, and no spare.
std::uintptr_t* TryTake(SlotTable& table, std::uint64_t level) {
  SlotSegment* const leader = LeaderOf(table, level);
  if (leader == nullptr) return nullptr;
  SlotSegment* segment = leader->open;
  if (segment == nullptr) {
    segment = UseSpare(table, level);
    if (segment == nullptr) return nullptr;
    segment->leader = leader;
    segment->next = leader->next;
    leader->next = segment;
    leader->open = segment;
  }
  std::uint32_t index = segment->fresh;
  if (segment->free != 0) {
    index = segment->free - 1;
    segment->free = static_cast<std::uint32_t>(segment->slots[index] - 1);
  } else {
    ++segment->fresh;
  }
  if (++segment->used == SlotSegment::kSlots) leader->open = segment->next_open;
  std::uintptr_t* const slot = &segment->slots[index];
  *slot = 0;
  return slot;
}

void GiveUpFirstLevel(SlotTable& table) {
  SlotSegment* segment = table.levels;
  table.levels = segment->outer;
  while (segment != nullptr) {
    SlotSegment* const next = segment->next;
    MakeSpare(table, segment);
    segment = next;
  }
}

void FreeAll(SlotTable& table) {
  SlotSegment* s = table.all;
  table = {};
  while (s != nullptr) {
    SlotSegment* const next = s->held;
    FreeSegment(s);
    s = next;
  }
}

}  // namespace

std::uintptr_t* Take(Arena& arena, SlotKind kind, const void* place) {
  // Read anew after each new segment: finalizers may have taken it.
  for (;;) {
    SlowPath path(arena);
    ArenaEntry& entry = *path.Entry();
    std::uintptr_t* const slot =
        TryTake(TableOf(entry, kind), path.LevelOf(place));
    if (slot != nullptr) return slot;
    if (!AddSpare(arena, kind)) return nullptr;
  }
}

void Give(std::uintptr_t* slot) {
  SlotSegment* const segment = SlotSegment::Of(slot);
  // As a whole: a sweep may strike in between.
  __atomic_store_n(slot, std::uintptr_t{segment->free} + 1, __ATOMIC_RELAXED);
  segment->free = static_cast<std::uint32_t>(slot - segment->slots) + 1;
  if (segment->used-- == SlotSegment::kSlots) {
    segment->next_open = segment->leader->open;
    segment->leader->open = segment;
  }
}

bool KeepSwept(const std::uintptr_t* slot) {
  SlotSegment* const segment = SlotSegment::Of(slot);
  const std::uintptr_t hidden = ~reinterpret_cast<std::uintptr_t>(segment);
  return SeatAt(segment->seat).load(std::memory_order_relaxed) == hidden ||
         TakeSeat(segment);
}

Room Reserve(Arena& arena, SlotKind kind, std::size_t count,
             const void* place) {
  for (Room outcome = Room::kThere;; outcome = Room::kMade) {
    SlowPath path(arena);
    ArenaEntry* const entry = path.Entry();
    if (entry == nullptr) return Room::kNone;
    SlotTable& table = TableOf(*entry, kind);
    std::size_t room = 0;
    if (SlotSegment* const leader = LeaderOf(table, path.LevelOf(place))) {
      for (SlotSegment* s = leader->open; s != nullptr && room < count;
           s = s->next_open) {
        room += SlotSegment::kSlots - s->used;
      }
      for (SlotSegment* s = table.spares; s != nullptr && room < count;
           s = s->next) {
        room += SlotSegment::kSlots;
      }
    }
    if (room >= count) return outcome;
    if (!AddSpare(arena, kind)) return Room::kNone;
  }
}

bool StartSweeping() {
  static std::atomic<bool> has_begun{false};  // this copy
  if (has_begun.load(std::memory_order_acquire)) return true;
  Sweep& sweep = TheSweep();
  if (!AddCollectionHook(&SweepWhenMarked)) return false;
  if (!sweep.has_begun.exchange(true)) {
    GC_call_with_alloc_lock(&LoseAll, nullptr);
  }
  has_begun.store(true, std::memory_order_release);
  return true;
}

void SweepAnew() {
  AddCollectionHook(&SweepWhenMarked);
  GC_call_with_alloc_lock(&LoseAll, nullptr);
}

const unsigned long* SweptNumber() { return &TheSweep().number; }

// Of libgc's own variable, since lock() has no time for a call. Where a libgc
// does not show it, only the next sweep notices that one was missed.
const unsigned long* CollectionNumber() {
  return &GC_gc_no != nullptr ? &GC_gc_no : SweptNumber();
}

void Rewind(ArenaEntry& entry, std::uint64_t stamp) {
  for (SlotTable* table : {&entry.refs, &entry.weak_refs}) {
    while (table->levels != nullptr && table->levels->level >= stamp) {
      GiveUpFirstLevel(*table);
    }
  }
}

void Reset(ArenaEntry& entry, bool release) {
  for (SlotTable* table : {&entry.refs, &entry.weak_refs}) {
    while (table->levels != nullptr) GiveUpFirstLevel(*table);
    if (!release || table->spares == nullptr || entry.keeper != nullptr) {
      continue;
    }
    if (entry.collected) {
      *table = {};
    } else {
      FreeAll(*table);
    }
  }
  if (release && entry.collected) DropSegments(*entry.arena());
}

void End(ArenaEntry& entry) {
  FreeAll(entry.refs);
  FreeAll(entry.weak_refs);
}

}  // namespace acre::inline ACRE_ABI::detail::slots
#pragma GCC diagnostic pop
