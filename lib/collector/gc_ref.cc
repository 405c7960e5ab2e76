// SPDX-License-Identifier: MIT

#include "acre/gc_ref.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "acre/arena.h"
#include "acre/detail/blocks.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/heap_arena.h"
#include "acre/detail/life.h"
#include "acre/detail/walk.h"
#include "acre/failure.h"
#include "collector/gc_slots.h"
#include "collector/libgc.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// True for memory of malloc that the break has given: nothing there is
/// scanned. Of other mappings nobody knows: they may be a thread's stack.
bool IsInBreak(const void* address) {
#if defined(__linux__)
  std::FILE* const maps = std::fopen("/proc/self/maps", "r");
  if (maps == nullptr) return false;
  const auto at = reinterpret_cast<std::uintptr_t>(address);
  char line[512];
  bool is_there = false;
  while (!is_there && std::fgets(line, sizeof line, maps) != nullptr) {
    char* end = nullptr;
    const std::uintptr_t first = std::strtoul(line, &end, 16);
    const std::uintptr_t last =
        *end == '-' ? std::strtoul(end + 1, &end, 16) : 0;
    is_there =
        at >= first && at < last && std::strstr(end, "[heap]") != nullptr;
  }
  std::fclose(maps);
  return is_there;
#else
  static_cast<void>(address);
  return false;
#endif
}

/// Checked builds, for a reference outside of arenas: fails where it is certain
/// that the collector does not look.
void CheckIsSeen(const void* ref, const char* what) {
  if constexpr (!kChecked) return;
  const auto* place = static_cast<const char*>(ref);
  const auto* frame = static_cast<const char*>(__builtin_frame_address(0));
  const auto* bottom = static_cast<const char*>(CollectedStackBottom());
  if (place >= frame && place < bottom) return;
  const void* const base = CollectedBase(ref);
  const bool is_blind = base != nullptr ? IsPointerFree(base) : IsInBreak(ref);
  ACRE_CHECK(!is_blind,
             "the %s at %p holds nothing: it lies in no arena, and in memory "
             "that the collector does not scan",
             what, ref);
}

/// Checked builds: fails for what no reference keeps.
[[maybe_unused]] void CheckTarget(const void* ref, const void* target,
                                  const char* what) {
  if constexpr (!kChecked) return;
  const Arena* const arena = ArenaOf(target);
  ACRE_CHECK(arena == nullptr || arena->is_collected(),
             "the %s at %p refers to %p in arena '%s', which is explicit: it "
             "ends with its Arena, whoever refers to it; use a plain pointer "
             "within one arena, or acre::ArenaRef outside",
             what, ref, target, arena->name());
}

/// The place of a reference, before it gets its first slot.
struct Room {
  Arena* arena;  // null: none is needed
  SlotKind kind;
  std::uintptr_t* slot = nullptr;

  Room(const void* ref, SlotKind slot_kind, const void* target,
       const char* what)
      : arena(ArenaOf(ref)), kind(slot_kind) {
    if (arena == nullptr) {
      CheckIsSeen(ref, what);
      return;
    }
    if (kChecked) SlowPath(*arena).CheckUser();
    slot = slots::Take(*arena, kind, ref);
    // The target was needed until now: a collection may have run.
    asm volatile("" : : "r"(target) : "memory");
    if (slot == nullptr) Blocks::Fail(*arena, SlotSegment::kBytes);
  }
};

/// Fails where a reference has a slot that is not its own any more: it was
/// copied as bytes, or is of before a Rewind. Outside of arenas it may have one
/// while it is on the way into a container, or out of it.
[[maybe_unused]] void CheckSlot(const void* ref, const std::uintptr_t* slot,
                                SlotKind kind, const char* what) {
  if (!kChecked || slot == nullptr) return;
  const Arena* const arena = ArenaOf(ref);
  const SlotSegment* const segment = SlotSegment::Of(slot);
  ACRE_CHECK(segment->kind == kind && segment->leader != nullptr &&
                 (arena == nullptr || segment->entry->arena() == arena),
             "the %s at %p has a slot of another arena, or of before a Rewind: "
             "it was copied as bytes, or is older than what it was given in",
             what, ref);
}

/// True where a slot is one for that place: of its arena, and of its level.
bool IsFor(const std::uintptr_t* slot, Arena& arena, const void* place) {
  const SlotSegment* const segment = SlotSegment::Of(slot);
  SlowPath path(arena);
  return segment->entry == path.Entry() &&
         (!path.HasMark() || segment->level == path.LevelOf(place));
}

/// Whether a reference at that place needs a slot, or another one.
bool NeedsSlot(const std::uintptr_t* slot, bool refers, Arena& arena,
               const void* place) {
  return slot != nullptr ? !IsFor(slot, arena, place) : refers;
}

