// SPDX-License-Identifier: MIT
//
// How the tables of Map and Set grow: by the hashes of a group at a time, and
// the bytes of their elements.
//
// When a table doubles, group g feeds only groups 2g and 2g+1, and four of them
// when it quadruples, so that growth streams through both tables once. What was
// measured and what lost is in tests/perf/DEAD_ENDS.md.

#include "table_growth.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "acre/detail/handle.h"
#include "acre/detail/table_rep.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Puts the bytes of an element, known to be absent, where they belong.
template <class Slots>
ACRE_INLINE char* PlaceEntry(const TableRep& rep, Slots slots, const char* from,
                             std::uint64_t hash) {
  const SlotPosition at = rep.Locate(hash);
  rep.control[at.group + at.slot] = FingerprintOf(hash);
  char* const to = slots.At(slots.Row(rep, at.group), at.slot);
  slots.Copy(to, from);
  return to;
}

/// Places those elements of a group whose bit is set in `wanted`.
template <class Slots>
void PlaceSome(const TableRep& rep, Slots slots, char* row, SlotMask used,
               SlotMask wanted, const std::uint64_t* hashes) {
  for (SlotMask mask = used; mask != 0; mask &= mask - 1, ++hashes) {
    const unsigned i = FirstSlot(mask);
    if ((wanted >> i & 1) != 0)
      PlaceEntry(rep, slots, slots.At(row, i), *hashes);
  }
}

/// A table `factor` times as large, 2 or 4: the free slots of the groups that
/// are fed are kept in a register, 16 bits each, because reading control bytes
/// just written would stall. Returns the slots that have to go elsewhere:
/// elements that had overflowed into the group, or do not fit.
template <class Slots>
ACRE_INLINE SlotMask SplitGroup(const TableRep& rep, Slots slots,
                                std::size_t factor, char* row,
                                std::size_t group, SlotMask used,
                                const std::uint64_t* hashes) {
  static_assert(kGroupBytes == 16 && kGroupSlots < 16);
  const std::size_t first = factor * group;
  const std::size_t fed = factor * kGroupBytes;
  std::uint64_t free = 0;
  for (std::size_t at = 0; at < fed; at += kGroupBytes) {
    free |= std::uint64_t{Free(rep.control + first + at)} << at;
  }
  SlotMask away = 0;
  for (SlotMask mask = used; mask != 0; mask &= mask - 1) {
    const unsigned i = FirstSlot(mask);
    const std::uint64_t hash = *hashes++;
    const std::size_t home = rep.HomeOf(hash);
    const std::size_t offset = home - first;
    if (ACRE_UNLIKELY(offset >= fed || (free >> offset & kGroupMask) == 0)) {
      away |= SlotMask{1} << i;
      continue;
    }
    const auto slot = static_cast<unsigned>(std::countr_zero(free >> offset));
    free &= ~(std::uint64_t{1} << (offset + slot));
    rep.control[home + slot] = FingerprintOf(hash);
    slots.Copy(slots.At(slots.Row(rep, home), slot), slots.At(row, i));
  }
  return away;
}

/// False where a hash has led to a change of the old table.
template <class Slots>
bool MoveElements(const TableRep& rep, const TableRep& old, Slots slots,
                  const SlotOps& ops, bool only_this) {
  const Watched watched(old, only_this);
  const std::size_t factor = rep.groups() / old.groups();
  const bool splits = factor == 2 || factor == 4;
  const std::size_t end = old.control_bytes();
  for (std::size_t group = 0; group < end; group += kGroupBytes) {
    const SlotMask used = Used(old.control + group);
    char* const row = slots.Row(old, group);
    std::uint64_t hashes[kGroupSlots];
    if (ACRE_UNLIKELY(!ops.hash(old, row, used, hashes) ||
                      !watched.IsUnchanged())) {
      return false;
    }
    SlotMask away = used;
    if (splits) away = SplitGroup(rep, slots, factor, row, group, used, hashes);
    if (away != 0) PlaceSome(rep, slots, row, used, away, hashes);
  }
  return true;
}

