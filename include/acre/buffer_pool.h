// SPDX-License-Identifier: MIT
//
// BufferPool: numeric buffers from a fixed amount of memory, re-used across
// element types, handed between threads and, over shared memory, processes.
//
//   acre::BufferPool pool({.bytes = 64 << 20});
//   std::span<float> samples = pool.Acquire<float>(1'000'000);   // zeros
//   pool.Release(samples);
//   std::span<double> wide = pool.Acquire<double>(500'000);      // same memory
//
//   acre::WithScope(pool, [&](acre::BufferScope& scope) {
//     auto work = scope.Acquire<float>(4096);
//   });                                                          // released
//
// The size is fixed at construction and all pages are touched then, so no
// Acquire meets a page fault. A request takes the smallest free range that
// fits; neighbours are joined when released, so a pool in which all is released
// is one free range again.
//
// Ownership: the pool owns the memory; buffers are valid until Release, Reset
// or the end of the pool.
// Threads: any, at once. A buffer may be released by another thread than the
// one that acquired it.
// Complexity: Acquire and Release are logarithmic in the number of buffers;
// zero-filling is linear.
// Bookkeeping is malloc'ed (std containers) and fails as they do.
// Errors: Acquire runs out of memory through the handler, TryAcquire returns an
// empty span; releasing what is not a buffer of the pool is misuse.

#ifndef ACRE_BUFFER_POOL_H_
#define ACRE_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <mutex>
#include <set>
#include <span>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/chunk_source.h"
#include "acre/config.h"
#include "acre/detail/node_reserve.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/shared_memory.h"

namespace acre::inline ACRE_ABI {

struct BufferPoolOptions {
  /// Bytes of all buffers together; each is rounded up to 64.
  std::size_t bytes = std::size_t{16} << 20;

  /// Where the memory comes from: 128 bytes more than `bytes`, at most.
  /// Borrowed; must outlive the pool. Null: malloc. A SharedMemorySource makes
  /// handles usable in other processes.
  ChunkSource* source = nullptr;

  /// Touches every page at construction.
  bool prewarm = true;

  /// Used in messages. Borrowed.
  const char* name = "buffer pool";
};

struct BufferPoolStats {
  std::size_t capacity = 0;      ///< bytes
  std::size_t used = 0;          ///< bytes in buffers, rounding included
  std::size_t largest_free = 0;  ///< bytes the next Acquire can have at most
  std::size_t buffers = 0;       ///< number in use
};

/// What a buffer starts with.
enum class Contents {
  kZero,       ///< every byte is zero
  kArbitrary,  ///< whatever was there: for callers that overwrite all of it
};

/// Names a buffer in another process; see MapBuffer.
struct BufferHandle {
  std::size_t offset = 0;  ///< from the start of the source's memory
  std::size_t bytes = 0;
};

/// Data without pointers, whose bytes may be zero.
template <class T>
concept BufferElement =
    std::is_trivially_copyable_v<T> && Element<T> && !LayoutOf<T>().has_slots;

/// See the top of this file.
class BufferPool {
 public:
  /// Fails through the out-of-memory handler where the source has too little.
  explicit BufferPool(const BufferPoolOptions& options);
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  /// `count` elements, aligned to 64 bytes. Zero elements give an empty span.
  template <BufferElement T>
  [[nodiscard]] std::span<T> Acquire(std::size_t count,
                                     Contents contents = Contents::kZero) {
    const std::span<T> buffer = TryAcquire<T>(count, contents);
    if (ACRE_UNLIKELY(buffer.size() != count)) Fail(count, sizeof(T));
    return buffer;
  }

  /// As Acquire; an empty span where no free range is long enough.
  template <BufferElement T>
  [[nodiscard]] std::span<T> TryAcquire(std::size_t count,
                                        Contents contents = Contents::kZero) {
    static_assert(alignof(T) <= 64, "acre: buffers are aligned to 64 bytes");
    if (count > PTRDIFF_MAX / sizeof(T)) return {};
    void* data = Take(count * sizeof(T), contents);
    return data == nullptr ? std::span<T>()
                           : std::span<T>(static_cast<T*>(data), count);
  }

  /// Takes back a whole buffer, as any element type of the same total size in
  /// bytes. An empty span does nothing.
  template <BufferElement T>
  void Release(std::span<T> buffer) {
    Give(buffer.data(), buffer.size_bytes());
  }

  /// Takes all buffers back, those of scopes too.
  void Reset();

  /// Where a buffer lies, for another process. Requires: a buffer of the pool.
  template <BufferElement T>
  BufferHandle HandleOf(std::span<T> buffer) const {
    return Handle(buffer.data(), buffer.size_bytes());
  }

  BufferPoolStats stats() const;
  const char* name() const noexcept { return options_.name; }

 private:
  friend class BufferScope;

