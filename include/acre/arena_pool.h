// SPDX-License-Identifier: MIT
//
// ArenaPool: arenas for tasks. Each task gets an arena of its own, empty, and
// gives it back; no two tasks ever share one.
//
//   acre::ArenaPool pool;
//   int size = pool.Execute([&](acre::Arena& arena) {
//     return Parse(arena, text)->size();
//   });                                        // everything in it is gone
//
//   acre::ArenaPool::Lease arena = pool.Acquire();     // the same, as an
//   object auto* request = arena->New<Request>();
//
// An arena is Reset when it comes back, also where the task threw. It keeps its
// memory for the next task, up to ArenaPoolOptions::retain_limit, so one huge
// request does not hold memory for ever; and the number of arenas that are kept
// is bounded (max_idle).
//
// Ownership: the pool owns the arenas. A lease must end before the pool does,
// and nothing made in a leased arena may be used after the lease.
// Threads: any, at once; each thread finds the arena that it used last, without
// a lock. A lease may move to another thread. Threads that allocate from a
// collected source must be registered (ThreadRegistration).
// Complexity: one exchange to take and one to give, and the Reset.

#ifndef ACRE_ARENA_POOL_H_
#define ACRE_ARENA_POOL_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <type_traits>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/checked_call.h"

namespace acre::inline ACRE_ABI {

struct ArenaPoolOptions {
  /// Of every arena, retain_limit aside. The source, if given, must serve
  /// several threads.
  ArenaOptions arena = {.name = "pooled arena"};

  /// Bytes that an arena keeps when it comes back.
  std::size_t retain_limit = std::size_t{1} << 20;

  /// Of idle arenas, one is kept for each thread that used one last (32 at
  /// most), and this many besides. 0: none is kept at all.
  std::size_t max_idle = 64;

  /// What happens to memory that is kept; kRelease keeps none. With kNoHolders
  /// a lease that ends while something holds what is inside ends the process.
  ResetMode reset = ResetMode::kKeep;
};

struct ArenaPoolStats {
  std::size_t idle = 0;    ///< arenas waiting
  std::size_t leased = 0;  ///< arenas in use
  std::size_t made = 0;    ///< arenas ever made
};

/// See the top of this file.
class ArenaPool {
 public:
  explicit ArenaPool(const ArenaPoolOptions& options = {});
  ArenaPool(const ArenaPool&) = delete;
  ArenaPool& operator=(const ArenaPool&) = delete;
  /// Requires: no lease is left.
  ~ArenaPool();

  /// An arena for as long as this object lives. Movable.
  class [[nodiscard]] Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          arena_(std::exchange(other.arena_, nullptr)) {
      // Perhaps to another thread.
      if (kChecked && arena_ != nullptr) arena_->HandOver();
    }
    Lease& operator=(Lease&& other) noexcept {
      Lease taken(std::move(other));
      std::swap(pool_, taken.pool_);
      std::swap(arena_, taken.arena_);
      return *this;
    }
    ~Lease() { Release(); }

    /// Gives the arena back early; the lease is empty then.
    void Release() noexcept {
      if (pool_ == nullptr) return;
      std::exchange(pool_, nullptr)->Give(std::exchange(arena_, nullptr));
    }

    Arena& operator*() const noexcept { return *arena_; }
    Arena* operator->() const noexcept { return arena_; }
    Arena* get() const noexcept { return arena_; }
    explicit operator bool() const noexcept { return arena_ != nullptr; }

   private:
    friend class ArenaPool;
    Lease(ArenaPool* pool, Arena* arena) : pool_(pool), arena_(arena) {}

    ArenaPool* pool_ = nullptr;  // both null: empty
    Arena* arena_ = nullptr;
  };

  /// An empty arena. Never waits: where none is idle, one is made.
  Lease Acquire() { return Lease(this, Take()); }

  /// Calls fn(Arena&) with an empty arena and returns what it returns. A result
  /// must not point into the arena; checked builds refuse a pointer or
  /// reference that does.
  template <class Fn>
  decltype(auto) Execute(Fn&& fn) {
    const Lease lease = Acquire();
    return detail::CheckedCall(
        [&](const void* p) { return lease->Owns(p); }, lease->name(),
        [&]() -> decltype(auto) { return std::forward<Fn>(fn)(*lease); });
  }

  /// Frees all idle arenas.
  void Trim();

  const char* name() const noexcept { return options_.arena.name; }

  /// A snapshot; exact while no thread takes or gives.
  ArenaPoolStats stats() const noexcept;

 private:
  // Slots, a cache line each, so that threads do not share one.
  static constexpr std::size_t kSlots = 32;
  struct alignas(64) Slot {
    std::atomic<Arena*> idle{nullptr};  // owned
    std::atomic<std::size_t> taken{0};  // leases begun in this slot
    std::atomic<std::size_t> given{0};  // leases ended in it
  };

  Arena* Take();
  void Give(Arena* arena) noexcept;
  ACRE_COLD Arena* TakeElsewhere();
  static std::size_t SlotOfThread() noexcept;

  ArenaPoolOptions options_;
  Slot slots_[kSlots];
  mutable std::mutex lock_;   // guards what follows
  std::vector<Arena*> idle_;  // owned, those that found no slot
  std::atomic<std::size_t> made_{0};
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_ARENA_POOL_H_
