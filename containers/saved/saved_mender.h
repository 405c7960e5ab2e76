// SPDX-License-Identifier: MIT
//
// SavedMender: takes out of an image what no file may have: fields that mean
// nothing elsewhere, what is left of elements that were erased, padding, and
// the addresses of this process. Equal worlds make equal images. Internal to
// acre.

#ifndef ACRE_CONTAINERS_SAVED_SAVED_MENDER_H_
#define ACRE_CONTAINERS_SAVED_SAVED_MENDER_H_

#include <cstddef>

#include "acre/arena.h"
#include "acre/config.h"
#include "saved/saved_blocks.h"
#include "saved/saved_home.h"
#include "saved/saved_plan.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

class SavedMender {
 public:
  /// `may_drop`: what is borrowed becomes null.
  SavedMender(const SavedPlans& plans, SavedHome& home, Arena& arena,
              bool may_drop)
      : plans_(plans), home_(home), arena_(arena), may_drop_(may_drop) {}
  SavedMender(const SavedMender&) = delete;
  SavedMender& operator=(const SavedMender&) = delete;

  /// False where a field that is borrowed leads somewhere and may not be
  /// dropped: one of a key never.
  bool Mend(const SavedBlock& block);

 private:
  bool MendTable(const SavedPlan& plan, char* storage, std::size_t bytes);
  bool MendRow(const SavedPlan& plan, char* data, std::size_t count);
  bool MendObject(const SavedPlan& plan, char* object);
  bool MendStep(const SavedPlan& plan, const SavedStep& step, char* slot);

  const SavedPlans& plans_;
  SavedHome& home_;
  Arena& arena_;  // of the home
  const bool may_drop_;
  const char* key_begin_ = nullptr;  // of the element that is mended
  const char* key_end_ = nullptr;
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_SAVED_SAVED_MENDER_H_
