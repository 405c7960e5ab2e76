// SPDX-License-Identifier: MIT
//
// TableRep: a hash table without the types of its elements. What needs neither
// their types nor to be inline is compiled once, in containers/table. Internal
// to acre.
//
//   one block of the arena:
//   | control: 16 bytes a group | slots: 15 a group                    |
//
// Group index: the TOP bits of the hash; fingerprint: its low byte. Probing
// goes by triangular steps over groups. At most 7/8 of the slots are used.
// Here and in Table, `group` is where the control bytes of a group begin,
// counted from the first of all: 16 times its index.
//
// A table of one group has as many slots as its limit says, 15 at most, and all
// of them are used: there is nowhere to overflow to. The lowest free slot is
// taken, so that those it does not have stay free.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_REP_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_REP_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/group.h"
#include "acre/detail/size_class.h"
#include "acre/fwd.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

/// A slot of a table.
struct SlotPosition {
  std::size_t group;
  unsigned slot;
};

/// 56 bytes.
/// `size` and `limit` are kept apart: adjacent, g++ updates both with one
/// 16-byte access, which stalls on the 8-byte store of the last insertion.
struct TableRep {
  std::uint8_t* control = const_cast<std::uint8_t*>(kEmptyGroups);
  void* slots = nullptr;
  std::uint32_t mask = 0;    // groups - 1; groups are a power of two
  std::uint32_t shift = 59;  // 60 - log2(groups)
  std::size_t size = 0;
  Arena* arena = nullptr;  // null: not bound yet
  std::size_t limit = 0;   // insertions beyond this size grow; 0: no table
  std::uint64_t stamp = 0;

  bool has_table() const { return slots != nullptr; }
  std::size_t groups() const { return has_table() ? mask + std::size_t{1} : 0; }
  std::size_t control_bytes() const { return groups() * kGroupBytes; }

  /// Where the search for a hash begins.
  ACRE_INLINE std::size_t HomeOf(std::uint64_t hash) const {
    return (hash >> shift) & ~(kGroupBytes - 1);
  }
  ACRE_INLINE std::size_t Next(std::size_t group, std::size_t step) const {
    return (group + step * kGroupBytes) & (mask * kGroupBytes);
  }
  /// The first free slot on the probe path; marks the full groups passed.
  ACRE_INLINE SlotPosition Locate(std::uint64_t hash) const {
    std::size_t group = HomeOf(hash);
    for (std::size_t step = 1;; ++step) {
      const SlotMask free = Free(control + group);
      if (ACRE_LIKELY(free != 0)) return {group, FirstSlot(free)};
      control[group + kGroupSlots] |= OverflowBit(hash);
      group = Next(group, step);
    }
  }
};
static_assert(sizeof(TableRep) == 56);

inline constexpr std::size_t kMaxGroups = std::size_t{1} << 31;

constexpr std::size_t LimitOf(std::size_t groups) {
  return groups * kGroupSlots * 7 / 8;
}
/// As many elements stay without growing, whatever was erased. An eighth of the
/// limit is left to wear out between two cleanings, so that erasing remains
/// constant on average.
constexpr std::size_t LastingLimitOf(std::size_t groups) {
  return LimitOf(groups) * 7 / 8;
}
/// Rounded up: what a limit of n elements, or a table of n slots, must take.
constexpr std::size_t SevenEighths(std::size_t n) { return n - n / 8; }

/// Elements to reserve for, so that there are so many slots at least.
constexpr std::size_t CountForSlots(std::size_t slots) {
  // More than there can be are refused there.
  if (slots <= kGroupSlots || slots > kMaxGroups * kGroupSlots) return slots;
  return LastingLimitOf(std::bit_ceil((slots + kGroupSlots - 1) / kGroupSlots));
}

