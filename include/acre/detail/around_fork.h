// SPDX-License-Identifier: MIT
//
// fork: locks of the process. A child has one thread; a lock that another one
// held at that moment would stay held for ever. Internal to acre.

#ifndef ACRE_DETAIL_AROUND_FORK_H_
#define ACRE_DETAIL_AROUND_FORK_H_

#include <cstdint>
#include <mutex>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// In the order in which a thread may take several of them.
enum class LockRank : std::uint8_t {
  kAudit,
  kLateThrow,
  kIndex,
  kLife,
  kHomes,
  kCount
};

/// From now on the lock is taken before fork, and let go after it in parent and
/// child: what it guards is whole there. Requires: nothing that waits for
/// another lock than one of a higher rank, for libgc, or for user code is done
/// under it. Idempotent. Any thread. Waits for a fork that runs, so no lock
/// of acre may be held: call it when the module is loaded.
void TakeAroundFork(std::mutex& lock, LockRank rank);

/// From now on the lock is made anew in a child. For locks under which libgc is
/// called; what they guard has to be whole at any moment.
void RenewAfterFork(std::mutex& lock);

/// This module is about to be unloaded: forks no longer take locks that lie in
/// it. Waits for one that runs. (The C library forgets its handlers by itself.)
void LeaveForks() noexcept;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_AROUND_FORK_H_
