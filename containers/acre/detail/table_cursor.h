// SPDX-License-Identifier: MIT
//
// TableCursor: the forward iterator of Map and Set. Knows the occupied slots
// that are left in a block of up to four groups, one bit each. Internal to
// acre.
//
// Elements ahead may be erased, so what it knows can become wrong: Arena counts
// erasures, and a cursor that finds another count than it remembers reads the
// block again (in vain where another table erased). One comparison an element;
// looking at its control byte would cost half as much again, as slots lie 15 a
// group and control bytes 16.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/group.h"
#include "acre/detail/iterators.h"

namespace acre::inline ACRE_ABI::detail {

/// Slots of a block of groups, a bit each.
using BlockMask = std::uint64_t;
inline constexpr std::ptrdiff_t kBlockGroups = 4;
inline constexpr std::ptrdiff_t kBlockBytes = kBlockGroups * kGroupBytes;
inline constexpr std::ptrdiff_t kBlockSlots = kBlockGroups * kGroupSlots;
static_assert(kBlockSlots <= 64 && kBlockSlots <= kMaxRowSlots);

/// The occupied slots of the block that begins with `group`: four groups, or
/// as far as `end`.
BlockMask UsedInBlock(const std::uint8_t* group, const std::uint8_t* end);

template <class Slot, class Value>
class TableCursor {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = std::remove_const_t<Value>;
  using difference_type = std::ptrdiff_t;
  using pointer = Value*;
  using reference = Value&;

  TableCursor() = default;  // the end of every table
  /// At slot `slot` of `group`, whose slots begin at `row`. What lies ahead it
  /// asks when it gets there: finding shall not have to look at neighbours.
  static TableCursor At(const Arena& arena, const std::uint8_t* group,
                        const std::uint8_t* end, Slot* row, unsigned slot) {
    TableCursor cursor(arena, group, end, row, kUnknown);
    cursor.slot_ = row + slot;
    cursor.left_ = BlockMask{1} << slot;
    return cursor;
  }
  /// At the first element from `group` on.
  static TableCursor First(const Arena& arena, const std::uint8_t* group,
                           const std::uint8_t* end, Slot* row) {
    TableCursor cursor(arena, group, end, row, arena.erasures());
    cursor.left_ = UsedInBlock(group, end);
    cursor.ToFirst();
    return cursor;
  }
  template <class Other>
  requires(std::is_const_v<Value> && !std::is_const_v<Other>) TableCursor(
      const TableCursor<Slot, Other>& other)  // NOLINT: to const_iterator
      : slot_(other.slot_),
        row_(other.row_),
        left_(other.left_),
        group_(other.group_),
        end_(other.end_),
        arena_(other.arena_),
        known_(other.known_) {}

  /// Of an element that the table lets change.
  using MutableCursor = TableCursor<Slot, std::remove_const_t<Value>>;
  MutableCursor Mutable() const {
    MutableCursor cursor;
    cursor.slot_ = slot_;
    cursor.row_ = row_;
    cursor.left_ = left_;
    cursor.group_ = group_;
    cursor.end_ = end_;
    cursor.arena_ = arena_;
    cursor.known_ = known_;
    return cursor;
  }

  Value& operator*() const { return *slot_; }
  Value* operator->() const { return slot_; }
  TableCursor& operator++() {
    if (ACRE_UNLIKELY(arena_->erasures() != known_)) AskAgain();
    left_ &= left_ - 1;
    ToFirst();
    return *this;
  }
  TableCursor operator++(int) {
    TableCursor old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const TableCursor& a, const TableCursor& b) {
    return a.slot_ == b.slot_;
  }

  /// Null at the end.
  const Slot* slot() const { return slot_; }
  /// Its own element was erased, which is no news of those ahead. One more, and
  /// not the count of now: a cursor that others have made stale stays so.
  void KnowErasure() { ++known_; }

 private:
  template <class, class>
  friend class TableCursor;

  TableCursor(const Arena& arena, const std::uint8_t* group,
              const std::uint8_t* end, Slot* row, std::uint64_t known)
      : row_(row), group_(group), end_(end), arena_(&arena), known_(known) {}

  void ToFirst() {
    while (ACRE_UNLIKELY(left_ == 0)) {
      if (end_ - group_ <= kBlockBytes) {
        slot_ = nullptr;
        return;
      }
      group_ += kBlockBytes;
      row_ += kBlockSlots;
      left_ = UsedInBlock(group_, end_);
      Prefetch();
    }
    slot_ = InRow(row_, static_cast<unsigned>(std::countr_zero(left_)));
    ACRE_ASSUME(slot_ != nullptr);
  }

  void AskAgain() {
    const BlockMask at = BlockMask{1} << (slot_ - row_);
    left_ = (UsedInBlock(group_, end_) | at) & (0 - at);
    known_ = arena_->erasures();
  }

  // As many slots as a block has, from the middle of the next block on: the
  // hardware does not look so far ahead. Not where what is left of the table
  // fits a cache, nor where an element is long enough for the hardware to see.
  void Prefetch() const {
    if constexpr (sizeof(Slot) <= 256) {
      if (end_ - group_ < kFarBytes) return;
      const char* ahead =
          reinterpret_cast<const char*>(row_ + kBlockSlots * 3 / 2);
      for (std::size_t i = 0; i < kBlockSlots * sizeof(Slot); i += 64) {
        __builtin_prefetch(ahead + i);
      }
    }
  }

  // Control bytes of 4 MiB of slots: a thousand groups at least.
  static constexpr std::ptrdiff_t kFarBytes =
      (std::size_t{4} << 20) / (kGroupSlots * sizeof(Slot)) * kGroupBytes;

  // No arena's count, and one more is none's either that has erased anything.
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  Slot* slot_ = nullptr;  // where it is; null at the end
  Slot* row_ = nullptr;   // of group_
  BlockMask left_ = 0;    // from slot_ on; later ones may be missing
  const std::uint8_t* group_ = nullptr;  // the first of the block
  const std::uint8_t* end_ = nullptr;
  const Arena* arena_ = nullptr;
  std::uint64_t known_ = 0;  // the arena's erasures while left_ is complete
};

/// The element at `at` and what is behind it, for equal_range.
template <class Cursor>
std::pair<Cursor, Cursor> RangeOf(Cursor at) {
  Cursor behind = at;
  if (at != Cursor()) ++behind;
  return {at, behind};
}

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_
