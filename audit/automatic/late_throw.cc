// SPDX-License-Identifier: MIT

#include "automatic/late_throw.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <utility>

#include "acre/detail/around_fork.h"

namespace acre::inline ACRE_ABI::detail {

#if ACRE_EXCEPTIONS

namespace {

constinit std::mutex g_thrown_lock;
// On the heap and never destroyed: it may be asked for at exit.
std::exception_ptr* g_thrown = nullptr;
std::atomic<bool> g_has_thrown{false};

__attribute__((constructor)) void TakeThrownLockAroundFork() {
  TakeAroundFork(g_thrown_lock, LockRank::kLateThrow);
}

}  // namespace

void KeepThrown() noexcept {
  const std::lock_guard<std::mutex> hold(g_thrown_lock);
  // NOLINTNEXTLINE(bugprone-throw-keyword-missing): the pointer, not a throw
  if (g_thrown == nullptr) g_thrown = new (std::nothrow) std::exception_ptr;
  if (g_thrown == nullptr) return;  // no memory to tell of it later
  if (!*g_thrown) *g_thrown = std::current_exception();
  g_has_thrown.store(true);
}

void ThrowLate() {
  if (!g_has_thrown.load()) return;
  std::exception_ptr thrown;
  {
    const std::lock_guard<std::mutex> hold(g_thrown_lock);
    std::swap(thrown, *g_thrown);
    g_has_thrown.store(false);
  }
  if (thrown) std::rethrow_exception(thrown);
}

#else

void KeepThrown() noexcept {}
void ThrowLate() {}

#endif

}  // namespace acre::inline ACRE_ABI::detail
