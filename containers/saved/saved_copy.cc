// SPDX-License-Identifier: MIT

#include "saved/saved_copy.h"

namespace acre::inline ACRE_ABI::detail {

bool SavedCopy::Run(const void* root) {
  return copier_.Run(*plans_.root().type, root);
}

std::size_t SavedCopy::bytes() const {
  return kChunkHeader + copy_.stats().current_used;
}

std::uint32_t SavedCopy::NumberOf(const CopyPlan& plan) {
  constexpr std::uint32_t kUnknown = UINT32_MAX;
  if (numbers_.size() <= plan.number) {
    numbers_.resize(plan.number + 1, kUnknown);
  }
  std::uint32_t& number = numbers_[plan.number];
  if (number == kUnknown) number = plans_.Of(*plan.type).number;
  return number;
}

}  // namespace acre::inline ACRE_ABI::detail
