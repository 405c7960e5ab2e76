// SPDX-License-Identifier: MIT
//
// VisitSet: which (address, type) pairs a walk has seen, numbered as they come.
// Keyed by both: the first member of a struct has the struct's address, and
// having seen the member says nothing of the rest. Internal to acre.
//
//   chunk:    | granule 16 | granule | granule | ...
//   shadow:   |  number 4  | number  |    0    | ...   a quarter of its size
//
// Two stores. A chunk in which many pairs lie gets a shadow: the number of the
// first pair at each granule, found by subtraction, so that a walk in the order
// of addresses is one through the shadow too, and the pairs lie there sorted by
// address. Everything else (few pairs, other memory, a second type at an
// address) is in a hash table: open addressing, linear probing, 24 bytes an
// entry. With the table alone a deep copy of a million nodes took five times as
// long.

#ifndef ACRE_DETAIL_VISIT_SET_H_
#define ACRE_DETAIL_VISIT_SET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "acre/config.h"
#include "acre/detail/size_class.h"
#include "acre/type_layout.h"

namespace acre::inline ACRE_ABI::detail {

class VisitSet {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  VisitSet() = default;
  VisitSet(const VisitSet&) = delete;
  VisitSet& operator=(const VisitSet&) = delete;
  ~VisitSet();

  /// False where the pair was there already. Amortised constant. Pairs are
  /// numbered in the order of their insertion, from 0.
  bool Insert(const void* address, const TypeLayout& type) {
    return InsertKey(address, type.id) == kNone;
  }
  /// The number the pair had before, or kNone: it is inserted now.
  std::uint32_t FindOrInsert(const void* address, const TypeLayout& type) {
    return InsertKey(address, type.id);
  }
  /// The same for the storage of a handle of this type: told apart from a
  /// handle that lies at the same address, as the first part of an element.
  bool InsertStorage(const void* address, const TypeLayout& handle) {
    return InsertKey(address, ~handle.id) == kNone;
  }

  /// The number of a pair, or kNone.
  std::uint32_t Find(const void* address, const TypeLayout& type) {
    return FindKey(address, type.id);
  }
  std::uint32_t FindStorage(const void* address, const TypeLayout& handle) {
    return FindKey(address, ~handle.id);
  }

  /// True where the address is known to lie in a chunk of an arena. False says
  /// nothing.
  bool IsInChunk(const void* address) {
    return KnownShadow(address) != nullptr;
  }

  std::size_t size() const { return keys_.size(); }

  /// All numbers, ordered by address; pairs at one address in any order.
  std::vector<std::uint32_t> Order() const;

 private:
  struct Entry {
    const void* address = nullptr;  // null: empty
    std::uint64_t key = 0;
    std::uint32_t number = 0;
  };
  struct Shadow {
    const char* begin;
    std::size_t size;        // bytes of the chunk
    std::uint32_t* numbers;  // 1 + number by granule, or 0; null: none yet
    std::size_t pairs;       // in the table, that lie in this chunk
  };

  static std::size_t GranuleOf(const Shadow& shadow, const void* address) {
    return static_cast<std::size_t>(static_cast<const char*>(address) -
                                    shadow.begin) /
           kGranule;
  }

  Shadow* KnownShadow(const void* address) {
    const auto* p = static_cast<const char*>(address);
    if (last_ < shadows_.size()) {
      Shadow& shadow = shadows_[last_];
      // One comparison for both ends.
      if (static_cast<std::size_t>(p - shadow.begin) < shadow.size) {
        return &shadow;
      }
    }
    return SearchShadow(p);
  }

  std::uint32_t InsertKey(const void* address, std::uint64_t key) {
    if (Shadow* shadow = ShadowFor(address)) {
      std::uint32_t& number = shadow->numbers[GranuleOf(*shadow, address)];
      if (number == 0) {
        keys_.push_back(key);
        number = static_cast<std::uint32_t>(keys_.size());
        return kNone;
      }
      if (keys_[number - 1] == key) return number - 1;
    }
    return InsertInTable(address, key);
  }

  std::uint32_t FindKey(const void* address, std::uint64_t key) {
    if (IsGranule(address)) {
      const Shadow* shadow = KnownShadow(address);
      if (shadow != nullptr && shadow->numbers != nullptr) {
        const std::uint32_t number =
            shadow->numbers[GranuleOf(*shadow, address)];
        if (number == 0) return kNone;
        if (keys_[number - 1] == key) return number - 1;
      }
    }
    return FindInTable(address, key);
  }

  static bool IsGranule(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % kGranule == 0;
  }

  /// The shadow to use for the address, with numbers; or null.
  Shadow* ShadowFor(const void* address) {
    if (!IsGranule(address)) return nullptr;
    Shadow* shadow = KnownShadow(address);
    if (shadow == nullptr && (shadow = AddShadow(address)) == nullptr) {
      return nullptr;
    }
    return shadow->numbers != nullptr || MakeNumbers(*shadow) ? shadow
                                                              : nullptr;
  }

  Shadow* SearchShadow(const char* p);
  ACRE_COLD Shadow* AddShadow(const void* address);
  bool MakeNumbers(Shadow& shadow);
  void MoveToShadow(Shadow& shadow);
  std::uint32_t InsertInTable(const void* address, std::uint64_t key);
  std::uint32_t FindInTable(const void* address, std::uint64_t key) const;
  std::size_t SlotOf(const void* address, std::uint64_t key) const;
  void Resize(std::size_t size);

  std::vector<std::uint64_t> keys_;  // by number
  std::vector<Shadow> shadows_;      // by address; numbers are owned
  std::size_t last_ = 0;             // index of the shadow found last
  std::vector<Entry> entries_;       // a power of two of them, or none
  std::size_t entry_count_ = 0;      // at most half of that
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_VISIT_SET_H_
