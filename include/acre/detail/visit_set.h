// SPDX-License-Identifier: MIT
//
// VisitSet: which (address, type) pairs a walk has seen, with a value for each:
// first its number in the order of coming, later what the walk puts there.
// Keyed by both: the first member of a struct has the struct's address, and
// having seen the member says nothing of the rest. Internal to acre.
//
//   chunk:    | granule 16        | granule 16 | ...
//   shadow:   | value 48, type 16 |     0      | ...   half of its size
//
// Two stores. A chunk in which many pairs lie gets a shadow: the first pair at
// each granule, found by subtraction, so that a look-up touches one line, a
// walk in the order of addresses walks through the shadow in order too, and the
// pairs lie there sorted. Everything else (few pairs, other memory, a second
// type at an address) is in a hash table: open addressing, linear probing, 24
// bytes an entry. With the table alone a deep copy of a million nodes took five
// times as long.

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
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  VisitSet() = default;
  VisitSet(const VisitSet&) = delete;
  VisitSet& operator=(const VisitSet&) = delete;
  ~VisitSet();

  /// False where the pair was there already. Amortised constant. Pairs are
  /// numbered in the order of their insertion, from 0.
  bool Insert(const void* address, const TypeLayout& type) {
    return InsertKey(address, type.id) == kNone;
  }
  /// The value the pair had before, or kNone: it is inserted now.
  std::uint64_t FindOrInsert(const void* address, const TypeLayout& type) {
    return InsertKey(address, type.id);
  }
  /// The same for the storage of a handle of this type: told apart from a
  /// handle that lies at the same address, as the first part of an element.
  bool InsertStorage(const void* address, const TypeLayout& handle) {
    return InsertKey(address, ~handle.id) == kNone;
  }

  /// The value of a pair, or kNone.
  std::uint64_t Find(const void* address, const TypeLayout& type) {
    return FindKey(address, type.id);
  }
  std::uint64_t FindStorage(const void* address, const TypeLayout& handle) {
    return FindKey(address, ~handle.id);
  }

  std::size_t size() const { return size_; }

  /// Puts value_of(value) where a value was. Values are below 2^48.
  template <class ValueOf>
  void Replace(ValueOf value_of) {
    for (const Shadow& shadow : shadows_) {
      if (shadow.cells == nullptr) continue;
      for (std::size_t i = 0; i <= shadow.size / kGranule; ++i) {
        std::uint64_t& cell = shadow.cells[i];
        if (cell != 0)
          cell = CellOf(value_of(cell >> kTagBits), cell & kTagMask);
      }
    }
    for (Entry& entry : entries_) {
      if (entry.address != nullptr) entry.value = value_of(entry.value);
    }
  }

  /// Numbers the pairs anew, by address (pairs at one address in any order),
  /// and returns the old number of each.
  std::vector<std::uint32_t> SortByAddress();

 private:
  struct Entry {
    const void* address = nullptr;  // null: empty
    std::uint64_t key = 0;
    std::uint64_t value = 0;
  };
  struct Shadow {
    const char* begin;
    std::size_t size;      // bytes of the chunk
    std::uint64_t* cells;  // by granule: value and tag, or 0; null: none yet
    std::size_t pairs;     // in the table, that lie in this chunk
  };

  // A tag is 1 + the index of a key in keys_. 65,535 types have one; pairs of
  // others are in the table.
  static constexpr unsigned kTagBits = 16;
  static constexpr std::uint64_t kTagMask = (std::uint64_t{1} << kTagBits) - 1;

  static std::uint64_t CellOf(std::uint64_t value, std::uint64_t tag) {
    return value << kTagBits | tag;
  }
  static std::size_t GranuleOf(const Shadow& shadow, const void* address) {
    return static_cast<std::size_t>(static_cast<const char*>(address) -
                                    shadow.begin) /
           kGranule;
  }
  static bool IsGranule(const void* address) {
    return reinterpret_cast<std::uintptr_t>(address) % kGranule == 0;
  }

  /// 0 where the key has none and can get none.
  std::uint64_t TagOf(std::uint64_t key) {
    return key == last_key_ ? last_tag_ : SearchTag(key);
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

  std::uint64_t InsertKey(const void* address, std::uint64_t key) {
    if (Shadow* shadow = ShadowFor(address)) {
      std::uint64_t& cell = shadow->cells[GranuleOf(*shadow, address)];
      const std::uint64_t tag = TagOf(key);
      if (cell == 0 && tag != 0) {
        cell = CellOf(size_++, tag);
        return kNone;
      }
      if (tag != 0 && (cell & kTagMask) == tag) return cell >> kTagBits;
    }
    return InsertInTable(address, key);
  }

  std::uint64_t FindKey(const void* address, std::uint64_t key) {
    if (IsGranule(address)) {
      const Shadow* shadow = KnownShadow(address);
      if (shadow != nullptr && shadow->cells != nullptr) {
        const std::uint64_t cell = shadow->cells[GranuleOf(*shadow, address)];
        const std::uint64_t tag = TagOf(key);
        if (tag != 0 && (cell & kTagMask) == tag) return cell >> kTagBits;
      }
    }
    return FindInTable(address, key);
  }

  /// The shadow to use for the address, with cells; or null.
  Shadow* ShadowFor(const void* address) {
    if (!IsGranule(address)) return nullptr;
    Shadow* shadow = KnownShadow(address);
    if (shadow == nullptr && (shadow = AddShadow(address)) == nullptr) {
      return nullptr;
    }
    return shadow->cells != nullptr || MakeCells(*shadow) ? shadow : nullptr;
  }

  std::uint64_t SearchTag(std::uint64_t key);
  Shadow* SearchShadow(const char* p);
  ACRE_COLD Shadow* AddShadow(const void* address);
  bool MakeCells(Shadow& shadow);
  void MoveToShadow(Shadow& shadow);
  std::uint64_t InsertInTable(const void* address, std::uint64_t key);
  std::uint64_t FindInTable(const void* address, std::uint64_t key) const;
  std::size_t SlotOf(const void* address, std::uint64_t key) const;
  void Resize(std::size_t size);

  std::size_t size_ = 0;
  std::vector<std::uint64_t> keys_;  // by tag - 1
  std::uint64_t last_key_ = 0;       // the key looked for last
  std::uint64_t last_tag_ = 0;
  std::vector<Shadow> shadows_;  // by address; cells are owned
  std::size_t last_ = 0;         // index of the shadow found last
  std::vector<Entry> entries_;   // a power of two of them, or none
  std::size_t entry_count_ = 0;  // at most half of that
};

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_VISIT_SET_H_
