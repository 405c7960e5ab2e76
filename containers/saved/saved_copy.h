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
  /// `may_drop`: what is borrowed becomes null.
  SavedCopy(const SavedPlans& plans, bool may_drop)
      : plans_(plans), may_drop_(may_drop) {}
  SavedCopy(const SavedCopy&) = delete;
  SavedCopy& operator=(const SavedCopy&) = delete;

  /// `copy`: the arena of the home, with nothing in it. False where it cannot
  /// be done so; what is in the home then has no meaning.
  bool Run(const Arena& arena, const void* root, SavedHome& home, Arena& copy);

  /// Of the image: how long it is, where the root lies in it, and its blocks.
  std::size_t bytes() const { return bytes_; }
  std::size_t root() const { return root_; }
  const std::vector<SavedBlock>& blocks() const { return blocks_; }

 private:
  bool MendAll();
  bool Mend(const SavedPlan& plan, char* object);
  bool MendStep(const SavedPlan& plan, const SavedStep& step, char* slot);
  bool MendRow(const SavedPlan& plan, char* data, std::size_t count);

  const SavedPlans& plans_;
  const bool may_drop_;
  SavedHome* home_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t root_ = 0;
  std::vector<SavedBlock> blocks_;
};

/// The groups that empty tables look into lie in the home as well.
void MendEmptyTable(const SavedHome& home, char* table);

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_COPY_H_
