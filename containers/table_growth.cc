// SPDX-License-Identifier: MIT
//
// How the tables of Map and Set grow: by the hashes of a group at a time, and
// the bytes of their elements.
//
// When a table doubles, group g feeds only groups 2g and 2g+1, and four of them
// when it quadruples, so that growth streams through both tables once. What was
// measured and what lost is in tests/perf/DEAD_ENDS.md.

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "acre/detail/handle.h"
#include "acre/detail/table_rep.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Copies slots of `Size` bytes, or of any size where it is 0.
template <std::size_t Size>
struct SlotCopier {
  explicit SlotCopier(SlotShape shape) : size(shape.size) {}

  ACRE_INLINE char* Row(const TableRep& rep, std::size_t group) const {
    return static_cast<char*>(rep.slots) +
           group / kGroupBytes * (kGroupSlots * bytes());
  }
  ACRE_INLINE char* At(char* row, unsigned slot) const {
    return row + slot * bytes();
  }
  ACRE_INLINE void Copy(char* to, const char* from) const {
    if constexpr (Size != 0) {
      std::memcpy(to, from, Size);
    } else if (size >= kStride) {
      const std::size_t last = size - kStride;
      for (std::size_t i = 0; i < last; i += kStride) {
        std::memcpy(to + i, from + i, kStride);
      }
      std::memcpy(to + last, from + last, kStride);
    } else {
      std::memcpy(to, from, size);
    }
  }
  ACRE_INLINE std::size_t bytes() const { return Size != 0 ? Size : size; }

  static constexpr std::size_t kStride = 16;
  const std::size_t size;
};

/// Puts the bytes of an element, known to be absent, where they belong.
template <class Slots>
ACRE_INLINE char* Place(const TableRep& rep, Slots slots, const char* from,
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
    if ((wanted >> i & 1) != 0) Place(rep, slots, slots.At(row, i), *hashes);
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

template <class Slots>
void MoveElements(const TableRep& rep, const TableRep& old, Slots slots,
                  HashSlots hash) {
  const std::size_t factor = rep.groups() / old.groups();
  const bool splits = factor == 2 || factor == 4;
  const std::size_t end = old.control_bytes();
  for (std::size_t group = 0; group < end; group += kGroupBytes) {
    const SlotMask used = Used(old.control + group);
    char* const row = slots.Row(old, group);
    std::uint64_t hashes[kGroupSlots];
    hash(row, used, hashes);
    SlotMask away = used;
    if (splits) away = SplitGroup(rep, slots, factor, row, group, used, hashes);
    if (away != 0) PlaceSome(rep, slots, row, used, away, hashes);
  }
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

/// True where erasures took so much off the limit that a table of the same size
/// has room for many more, and where CleanOverflow has failed.
bool IsWornOut(const TableRep& rep) {
  return rep.size < LastingLimitOf(rep.groups());
}

std::size_t NextGroups(const TableRep& rep) {
  const std::size_t groups = rep.groups();
  if (groups == 0) return 2;
  if (IsWornOut(rep)) return groups;
  return groups < 64 ? 4 * groups : 2 * groups;
}

/// See StartGrowth.
TableRep Renew(TableRep& rep, std::size_t groups, SlotShape shape,
               const char* what) {
  if (rep.arena == nullptr) rep.arena = &FindArena(&rep, what);
  CheckArena(&rep, rep.arena, what);
  const TableRep old = rep;
  if (old.has_table()) CheckMayGrow(*old.arena, old.stamp, what);
  CheckMayAllocate(&rep, *rep.arena, what);
  MakeTable(rep, groups, shape, what);
  return old;
}

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

TableRep StartGrowth(TableRep& rep, SlotShape shape, const char* what) {
  return Renew(rep, NextGroups(rep), shape, what);
}

void FinishGrowth(TableRep& rep, const TableRep& old, SlotShape shape,
                  HashSlots hash) {
  if (!old.has_table()) return;
  const auto move = [&](auto slots) { MoveElements(rep, old, slots, hash); };
  // The usual pairs and handles; other sizes take a few percent longer.
  // clang-format off
  switch (shape.size) {
    case 4: move(SlotCopier<4>(shape)); break;
    case 8: move(SlotCopier<8>(shape)); break;
    case 16: move(SlotCopier<16>(shape)); break;
    case 24: move(SlotCopier<24>(shape)); break;
    case 32: move(SlotCopier<32>(shape)); break;
    case 40: move(SlotCopier<40>(shape)); break;
    default: move(SlotCopier<0>(shape)); break;
  }
  // clang-format on
  GiveTable(old, shape);
}

void AbandonGrowth(TableRep& rep, const TableRep& old, SlotShape shape) {
  GiveTable(rep, shape);
  rep = old;
}

void ReserveTable(TableRep& rep, std::size_t count, SlotShape shape,
                  const char* what, HashSlots hash) {
  if (count <= std::max(rep.size, LastingLimitOf(rep.groups()))) return;
  const TableRep old = Renew(rep, GroupsFor(count, what), shape, what);
#if ACRE_EXCEPTIONS
  try {
#endif
    FinishGrowth(rep, old, shape, hash);
#if ACRE_EXCEPTIONS
  } catch (...) {
    AbandonGrowth(rep, old, shape);
    throw;
  }
#endif
}

void ReinsertAll(TableRep& rep, SlotShape shape, HashSlots hash,
                 void (*moved)(void* context, const void* from, void* to),
                 void* context) {
  if (rep.size == 0) return;
  const std::size_t bytes = shape.table_bytes(rep.groups());
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
    hash(row, left, hashes);
    for (const std::uint64_t* next = hashes; left != 0; left &= left - 1) {
      const unsigned i = FirstSlot(left);
      char* const to = Place(rep, slots, slots.At(row, i), *next++);
      moved(context, slots.At(slots.Row(rep, group), i), to);
    }
  }
}

}  // namespace acre::inline ACRE_ABI::detail
