// SPDX-License-Identifier: MIT
//
// How a table of one group grows, to one or two groups, where the arena has a
// block at hand: most maps of real programs are small, and what the general way
// guards against cannot happen here. Elements come to lie as they do there.

#include <bit>
#include <cstring>

#include "acre/detail/blocks.h"
#include "acre/detail/table_rep.h"
#include "acre/failure.h"
#include "table_growth.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

/// Of two groups this is what tells.
SlotMask InSecondGroup(std::uint64_t hash) {
  return static_cast<SlotMask>(hash >> 63);
}

/// The slots of a full table of one group.
SlotMask AllOf(std::size_t limit) { return (SlotMask{1} << limit) - 1; }

/// Those elements that go to the second group. False where a hash has changed
/// the table.
bool FindSecond(const TableRep& rep, const SlotOps& ops, SlotMask* second) {
  const Watched watched(rep);
  std::uint64_t hashes[kGroupSlots];
  const std::size_t limit = rep.limit;
  if (ACRE_UNLIKELY(!ops.hash(rep, rep.slots, AllOf(limit), hashes) ||
                    !watched.IsUnchanged())) {
    return false;
  }
  SlotMask mask = 0;
  for (std::size_t i = limit; i-- > 0;) {
    mask = 2 * mask + InSecondGroup(hashes[i]);
  }
  *second = mask;
  return true;
}

/// In their order, to the lowest slots of a group.
template <class Slots>
void MoveToGroup(const TableRep& rep, std::size_t group, const Left& old,
                 Slots slots, SlotMask which) {
  std::uint8_t* control = rep.control + group;
  for (char* to = slots.Row(rep, group); which != 0; which &= which - 1) {
    const unsigned i = FirstSlot(which);
    *control++ = old.control[i];
    slots.Copy(to, slots.At(old.slots, i));
    to += slots.bytes();
  }
}

}  // namespace

void* StartSmallGrowth(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       SmallGrowth* growth) {
  Arena& arena = *rep.arena;
  if (rep.mask != 0 || Blocks::AreRecorded(arena)) return nullptr;
  const TableSize size = NextSmallSize(rep.limit, ops);
  SlotMask second = 0;
  std::size_t at = rep.limit;  // of one group all others go in front of it
  if (size.groups == 2) {
    if (!FindSecond(rep, ops, &second)) return nullptr;
    const auto in_second = static_cast<std::size_t>(std::popcount(second));
    const SlotMask group = InSecondGroup(hash);
    const std::size_t slot = group != 0 ? in_second : at - in_second;
    if (ACRE_UNLIKELY(slot == kGroupSlots)) return nullptr;  // goes further
    at = group * kGroupBytes + slot;
  }
  if (rep.has_table() && rep.stamp != arena.stamp()) return nullptr;
  const SlotShape& shape = ops.shape;
  void* const block =
      Blocks::TakeAtHand(arena, shape.table_bytes(size), shape.table_align());
  if (ACRE_UNLIKELY(block == nullptr)) return nullptr;
  *growth = {rep.slots, block, size, second, static_cast<std::uint32_t>(at)};
  const std::size_t index = at < kGroupBytes ? at : at - 1;
  return static_cast<char*>(block) + shape.control_bytes(size.groups) +
         index * shape.size;
}

void FinishSmallGrowth(TableRep& rep, const SlotOps& ops, std::uint64_t hash,
                       const SmallGrowth& growth) {
  const SlotShape& shape = ops.shape;
  ACRE_CHECK(
      rep.slots == growth.old,
      "%s: the move constructor of an element has changed the %s that it "
      "was made for",
      ops.what, ops.what);
  const Left old(rep);
  SetTable(rep, growth.block, growth.size, shape);
  std::memset(rep.control, 0, kGroupBytes);
  if (growth.size.groups == 2) {
    std::memset(rep.control + kGroupBytes, 0, kGroupBytes);
  }
  ++rep.size;
  if (old.slots != nullptr) {
    if (growth.size.groups == 1) {
      MoveGroup(rep, old, shape);
    } else {
      WithSlots(shape, [&](auto slots) {
        MoveToGroup(rep, 0, old, slots, AllOf(old.limit) & ~growth.second);
        MoveToGroup(rep, kGroupBytes, old, slots, growth.second);
      });
    }
    Blocks::Give(*rep.arena, old.control, shape.table_bytes({1, old.limit}),
                 shape.table_align(), nullptr);
  }
  Occupy(rep.control + growth.at / kGroupBytes * kGroupBytes,
         growth.at % kGroupBytes, hash);
}

}  // namespace acre::inline ACRE_ABI::detail