/// Groups for `count` elements at least.
std::size_t GroupsFor(std::size_t count, const char* what) {
  if (count > LimitOf(kMaxGroups)) {
    FailLength(what, count, LimitOf(kMaxGroups));
  }
  std::size_t groups = 2;
  while (LastingLimitOf(groups) < count) groups *= 2;
  return groups;
}

TableSize SizeFor(std::size_t count, SlotShape shape, const char* what) {
  if (count <= kGroupSlots) return SmallSize(count, shape);
  const std::size_t groups = GroupsFor(count, what);
  return {groups, LimitOf(groups)};
}

/// True where erasures took so much off the limit that a table of the same size
/// has room for many more, and where CleanOverflow has failed.
bool IsWornOut(const TableRep& rep) {
  return rep.groups() != 1 && rep.size < LastingLimitOf(rep.groups());
}

TableSize NextSize(const TableRep& rep, const SlotOps& ops) {
  std::size_t groups = rep.groups();
  if (groups <= 1) return NextSmallSize(rep.limit, ops);
  if (!IsWornOut(rep)) groups *= groups < 64 ? 4 : 2;
  return {groups, LimitOf(groups)};
}

/// See StartGrowth.
TableRep MakeFresh(TableRep& rep, TableSize size, const SlotOps& ops) {
  const char* const what = ops.what;
  if (rep.arena == nullptr) rep.arena = &FindArena(&rep, what);
  CheckArena(&rep, rep.arena, what);
  if (rep.has_table()) CheckMayGrow(*rep.arena, rep.stamp, what);
  CheckMayAllocate(&rep, *rep.arena, what);
  TableRep fresh = rep;
  MakeTable(fresh, size, ops.shape, what);
  fresh.size = rep.size;
  return fresh;
}

bool MoveAll(const TableRep& fresh, const TableRep& old, const SlotOps& ops,
             bool only_this) {
  const SlotShape shape = ops.shape;
  if (fresh.groups() == 1) {
    MoveGroup(fresh, Left(old), shape);
    return true;
  }
  return WithSlots(shape, [&](auto slots) {
    return MoveElements(fresh, old, slots, ops, only_this);
  });
}

/// An element that is in no table; gives back what it holds.
struct MadeElement {
  MadeElement(void* made, const SlotOps& slot_ops)
      : element(made), ops(slot_ops) {}
  MadeElement(const MadeElement&) = delete;
  MadeElement& operator=(const MadeElement&) = delete;
  ~MadeElement() {
    if (element != nullptr && ops.release != nullptr) ops.release(element);
  }
  void* element;
  const SlotOps& ops;
};

/// Room for a table, for a moment.
struct Buffer {
  Buffer(std::size_t size, std::align_val_t alignment)
      : align(alignment), bytes(::operator new(size, alignment)) {}
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { ::operator delete(bytes, align); }
  const std::align_val_t align;
  void* const bytes;
};

}  // namespace

TableRep StartGrowth(TableRep& rep, const SlotOps& ops) {
  return MakeFresh(rep, NextSize(rep, ops), ops);
}

namespace {

/// A table that is not needed after all; a Reset may have taken it since.
void GiveFresh(const TableRep& fresh, const SlotOps& ops) {
  if (fresh.arena->IsLive(fresh.stamp)) GiveTable(fresh, ops.shape);
}

}  // namespace

bool FinishGrowth(TableRep& rep, const TableRep& fresh, const SlotOps& ops,
                  bool only_this) {
  // Where the source has run code that grew this table, or filled it.
  const std::size_t room =
      fresh.groups() == 1 ? fresh.limit : LimitOf(fresh.groups());
  bool is_moved = fresh.arena == rep.arena && rep.arena->IsLive(fresh.stamp) &&
                  fresh.groups() >= rep.groups() && rep.size < room &&
                  (fresh.groups() != 1 || rep.limit <= fresh.limit);
  if (is_moved && rep.has_table()) {
#if ACRE_EXCEPTIONS
    try {
      is_moved = MoveAll(fresh, rep, ops, only_this);
    } catch (...) {
      GiveTable(fresh, ops.shape);
      throw;
    }
#else
    is_moved = MoveAll(fresh, rep, ops, only_this);
#endif
  }
  if (!is_moved) {
    GiveFresh(fresh, ops);
    return false;
  }
  const TableRep old = rep;
  rep = fresh;
  rep.size = old.size;
  if (old.has_table()) GiveTable(old, ops.shape);
  return true;
}

