// SPDX-License-Identifier: MIT
//
// Map<K, V>: std::unordered_map's interface over one table in an arena.
// 56 bytes.
//
//   struct World { acre::Map<acre::String, Level*> levels; };
//   world->levels["MAP07"] = level;
//   if (Level** found = world->levels.get("MAP07")) ...
//
// Ownership, binding: as Vector (<acre/vector.h>); the Map owns the containers
// that its keys and values hold by value. Old tables return to the freelists.
// Invalidates: insertion may move all elements (references and iterators), as
// flat maps do and std::unordered_map does not; erasing invalidates the erased
// element only. Iterators follow the table when a Map is moved or swapped.
// clear and Release invalidate them; Reset and Rewind end the life of the
// table. Order: that of the hash; with acre::Hash the same in every run for the
// same history of insertions, pointers as keys aside. Lookup: a String key is
// found by anything that converts to std::string_view. Errors: where memory
// runs out, a constructor, or a hash throws, a Map is as it was (arguments that
// were moved from aside). Complexity: constant on average. Threads: as the
// arena.

#ifndef ACRE_MAP_H_
#define ACRE_MAP_H_

#include <initializer_list>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/detail/key.h"
#include "acre/detail/table.h"
#include "acre/detail/table_shape.h"
#include "acre/element.h"
#include "acre/failure.h"
#include "acre/fwd.h"
#include "acre/hash.h"

namespace acre::inline ACRE_ABI {

template <class K, class V, class H, class E>
class Map {
 public:
  using key_type = K;
  using mapped_type = V;
  using value_type = std::pair<const K, V>;
  using size_type = std::size_t;
  using difference_type = std::ptrdiff_t;
  using hasher = H;
  using key_equal = E;
  using reference = value_type&;
  using const_reference = const value_type&;

 private:
  struct Policy {
    using Slot = value_type;
    using Value = value_type;
    using Parts = std::pair<const K, V>;
    using Key = K;
    static constexpr const char* kName = "Map";
    static const K& KeyOf(const Slot& slot) { return slot.first; }
    static const TypeLayout* Layout() { return detail::GetLayout<Map>(); }
  };
  using Table = detail::Table<Policy, H, E>;
  using Listed = std::pair<detail::Listed<K>, detail::Listed<V>>;

 public:
  using iterator = typename Table::iterator;
  using const_iterator = typename Table::const_iterator;

  // ----------------------------------------------------------- construction
  Map() = default;
  explicit Map(Arena& arena) noexcept : table_(arena) {}
  Map(Arena& arena, std::initializer_list<Listed> values) : Map(arena) {
    insert(values);
  }
  template <class I>
  Map(Arena& arena, I first, I last) : Map(arena) {
    insert(first, last);
  }
  Map(Map&&) noexcept = default;
  Map& operator=(Map&&) noexcept = default;
  /// As clear and insert.
  Map& operator=(std::initializer_list<Listed> values) {
    clear();
    insert(values);
    return *this;
  }
  Map(const Map&) = delete;
  Map& operator=(const Map&) = delete;

  /// Gives the table back. The Map stays bound and usable.
  void Release() noexcept { table_.Release(); }
  Arena* arena() const noexcept { return table_.rep().arena; }

  // ----------------------------------------------------------------- access
  iterator begin() noexcept { return table_.begin(); }
  iterator end() noexcept { return table_.end(); }
  const_iterator begin() const noexcept { return table_.begin(); }
  const_iterator end() const noexcept { return table_.end(); }
  const_iterator cbegin() const noexcept { return begin(); }
  const_iterator cend() const noexcept { return end(); }

  bool empty() const noexcept { return size() == 0; }
  size_type size() const noexcept { return table_.size(); }
  static constexpr size_type max_size() noexcept {
    return detail::LimitOf(detail::kMaxGroups);
  }

  template <class Q = K>
  requires detail::LooksUp<H, K, Q> iterator find(const Q& key) {
    return table_.FindIterator(AsKey(key));
  }
  template <class Q = K>
  requires detail::LooksUp<H, K, Q> const_iterator find(const Q& key)
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
  requires detail::LooksUp<H, K, Q> V* get(const Q& key) {
    value_type* slot = table_.Find(AsKey(key));
    return slot == nullptr ? nullptr : &slot->second;
  }
  template <class Q = K>
  requires detail::LooksUp<H, K, Q>
  const V* get(const Q& key) const {
    const value_type* slot = table_.Find(AsKey(key));
    return slot == nullptr ? nullptr : &slot->second;
  }
  /// Throws: std::out_of_range.
  template <class Q = K>
  requires detail::LooksUp<H, K, Q> V& at(const Q& key) {
    V* value = get(key);
    if (value == nullptr) detail::FailNoSuchKey("Map::at");
    return *value;
  }
  template <class Q = K>
  requires detail::LooksUp<H, K, Q>
  const V& at(const Q& key) const { return const_cast<Map&>(*this).at(key); }

  // -------------------------------------------------------------- modifiers
  template <class Q = K>
  requires detail::LooksUp<H, K, std::remove_cvref_t<Q>> V& operator[](
      Q&& key) {
    return Insert(std::forward<Q>(key)).slot->second;
  }

