// SPDX-License-Identifier: MIT
//
// ObjectPool: constructed objects, handed out and taken back, in an arena.
//
//   acre::ObjectPool<Bullet> bullets(arena, {
//       .reset = [](Bullet& b) { b.hits.clear(); },
//       .capacity = 256});
//   Bullet* bullet = bullets.Acquire();
//   bullets.Release(bullet);
//
//   auto held = bullets.AcquireHeld();      // releases itself
//   held->speed = 3;
//
// An object keeps what it has while it waits in the pool (the storage of its
// containers, for one); the reset function runs when it is handed out again.
//
// Ownership: the pool owns its objects, the arena their memory: the arena must
// outlive the pool and must not be Reset meanwhile, and no Scope or mark
// younger than the pool may be open when Acquire makes an object (checked
// builds refuse that). The pool's end frees every object, those in use
// included. Threads: one at a time. Complexity: Acquire and Release are
// constant on average. Failure: Acquire fails like New, TryAcquire returns
// null; nothing is lost.

#ifndef ACRE_OBJECT_POOL_H_
#define ACRE_OBJECT_POOL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/blocks.h"
#include "acre/detail/has_memory.h"
#include "acre/detail/location.h"
#include "acre/failure.h"

namespace acre::inline ACRE_ABI {

template <class T>
struct ObjectPoolOptions {
  /// Makes an object; must use the arena it is given. Null result: no memory.
  /// Default: arena.TryNew<T>(); a T without default constructor needs one.
  std::function<T*(Arena&)> make = {};

  /// Runs on an object that waited, before it is handed out; not on one that
  /// Acquire has just made.
  std::function<void(T&)> reset = {};

  /// That many objects are made at once, and Shrink() goes back to it.
  std::size_t capacity = 0;
};

struct ObjectPoolStats {
  std::size_t available = 0;  ///< waiting in the pool
  std::size_t in_use = 0;     ///< handed out
  std::size_t total = 0;      ///< both
  std::size_t capacity = 0;   ///< as given in the options
};

/// See the top of this file.
template <class T>
class ObjectPool {
 public:
  /// Makes options.capacity objects; fails like New.
  explicit ObjectPool(Arena& arena, ObjectPoolOptions<T> options = {})
      : arena_(arena), options_(std::move(options)), stamp_(arena.stamp()) {
    static_assert(detail::RequireElement<T>());
    constexpr std::size_t kEach = std::max(sizeof(T), sizeof(T*));
    if (options_.capacity > PTRDIFF_MAX / kEach || !detail::HasMemory([&] {
          available_.reserve(options_.capacity);
          all_.reserve(options_.capacity);
        })) {
      detail::Blocks::Fail(arena, SIZE_MAX);
    }
    Guard guard{this};
    while (available_.size() < options_.capacity) {
      T* object = TryMake();
      if (object == nullptr) detail::Blocks::Fail(arena_, sizeof(T));
      available_.push_back(object);
      if constexpr (kChecked) all_.find(object)->second = true;
    }
    guard.pool = nullptr;
  }
  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;
  /// Gives nothing back where a History has brought the arena back since.
  ~ObjectPool() { FreeAll(); }

  /// An object of the pool that releases itself. Movable.
  class Held {
   public:
    Held() = default;
    Held(Held&& other) noexcept
        : pool_(std::exchange(other.pool_, nullptr)),
          object_(std::exchange(other.object_, nullptr)) {}
    Held& operator=(Held&& other) noexcept {
      Held taken(std::move(other));
      std::swap(pool_, taken.pool_);
      std::swap(object_, taken.object_);
      return *this;
    }
    ~Held() { Release(); }

    /// Releases the object early.
    void Release() {
      if (object_ != nullptr) pool_->Release(std::exchange(object_, nullptr));
    }

    T& operator*() const noexcept { return *object_; }
    T* operator->() const noexcept { return object_; }
    T* get() const noexcept { return object_; }
    explicit operator bool() const noexcept { return object_ != nullptr; }

   private:
    friend class ObjectPool;
    Held(ObjectPool* pool, T* object) : pool_(pool), object_(object) {}
    ObjectPool* pool_ = nullptr;
    T* object_ = nullptr;  // null: holds nothing
  };

  /// A waiting object, reset; or a new one.
  [[nodiscard]] T* Acquire() {
    T* object = TryAcquire();
    if (ACRE_UNLIKELY(object == nullptr)) {
      detail::Blocks::Fail(arena_, sizeof(T));
    }
    return object;
  }

