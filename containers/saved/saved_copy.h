// SPDX-License-Identifier: MIT
//
// SavedCopy: the quick way to an image: a deep copy into the home, by the
// engine that goes through memory by address. It cannot do everything, and
// tells no reasons; SavedFinder and SavedWriter do the rest. Internal to acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_COPY_H_
#define ACRE_CONTAINERS_SAVED_SAVED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "saved/saved_blocks.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class SavedCopy {
 public:
  explicit SavedCopy(const SavedPlans& plans) : plans_(plans) {}
  SavedCopy(const SavedCopy&) = delete;
  SavedCopy& operator=(const SavedCopy&) = delete;

  /// `copy`: the arena of the home, with nothing in it. False where it cannot
  /// be done so; what is in the home then has no meaning.
  bool Run(const Arena& arena, const void* root, const SavedHome& home,
           Arena& copy);

  /// Of the image: how long it is, where the root lies in it, and its blocks.
  std::size_t bytes() const { return bytes_; }
  std::size_t root() const { return root_; }
  const std::vector<SavedBlock>& blocks() const { return blocks_; }

 private:
  const SavedPlans& plans_;
  std::size_t bytes_ = 0;
  std::size_t root_ = 0;
  std::vector<SavedBlock> blocks_;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_COPY_H_
