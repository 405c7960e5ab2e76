// SPDX-License-Identifier: MIT
//
// TableCursor: the forward iterator of Map and Set. Points at the occupied
// slots left in one group. Internal to acre.

#ifndef ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_
#define ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <string_view>  // std::forward_iterator_tag: <iterator> is heavy
#include <type_traits>

#include "acre/config.h"
#include "acre/detail/group.h"

namespace acre::inline ACRE_ABI::detail {

template <class Slot, class Value>
class TableCursor {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = std::remove_const_t<Value>;
  using difference_type = std::ptrdiff_t;
  using pointer = Value*;
  using reference = Value&;

  TableCursor() = default;
  /// `mask`: slots of `group` that are still to come, the first of them being
  /// where it is. It may leave out later ones: finding an element shall not
  /// have to look at its neighbours. The end has group == end and none.
  TableCursor(const std::uint8_t* group, const std::uint8_t* end, Slot* row,
              SlotMask mask)
      : group_(group), end_(end), row_(row), mask_(mask) {}
  template <class Other>
  requires(std::is_const_v<Value> && !std::is_const_v<Other>) TableCursor(
      const TableCursor<Slot, Other>& other)  // NOLINT: to const_iterator
      : TableCursor(other.group_, other.end_, other.row_, other.mask_) {}

  Value& operator*() const { return row_[slot()]; }
  Value* operator->() const { return &**this; }
  TableCursor& operator++() {
    do {
      const SlotMask rest = mask_ & (mask_ - 1);
      if (ACRE_UNLIKELY(rest == 0)) {
        LeaveGroup();
        return *this;
      }
      mask_ = rest;
      // Elements behind the last one may have been erased since. A byte is
      // looked at, off the way from element to element.
    } while (ACRE_UNLIKELY(group_[slot()] == 0));
    return *this;
  }
  TableCursor operator++(int) {
    TableCursor old = *this;
    ++*this;
    return old;
  }
  friend bool operator==(const TableCursor& a, const TableCursor& b) {
    const auto lowest = [](SlotMask mask) { return mask & (0u - mask); };
    return a.group_ == b.group_ && lowest(a.mask_) == lowest(b.mask_);
  }

  /// Its group, and its slot there. Requires: not the end.
  const std::uint8_t* group() const { return group_; }
  std::size_t slot() const {
    ACRE_ASSUME(mask_ != 0);
    return FirstSlot(mask_);
  }
  /// To the next element where its group has none left.
  void SkipEmpty() {
    if (mask_ == 0) NextGroup();
  }

 private:
  template <class, class>
  friend class TableCursor;

  /// From the last slot in the mask, which has one bit left, to one that the
  /// mask left out, or on.
  void LeaveGroup() {
    mask_ = Used(group_) & (0u - 2 * mask_);
    if (mask_ == 0) NextGroup();
  }

  void NextGroup() {
    do {
      group_ += kGroupBytes;
      row_ += kGroupSlots;
      if (group_ == end_) {
        mask_ = 0;
        return;
      }
      mask_ = Used(group_);
    } while (mask_ == 0);
    // Rows are longer than the hardware looks ahead.
    const char* ahead = reinterpret_cast<const char*>(row_ + 2 * kGroupSlots);
    for (std::size_t i = 0; i < kGroupSlots * sizeof(Slot); i += 64) {
      __builtin_prefetch(ahead + i);
    }
  }

  const std::uint8_t* group_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  Slot* row_ = nullptr;  // of group_
  SlotMask mask_ = 0;    // 0 at the end only
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_CONTAINERS_DETAIL_TABLE_CURSOR_H_
