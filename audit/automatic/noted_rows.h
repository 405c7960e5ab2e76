// SPDX-License-Identifier: MIT
//
// ForEachNotedRow: the objects that lie in pages with certain notes, those of
// New and NewArray and the elements of containers, however their storage is
// held. With the world stopped. In release builds nothing but audited pages is
// looked at: elsewhere what is spare in storage, or still to be made, is not
// filled, and may be anything.

#ifndef ACRE_AUDIT_AUTOMATIC_NOTED_ROWS_H_
#define ACRE_AUDIT_AUTOMATIC_NOTED_ROWS_H_

#include <algorithm>
#include <cstddef>

#include "acre/config.h"
#include "acre/detail/changed_pages.h"
#include "acre/detail/fill.h"
#include "acre/type_layout.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// What lies in a block: the type of its objects, or null.
inline const TypeLayout* ElementOf(const BlockView& block) {
  return block.table != nullptr ? block.table->element() : block.type;
}

/// Calls visit(begin, count, row) for objects of a block of which at least a
/// part lies in [from, to). `row` is where their numbers begin. What is spare
/// in the storage of a Vector is filled, and leads nowhere.
template <class Visit>
void ForEachRowIn(const BlockView& block, const char* from, const char* to,
                  Visit visit) {
  const std::size_t size = block.type->size;
  char* at = block.begin;
  if (from > at) {
    at += static_cast<std::size_t>(from - at) / size * size;
  }
  const char* const end =
      std::min<const char*>(to, block.begin + block.bytes / size * size);
  if (at >= end) return;
  const std::size_t count = (static_cast<std::size_t>(end - at) - 1) / size + 1;
  if (!block.is_storage) return visit(at, count, block.begin);
  for (std::size_t i = 0; i < count; ++i, at += size) {
    if (!IsFilled(at, size)) visit(at, 1, block.begin);
  }
}

/// The same for the entries in the storage of a table: all of them.
template <class Visit>
void ForEachEntryIn(const BlockView& block, Visit visit) {
  std::size_t cursor = 0;
  for (;;) {
    const ElementRun run =
        block.table->ops->next_in_storage(block.begin, block.bytes, &cursor);
    if (run.data == nullptr) return;
    auto* const data = static_cast<char*>(const_cast<void*>(run.data));
    visit(data, run.count, data);
  }
}

/// Calls visit(run) for the elements that lie, at least in part, in what is
/// audited.
template <class Visit>
void ForEachAudited(const Arena& arena, ElementRun run, std::size_t size,
                    Visit visit) {
  if constexpr (kChecked) return visit(run);  // all is
  const auto* const begin = static_cast<const char*>(run.data);
  const char* part = begin;
  const char* end = nullptr;
  for (; NextAudited(arena, &part, begin + run.count * size, &end);
       part = end) {
    const std::size_t first = static_cast<std::size_t>(part - begin) / size;
    const std::size_t last =
        (static_cast<std::size_t>(end - begin) + size - 1) / size;
    visit({begin + first * size, last - first});
    end = std::max(end, begin + last * size);
  }
}

/// Calls visit(block, type, begin, count, row) for those of types of which
/// is_wanted(type) is true.
template <class IsWanted, class Visit>
void ForEachNotedRow(NotedBlocks& blocks, IsWanted is_wanted, Visit visit) {
  BlockView block;
  const char* last_table = nullptr;
  while (blocks.Next(&block)) {
    if (block.is_freed) continue;
    const TypeLayout* const type = ElementOf(block);
    if (type == nullptr || !is_wanted(*type)) continue;
    const auto visit_row = [&](char* begin, std::size_t count,
                               const char* row) {
      ForEachAudited(blocks.arena(), {begin, count}, type->size,
                     [&](ElementRun run) {
                       char* const at =
                           begin + (static_cast<const char*>(run.data) - begin);
                       visit(block, *type, at, run.count, row);
                     });
    };
    if (block.table == nullptr) {
      ForEachRowIn(block, blocks.row_begin(), blocks.row_end(), visit_row);
    } else if (block.begin != last_table) {
      // It comes once for each row of pages, and is gone through once.
      last_table = block.begin;
      ForEachEntryIn(block,
                     [&](char* begin, std::size_t count, const char* row) {
                       if (blocks.IsNoted(begin, begin + count * type->size)) {
                         visit_row(begin, count, row);
                       }
                     });
    }
  }
}

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_AUTOMATIC_NOTED_ROWS_H_
