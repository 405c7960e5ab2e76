// SPDX-License-Identifier: MIT
//
// UnscannedArray: what callbacks of a collection work in, made before. As
// static storage it would be a root, which every collection reads: 350 KB took
// longer than all the rest of a small heap. Internal to acre.

#ifndef ACRE_DETAIL_UNSCANNED_ARRAY_H_
#define ACRE_DETAIL_UNSCANNED_ARRAY_H_

#include <atomic>
#include <cstddef>
#include <type_traits>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

/// Zeroed pages of the process; null where the system has none to give.
void* MapPages(std::size_t bytes) noexcept;
void UnmapPages(void* pages, std::size_t bytes) noexcept;

/// kCount elements, all zero, in static storage's stead: it is never given
/// back, as a collection may come at any time. Threads: any.
template <class T, std::size_t kCount>
class UnscannedArray {
 public:
  static_assert(std::is_trivially_default_constructible_v<T>);
  static constexpr std::size_t kBytes = kCount * sizeof(T);

  /// Makes it. Idempotent. False where there is no memory. Not in a callback.
  bool Make() noexcept {
    if (data() != nullptr) return true;
    void* const made = MapPages(kBytes);
    T* expected = nullptr;
    if (made == nullptr ||
        data_.compare_exchange_strong(expected, static_cast<T*>(made))) {
      return made != nullptr;
    }
    UnmapPages(made, kBytes);  // another thread was faster
    return true;
  }
  /// Null until it is made.
  T* data() const noexcept { return data_.load(std::memory_order_acquire); }
  T* begin() const noexcept { return data(); }
  T* end() const noexcept { return data() + kCount; }
  T& operator[](std::size_t i) const noexcept { return data()[i]; }

 private:
  std::atomic<T*> data_{nullptr};
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_UNSCANNED_ARRAY_H_
