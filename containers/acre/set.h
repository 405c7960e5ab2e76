// SPDX-License-Identifier: MIT
//
// Set<K>: std::unordered_set's interface over one table in an arena. 56 bytes.
//
//   acre::Set<int> seen(arena);
//   if (seen.insert(id).second) Visit(id);
//
// Ownership, binding, invalidation, order, lookup, errors: as Map
// (<acre/map.h>), where also stands what of std::unordered_set there is not,
// and why.

#ifndef ACRE_SET_H_
#define ACRE_SET_H_

#include <initializer_list>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/key.h"
#include "acre/detail/node.h"
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
  using pointer = const K*;
  using const_pointer = const K*;

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
  using Key = std::remove_const_t<K>;
  using Listed = detail::Listed<K>;

 public:
  /// Elements are constant: changing one would lose it.
  using iterator = typename Table::iterator;
  using const_iterator = iterator;
  using node_type = detail::SetNode<Key>;
  using insert_return_type = detail::NodeInsertion<iterator, node_type>;

  Set() = default;
  explicit Set(Arena& arena) noexcept : table_(arena) {}
  /// Here and below, a list: keys are made in place, Strings from texts. No
  /// part of this Set may be in it.
  Set(Arena& arena, std::initializer_list<Listed> keys) : Set(arena) {
    detail::FillNew(*this, [&] { insert(keys); });
  }
  template <class Q>
  requires std::is_constructible_v<K, const Q&> Set(
      Arena& arena, std::initializer_list<Q> keys)
      : Set(arena) {
    detail::FillNew(*this, [&] { insert(keys); });
  }
  template <class I>
  Set(Arena& arena, I first, I last) : Set(arena) {
    detail::FillNew(*this, [&] { insert(first, last); });
  }
  Set(Set&&) noexcept = default;
  Set& operator=(Set&&) noexcept = default;
  /// As clear and insert.
  Set& operator=(std::initializer_list<Listed> keys) {
    clear();
    insert(keys);
    return *this;
  }
  template <class Q>
  requires std::is_constructible_v<K, const Q&> Set& operator=(
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

  // Here and below: Q is what can be looked up though it is no key.
  iterator find(const K& key) const { return table_.LookIterator(key); }
  template <detail::LooksUp<K, H, E> Q>
  iterator find(const Q& key) const {
    return table_.LookIterator(key);
  }
  bool contains(const K& key) const { return get(key) != nullptr; }
  template <detail::LooksUp<K, H, E> Q>
  bool contains(const Q& key) const {
    return get(key) != nullptr;
  }
  size_type count(const K& key) const { return contains(key) ? 1 : 0; }
  template <detail::LooksUp<K, H, E> Q>
  size_type count(const Q& key) const {
    return contains(key) ? 1 : 0;
  }
  std::pair<iterator, iterator> equal_range(const K& key) const {
    return detail::RangeOf(find(key));
  }
  template <detail::LooksUp<K, H, E> Q>
  std::pair<iterator, iterator> equal_range(const Q& key) const {
    return detail::RangeOf(find(key));
  }
  /// Null where the key is absent.
  const K* get(const K& key) const { return table_.Look(key); }
  template <detail::LooksUp<K, H, E> Q>
  const K* get(const Q& key) const {
    return table_.Look(key);
  }

  std::pair<iterator, bool> insert(const K& key) { return Told(Insert(key)); }
  std::pair<iterator, bool> insert(Key&& key) {
    return Told(Insert(std::move(key)));
  }
  template <detail::LooksUp<K, H, E> Q>
  std::pair<iterator, bool> insert(const Q& key) {
    return Told(Insert(key));
  }
  /// For std::inserter. The hint is of no use.
  iterator insert(const_iterator, const K& key) { return insert(key).first; }
  iterator insert(const_iterator, Key&& key) {
    return insert(std::move(key)).first;
  }
  template <detail::LooksUp<K, H, E> Q>
  iterator insert(const_iterator, const Q& key) {
    return insert(key).first;
  }
  void insert(std::initializer_list<Listed> keys) { InsertList(keys); }
  /// A list that is there already, of what keys can be made of.
  template <class Q>
  requires std::is_constructible_v<K, const Q&>
  void insert(std::initializer_list<Q> keys) { InsertList(keys); }
  /// Reads each element once. Keys are moved where `*first` is an rvalue.
  template <class I>
  void insert(I first, I last) {
    for (; first != last; ++first) emplace(*first);
  }
  template <class... Args>
  std::pair<iterator, bool> emplace(Args&&... args) {
    return Told(Emplace(std::forward<Args>(args)...));
  }
  template <class... Args>
  iterator emplace_hint(const_iterator, Args&&... args) {
    return emplace(std::forward<Args>(args)...).first;
  }

  size_type erase(const K& key) { return table_.EraseKey(key); }
  template <detail::LooksUp<K, H, E> Q>
  size_type erase(const Q& key) {
    return table_.EraseKey(key);
  }
  /// The element behind the erased one.
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

  /// Nodes, merging, room: as in Map.
  node_type extract(const_iterator at) {
    return node_type(detail::Taken(), arena(), table_.rep().stamp,
                     [&](void* to) { table_.TakeAt(at, to); });
  }
  node_type extract(const K& key) { return Extract(find(key)); }
  template <detail::LooksUp<K, H, E> Q>
  node_type extract(const Q& key) {
    return Extract(find(key));
  }
  insert_return_type insert(node_type&& node) {
    if (node.empty()) return {end(), false, {}};
    const auto at = InsertNode(node);
    if (!at.is_new) return {table_.At(at.slot), false, std::move(node)};
    return {table_.At(at.slot), true, {}};
  }
  iterator insert(const_iterator, node_type&& node) {
    if (node.empty()) return end();
    return table_.At(InsertNode(node).slot);
  }
  template <class H2, class E2>
  void merge(Set<K, H2, E2>& other) {
    if (static_cast<void*>(&other) != this) table_.Merge(other.table_);
  }
  template <class H2, class E2>
  void merge(Set<K, H2, E2>&& other) {
    merge(other);
  }

  void clear() noexcept { table_.Clear(); }
  void reserve(size_type count) { table_.Reserve(count); }
  size_type bucket_count() const noexcept { return table_.slot_count(); }
  static constexpr size_type max_bucket_count() noexcept {
    return detail::kMaxGroups * detail::kGroupSlots;
  }
  float load_factor() const noexcept { return table_.load_factor(); }
  static constexpr float max_load_factor() noexcept { return 1; }
  void max_load_factor(float) noexcept {}
  void rehash(size_type count) { table_.Rehash(count); }
  hasher hash_function() const { return H(); }
  key_equal key_eq() const { return E(); }
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

  using Insertion = typename Table::Insertion;

  std::pair<iterator, bool> Told(const Insertion& at) const {
    return {table_.At(at.slot), at.is_new};
  }

  template <class Q>
  ACRE_INLINE Insertion Insert(Q&& key) {
    if constexpr (Table::template kIsAsked<std::remove_cvref_t<Q>>) {
      static_assert(detail::RequireItem<K>());
      const auto make = [&](void* to) {
        detail::MakeKey<K>(to, *arena(), std::forward<Q>(key));
      };
      if constexpr (detail::kRunsNoCode<Key, Q>) {
        return table_.TryInsert(key, make);
      } else {
        if (detail::IsShortText<Key>(key)) return table_.TryInsert(key, make);
        return table_.template TryInsertAside<detail::kNeedsPlace<Key, Q>>(
            key, make);
      }
    } else {
      return InsertMade(std::forward<Q>(key));
    }
  }
  /// A key is made before it is looked up.
  template <class... Args>
  Insertion InsertMade(Args&&... args) {
    Arena* arena = detail::kHandlesIn<K> ? &table_.BoundArena() : nullptr;
    detail::MadeKey<Key> made(arena, std::forward<Args>(args)...);
    return Insert(std::move(*made));
  }
  template <class... Args>
  Insertion Emplace(Args&&... args) {
    return InsertMade(std::forward<Args>(args)...);
  }
  template <class Q>
  Insertion Emplace(Q&& key) {
    return Insert(std::forward<Q>(key));
  }
  template <class List>
  void InsertList(const List& keys) {
    reserve(detail::SevenEighths(size() + keys.size()));
    insert(keys.begin(), keys.end());
  }
  node_type Extract(const_iterator at) {
    return at == end() ? node_type() : extract(at);
  }
  Insertion InsertNode(node_type& node) {
    const Insertion at = table_.InsertTaken(node.Held("Set"));
    if (at.is_new) node.Forget();
    return at;
  }

  template <class, class, class>
  friend class Set;

  Table table_;
};

template <class K, class H, class E, class Pred>
std::size_t erase_if(Set<K, H, E>& set, Pred pred) {
  return set.erase_if(pred);
}

template <class K>
Set(Arena&, std::initializer_list<K>) -> Set<K>;
template <class I>
Set(Arena&, I, I) -> Set<std::remove_cvref_t<decltype(*std::declval<I&>())>>;

/// How layouts see a Set.
template <class K, class H, class E>
struct detail::Shape<Set<K, H, E>> : detail::TableShape<Set<K, H, E>> {
  static constexpr std::array<FieldLayout, 1> kFields{
      ACRE_PART_("{key}", 0, K)};
  static constexpr const TypeLayout* (*kElement)() = &GetLayout<K>;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_SET_H_
