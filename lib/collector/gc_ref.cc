// SPDX-License-Identifier: MIT

#include "acre/gc_ref.h"

#include "acre/arena.h"
#include "acre/detail/blocks.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/life.h"
#include "acre/detail/process_map.h"
#include "acre/failure.h"
#include "collector/gc_slots.h"
#include "collector/libgc.h"
#include "core/slow_path.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Checked builds, for a reference outside of arenas: fails where the collector
/// does not look.
void CheckIsSeen(const void* ref, const char* what) {
  if constexpr (!kChecked) return;
  const auto* place = static_cast<const char*>(ref);
  const auto* frame = static_cast<const char*>(__builtin_frame_address(0));
  const auto* bottom = static_cast<const char*>(CollectedStackBottom());
  if (place >= frame && place < bottom) return;
  if (const void* const base = CollectedBase(ref)) {
    if (!IsPointerFree(base)) return;
  } else {
    const ProcessMap map;
    if (map.IsStack(ref) || map.IsStatic(ref)) return;
  }
  FailMisuse(
      "acre: the %s at %p holds nothing: it lies in no arena, and in memory "
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

/// Null, or what is wrong with a slot: its reference was moved or copied by
/// bytes, or is of before a Rewind.
[[maybe_unused]] void CheckSlot(const void* ref, const std::uintptr_t* slot,
                                SlotKind kind, const char* what) {
  if (!kChecked || slot == nullptr) return;
  const Arena* const arena = ArenaOf(ref);
  const SlotSegment* const segment = SlotSegment::Of(slot);
  ACRE_CHECK(arena != nullptr && segment->kind == kind &&
                 segment->leader != nullptr && segment->entry->arena() == arena,
             "the %s at %p has a slot of another arena, or of before a Rewind: "
             "it was copied as bytes, or is older than what it was given in",
             what, ref);
}

[[maybe_unused]] const char* const kRefName = "GcRef";
[[maybe_unused]] const char* const kWeakRefName = "GcWeakRef";

/// For TypeOps::copy_storage, once the reference has forgotten whose it was.
template <class Rep>
StorageCopy CopyRef(Rep& rep, void* target, Arena& arena, SlotKind kind) {
  StorageCopy copy;
  if (target == nullptr) return copy;
  if (ArenaOf(&rep) == &arena && !slots::Reserve(arena, kind, 1)) {
    copy.outcome = StorageCopy::Outcome::kNoMemory;
    return copy;
  }
  rep.Set(target);
  return copy;
}

}  // namespace

bool ReserveRefSlots(Arena& arena, std::size_t strong, std::size_t weak) {
  // Whoever comes second may run finalizers that take what the first has got.
  const bool has_first =
      strong == 0 || slots::Reserve(arena, SlotKind::kStrong, strong);
  return has_first &&
         (weak == 0 || (slots::Reserve(arena, SlotKind::kWeak, weak) &&
                        slots::Reserve(arena, SlotKind::kStrong, strong)));
}

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
    if (IsFillWord(object)) FailRefPlace(this, kRefName);
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
  if (slot != nullptr) return SetIn(target);
  object = target;
}

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

// ------------------------------------------------------------ for the layouts

void GcRefOps::Bind(void* ref, Arena*) {
  auto& rep = *static_cast<GcRefRep*>(ref);
  // Made elsewhere and brought here as bytes.
  if (rep.slot == nullptr && rep.object != nullptr) rep.Set(rep.object);
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

void GcWeakRefOps::Bind(void* ref, Arena*) {
  auto& rep = *static_cast<GcWeakRefRep*>(ref);
  if (rep.word > 0) rep.Set(reinterpret_cast<void*>(rep.word));
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