/// Where a reference lies that has come there as bytes. Null: in no arena.
struct Arrival {
  Arena* in;
  bool needs_slot;

  Arrival(const void* ref, const std::uintptr_t* slot, bool refers)
      : in(ArenaOf(ref)),
        needs_slot(in != nullptr ? NeedsSlot(slot, refers, *in, ref)
                                 : slot == nullptr && refers) {}
};

[[maybe_unused]] constexpr const char* kRefName = "GcRef";
[[maybe_unused]] constexpr const char* kWeakRefName = "GcWeakRef";

/// For TypeOps::copy_storage, once the reference has forgotten whose it was.
template <class Rep>
StorageCopy CopyRef(Rep& rep, void* target, Arena& arena, SlotKind kind) {
  StorageCopy copy;
  if (target == nullptr) return copy;
  if (ArenaOf(&rep) == &arena &&
      slots::Reserve(arena, kind, 1, nullptr) == slots::Room::kNone) {
    copy.outcome = StorageCopy::Outcome::kNoMemory;
    return copy;
  }
  rep.Set(target);
  return copy;
}

}  // namespace

namespace {

/// Slots for both kinds. Whoever comes second may run finalizers that take what
/// the first has got.
slots::Room ReserveBoth(Arena& arena, std::size_t strong, std::size_t weak,
                        const void* place) {
  slots::Room outcome = slots::Room::kThere;
  const auto reserve = [&](SlotKind kind, std::size_t count) {
    if (count == 0 || outcome == slots::Room::kNone) return;
    const slots::Room room = slots::Reserve(arena, kind, count, place);
    if (room != slots::Room::kThere) outcome = room;
  };
  reserve(SlotKind::kStrong, strong);
  reserve(SlotKind::kWeak, weak);
  if (weak != 0) reserve(SlotKind::kStrong, strong);
  return outcome;
}

}  // namespace

bool ReserveRefSlots(Arena& arena, std::size_t strong, std::size_t weak) {
  return ReserveBoth(arena, strong, weak, nullptr) != slots::Room::kNone;
}

bool ReserveForPlace(const TypeLayout& type, const void* object, Arena& arena,
                     const void* place) {
  if (IsHeapArena(arena)) return true;  // they need none there
  std::size_t strong = 0;
  std::size_t weak = 0;
  const auto count = [&](const Slot& slot) {
    if (slot.type->kind != TypeKind::kHandle || !IsRef(*slot.type)) return;
    const bool is_strong = slot.type->ops->form == HandleForm::kRef;
    const bool refers =
        is_strong
            ? static_cast<const GcRefRep*>(slot.address)->object != nullptr
            : static_cast<const GcWeakRefRep*>(slot.address)->word > 0;
    const std::uintptr_t* const its = SlotOf(*slot.type, slot.address);
    (is_strong ? strong : weak) += NeedsSlot(its, refers, arena, place);
  };
  ForEachSlot(type, const_cast<void*>(object), count);
  const slots::Room room = ReserveBoth(arena, strong, weak, place);
  if (room == slots::Room::kNone) Blocks::Fail(arena, SlotSegment::kBytes);
  return room == slots::Room::kThere;
}

std::uintptr_t* SlotOf(const TypeLayout& type, const void* ref) noexcept {
  if (type.ops->form == HandleForm::kRef) {
    return static_cast<const GcRefRep*>(ref)->slot;
  }
  const auto& rep = *static_cast<const GcWeakRefRep*>(ref);
  return rep.word < 0 ? rep.slot() : nullptr;
}

void GiveSlot(std::uintptr_t* slot) noexcept { slots::Give(slot); }

void FailRefPlace(const void* ref, const char* what) {
  const Arena* const arena = ArenaOf(ref);
  Gone gone;
  if (arena != nullptr) {
    FailMisuse(
        "acre: the %s at %p is used, but lies in memory of arena '%s' that "
        "was given up by Free, Reset or Rewind",
        what, ref, arena->name());
  }
  const bool is_known = FindGone(ref, &gone);
  FailMisuse("acre: there is no %s at %p: that memory%s%s was given up", what,
             ref, is_known ? " of arena " : "", is_known ? gone.name : "");
}

