// SPDX-License-Identifier: MIT

#include "acre/arena_pool.h"

#include "acre/failure.h"

namespace acre::inline ACRE_ABI {
namespace {

// Two threads' arenas share no cache line, nor a pair of them that is fetched
// together.
struct alignas(128) PooledArena : Arena {
  using Arena::Arena;
};

void Delete(Arena* arena) { delete static_cast<PooledArena*>(arena); }

}  // namespace

// Numbers threads as they come: with no more threads than slots, each has one
// of its own.
std::size_t ArenaPool::SlotOfThread() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t number =
      next.fetch_add(1, std::memory_order_relaxed);
  return number % kSlots;
}

ArenaPool::ArenaPool(const ArenaPoolOptions& options) : options_(options) {
  options_.arena.retain_limit = options.retain_limit;
  idle_.reserve(options.max_idle);
}

ArenaPool::~ArenaPool() {
  const std::size_t leased = stats().leased;
  ACRE_CHECK(leased == 0, "an ArenaPool ends before %zu of its leases", leased);
  Trim();
}

Arena* ArenaPool::Take() {
  Slot& slot = slots_[SlotOfThread()];
  Arena* arena = slot.idle.exchange(nullptr, std::memory_order_acquire);
  if (ACRE_UNLIKELY(arena == nullptr)) arena = TakeElsewhere();
  slot.taken.fetch_add(1, std::memory_order_relaxed);
  return arena;
}

/// From the list, from other threads' slots, or a new one.
Arena* ArenaPool::TakeElsewhere() {
  {
    const std::lock_guard hold(lock_);
    if (!idle_.empty()) {
      Arena* arena = idle_.back();
      idle_.pop_back();
      return arena;
    }
  }
  for (Slot& slot : slots_) {
    if (slot.idle.load(std::memory_order_relaxed) == nullptr) continue;
    if (Arena* arena = slot.idle.exchange(nullptr, std::memory_order_acquire)) {
      return arena;
    }
  }
  Arena* arena = new PooledArena(options_.arena);
  made_.fetch_add(1, std::memory_order_relaxed);
  return arena;
}

void ArenaPool::Give(Arena* arena) noexcept {
  arena->HandOver();
  arena->Reset(options_.reset);
  arena->set_byte_limit(options_.arena.byte_limit);
  arena->HandOver();
  Slot& slot = slots_[SlotOfThread()];
  slot.given.fetch_add(1, std::memory_order_relaxed);
  Arena* none = nullptr;
  if (options_.max_idle != 0 && slot.idle.compare_exchange_strong(
                                    none, arena, std::memory_order_release)) {
    return;
  }
  {
    const std::lock_guard hold(lock_);
    if (idle_.size() < options_.max_idle) {  // reserved: no allocation
      idle_.push_back(arena);
      return;
    }
  }
  Delete(arena);
}

void ArenaPool::Trim() {
  for (Slot& slot : slots_) {
    Delete(slot.idle.exchange(nullptr, std::memory_order_acquire));
  }
  // One by one: there may be no memory for a list, and their ends take time.
  for (;;) {
    Arena* arena = nullptr;
    {
      const std::lock_guard hold(lock_);
      if (idle_.empty()) return;
      arena = idle_.back();
      idle_.pop_back();
    }
    Delete(arena);
  }
}

ArenaPoolStats ArenaPool::stats() const noexcept {
  ArenaPoolStats stats;
  std::size_t given = 0;
  for (const Slot& slot : slots_) {
    given += slot.given.load(std::memory_order_relaxed);
    stats.idle += slot.idle.load(std::memory_order_relaxed) != nullptr;
  }
  for (const Slot& slot : slots_) {
    stats.leased += slot.taken.load(std::memory_order_relaxed);
  }
  stats.leased -= given;
  stats.made = made_.load(std::memory_order_relaxed);
  const std::lock_guard hold(lock_);
  stats.idle += idle_.size();
  return stats;
}

}  // namespace acre::inline ACRE_ABI
