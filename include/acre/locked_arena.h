// SPDX-License-Identifier: MIT
//
// LockedArena: one arena for several threads, every verb under a lock, with
// deadlines and cancellation for those who cannot wait for ever.
//
//   acre::LockedArena arena;
//   Job* job = arena.New<Job>(42);                        // waits its turn
//   auto slab = arena.NewArrayUntil<int>(500ms, 64);      // at most so long
//   if (!slab) Report(slab.status);                       // kTimeout, ...
//   auto made = arena.NewUntil<Job>(stop_token, 42);      // until cancelled
//   arena.With([](acre::Arena& a) { ... });               // several steps
//
// The lock protects the arena, not what it hands out. Containers in it call the
// arena behind their own back when they grow: change them inside With only.
//
// The lock is recursive: an allocation may start a collection, which may run
// finalizers in this thread that use this very arena.
//
// Threads: any, at once; those that may allocate from a collected source must
// be registered with the collector (ThreadRegistration).
// Complexity: that of Arena, and about two uncontended atomic exchanges. Where
// threads contend, ArenaPool is the faster design.

#ifndef ACRE_LOCKED_ARENA_H_
#define ACRE_LOCKED_ARENA_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <stop_token>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"

namespace acre::inline ACRE_ABI {

/// How long to wait: until a time, for a time, until a stop is requested, or
/// until the first of both. Converts from each of these.
class WaitLimit {
 public:
  using Clock = std::chrono::steady_clock;

  template <class C, class D>
  WaitLimit(std::chrono::time_point<C, D> deadline,  // NOLINT: converts
            std::stop_token stop = {})
      : stop_(std::move(stop)) {
    SetIn(Seconds(deadline.time_since_epoch()) -
          Seconds(C::now().time_since_epoch()));
  }
  template <class R, class P>
  WaitLimit(std::chrono::duration<R, P> time,  // NOLINT: converts
            std::stop_token stop = {})
      : stop_(std::move(stop)) {
    SetIn(Seconds(time));
  }
  WaitLimit(std::stop_token stop)  // NOLINT: converts
      : stop_(std::move(stop)) {}

  bool has_deadline() const noexcept {
    return deadline_ != Clock::time_point::max();
  }
  Clock::time_point deadline() const noexcept { return deadline_; }
  const std::stop_token& stop() const noexcept { return stop_; }

 private:
  // In floating point, because the extremes of most clocks overflow others.
  template <class Duration>
  static double Seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
  }

  void SetIn(double seconds) {
    const Clock::time_point now = Clock::now();
    // Further away than the clock reaches: for ever.
    if (seconds >= Seconds(Clock::time_point::max() - now)) return;
    deadline_ = now;
    if (seconds > 0) {
      deadline_ += std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double>(seconds));
    }
  }

  Clock::time_point deadline_ = Clock::time_point::max();
  std::stop_token stop_;
};

/// How a wait ended.
enum class WaitStatus {
  kReady,        ///< it was done
  kTimeout,      ///< the deadline passed first
  kCancelled,    ///< a stop was requested first
  kOutOfMemory,  ///< the lock was had, memory was not
};

/// "ready", "timeout", "cancelled", "out of memory".
constexpr const char* ToString(WaitStatus status) noexcept {
  constexpr const char* kNames[] = {"ready", "timeout", "cancelled",
                                    "out of memory"};
  return kNames[static_cast<int>(status)];
}

/// What a verb with Until in its name returns: a value where it is kReady.
template <class T>
struct [[nodiscard]] WaitResult {
  T value{};
  WaitStatus status = WaitStatus::kReady;

  explicit operator bool() const noexcept {
    return status == WaitStatus::kReady;
  }
};

namespace detail {

/// A recursive lock with deadlines and cancellation. One compare-and-exchange
/// to take and one exchange to give where nobody waits.
class Gate {
 public:
  void Lock();
  /// A stop that was requested already wins over a free gate; a deadline that
  /// has passed does not.
  WaitStatus LockUntil(const WaitLimit& limit);
  void Unlock();

 private:
  bool TryEnter();
  WaitStatus Wait(const WaitLimit* limit);

  std::atomic<const void*> owner_{nullptr};  // the thread; null: free
  std::atomic<std::uint32_t> waiting_{0};
  std::uint32_t depth_ = 0;  // of the owner
  std::mutex lock_;          // with change_: for those who wait
  std::condition_variable_any change_;
};

}  // namespace detail

/// See the top of this file.
class LockedArena {
 public:
  explicit LockedArena(const ArenaOptions& options = {}) : arena_(options) {
    detail::Blocks::NoteLocked(arena_);
  }
  LockedArena(const LockedArena&) = delete;
  LockedArena& operator=(const LockedArena&) = delete;

  // ------------------------------------------- the verbs of Arena, under lock

