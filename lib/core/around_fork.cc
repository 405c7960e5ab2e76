// SPDX-License-Identifier: MIT

#include "acre/detail/around_fork.h"

#include <atomic>
#include <cstddef>
#include <new>

#if defined(__unix__)
#include <pthread.h>
#endif

namespace acre::inline ACRE_ABI::detail {
namespace {

constexpr std::size_t kRanks = static_cast<std::size_t>(LockRank::kCount);
constexpr std::size_t kRenewed = 8;
std::atomic<std::mutex*> g_taken[kRanks];
std::atomic<std::mutex*> g_renewed[kRenewed];

#if defined(__unix__)

// Those that this fork has taken: one may join while it runs.
std::mutex* g_held[kRanks];

void BeforeFork() {
  for (std::size_t i = 0; i < kRanks; ++i) {
    g_held[i] = g_taken[i].load();
    if (g_held[i] != nullptr) g_held[i]->lock();
  }
}

void AfterFork() {
  for (std::size_t i = kRanks; i-- > 0;) {
    if (g_held[i] != nullptr) g_held[i]->unlock();
  }
}

void AfterForkInChild() {
  AfterFork();
  for (const auto& lock : g_renewed) {
    if (std::mutex* held = lock.load()) ::new (held) std::mutex;
  }
}

void Install() {
  static const bool installed = [] {
    return pthread_atfork(&BeforeFork, &AfterFork, &AfterForkInChild) == 0;
  }();
  static_cast<void>(installed);
}

#else

void Install() {}

#endif

}  // namespace

void TakeAroundFork(std::mutex& lock, LockRank rank) {
  std::atomic<std::mutex*>& place = g_taken[static_cast<std::size_t>(rank)];
  if (place.load(std::memory_order_relaxed) == &lock) return;
  Install();
  place.store(&lock);
}

void RenewAfterFork(std::mutex& lock) {
  Install();
  for (auto& place : g_renewed) {
    std::mutex* free = nullptr;
    if (place.compare_exchange_strong(free, &lock) || free == &lock) return;
  }
}

}  // namespace acre::inline ACRE_ABI::detail