  void* Take(std::size_t bytes, Contents contents,
             std::uint64_t* era = nullptr);
  void Give(const void* data, std::size_t bytes);
  /// As Give, unless a Reset has taken the buffer back since `era`.
  void GiveBack(const void* data, std::size_t bytes, std::uint64_t era);
  void GiveLocked(const void* data, std::size_t bytes);
  BufferHandle Handle(const void* data, std::size_t bytes) const;
  [[noreturn]] ACRE_COLD void Fail(std::size_t count, std::size_t size) const;
  void* TakeRange(std::size_t bytes, std::uint64_t* era);
  void AddFree(std::size_t offset, std::size_t bytes);
  void RemoveFree(std::pmr::map<std::size_t, std::size_t>::iterator at);
  void SetAllFree();

  BufferPoolOptions options_;
  ChunkSource& source_;
  ChunkMemory memory_;
  std::byte* start_ = nullptr;  // 64-aligned, in memory_
  std::size_t capacity_ = 0;    // bytes from start_, a multiple of 64

  mutable std::mutex lock_;  // guards what follows
  // Has what it takes to give back all of live_: Release cannot fail.
  detail::NodeReserve nodes_;
  // offset -> bytes, never adjacent
  std::pmr::map<std::size_t, std::size_t> free_{&nodes_};
  std::pmr::set<std::pair<std::size_t, std::size_t>> by_size_{&nodes_};
  // offset -> as asked
  std::pmr::unordered_map<std::size_t, std::size_t> live_{&nodes_};
  std::size_t used_ = 0;   // bytes of live_, rounded
  std::uint64_t era_ = 0;  // number of Resets
};

/// A part of a pool: releases what was acquired through it when it ends.
/// Threads: one at a time. Buffers acquired here are released here or at the
/// end, not through the pool.
class [[nodiscard]] BufferScope {
 public:
  explicit BufferScope(BufferPool& pool) : pool_(pool) {}
  BufferScope(const BufferScope&) = delete;
  BufferScope& operator=(const BufferScope&) = delete;
  ~BufferScope() {
    for (const Held& held : held_)
      pool_.GiveBack(held.data, held.bytes, held.era);
  }

  template <BufferElement T>
  [[nodiscard]] std::span<T> Acquire(std::size_t count,
                                     Contents contents = Contents::kZero) {
    const std::span<T> buffer = TryAcquire<T>(count, contents);
    if (ACRE_UNLIKELY(buffer.size() != count)) pool_.Fail(count, sizeof(T));
    return buffer;
  }
  template <BufferElement T>
  [[nodiscard]] std::span<T> TryAcquire(std::size_t count,
                                        Contents contents = Contents::kZero) {
    static_assert(alignof(T) <= 64, "acre: buffers are aligned to 64 bytes");
    if (count == 0 || count > PTRDIFF_MAX / sizeof(T)) return {};
    const std::size_t bytes = count * sizeof(T);
    // Room first: nothing is lost.
    if (held_.size() == held_.capacity()) held_.reserve(2 * held_.size() + 4);
    std::uint64_t era = 0;
    void* const data = pool_.Take(bytes, contents, &era);
    if (data == nullptr) return {};
    held_.push_back({data, bytes, era});
    return {static_cast<T*>(data), count};
  }

  /// Takes a buffer back before the scope ends.
  template <BufferElement T>
  void Release(std::span<T> buffer) {
    if (buffer.empty()) return;
    const auto held = Find(buffer.data());
    // Where its length is wrong, the scope still has it.
    pool_.GiveBack(held->data, buffer.size_bytes(), held->era);
    held_.erase(held);
  }

  /// Keeps a buffer beyond the end of the scope: the pool has it from now on.
  template <BufferElement T>
  std::span<T> Keep(std::span<T> buffer) {
    if (!buffer.empty()) held_.erase(Find(buffer.data()));
    return buffer;
  }

 private:
  struct Held {
    const void* data;
    std::size_t bytes;
    std::uint64_t era;  // of the pool when it was acquired
  };

  /// The youngest record of this address: older ones are of before a Reset.
  std::vector<Held>::iterator Find(const void* data) {
    for (auto at = held_.end(); at != held_.begin();) {
      if ((--at)->data == data) return at;
    }
    detail::FailMisuse("acre: BufferScope: %p was not acquired in this scope",
                       data);
  }

  BufferPool& pool_;
  std::vector<Held> held_;
};

/// Calls fn(scope) and returns what it returns; buffers acquired through the
/// scope are released, also where fn throws.
template <class Fn>
decltype(auto) WithScope(BufferPool& pool, Fn&& fn) {
  BufferScope scope(pool);
  return std::forward<Fn>(fn)(scope);
}

/// The buffer that another process's handle names. Empty where it does not lie
/// in the memory of `view` or is not a whole number of elements.
template <BufferElement T>
std::span<const T> MapBuffer(const SharedMemoryView& view,
                             BufferHandle handle) {
  const std::span<std::byte> bytes = view.Bytes(handle.offset, handle.bytes);
  if (handle.offset % alignof(T) != 0 || bytes.size() % sizeof(T) != 0) {
    return {};
  }
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

/// As MapBuffer, writable. Requires: the view was opened with kReadWrite.
template <BufferElement T>
std::span<T> MapWritableBuffer(const SharedMemoryView& view,
                               BufferHandle handle) {
  const std::span<const T> buffer = MapBuffer<T>(view, handle);
  return {const_cast<T*>(buffer.data()), buffer.size()};
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_BUFFER_POOL_H_
