// SPDX-License-Identifier: MIT

#include "saved/saved_copy.h"

#include <algorithm>

#include "copy/graph_copier.h"

namespace acre::inline ACRE_ABI::detail {

bool SavedCopy::Run(const Arena& arena, const void* root, const SavedHome& home,
                    Arena& copy) {
  GraphCopier copier(copy, &arena);
  if (!copier.Run(*plans_.root().type, root)) return false;
  const auto offset_of = [&](const void* address) {
    return static_cast<std::size_t>(static_cast<const char*>(address) -
                                    home.image());
  };
  std::vector<std::uint32_t> numbers;  // of types, by those of the copier
  const auto number_of = [&](const CopyPlan& plan) {
    constexpr std::uint32_t kUnknown = UINT32_MAX;
    if (numbers.size() <= plan.number)
      numbers.resize(plan.number + 1, kUnknown);
    std::uint32_t& number = numbers[plan.number];
    if (number == kUnknown) number = plans_.Of(*plan.type).number;
    return number;
  };
  copier.ForEachCopy([&](const char* block, std::size_t bytes,
                         CopyNote::Kind kind, const CopyPlan& plan) {
    SavedBlock saved{offset_of(block), bytes, number_of(plan)};
    if (kind == CopyNote::Kind::kStorage) {
      saved.kind =
          plan.is_table ? SavedBlockKind::kTable : SavedBlockKind::kRow;
    }
    blocks_.push_back(saved);
  });
  const auto is_before = [](const SavedBlock& a, const SavedBlock& b) {
    return a.offset < b.offset;
  };
  if (!std::is_sorted(blocks_.begin(), blocks_.end(), is_before)) {
    std::sort(blocks_.begin(), blocks_.end(), is_before);
  }
  root_ = offset_of(copier.copy());
  bytes_ = kChunkHeader + copy.stats().current_used;
  return true;
}

}  // namespace acre::inline ACRE_ABI::detail
