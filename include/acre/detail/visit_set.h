// SPDX-License-Identifier: MIT
//
// VisitSet: which (address, type) pairs a walk has seen. Keyed by both: the
// first member of a struct has the struct's address, and having seen the
// member says nothing of the rest. Open addressing, linear probing, 24 bytes
// an entry. Internal to acre.

#ifndef ACRE_DETAIL_VISIT_SET_H_
#define ACRE_DETAIL_VISIT_SET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class VisitSet {
 public:
  static constexpr std::size_t kNone = ~std::size_t{0};

  /// False where the pair was there already. Amortised constant. Pairs are
  /// numbered in the order of their insertion, from 0.
  bool Insert(const void* address, const TypeLayout& type) {
    return InsertKey(address, type.id);
  }
  /// The same for the storage of a handle of this type: told apart from a
  /// handle that lies at the same address, as the first part of an element.
  bool InsertStorage(const void* address, const TypeLayout& handle) {
    return InsertKey(address, ~handle.id);
  }

  /// The number of a pair, or kNone.
  std::size_t Find(const void* address, const TypeLayout& type) {
    return FindKey(address, type.id);
  }
  std::size_t FindStorage(const void* address, const TypeLayout& handle) {
    return FindKey(address, ~handle.id);
  }

  std::size_t size() const { return size_; }

 private:
  struct Entry {
    const void* address = nullptr;  // null: empty
    std::uint64_t type = 0;
    std::size_t number = 0;
  };

  bool InsertKey(const void* address, std::uint64_t type) {
    if (2 * (size_ + 1) > entries_.size()) Grow();
    Entry& entry = *Look(address, type);
    if (entry.address != nullptr) return false;
    entry = {address, type, size_++};
    return true;
  }

  std::size_t FindKey(const void* address, std::uint64_t type) {
    if (entries_.empty()) return kNone;
    const Entry& entry = *Look(address, type);
    return entry.address == nullptr ? kNone : entry.number;
  }

  /// The entry of the pair, or the empty one where it belongs.
  Entry* Look(const void* address, std::uint64_t type) {
    const auto key = reinterpret_cast<std::uintptr_t>(address);
    // Fibonacci hashing (Knuth, TAOCP 6.4): the top bits index.
    auto at = static_cast<std::size_t>(
        ((key >> 3) ^ type) * 0x9E3779B97F4A7C15u >> shift_);
    for (;; at = (at + 1) & (entries_.size() - 1)) {
      Entry& here = entries_[at];
      if (here.address == nullptr) return &here;
      if (here.address == address && here.type == type) return &here;
    }
  }

  void Grow() {
    const std::size_t size = entries_.empty() ? 64 : 2 * entries_.size();
    shift_ = entries_.empty() ? 58 : shift_ - 1;
    std::vector<Entry> old(size);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.address != nullptr) *Look(entry.address, entry.type) = entry;
    }
  }

  std::vector<Entry> entries_;  // a power of two of them, or none
  std::size_t size_ = 0;        // at most half of that
  unsigned shift_ = 64;         // 64 - log2(entries_.size())
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_VISIT_SET_H_
