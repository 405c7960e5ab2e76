// SPDX-License-Identifier: MIT
//
// ForEachTableRun: the elements of a Map or Set, as rows as long as they come.
// TypeOps::next_run tells them one by one, each by a call. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_TABLE_RUNS_H_
#define ACRE_CONTAINERS_COPY_TABLE_RUNS_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/detail/group.h"
#include "acre/detail/table_rep.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Calls visit(ElementRun) for slots in a row that have elements, by address.
/// `storage`: a table, and its bytes.
template <class Visit>
void ForEachTableRun(const ElementRun& storage, SlotShape shape, Visit visit) {
  const auto* group = static_cast<const std::uint8_t*>(storage.data);
  const std::size_t groups = shape.groups_in(storage.count);
  const auto* slots =
      static_cast<const char*>(storage.data) + shape.control_bytes(groups);
  for (std::size_t i = 0; i < groups; ++i, group += kGroupBytes) {
    const char* at = slots + i * kGroupSlots * shape.size;
    for (SlotMask used = ~Free(group) & kGroupMask; used != 0;) {
      const unsigned first = FirstSlot(used);
      const auto count = static_cast<unsigned>(std::countr_one(used >> first));
      visit(ElementRun{at + first * shape.size, count});
      used &= ~0u << (first + count);
    }
  }
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_TABLE_RUNS_H_
