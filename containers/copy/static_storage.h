// SPDX-License-Identifier: MIT
//
// StaticStorage: which pointers a deep copy keeps as they are, because what
// they lead to lives as long as the program. Internal to acre.

#ifndef ACRE_CONTAINERS_COPY_STATIC_STORAGE_H_
#define ACRE_CONTAINERS_COPY_STATIC_STORAGE_H_

#include <optional>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/gc_query.h"
#include "acre/detail/process_map.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// What becomes of objects that a copy meets in no arena.
enum class OutsideArenas { kIsCopied, kStays };

class StaticStorage {
 public:
  /// The cheap questions come first.
  bool Holds(const void* address) {
    if (ArenaOf(address) != nullptr || CollectedBase(address) != nullptr) {
      return false;
    }
    if (!process_) process_.emplace();
    return process_->IsStatic(address);
  }

 private:
  std::optional<ProcessMap> process_;  // made at first need
};

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_CONTAINERS_COPY_STATIC_STORAGE_H_