/// How large a table is, or is to be.
struct TableSize {
  std::size_t groups;
  std::size_t limit;  // of a new one; of one group: its slots
};
inline TableSize SizeOf(const TableRep& rep) {
  const std::size_t groups = rep.groups();
  return {groups, groups == 1 ? rep.limit : LimitOf(groups)};
}
/// LastingLimitOf the table; of one group all, since nothing overflows.
inline std::size_t LastingLimit(const TableRep& rep) {
  return rep.groups() == 1 ? rep.limit : LastingLimitOf(rep.groups());
}

/// Size and alignment of a slot, and of the tables made of them. A group wants
/// 16; more would round small tables up to powers of two.
struct SlotShape {
  std::size_t size;
  std::size_t align;
  // The layout of the container: for audits of its storage, in checked builds,
  // and for arenas that are traced.
  const TypeLayout* (*container)() = nullptr;

  const TypeLayout* layout() const {
    return container == nullptr ? nullptr : container();
  }

  constexpr std::size_t table_align() const {
    return align > kGroupBytes ? align : kGroupBytes;
  }
  constexpr std::size_t control_bytes(std::size_t groups) const {
    return RoundUp(groups * kGroupBytes, table_align());
  }
  constexpr std::size_t table_bytes(TableSize table) const {
    const std::size_t slots =
        table.groups == 1 ? table.limit : table.groups * kGroupSlots;
    return control_bytes(table.groups) + slots * size;
  }
  /// The number of groups in a table of so many bytes.
  constexpr std::size_t groups_in(std::size_t bytes) const {
    const std::size_t groups = bytes / (kGroupBytes + kGroupSlots * size);
    return groups == 0 ? 1 : groups;
  }
};

/// Points `rep`, which is bound, to a table in `block`. Its control bytes are
/// left as they are, and `size` of rep.
ACRE_INLINE void SetTable(TableRep& rep, void* block, TableSize size,
                          SlotShape shape) {
  rep.control = static_cast<std::uint8_t*>(block);
  rep.slots = rep.control + shape.control_bytes(size.groups);
  rep.mask = static_cast<std::uint32_t>(size.groups - 1);
  rep.shift = 60 - static_cast<std::uint32_t>(std::countr_zero(size.groups));
  rep.limit = size.limit;
  rep.stamp = rep.arena->stamp();
}

/// A block of that many bytes, just taken, is a table of such elements: for
/// arenas that are traced.
void NoteTableRow(Arena& arena, void* block, std::size_t bytes,
                  const TypeLayout& element);

/// Points `rep` to a new, empty table; the old one stays with the caller.
/// `what` names the container for messages.
void MakeTable(TableRep& rep, TableSize size, SlotShape shape,
               const char* what);
ACRE_INLINE void GiveTable(const TableRep& rep, SlotShape shape) {
  Blocks::Give(*rep.arena, rep.control, shape.table_bytes(SizeOf(rep)),
               shape.table_align(), nullptr);
}
/// See TypeOps::copy_storage.
StorageCopy CopyTable(TableRep& rep, Arena& arena, SlotShape shape);
/// See TypeOps::is_sound.
bool IsSoundTable(const TableRep& rep, SlotShape shape, const SavedBytes& bytes,
                  HandleStorage* storage);
/// An empty, bound rep.
TableRep EmptyTable(Arena* arena);

/// Of one group, for as many slots as `bytes` have room for.
constexpr TableSize OneGroupIn(std::size_t bytes, SlotShape shape) {
  const std::size_t slots = (bytes - shape.control_bytes(1)) / shape.size;
  return {1, slots < kGroupSlots ? slots : kGroupSlots};
}

/// A table of one group, with `slots` slots at least and as many as its block
/// has room for.
constexpr TableSize SmallSize(std::size_t slots, SlotShape shape) {
  return OneGroupIn(
      UsableBytes(shape.table_bytes({1, slots}), shape.table_align()), shape);
}