void GcRefRep::SetSlowly(void* target) {
  if constexpr (kChecked) {
    if (IsFillWord(object) || IsFillWord(slot)) FailRefPlace(this, kRefName);
    CheckSlot(this, slot, SlotKind::kStrong, kRefName);
    CheckTarget(this, target, kRefName);
  }
  if (slot == nullptr && target != nullptr) {
    const Room room(this, SlotKind::kStrong, target, kRefName);
    // A finalizer may have assigned it meanwhile.
    if (slot == nullptr) {
      slot = room.slot;
    } else if (room.slot != nullptr) {
      slots::Give(room.slot);
    }
  }
  if (slot == nullptr) {
    object = target;
    return;
  }
  // Where a host has switched interior pointers off, the beginning of an object
  // alone keeps it.
  refs_need_base = GC_get_all_interior_pointers() == 0;
  SetIn(target);
  if (!refs_need_base || target == nullptr) return;
  if (void* const base = GC_base(target)) {
    __atomic_store_n(slot, reinterpret_cast<std::uintptr_t>(base),
                     __ATOMIC_RELAXED);
  }
}

bool refs_need_base = false;

void GcWeakRefRep::Set(void* target) {
  if constexpr (kChecked) {
    if (IsFillWord(reinterpret_cast<const void*>(word))) {
      FailRefPlace(this, kWeakRefName);
    }
    CheckSlot(this, word < 0 ? slot() : nullptr, SlotKind::kWeak, kWeakRefName);
    CheckTarget(this, target, kWeakRefName);
  }
  const auto address = reinterpret_cast<std::uintptr_t>(target);
  ACRE_CHECK(address >> 62 == 0, "GcWeakRef: %p is no address", target);
  if (word >= 0 && target != nullptr) {
    const Room room(this, SlotKind::kWeak, target, kWeakRefName);
    if (room.slot != nullptr) {
      if (word >= 0) {
        word = static_cast<std::intptr_t>(
            ~reinterpret_cast<std::uintptr_t>(room.slot));
      } else {
        slots::Give(room.slot);
      }
    }
  }
  if (word >= 0) {
    word = static_cast<std::intptr_t>(address);
    return;
  }
  std::uintptr_t hidden = 0;
  if (target != nullptr) {
    if (!slots::KeepSwept(slot())) {
      FailOutOfMemory({kWeakRefName, SlotSegment::kBytes, 0, SIZE_MAX});
    }
    const bool is_base = GC_base(target) == target;
    hidden = ~address & ~(is_base ? std::uintptr_t{0} : kIsBase);
  }
  __atomic_store_n(slot(), hidden, __ATOMIC_RELAXED);
  // Until here: a sweep that came before would have left what is gone.
  asm volatile("" : : "r"(target) : "memory");
}

// Early: a static of the program may look before.
__attribute__((init_priority(103))) const SweepNumbers sweep_numbers = {
    slots::CollectionNumber(), slots::SweptNumber()};

void FailUnswept() {
  slots::SweepAnew();
  FailMisuse(
      "acre: GcWeakRef: a collection has run without acre's callback: the host "
      "has set its own (GC_set_on_collection_event) and does not call the one "
      "before; what was referred to may be gone, and all GcWeakRefs are null "
      "from now on");
}

namespace {

/// True for a slot of the arena around `ref`, whatever the address is.
bool IsSlotOf(const void* ref, const std::uintptr_t* slot, SlotKind kind) {
  const Arena* const arena = ArenaOf(ref);
  if (arena == nullptr ||
      reinterpret_cast<std::uintptr_t>(slot) % alignof(void*) != 0) {
    return false;
  }
  const SlotSegment* const segment = SlotSegment::Of(slot);
  return segment != nullptr && CollectedBase(slot) == segment &&
         CollectedSize(segment) >= SlotSegment::kBytes &&
         segment->entry != nullptr && segment->kind == kind &&
         segment->entry == SlowPath(const_cast<Arena&>(*arena)).Entry();
}

}  // namespace

bool IsRefAt(const void* word) noexcept {
  const auto& rep = *static_cast<const GcRefRep*>(word);
  if (!IsSlotOf(word, rep.slot, SlotKind::kStrong)) return false;
  const auto held = reinterpret_cast<const void*>(*rep.slot);
  // The beginning alone where a host has switched interior pointers off.
  return held == rep.object ||
         (held != nullptr && held == CollectedBase(rep.object));
}

const void* RefTarget(const TypeLayout& type, const void* ref) noexcept {
  if (type.ops->form == HandleForm::kRef) {
    return IsRefAt(ref) ? static_cast<const GcRefRep*>(ref)->object : nullptr;
  }
  const auto& rep = *static_cast<const GcWeakRefRep*>(ref);
  const bool may_lock = rep.word < 0 &&
                        IsSlotOf(ref, rep.slot(), SlotKind::kWeak) &&
                        *sweep_numbers.swept == *sweep_numbers.collections;
  return may_lock ? rep.Lock() : nullptr;
}

// ------------------------------------------------------------ for the layouts