void GrowOnce(TableRep& rep, const SlotOps& ops) {
  if (FinishGrowth(rep, StartGrowth(rep, ops), ops)) return;
  // A hash that erases from another table each time must not keep it small.
  if (rep.size >= rep.limit) {
    FinishGrowth(rep, StartGrowth(rep, ops), ops, true);
  }
}

void ReserveTable(TableRep& rep, std::size_t count, const SlotOps& ops) {
  bool only_this = false;
  while (count > std::max(rep.size, LastingLimit(rep))) {
    const TableSize size = SizeFor(count, ops.shape, ops.what);
    only_this = !FinishGrowth(rep, MakeFresh(rep, size, ops), ops, only_this);
  }
}

void ReinsertAll(TableRep& rep, const SlotOps& ops,
                 void (*moved)(void* context, const void* from, void* to),
                 void* context) {
  if (rep.size == 0) return;
  const SlotShape shape = ops.shape;
  const std::size_t bytes = shape.table_bytes(SizeOf(rep));
  const Buffer buffer(bytes, std::align_val_t{shape.table_align()});
  std::memcpy(buffer.bytes, rep.control, bytes);
  std::memset(rep.control, 0, rep.control_bytes());
  TableRep old = rep;
  old.control = static_cast<std::uint8_t*>(buffer.bytes);
  old.slots = old.control + shape.control_bytes(old.groups());
  const SlotCopier<0> slots(shape);
  const std::size_t end = old.control_bytes();
  for (std::size_t group = 0; group < end; group += kGroupBytes) {
    SlotMask left = Used(old.control + group);
    char* const row = slots.Row(old, group);
    std::uint64_t hashes[kGroupSlots];
    ops.hash(old, row, left, hashes);
    for (const std::uint64_t* next = hashes; left != 0; left &= left - 1) {
      const unsigned i = FirstSlot(left);
      char* const to = PlaceEntry(rep, slots, slots.At(row, i), *next++);
      moved(context, slots.At(slots.Row(rep, group), i), to);
    }
  }
}

namespace {

const TypeLayout* ElementOf(const SlotOps& ops) {
  const TypeLayout* const table = ops.shape.layout();
  return table == nullptr ? nullptr : table->element();
}

/// What an element holds belongs to where it lies.
void Bind(const TableRep& rep, const SlotOps& ops, void* slot) {
  const TypeLayout* const element = ElementOf(ops);
  if (element != nullptr && element->has_handles) {
    BindHandles(*element, slot, rep.arena);
  }
}

/// True where there are slots for the references of an element that is to lie
/// at `place`; null: in the innermost level. False: code has run to get some.
bool HasSlots(const TableRep& rep, const SlotOps& ops, const void* element,
              const void* place) {
  return ops.has_refs == 0 ||
         ReserveForPlace(*ElementOf(ops), element, *rep.arena, place);
}

/// Puts the bytes of an element where they belong, and binds what it holds to
/// where that is. Requires: its key is absent, there is room, and HasSlots.
void* Put(TableRep& rep, const SlotOps& ops, std::uint64_t hash, void* element,
          bool is_bound) {
  const SlotCopier<0> slots(ops.shape);
  const SlotPosition at = rep.Locate(hash);
  char* const to = slots.At(slots.Row(rep, at.group), at.slot);
  slots.Copy(to, static_cast<char*>(element));
  if (!is_bound || ops.has_refs != 0) Bind(rep, ops, to);
  rep.control[at.group + at.slot] = FingerprintOf(hash);
  ++rep.size;
  return to;
}

/// Gets room for an element in a full table. Null: to be looked at anew. Else
/// it is in it. `may_go`: hashes may change where it lies.
void* MakeRoom(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
               void* element, bool may_go) {
  if (CleanOverflow(rep, ops)) return nullptr;
  // The new table will be of the innermost level.
  if (rep.arena != nullptr && !HasSlots(rep, ops, element, nullptr)) {
    return nullptr;
  }
  SmallGrowth small;
  void* const slot =
      may_go ? nullptr : StartSmallGrowth(rep, ops, hash, &small);
  if (slot != nullptr) {
    const SlotCopier<0> slots(ops.shape);
    slots.Copy(static_cast<char*>(slot), static_cast<char*>(element));
    FinishSmallGrowth(rep, ops, hash, small);
    Bind(rep, ops, slot);
    return slot;
  }
  GrowOnce(rep, ops);
  return nullptr;
}

/// `take`: null, or for an element that is there.
PlacedSlot PlaceElement(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                        void* element, TakeValue take, const Watched* from,
                        bool is_bound) {
  const SlotCopier<0> slots(ops.shape);
  for (;;) {
    const SlotPosition at = ops.find(rep, element, hash);
    if (from != nullptr && !from->IsUnchanged()) return {nullptr, false};
    if (at.slot != kNoSlot) {
      char* const slot = slots.At(slots.Row(rep, at.group), at.slot);
      if (take == nullptr) return {slot, false};
      if (!HasSlots(rep, ops, element, slot)) continue;
      take(*rep.arena, slot, element);
      return {slot, false, true};
    }
    if (rep.size < rep.limit) {
      if (!HasSlots(rep, ops, element, rep.slots)) continue;
      return {Put(rep, ops, hash, element, is_bound), true};
    }
    void* const slot = MakeRoom(rep, ops, hash, element, from != nullptr);
    if (slot != nullptr) return {slot, true};
  }
}

}  // namespace