  /// Nothing is moved from, and nothing constructed, where the key is there.
  template <class Q = K, class... Args>
  requires detail::LooksUp<H, K, std::remove_cvref_t<Q>>
      std::pair<iterator, bool> try_emplace(Q&& key, Args&&... args) {
    const auto at = Insert(std::forward<Q>(key), std::forward<Args>(args)...);
    return {table_.At(at.slot), at.is_new};
  }
  template <class Q = K, class U = V>
  requires detail::LooksUp<H, K, std::remove_cvref_t<Q>>
      std::pair<iterator, bool> insert_or_assign(Q&& key, U&& value) {
    const auto at = Insert(std::forward<Q>(key), std::forward<U>(value));
    // Insert has not touched `value` unless it made the element.
    if (!at.is_new) {
      at.slot->second = std::forward<U>(value);  // NOLINT(bugprone-*)
    }
    return {table_.At(at.slot), at.is_new};
  }
  template <class Q, class... Args>
  std::pair<iterator, bool> emplace(Q&& key, Args&&... args) {
    return try_emplace(std::forward<Q>(key), std::forward<Args>(args)...);
  }
  std::pair<iterator, bool> insert(const value_type& value) {
    return try_emplace(value.first, value.second);
  }
  std::pair<iterator, bool> insert(value_type&& value) {
    return try_emplace(value.first, std::move(value.second));
  }
  /// For std::inserter. The hint is of no use.
  iterator insert(const_iterator, const value_type& value) {
    return insert(value).first;
  }
  iterator insert(const_iterator, value_type&& value) {
    return insert(std::move(value)).first;
  }
  template <class I>
  void insert(I first, I last) {
    for (; first != last; ++first) try_emplace(first->first, first->second);
  }
  /// Strings are made in place, from texts: no part of this Map may be one.
  void insert(std::initializer_list<Listed> values) {
    reserve(size() + values.size());
    insert(values.begin(), values.end());
  }

  template <class Q = K>
  requires detail::LooksUp<H, K, Q> size_type erase(const Q& key) {
    return table_.Erase(AsKey(key));
  }
  /// The element behind the erased one.
  iterator erase(iterator at) { return table_.EraseAt(at); }
  const_iterator erase(const_iterator at) { return table_.EraseAt(at); }
  iterator erase(iterator first, iterator last) {
    while (first != last) first = erase(first);
    return last;
  }
  /// Erases the first `limit` elements that satisfy `pred`; how many.
  template <class Pred>
  size_type erase_if(Pred pred, size_type limit = ~size_type{0}) {
    size_type erased = 0;
    for (auto it = begin(); it != end() && erased < limit;) {
      if (pred(std::as_const(*it))) {
        it = erase(it);
        ++erased;
      } else {
        ++it;
      }
    }
    return erased;
  }

  /// Releases the elements' containers; keeps the table.
  void clear() noexcept { table_.Clear(); }
  /// Room for `count` elements in all, without growing.
  void reserve(size_type count) { table_.Reserve(count); }
  void swap(Map& other) noexcept { table_.swap(other.table_); }
  friend void swap(Map& a, Map& b) noexcept { a.swap(b); }

  friend bool operator==(const Map& a, const Map& b) {
    if (a.size() != b.size()) return false;
    for (const auto& [key, value] : a) {
      const V* other = b.get(key);
      if (other == nullptr || !(*other == value)) return false;
    }
    return true;
  }

 private:
  friend struct detail::TableShape<Map>;

  template <class Q>
  static decltype(auto) AsKey(const Q& key) {
    return detail::AsKey<H, K>(key);
  }

  template <class Q, class... Args>
  ACRE_INLINE typename Table::Insertion Insert(Q&& key, Args&&... args) {
    static_assert(detail::RequireItem<V>());
    static_assert(detail::RequireElement<value_type>());
    return table_.TryInsert(AsKey(key), [&](void* at) {
      auto* slot = static_cast<value_type*>(at);
      void* key_at = const_cast<std::remove_const_t<K>*>(&slot->first);
      detail::MakeKey<K>(key_at, *arena(), std::forward<Q>(key));
      MakeValue(&slot->second, slot->first, std::forward<Args>(args)...);
    });
  }

  /// Where the constructor of the value throws, the key's storage goes back.
  template <class... Args>
  void MakeValue(V* at, [[maybe_unused]] const K& key, Args&&... args) {
    const auto make = [&] {
      detail::ConstructAt<V>(at, std::forward<Args>(args)...);
    };
#if ACRE_EXCEPTIONS
    if constexpr (detail::kHandlesIn<K>) {
      try {
        make();
      } catch (...) {
        detail::ReleaseIn(key);
        throw;
      }
    } else {
      make();
    }
#else
    make();
#endif
    detail::BindIn(*at, arena());
  }

  Table table_;
};

template <class K, class V, class H, class E, class Pred>
std::size_t erase_if(Map<K, V, H, E>& map, Pred pred) {
  return map.erase_if(pred);
}

/// How layouts see a Map: a handle whose elements are pairs.
template <class K, class V, class H, class E>
struct detail::Shape<Map<K, V, H, E>> : detail::TableShape<Map<K, V, H, E>> {
  static constexpr std::array<FieldLayout, 2> kFields{ACRE_PART_("{key}", 0, K),
                                                      ACRE_PART_("[]", 0, V)};
  // No constexpr function: clang 14 would instantiate it at once, and the pair
  // of a type that holds a Map of itself is not complete then.
  static const TypeLayout* PairLayout() {
    return GetLayout<std::pair<const K, V>>();
  }
  static constexpr const TypeLayout* (*kElement)() = &PairLayout;
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_MAP_H_