/// The first table of a container: four slots, or what a cache line holds; of
/// large elements what 256 bytes hold, one at least. And what its block has
/// room for.
constexpr TableSize FirstSize(SlotShape shape) {
  constexpr std::size_t kLine = 64;
  constexpr std::size_t kMost = 256;
  const std::size_t line = (kLine - kGroupBytes) / shape.size;
  const std::size_t possible = (kMost - kGroupBytes) / shape.size;
  std::size_t slots = line > 4 ? line : 4;
  if (slots > possible) slots = possible > 1 ? possible : 1;
  if (slots > kGroupSlots) slots = kGroupSlots;
  return SmallSize(slots, shape);
}

/// How many slots a full table of one group, of so many slots, has after it has
/// grown: of one group again, or 0, which means two. Of none: FirstSize. Worked
/// out by the compiler, as to divide takes long.
struct SmallLimits {
  std::uint8_t after[kGroupSlots + 1];
};
constexpr SmallLimits SmallLimitsOf(SlotShape shape) {
  SmallLimits limits{};
  limits.after[0] = static_cast<std::uint8_t>(FirstSize(shape).limit);
  // Twice as many, unless that is nearly all that a group has.
  for (std::size_t n = 1; (2 * n + 1) * 8 <= std::size_t{kGroupSlots} * 7;
       ++n) {
    limits.after[n] =
        static_cast<std::uint8_t>(SmallSize(2 * n + 1, shape).limit);
  }
  return limits;
}

/// What code that is compiled once has to know of the elements of a table.
struct SlotOps {
  SlotShape shape;
  const char* what;  // "Map", for messages
  /// Writes the hashes of the elements in the slots of `used`, in order; `row`
  /// is the first slot of their group. False where a hash has changed the table
  /// `rep`: then the elements may be gone, and the rest is not looked at.
  bool (*hash)(const TableRep& rep, const void* row, SlotMask used,
               std::uint64_t* hashes);
  /// Where the key of `element` is, which need not be in the table; kNoSlot
  /// where it is absent.
  SlotPosition (*find)(const TableRep& rep, const void* element,
                       std::uint64_t hash);
  /// Gives back what an element holds; null where that is nothing.
  void (*release)(const void* element);
  SmallLimits limits;
  std::size_t has_refs;  // 1: GcRefs or GcWeakRefs in the elements
};
inline constexpr unsigned kNoSlot = kGroupSlots;

/// Whether a table is what it was: what has run meanwhile, a hash, a
/// constructor, a finalizer, may have used it. Requires: bound.
class Watched {
 public:
  /// What is erased from any table of the arena counts, unless `only_this`:
  /// then this one must not have been emptied and filled again just so.
  explicit Watched(const TableRep& rep, bool only_this = false)
      : rep_(rep),
        counted_(only_this ? 0 : ~std::uint64_t{0}),
        control_(rep.control),
        size_(rep.size),
        limit_(rep.limit),
        stamp_(rep.stamp),
        erasures_(rep.arena->erasures()) {}
  bool IsUnchanged() const {
    return rep_.control == control_ && rep_.size == size_ &&
           rep_.limit == limit_ && rep_.stamp == stamp_ &&
           ((rep_.arena->erasures() ^ erasures_) & counted_) == 0;
  }

 private:
  const TableRep& rep_;
  const std::uint64_t counted_;  // the bits of erasures_ that tell
  const std::uint8_t* const control_;
  const std::size_t size_;
  const std::size_t limit_;
  const std::uint64_t stamp_;
  const std::uint64_t erasures_;
};

/// A small table that grows for an element: see StartSmallGrowth.
struct SmallGrowth {
  const void* old;  // the slots of the table that grows
  void* block;      // for the new one
  TableSize size;
  SlotMask second;   // the elements that go to the second group
  std::uint32_t at;  // the place of the new one's control byte
};
/// A full table of one group at most, for which the arena has a block at hand:
/// no code runs but hashes, and none can change the table before the element is
/// in it. Returns where that is to be made, of what is in the table if need be;
/// then FinishSmallGrowth moves the others. Null, and nothing done, where it is
/// not so; in checked builds always. Requires: rep is bound.
void* StartSmallGrowth(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       SmallGrowth* growth);
void FinishSmallGrowth(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       const SmallGrowth& growth);