  template <class T, class... Args>
  T* New(Args&&... args) {
    const Hold hold(*this);
    return arena_.New<T>(std::forward<Args>(args)...);
  }
  template <class T, class... Args>
  [[nodiscard]] T* TryNew(Args&&... args) {
    const Hold hold(*this);
    return arena_.TryNew<T>(std::forward<Args>(args)...);
  }
  template <class T>
  std::span<T> NewArray(std::size_t count) {
    const Hold hold(*this);
    return arena_.NewArray<T>(count);
  }
  template <class T>
  [[nodiscard]] std::span<T> TryNewArray(std::size_t count) {
    const Hold hold(*this);
    return arena_.TryNewArray<T>(count);
  }
  [[nodiscard]] void* Allocate(std::size_t bytes,
                               std::size_t align = kGranule) {
    const Hold hold(*this);
    return arena_.Allocate(bytes, align);
  }
  [[nodiscard]] void* TryAllocate(std::size_t bytes,
                                  std::size_t align = kGranule) {
    const Hold hold(*this);
    return arena_.TryAllocate(bytes, align);
  }
  template <class T>
  void Free(T* object) {
    const Hold hold(*this);
    arena_.Free(object);
  }
  template <class T, std::size_t N>
  void Free(std::span<T, N> array) {
    const Hold hold(*this);
    arena_.Free(array);
  }
  void Free(void* block, std::size_t bytes, std::size_t align = kGranule) {
    const Hold hold(*this);
    arena_.Free(block, bytes, align);
  }
  template <class T>
  void FreeGraph(T* object) {
    const Hold hold(*this);
    arena_.FreeGraph(object);
  }
  bool TryGrow(void* block, std::size_t old_bytes, std::size_t new_bytes,
               std::size_t align = kGranule) {
    const Hold hold(*this);
    return arena_.TryGrow(block, old_bytes, new_bytes, align);
  }
  [[nodiscard]] void* Grow(void* block, std::size_t old_bytes,
                           std::size_t new_bytes,
                           std::size_t align = kGranule) {
    const Hold hold(*this);
    return arena_.Grow(block, old_bytes, new_bytes, align);
  }
  [[nodiscard]] void* Shrink(void* block, std::size_t old_bytes,
                             std::size_t new_bytes,
                             std::size_t align = kGranule) {
    const Hold hold(*this);
    return arena_.Shrink(block, old_bytes, new_bytes, align);
  }
  void Reserve(std::size_t bytes) {
    const Hold hold(*this);
    arena_.Reserve(bytes);
  }
  [[nodiscard]] bool TryReserve(std::size_t bytes) {
    const Hold hold(*this);
    return arena_.TryReserve(bytes);
  }
  void Reset(ResetMode mode = ResetMode::kKeep) {
    const Hold hold(*this);
    arena_.Reset(mode);
  }
  [[nodiscard]] Mark Checkpoint() {
    const Hold hold(*this);
    return arena_.Checkpoint();
  }
  void Rewind(Mark mark) {
    const Hold hold(*this);
    arena_.Rewind(mark);
  }
  bool IsOpen(Mark mark) {
    const Hold hold(*this);
    return arena_.IsOpen(mark);
  }
  void set_byte_limit(std::size_t bytes) {
    const Hold hold(*this);
    arena_.set_byte_limit(bytes);
  }
  template <class Visit>
  void ForEachChunk(Visit visit) {
    const Hold hold(*this);
    arena_.ForEachChunk(visit);
  }
  std::size_t remaining() {
    const Hold hold(*this);
    return arena_.remaining();
  }
  ArenaStats stats() {
    const Hold hold(*this);
    return arena_.stats();
  }
  /// Takes no lock.
  bool Owns(const void* address) const noexcept { return arena_.Owns(address); }
  const char* name() const noexcept { return arena_.name(); }

  // ------------------------------------------------- with a limit to the wait

  /// As TryNew. Nothing has changed unless the status is kReady.
  template <class T, class... Args>
  WaitResult<T*> NewUntil(const WaitLimit& limit, Args&&... args) {
    return DoUntil<T*>(limit, [&](WaitResult<T*>& result) {
      result.value = arena_.TryNew<T>(std::forward<Args>(args)...);
      return result.value != nullptr;
    });
  }
  /// As TryNewArray.
  template <class T>
  WaitResult<std::span<T>> NewArrayUntil(const WaitLimit& limit,
                                         std::size_t count) {
    return DoUntil<std::span<T>>(limit, [&](WaitResult<std::span<T>>& result) {
      result.value = arena_.TryNewArray<T>(count);
      return result.value.data() != nullptr;
    });
  }
  /// As TryAllocate.
  WaitResult<void*> AllocateUntil(const WaitLimit& limit, std::size_t bytes,
                                  std::size_t align = kGranule) {
    return DoUntil<void*>(limit, [&](WaitResult<void*>& result) {
      result.value = arena_.TryAllocate(bytes, align);
      return result.value != nullptr;
    });
  }
  [[nodiscard]] WaitStatus ResetUntil(const WaitLimit& limit,
                                      ResetMode mode = ResetMode::kKeep) {
    return WithUntil(limit, [mode](Arena& arena) { arena.Reset(mode); });
  }

  // ------------------------------------------------------------ several steps

  /// Calls fn(Arena&) under the lock and returns what it returns.
  template <class Fn>
  decltype(auto) With(Fn&& fn) {
    const Hold hold(*this);
    return std::forward<Fn>(fn)(arena_);
  }
  /// As With, for a function without result.
  template <class Fn>
  [[nodiscard]] WaitStatus WithUntil(const WaitLimit& limit, Fn&& fn) {
    const WaitStatus status = gate_.LockUntil(limit);
    if (status != WaitStatus::kReady) return status;
    const Hold hold(*this, Locked{});
    std::forward<Fn>(fn)(arena_);
    return status;
  }

 private:
  struct Locked {};
  class Hold {
   public:
    explicit Hold(LockedArena& arena) : arena_(arena) { arena.gate_.Lock(); }
    Hold(LockedArena& arena, Locked) : arena_(arena) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() {
      if constexpr (kChecked) arena_.arena_.HandOver();
      arena_.gate_.Unlock();
    }

   private:
    LockedArena& arena_;
  };

  template <class T, class Fn>
  WaitResult<T> DoUntil(const WaitLimit& limit, Fn fn) {
    WaitResult<T> result;
    result.status = gate_.LockUntil(limit);
    if (!result) return result;
    const Hold hold(*this, Locked{});
    if (!fn(result)) result.status = WaitStatus::kOutOfMemory;
    return result;
  }

  detail::Gate gate_;
  Arena arena_;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_LOCKED_ARENA_H_
