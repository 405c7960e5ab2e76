// SPDX-License-Identifier: MIT

#include "acre/detail/around_fork.h"

#include <atomic>
#include <cstddef>
#include <new>

#if defined(__unix__)
#include <pthread.h>
#endif

#include "core/commons.h"
#include "core/this_thread.h"

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kRanks = static_cast<std::size_t>(LockRank::kCount);
constexpr std::size_t kRenewed = 8;
constexpr std::size_t kCopies = 16;  // of acre, that have a lock of that rank
std::atomic<std::mutex*> g_renewed[kRenewed];

/// Of all copies of acre, each of which has its handlers called around one
/// fork: the first takes all locks, in one order, the last lets them go.
struct Fork {
  std::atomic<std::mutex*> taken[kRanks][kCopies];
  std::mutex turn;  // one fork at a time; locks join and leave between forks
  std::atomic<const void*> forker{nullptr};
  unsigned depth = 0;  // the forker's
};

Fork& TheFork() {
  static Fork& fork = Common<Fork>("fork." ACRE_ABI_TEXT, sizeof(Fork));
  return fork;
}

#if defined(__unix__)

void BeforeFork() {
  Fork& fork = TheFork();
  if (fork.forker.load() != ThisThread()) {
    fork.turn.lock();
    fork.forker.store(ThisThread());
    for (const auto& rank : fork.taken) {
      for (const auto& lock : rank) {
        if (std::mutex* const known = lock.load()) known->lock();
      }
    }
  }
  ++fork.depth;
}

void AfterFork() {
  Fork& fork = TheFork();
  if (--fork.depth != 0) return;
  for (std::size_t rank = kRanks; rank-- > 0;) {
    for (std::size_t i = kCopies; i-- > 0;) {
      if (std::mutex* const lock = fork.taken[rank][i].load()) lock->unlock();
    }
  }
  fork.forker.store(nullptr);
  fork.turn.unlock();
}

void AfterForkInChild() {
  AfterFork();
  for (const auto& lock : g_renewed) {
    if (std::mutex* held = lock.load()) ::new (held) std::mutex;
  }
}

void Install() {
  static const bool installed = [] {
    TheFork();  // handlers must not allocate
    return pthread_atfork(&BeforeFork, &AfterFork, &AfterForkInChild) == 0;
  }();
  static_cast<void>(installed);
}

#else

void Install() {}

#endif

}  // namespace

void TakeAroundFork(std::mutex& lock, LockRank rank) {
  Install();
  Fork& fork = TheFork();
  // Not while a fork has taken those that it knew: this one would be locked in
  // the child where another thread uses it at once.
  const std::lock_guard<std::mutex> hold(fork.turn);
  for (auto& place : fork.taken[static_cast<std::size_t>(rank)]) {
    std::mutex* free = nullptr;
    if (place.compare_exchange_strong(free, &lock) || free == &lock) return;
  }
}

void LeaveForks() noexcept {
  Fork& fork = TheFork();
  const std::lock_guard<std::mutex> hold(fork.turn);
  for (auto& rank : fork.taken) {
    for (auto& place : rank) {
      std::mutex* const lock = place.load();
      if (lock != nullptr && IsOfThisModule(lock)) place.store(nullptr);
    }
  }
}

void RenewAfterFork(std::mutex& lock) {
  Install();
  for (auto& place : g_renewed) {
    std::mutex* free = nullptr;
    if (place.compare_exchange_strong(free, &lock) || free == &lock) return;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
