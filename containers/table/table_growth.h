// SPDX-License-Identifier: MIT
//
// What the two ways of growing share: elements of which only the size is known
// are moved, and hashes may run anything meanwhile. Internal to acre.

#ifndef ACRE_CONTAINERS_TABLE_TABLE_GROWTH_H_
#define ACRE_CONTAINERS_TABLE_TABLE_GROWTH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/table_rep.h"

#pragma GCC visibility push(hidden)

namespace acre::inline ACRE_ABI::detail {

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

/// Calls move(SlotCopier<...>): the usual pairs and handles; other sizes take a
/// few percent longer.
template <class Move>
auto WithSlots(SlotShape shape, const Move& move) {
  // clang-format off
  switch (shape.size) {
    case 4: return move(SlotCopier<4>(shape));
    case 8: return move(SlotCopier<8>(shape));
    case 16: return move(SlotCopier<16>(shape));
    case 24: return move(SlotCopier<24>(shape));
    case 32: return move(SlotCopier<32>(shape));
    case 40: return move(SlotCopier<40>(shape));
    default: return move(SlotCopier<0>(shape));
  }
  // clang-format on
}

/// A table that is left, by single words: what has just been written by words
/// is slow to read by two of them at once.
struct Left {
  explicit Left(const TableRep& rep)
      : control(rep.control),
        slots(static_cast<char*>(rep.slots)),
        limit(rep.limit) {}
  std::uint8_t* const control;
  char* const slots;
  const std::size_t limit;
};

/// From one group to one group: every element keeps its slot.
inline void MoveGroup(const TableRep& rep, const Left& old, SlotShape shape) {
  std::memcpy(rep.control, old.control, kGroupBytes);
  std::memcpy(rep.slots, old.slots, old.limit * shape.size);
}

/// The size of a table of one group at most after it has grown.
inline TableSize NextSmallSize(std::size_t limit, const SlotOps& ops) {
  const std::size_t next = ops.limits.after[limit];
  return next != 0 ? TableSize{1, next} : TableSize{2, LimitOf(2)};
}

}  // namespace acre::inline ACRE_ABI::detail

#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_TABLE_TABLE_GROWTH_H_