PlacedSlot PlaceMade(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                     void* made, TakeValue take) {
  MadeElement keep(made, ops);
  const PlacedSlot placed =
      PlaceElement(rep, ops, hash, made, take, nullptr, true);
  if (placed.is_new) keep.element = nullptr;
  return placed;
}

PlacedSlot PlaceAbsent(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       void* made, TakeValue take) {
  MadeElement keep(made, ops);
  if (rep.size >= rep.limit || !HasSlots(rep, ops, made, rep.slots)) {
    keep.element = nullptr;
    return PlaceMade(rep, ops, hash, made, take);
  }
  keep.element = nullptr;
  return {Put(rep, ops, hash, made, true), true};
}

PlacedSlot PlaceTaken(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                      void* element, const Watched* from) {
  return PlaceElement(rep, ops, hash, element, nullptr, from, false);
}

FirstTable::FirstTable(TableRep& rep, const SlotOps& ops)
    : rep_(nullptr), ops_(ops) {
  const TableRep fresh = StartGrowth(rep, ops);
  if (rep.has_table() || fresh.arena != rep.arena ||
      !fresh.arena->IsLive(fresh.stamp)) {
    GiveFresh(fresh, ops);
    return;
  }
  rep = fresh;
  rep_ = &rep;
}

void FirstTable::GiveBack() {
  const TableRep made = *rep_;
  *rep_ = EmptyTable(made.arena);
  GiveTable(made, ops_.shape);
}

Growing::Growing(TableRep& rep, const SlotOps& ops, const Watched& watched)
    : rep_(rep), ops_(ops), watched_(watched), fresh_(StartGrowth(rep, ops)) {}

PlacedSlot Growing::Place(std::uint64_t hash, void* made, TakeValue take) {
  MadeElement keep(made, ops_);
  is_done_ = true;
  bool is_absent = false;
  if (ACRE_UNLIKELY(!watched_.IsUnchanged())) {
    GiveBack();  // the key may be there by now, and room, too
  } else {
    is_absent = FinishGrowth(rep_, fresh_, ops_);
  }
  keep.element = nullptr;
  return is_absent ? PlaceAbsent(rep_, ops_, hash, made, take)
                   : PlaceMade(rep_, ops_, hash, made, take);
}

void Growing::GiveBack() { GiveFresh(fresh_, ops_); }

}  // namespace acre::inline ACRE_ABI::detail