  /// As Acquire; null where memory runs out.
  [[nodiscard]] T* TryAcquire() {
    if (available_.empty()) return TryAdd();
    T* object = available_.back();
    available_.pop_back();
    if constexpr (kChecked) all_.find(object)->second = false;
#if ACRE_EXCEPTIONS
    try {
#endif
      if (options_.reset) options_.reset(*object);
#if ACRE_EXCEPTIONS
    } catch (...) {
      Release(object);
      throw;
    }
#endif
    return object;
  }

  /// As Acquire; the result releases the object when it ends.
  [[nodiscard]] Held AcquireHeld() { return Held(this, Acquire()); }

  /// Takes an object back. Null does nothing. Releasing what is not of this
  /// pool is misuse; so is releasing twice, which checked builds find.
  void Release(T* object) {
    if (object == nullptr) return;
    const auto known = all_.find(object);
    ACRE_CHECK(known != all_.end(),
               "ObjectPool::Release(%p): not an object of this pool in arena "
               "'%s'",
               static_cast<void*>(object), arena_.name());
    if constexpr (kChecked) {
      bool& waits = known->second;
      ACRE_CHECK(!waits,
                 "ObjectPool::Release(%p): released already (arena '%s')",
                 static_cast<void*>(object), arena_.name());
      waits = true;
    }
    available_.push_back(object);
  }

  /// Frees waiting objects, the ones that have waited longest, until at most
  /// `capacity` objects wait.
  void Shrink() {
    if (available_.size() <= options_.capacity) return;
    const auto surplus =
        static_cast<std::ptrdiff_t>(available_.size() - options_.capacity);
    for (auto at = available_.begin(); at != available_.begin() + surplus;
         ++at) {
      all_.erase(*at);
      arena_.Free(*at);
    }
    available_.erase(available_.begin(), available_.begin() + surplus);
  }

  /// True for an object of this pool, in use or waiting.
  bool Owns(const T* object) const {
    return all_.contains(const_cast<T*>(object));
  }
  const char* name() const noexcept { return arena_.name(); }
  /// As Arena::HandOver, of the arena whose objects they are.
  void HandOver() noexcept { arena_.HandOver(); }

  ObjectPoolStats stats() const noexcept {
    return {available_.size(), all_.size() - available_.size(), all_.size(),
            options_.capacity};
  }

 private:
  struct Guard {  // undoes a constructor that fails half-way
    ~Guard() {
      if (pool != nullptr) pool->FreeAll();
    }
    ObjectPool* pool;
  };

  /// A new object, noted as in use; null where memory runs out.
  T* TryMake() {
    T* const object = Made();
    if (object == nullptr) return nullptr;
    bool is_new = true;
    // Room first, so that Release cannot fail. Not before the object is made:
    // what makes it may acquire others.
    if (!detail::HasMemory([&] {
          if (available_.capacity() <= all_.size()) {
            available_.reserve(2 * all_.size() + 8);
          }
          is_new = all_.emplace(object, false).second;
        })) {
      arena_.Free(object);
      return nullptr;
    }
    ACRE_CHECK(
        is_new,
        "ObjectPool: its make function returned %p, which is in the pool "
        "already (arena '%s')",
        static_cast<void*>(object), arena_.name());
    return object;
  }

  T* Made() {
    if (!options_.make) {
      if constexpr (std::is_default_constructible_v<T>) {
        return arena_.template TryNew<T>();
      } else {
        detail::FailMisuse(
            "acre: ObjectPool in arena '%s': the type has no default "
            "constructor, so the pool needs a make function",
            arena_.name());
      }
    }
    T* object = options_.make(arena_);
    ACRE_CHECK(object == nullptr || arena_.Owns(object),
               "ObjectPool: its make function returned %p, which is not in "
               "arena '%s'",
               static_cast<void*>(object), arena_.name());
    return object;
  }

  /// A new object, in use; null where memory runs out.
  T* TryAdd() {
    ACRE_CHECK(!kChecked || detail::IsOfThisLevel(arena_, stamp_),
               "ObjectPool in arena '%s': a new object would not live as long "
               "as the pool: a Scope or mark younger than the pool is open, or "
               "the arena was Reset",
               arena_.name());
    return TryMake();
  }

  void FreeAll() {
    if (detail::TimesBroughtBack(arena_) == times_brought_back_) {
      for (const auto& [object, waits] : all_) arena_.Free(object);
    }
    all_.clear();
  }

  Arena& arena_;
  ObjectPoolOptions<T> options_;
  std::uint64_t stamp_;  // of the arena at the beginning
  std::uint64_t times_brought_back_ = detail::TimesBroughtBack(arena_);
  std::vector<T*> available_;  // newest last; capacity >= all_.size()
  // In use and waiting; whether it waits, which checked builds alone keep.
  std::unordered_map<T*, bool> all_;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_OBJECT_POOL_H_
