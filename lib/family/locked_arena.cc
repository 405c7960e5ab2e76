// SPDX-License-Identifier: MIT

#include "acre/locked_arena.h"

#include "acre/failure.h"
#include "core/this_thread.h"

namespace acre::inline ACRE_ABI::detail {

bool Gate::TryEnter() {
  const void* const me = ThisThread();
  const void* owner = nullptr;
  if (owner_.compare_exchange_strong(owner, me) || owner == me) {
    ++depth_;
    return true;
  }
  return false;
}

void Gate::Lock() {
  if (ACRE_LIKELY(TryEnter())) return;
  Wait(nullptr);
}

WaitStatus Gate::LockUntil(const WaitLimit& limit) {
  if (limit.stop().stop_requested()) return WaitStatus::kCancelled;
  if (ACRE_LIKELY(TryEnter())) return WaitStatus::kReady;
  return Wait(&limit);
}

// Who waits first says so and then tries once more; who leaves first frees the
// gate and then looks for waiters. So either sees the other.
WaitStatus Gate::Wait(const WaitLimit* limit) {
  std::unique_lock hold(lock_);
  waiting_.fetch_add(1);
  const auto enter = [this] { return TryEnter(); };
  bool entered = true;
  if (limit == nullptr) {
    change_.wait(hold, enter);
  } else if (!limit->has_deadline()) {
    entered = change_.wait(hold, limit->stop(), enter);
  } else {
    entered = change_.wait_until(hold, limit->stop(), limit->deadline(), enter);
  }
  waiting_.fetch_sub(1);
  if (entered) return WaitStatus::kReady;
  return limit->stop().stop_requested() ? WaitStatus::kCancelled
                                        : WaitStatus::kTimeout;
}

void Gate::Unlock() {
  ACRE_DCHECK(owner_.load() == ThisThread() && depth_ != 0);
  if (--depth_ != 0) return;
  owner_.store(nullptr);
  if (ACRE_LIKELY(waiting_.load() == 0)) return;
  // Holding the lock here means that a waiter is asleep, or has not tried yet.
  { const std::lock_guard hold(lock_); }
  change_.notify_one();
}

}  // namespace acre::inline ACRE_ABI::detail