void GcRefOps::Bind(void* ref, Arena* arena) {
  auto& rep = *static_cast<GcRefRep*>(ref);
  if (arena != nullptr && IsHeapArena(*arena)) {
    // Objects of the collected heap are scanned: the pointer itself holds.
    if (rep.slot != nullptr) slots::Give(std::exchange(rep.slot, nullptr));
    return;
  }
  const Arrival arrival(ref, rep.slot, rep.object != nullptr);
  if (!arrival.needs_slot || arena == nullptr) return;
  // On the way into a container it gets one before it is there.
  Arena& home = arrival.in != nullptr ? *arrival.in : *arena;
  void* const target = rep.object;
  std::uintptr_t* const old = std::exchange(rep.slot, nullptr);
  rep.object = nullptr;  // for the case that there is no memory
  std::uintptr_t* const slot = slots::Take(
      home, SlotKind::kStrong, arrival.in != nullptr ? ref : nullptr);
  asm volatile("" : : "r"(target) : "memory");
  if (old != nullptr) slots::Give(old);
  if (slot == nullptr) Blocks::Fail(home, SlotSegment::kBytes);
  rep.slot = slot;
  rep.Set(target);
}

void GcRefOps::Release(void* ref) {
  auto& rep = *static_cast<GcRefRep*>(ref);
  if (rep.slot != nullptr) slots::Give(rep.slot);
  rep = {};
}

/// None. But one that holds nothing, since it was brought here as bytes, shows
/// what it refers to, so that audits find it.
HandleStorage GcRefOps::Storage(const void* ref) {
  const auto& rep = *static_cast<const GcRefRep*>(ref);
  HandleStorage storage;
  if (rep.slot != nullptr || rep.object == nullptr) return storage;
  storage.block = rep.object;
  storage.bytes = storage.used = 1;
  return storage;
}

void GcRefOps::Adopt(void* ref, Arena*, void*, std::size_t) {
  *static_cast<GcRefRep*>(ref) = {};
}

StorageCopy GcRefOps::Copy(void* ref, Arena* arena) {
  auto& rep = *static_cast<GcRefRep*>(ref);
  void* const target = rep.object;
  rep = {};
  return CopyRef(rep, target, *arena, SlotKind::kStrong);
}

std::uint64_t GcRefOps::Digest(const void* ref) {
  return static_cast<const GcRefRep*>(ref)->object != nullptr ? 1 : 0;
}

void GcWeakRefOps::Bind(void* ref, Arena* arena) {
  auto& rep = *static_cast<GcWeakRefRep*>(ref);
  const bool has_slot = rep.word < 0;
  if (arena != nullptr && IsHeapArena(*arena)) {
    if (!has_slot) return;
    std::uintptr_t* const slot = rep.slot();
    rep.word = reinterpret_cast<std::intptr_t>(rep.Lock());
    return slots::Give(slot);
  }
  const Arrival arrival(ref, has_slot ? rep.slot() : nullptr, rep.word > 0);
  if (!arrival.needs_slot || arena == nullptr) return;
  Arena& home = arrival.in != nullptr ? *arrival.in : *arena;
  void* const target = rep.Lock();
  std::uintptr_t* const old = has_slot ? rep.slot() : nullptr;
  rep.word = 0;
  std::uintptr_t* const slot =
      slots::Take(home, SlotKind::kWeak, arrival.in != nullptr ? ref : nullptr);
  if (old != nullptr) slots::Give(old);
  if (slot == nullptr) Blocks::Fail(home, SlotSegment::kBytes);
  rep.word =
      static_cast<std::intptr_t>(~reinterpret_cast<std::uintptr_t>(slot));
  rep.Set(target);
}

void GcWeakRefOps::Release(void* ref) {
  auto& rep = *static_cast<GcWeakRefRep*>(ref);
  if (rep.word < 0) slots::Give(rep.slot());
  rep = {};
}

HandleStorage GcWeakRefOps::Storage(const void* ref) {
  const auto& rep = *static_cast<const GcWeakRefRep*>(ref);
  HandleStorage storage;
  if (rep.word <= 0) return storage;
  storage.block = reinterpret_cast<void*>(rep.word);
  storage.bytes = storage.used = 1;
  return storage;
}

void GcWeakRefOps::Adopt(void* ref, Arena*, void*, std::size_t) {
  *static_cast<GcWeakRefRep*>(ref) = {};
}

StorageCopy GcWeakRefOps::Copy(void* ref, Arena* arena) {
  auto& rep = *static_cast<GcWeakRefRep*>(ref);
  void* const target = rep.Lock();
  rep = {};
  return CopyRef(rep, target, *arena, SlotKind::kWeak);
}

/// Whether the target is still there differs between processes, and from one
/// collection to the next.
std::uint64_t GcWeakRefOps::Digest(const void*) { return 0; }

}  // namespace acre::inline ACRE_ABI::detail
