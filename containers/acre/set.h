// SPDX-License-Identifier: MIT
//
// Set<K>: std::unordered_set's interface over one table in an arena. 56 bytes.
//
//   acre::Set<int> seen(arena);
//   if (seen.insert(id).second) Visit(id);
//
// Ownership, binding, invalidation, order, lookup, errors: as Map
// (<acre/map.h>).

#ifndef ACRE_SET_H_
#define ACRE_SET_H_

#include <initializer_list>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/key.h"
#include "acre/detail/table.h"
#include "acre/detail/table_shape.h"
#include "acre/element.h"
#include "acre/fwd.h"
#include "acre/hash.h"

namespace acre::inline ACRE_ABI {

template <class K, class H, class E>
class Set {
 public:
  using key_type = K;
  using value_type = K;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using hasher = H;
  using key_equal = E;
  using reference = const K&;
  using const_reference = const K&;

 private:
  struct Policy {
    using Slot = K;
    using Value = const K;
    using Parts = K;
    using Key = K;
    static constexpr const char* kName = "Set";
    static const K& KeyOf(const Slot& slot) { return slot; }
    static const TypeLayout* Layout() { return detail::GetLayout<Set>(); }
  };
  using Table = detail::Table<Policy, H, E>;

 public:
  /// Elements are constant: changing one would lose it.
  using iterator = typename Table::iterator;
  using const_iterator = iterator;

  Set() = default;
  explicit Set(Arena& arena) noexcept : table_(arena) {}
  Set(Arena& arena, std::initializer_list<K> keys) : Set(arena) {
    insert(keys);
  }
  /// Keys are made in place from what can be looked up: texts for Strings.
  template <class Q>
  requires(!std::is_same_v<Q, K> && detail::LooksUp<H, K, Q>)
      Set(Arena& arena, std::initializer_list<Q> keys)
      : Set(arena) {
    insert(keys);
  }
  template <class I>
  Set(Arena& arena, I first, I last) : Set(arena) {
    insert(first, last);
  }
  Set(Set&&) noexcept = default;
  Set& operator=(Set&&) noexcept = default;
  /// As clear and insert: no part of this Set may be in the list.
  Set& operator=(std::initializer_list<K> keys) {
    clear();
    insert(keys);
    return *this;
  }
  template <class Q>
  requires(!std::is_same_v<Q, K> && detail::LooksUp<H, K, Q>) Set& operator=(
      std::initializer_list<Q> keys) {
    clear();
    insert(keys);
    return *this;
  }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

  /// Gives the table back. The Set stays bound and usable.
  void Release() noexcept { table_.Release(); }
  Arena* arena() const noexcept { return table_.rep().arena; }

  iterator begin() const noexcept { return table_.begin(); }
  iterator end() const noexcept { return table_.end(); }
  iterator cbegin() const noexcept { return begin(); }
  iterator cend() const noexcept { return end(); }
  bool empty() const noexcept { return size() == 0; }
  size_type size() const noexcept { return table_.size(); }
  static constexpr size_type max_size() noexcept {
    return detail::LimitOf(detail::kMaxGroups);
  }

  template <class Q = K>
  requires detail::LooksUp<H, K, Q> iterator find(const Q& key)
  const { return table_.FindIterator(AsKey(key)); }
  template <class Q = K>
  requires detail::LooksUp<H, K, Q>
  bool contains(const Q& key) const {
    return table_.Find(AsKey(key)) != nullptr;
  }
  template <class Q = K>
  requires detail::LooksUp<H, K, Q> size_type count(const Q& key)
  const { return contains(key) ? 1 : 0; }
  /// Null where the key is absent.
  template <class Q = K>
  requires detail::LooksUp<H, K, Q>
  const K* get(const Q& key) const { return table_.Find(AsKey(key)); }

  template <class Q = K>
  requires detail::LooksUp<H, K, std::remove_cvref_t<Q>>
      std::pair<iterator, bool> insert(Q&& key) {
    static_assert(detail::RequireItem<K>());
    const auto at = table_.TryInsert(AsKey(key), [&](void* to) {
      detail::MakeKey<K>(to, *arena(), std::forward<Q>(key));
    });
    return {table_.At(at.slot), at.is_new};
  }
  /// For std::inserter. The hint is of no use.
  template <class Q = K>
  requires detail::LooksUp<H, K, std::remove_cvref_t<Q>> iterator
  insert(const_iterator, Q&& key) {
    return insert(std::forward<Q>(key)).first;
  }
  template <class Q>
  requires detail::LooksUp<H, K, Q>
  void insert(std::initializer_list<Q> keys) {
    reserve(size() + keys.size());
    for (const Q& key : keys) insert(key);
  }
  template <class... Args>
  std::pair<iterator, bool> emplace(Args&&... args) {
    if constexpr (sizeof...(Args) == 1 &&
                  (detail::LooksUp<H, K, std::remove_cvref_t<Args>> && ...)) {
      return insert(std::forward<Args>(args)...);
    } else {
      return insert(K(std::forward<Args>(args)...));
    }
  }
  template <class I>
  void insert(I first, I last) {
    for (; first != last; ++first) insert(*first);
  }

  template <class Q = K>
  requires detail::LooksUp<H, K, Q> size_type erase(const Q& key) {
    return table_.Erase(AsKey(key));
  }
  iterator erase(iterator at) { return table_.EraseAt(at); }
  iterator erase(iterator first, iterator last) {
    while (first != last) first = erase(first);
    return last;
  }
  /// Erases the first `limit` elements that satisfy `pred`; how many.
  template <class Pred>
  size_type erase_if(Pred pred, size_type limit = ~size_type{0}) {
    size_type erased = 0;
    for (auto it = begin(); it != end() && erased < limit;) {
      if (pred(*it)) {
        it = erase(it);
        ++erased;
      } else {
        ++it;
      }
    }
    return erased;
  }

  void clear() noexcept { table_.Clear(); }
  void reserve(size_type count) { table_.Reserve(count); }
  void swap(Set& other) noexcept { table_.swap(other.table_); }
  friend void swap(Set& a, Set& b) noexcept { a.swap(b); }

  friend bool operator==(const Set& a, const Set& b) {
    if (a.size() != b.size()) return false;
    for (const K& key : a) {
      if (!b.contains(key)) return false;
    }
    return true;
  }

 private:
  friend struct detail::TableShape<Set>;

  template <class Q>
  static decltype(auto) AsKey(const Q& key) {
    return detail::AsKey<H, K>(key);
  }

  Table table_;
};

template <class K, class H, class E, class Pred>
std::size_t erase_if(Set<K, H, E>& set, Pred pred) {
  return set.erase_if(pred);
}

/// How layouts see a Set.
template <class K, class H, class E>
struct detail::Shape<Set<K, H, E>> : detail::TableShape<Set<K, H, E>> {
  static constexpr std::array<FieldLayout, 1> kFields{
      ACRE_PART_("{key}", 0, K)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<K>;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SET_H_