/// For growth: a table with more room, or with clean overflow bits, for `rep`,
/// which stays as it is. Empty, but for its size. Asks the arena for memory, so
/// it may run code that uses the very table: `rep` is to be read anew.
TableRep StartGrowth(TableRep& rep, const SlotOps& ops);
/// Moves the elements to the table of StartGrowth, points `rep` to it and gives
/// the old one back. False where that table does not suit (the old one has
/// changed since, or while a hash ran): it is given back then, as it is where a
/// hash throws, and `rep` is as it was. `only_this`: see Watched.
bool FinishGrowth(TableRep& rep, const TableRep& fresh, const SlotOps& ops,
                  bool only_this = false);
/// Both. There may be no more room than before: other code may have run.
void GrowOnce(TableRep& rep, const SlotOps& ops);
/// Where erasures have worn out a table with fewer elements than its lasting
/// limit: finds out which overflow bits are needed still, and restores the
/// limit. Nothing moves. False where there is nothing to gain, or where memory
/// runs out or the hash throws; then nothing is done.
bool CleanOverflow(TableRep& rep, const SlotOps& ops);
/// Room for `count` elements at least, whatever is erased; all or nothing.
void ReserveTable(TableRep& rep, std::size_t count, const SlotOps& ops);
/// Elements are where their keys say no longer: keys were rewritten. Calls
/// moved(context, from, to) for each slot, in their old order. Elements are
/// lost where a hash throws.
void ReinsertAll(TableRep& rep, const SlotOps& ops,
                 void (*moved)(void* context, const void* from, void* to),
                 void* context);

/// An element of the table, and whether it is new. `took_value`: it is not, and
/// has got the value of the one that was to be inserted.
struct PlacedSlot {
  void* slot;
  bool is_new;
  bool took_value = false;
};
/// For an element whose key has come while another one with it was being made:
/// exchanges their values.
using TakeValue = void (*)(Arena& arena, void* element, void* made);
/// Moves an element that was made aside to where it belongs; where its key is
/// there by now, what it holds is given back. The same where there is no room.
PlacedSlot PlaceMade(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                     void* made, TakeValue take);
/// The same where its key was found to be absent, and nothing has run since.
PlacedSlot PlaceAbsent(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       void* made, TakeValue take);
/// Copies the bytes of an element that lies elsewhere to where it belongs, so
/// that its owner is to forget it. Null, and nothing done, where the table that
/// `from` watches, if any, has changed.
PlacedSlot PlaceTaken(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                      void* element, const Watched* from);

/// The first table of a container, for an element that is made in it. Given
/// back where Keep is not called.
class FirstTable {
 public:
  FirstTable(TableRep& rep, const SlotOps& ops);
  FirstTable(const FirstTable&) = delete;
  FirstTable& operator=(const FirstTable&) = delete;
  ~FirstTable() {
    if (rep_ != nullptr) GiveBack();
  }
  /// False where to get the memory has run code that gave the container one.
  bool is_in_use() const { return rep_ != nullptr; }
  void Keep() { rep_ = nullptr; }

 private:
  void GiveBack();

  TableRep* rep_;  // null: nothing is to be given back
  const SlotOps& ops_;
};

/// A full table that grows for an element. That is made in between: before the
/// others move, since it may be made from them; and after the memory for all of
/// them was got. Undone where Place is not called.
class Growing {
 public:
  /// `watched`: since the key was found to be absent.
  Growing(TableRep& rep, const SlotOps& ops, const Watched& watched);
  Growing(const Growing&) = delete;
  Growing& operator=(const Growing&) = delete;
  ~Growing() {
    if (!is_done_) GiveBack();
  }
  /// As PlaceMade.
  PlacedSlot Place(std::uint64_t hash, void* made, TakeValue take);

 private:
  void GiveBack();

  TableRep& rep_;
  const SlotOps& ops_;
  const Watched& watched_;
  const TableRep fresh_;
  bool is_done_ = false;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_REP_H_
