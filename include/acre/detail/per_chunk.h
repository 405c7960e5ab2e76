// SPDX-License-Identifier: MIT
//
// PerChunk<T>: what a walk keeps beside each chunk that it meets, found by an
// address inside the chunk. Internal to acre.

#ifndef ACRE_DETAIL_PER_CHUNK_H_
#define ACRE_DETAIL_PER_CHUNK_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "acre/config.h"
#include "acre/detail/location.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

/// How a PerChunk makes what it keeps.
struct MakePerChunk {
  template <class T>
  std::unique_ptr<T> Make(const char* begin, std::size_t size,
                          const char* live_end) const {
    return std::make_unique<T>(begin, size, live_end);
  }
};

/// T: made from the chunk's begin and size, and the end of what is handed out
/// in it, by Maker, which may make none; begin(), Holds(address).
template <class T, class Maker = MakePerChunk>
class PerChunk {
 public:
  /// `only`: chunks of that arena; null: of any.
  explicit PerChunk(const Arena* only = nullptr, Maker maker = {})
      : only_(only), maker_(maker) {}

  /// Null for an address in no such chunk.
  T* Of(const void* address) {
    const Known& known = KnownAt(address);
    if (known.last != nullptr && known.last->Holds(address)) return known.last;
    if (known.other != nullptr && known.other->Holds(address)) {
      return known.other;
    }
    T* const near = NearAt(address);
    if (near != nullptr && near->Holds(address)) return near;
    return Search(address);
  }

  /// In the order in which they were met; more may come to be met while the
  /// caller goes through them.
  std::size_t size() const { return all_.size(); }
  T& operator[](std::size_t i) { return *all_[i]; }
  const T& operator[](std::size_t i) const { return *all_[i]; }

  /// Takes what another one keeps, of which `wanted` is true, of chunks that
  /// this one does not know.
  template <class Wanted>
  void TakeFrom(PerChunk& other, Wanted wanted) {
    for (std::unique_ptr<T>& each : other.all_) {
      if (!wanted(*each)) continue;
      by_begin_[each->begin()] = each.get();
      all_.push_back(std::move(each));
    }
    other.all_.clear();
  }
  /// Finds what another one keeps, as long as that lives, and makes what Maker
  /// makes. Requires: the other one meets no more chunks.
  void LookInto(const PerChunk& other) { by_begin_ = other.by_begin_; }

  void SortByAddress() {
    std::sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) {
      return a->begin() < b->begin();
    });
  }

 private:
  // Not inlined: what calls Of many times is short without it.
  __attribute__((noinline)) T* Search(const void* address) {
    const Location where = Locate(address);
    if (where.arena == nullptr) return nullptr;
    if (only_ != nullptr && where.arena != only_) return nullptr;
    T*& known = by_begin_[where.chunk_begin];
    if (known == nullptr) {
      std::unique_ptr<T> made = maker_.template Make<T>(
          where.chunk_begin,
          static_cast<std::size_t>(where.chunk_end - where.chunk_begin),
          where.live_end);
      if (made == nullptr) return nullptr;
      known = made.get();
      all_.push_back(std::move(made));
    }
    if (!known->Holds(address)) return nullptr;  // in the header
    Known& here = KnownAt(address);
    here.other = here.last;
    here.last = known;
    return NearAt(address) = known;
  }

  // Those met last, by megabyte of address: one chunk may end in it and another
  // begin. Of a small arena several share one: those by 64 KiB.
  static constexpr std::size_t kCacheSize = 256;
  static constexpr unsigned kCacheShift = 20;
  struct Known {
    T* last = nullptr;
    T* other = nullptr;
  };
  Known& KnownAt(const void* address) {
    return cache_[reinterpret_cast<std::uintptr_t>(address) >> kCacheShift &
                  (kCacheSize - 1)];
  }

  static constexpr unsigned kNearShift = 16;
  T*& NearAt(const void* address) {
    return near_[reinterpret_cast<std::uintptr_t>(address) >> kNearShift &
                 (kCacheSize - 1)];
  }

  const Arena* only_;
  [[no_unique_address]] Maker maker_;
  Known cache_[kCacheSize] = {};
  T* near_[kCacheSize] = {};
  std::vector<std::unique_ptr<T>> all_;
  std::unordered_map<const char*, T*> by_begin_;
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_PER_CHUNK_H_
