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
// flat maps do and std::unordered_map does not; not before `n` are in after
// reserve(n), whatever is erased and inserted. Erasing invalidates the erased
// element only. Iterators follow the table when a Map is moved or swapped.
// clear and Release invalidate them; Reset and Rewind end the life of the
// table. Order: that of the hash; with acre::Hash the same in every run for the
// same history of insertions, pointers as keys aside.
// Look-up: as std. A String key is found by anything that converts to
// std::string_view, unconverted; with a hasher or equality of your own that is
// not transparent a key is made first, in the Map's arena, and given back.
// Errors: where memory runs out, a constructor, or a hash throws, a Map is as
// it was (arguments that were moved from aside). A constructor, and a hash that
// has read its key, may use the very Map, as finalizers may; an equality must
// not, nor a move constructor. Where that inserts the key for which an element
// is just made, the one that came first stays. Erasing or extracting by
// iterator asks no hash. `map[key] = value` assigns to an element that stands
// already: where that asks for memory, as a String does, or a GcRef the first
// time, and a finalizer changes the Map meanwhile, the value is lost.
// insert_or_assign looks again. Complexity: constant on average. Threads: as
// the arena.
//
// Of std::unordered_map there is not: allocators (an Arena is given instead);
// copying (Clone does); buckets and their iterators, hashers with state and
// bucket counts for constructors (there are no buckets, and no room for state);
// std::erase_if, which cannot be added to std: erase_if(map, pred) finds
// acre's. extract and merge move elements, so that pointers to them end.

#ifndef ACRE_MAP_H_
#define ACRE_MAP_H_

#include <cstddef>
#include <initializer_list>
#include <type_traits>
#include <utility>

#include "acre/arena.h"
#include "acre/config.h"
#include "acre/detail/construct.h"
#include "acre/detail/key.h"
#include "acre/detail/node.h"
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
  using pointer = value_type*;
  using const_pointer = const value_type*;

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
  using Pair = std::pair<std::remove_const_t<K>, V>;

 public:
  using iterator = typename Table::iterator;
  using const_iterator = typename Table::const_iterator;
  using node_type = detail::MapNode<K, V>;
  using insert_return_type = detail::NodeInsertion<iterator, node_type>;

  // ----------------------------------------------------------- construction
  Map() = default;
  explicit Map(Arena& arena) noexcept : table_(arena) {}
  Map(Arena& arena, std::initializer_list<Listed> values) : Map(arena) {
    detail::FillNew(*this, [&] { insert(values); });
  }
  template <detail::PairLike<Pair> P>
  Map(Arena& arena, std::initializer_list<P> values) : Map(arena) {
    detail::FillNew(*this, [&] { insert(values); });
  }
  template <class I>
  Map(Arena& arena, I first, I last) : Map(arena) {
    detail::FillNew(*this, [&] { insert(first, last); });
  }
  Map(Map&&) noexcept = default;
  Map& operator=(Map&&) noexcept = default;
  /// As clear and insert.
  Map& operator=(std::initializer_list<Listed> values) {
    clear();
    insert(values);
    return *this;
  }
  template <detail::PairLike<Pair> P>
  Map& operator=(std::initializer_list<P> values) {
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

  // Here and below: Q is what can be looked up though it is no key.
  iterator find(const K& key) { return table_.LookIterator(key); }
  const_iterator find(const K& key) const { return table_.LookIterator(key); }
  template <detail::LooksUp<K, H, E> Q>
  iterator find(const Q& key) {
    return table_.LookIterator(key);
  }
  template <detail::LooksUp<K, H, E> Q>
  const_iterator find(const Q& key) const {
    return table_.LookIterator(key);
  }
  bool contains(const K& key) const { return table_.Look(key) != nullptr; }
  template <detail::LooksUp<K, H, E> Q>
  bool contains(const Q& key) const {
    return table_.Look(key) != nullptr;
  }
  size_type count(const K& key) const { return contains(key) ? 1 : 0; }
  template <detail::LooksUp<K, H, E> Q>
  size_type count(const Q& key) const {
    return contains(key) ? 1 : 0;
  }
  std::pair<iterator, iterator> equal_range(const K& key) {
    return detail::RangeOf(find(key));
  }
  std::pair<const_iterator, const_iterator> equal_range(const K& key) const {
    return detail::RangeOf(find(key));
  }
  template <detail::LooksUp<K, H, E> Q>
  std::pair<iterator, iterator> equal_range(const Q& key) {
    return detail::RangeOf(find(key));
  }
  template <detail::LooksUp<K, H, E> Q>
  std::pair<const_iterator, const_iterator> equal_range(const Q& key) const {
    return detail::RangeOf(find(key));
  }
  /// Null where the key is absent.
  V* get(const K& key) { return ValueOf(table_.Look(key)); }
  const V* get(const K& key) const { return ValueOf(table_.Look(key)); }
  template <detail::LooksUp<K, H, E> Q>
  V* get(const Q& key) {
    return ValueOf(table_.Look(key));
  }
  template <detail::LooksUp<K, H, E> Q>
  const V* get(const Q& key) const {
    return ValueOf(table_.Look(key));
  }
  /// Throws: std::out_of_range.
  V& at(const K& key) { return Require(table_.Look(key)); }
  const V& at(const K& key) const { return Require(table_.Look(key)); }
  template <detail::LooksUp<K, H, E> Q>
  V& at(const Q& key) {
    return Require(table_.Look(key));
  }
  template <detail::LooksUp<K, H, E> Q>
  const V& at(const Q& key) const {
    return Require(table_.Look(key));
  }

  // -------------------------------------------------------------- modifiers
  V& operator[](const K& key) { return Insert(key).slot->second; }
  V& operator[](K&& key) { return Insert(std::move(key)).slot->second; }
  template <detail::LooksUp<K, H, E> Q>
  V& operator[](const Q& key) {
    return Insert(key).slot->second;
  }

  /// Nothing is moved from, and nothing constructed, where the key is there.
  template <class... Args>
  std::pair<iterator, bool> try_emplace(const K& key, Args&&... args) {
    return Told(Insert(key, std::forward<Args>(args)...));
  }
  template <class... Args>
  std::pair<iterator, bool> try_emplace(K&& key, Args&&... args) {
    return Told(Insert(std::move(key), std::forward<Args>(args)...));
  }
  template <detail::LooksUp<K, H, E> Q, class... Args>
  std::pair<iterator, bool> try_emplace(const Q& key, Args&&... args) {
    return Told(Insert(key, std::forward<Args>(args)...));
  }
  /// What the old value held is given back, whatever an optional or a variant
  /// was.
  template <class U = V>
  std::pair<iterator, bool> insert_or_assign(const K& key, U&& value) {
    return Told(Assign(key, std::forward<U>(value)));
  }
  template <class U = V>
  std::pair<iterator, bool> insert_or_assign(K&& key, U&& value) {
    return Told(Assign(std::move(key), std::forward<U>(value)));
  }
  template <detail::LooksUp<K, H, E> Q, class U = V>
  std::pair<iterator, bool> insert_or_assign(const Q& key, U&& value) {
    return Told(Assign(key, std::forward<U>(value)));
  }
  /// Of nothing; a pair; a key and what try_emplace takes; or
  /// std::piecewise_construct and two tuples.
  template <class... Args>
  std::pair<iterator, bool> emplace(Args&&... args) {
    return Told(Emplace(std::forward<Args>(args)...));
  }
  /// Moves key and value where the pair is an rvalue; a const key is copied.
  template <detail::PairLike<Pair> P>
  std::pair<iterator, bool> insert(P&& pair) {
    return Told(EmplacePair(std::forward<P>(pair)));
  }
  std::pair<iterator, bool> insert(Pair&& pair) {
    return Told(EmplacePair(std::move(pair)));
  }

  /// With a hint, for std::inserter and the like. It is of no use.
  template <class... Args>
  iterator try_emplace(const_iterator, const K& key, Args&&... args) {
    return try_emplace(key, std::forward<Args>(args)...).first;
  }
  template <class... Args>
  iterator try_emplace(const_iterator, K&& key, Args&&... args) {
    return try_emplace(std::move(key), std::forward<Args>(args)...).first;
  }
  template <detail::LooksUp<K, H, E> Q, class... Args>
  iterator try_emplace(const_iterator, const Q& key, Args&&... args) {
    return try_emplace(key, std::forward<Args>(args)...).first;
  }
  template <class U = V>
  iterator insert_or_assign(const_iterator, const K& key, U&& value) {
    return insert_or_assign(key, std::forward<U>(value)).first;
  }
  template <class U = V>
  iterator insert_or_assign(const_iterator, K&& key, U&& value) {
    return insert_or_assign(std::move(key), std::forward<U>(value)).first;
  }
  template <detail::LooksUp<K, H, E> Q, class U = V>
  iterator insert_or_assign(const_iterator, const Q& key, U&& value) {
    return insert_or_assign(key, std::forward<U>(value)).first;
  }
  template <class... Args>
  iterator emplace_hint(const_iterator, Args&&... args) {
    return emplace(std::forward<Args>(args)...).first;
  }
  template <detail::PairLike<Pair> P>
  iterator insert(const_iterator, P&& pair) {
    return insert(std::forward<P>(pair)).first;
  }
  iterator insert(const_iterator, Pair&& pair) {
    return insert(std::move(pair)).first;
  }

  /// Reads each element once. Keys and values are moved where `*first` is an
  /// rvalue.
  template <class I>
  void insert(I first, I last) {
    for (; first != last; ++first) EmplacePair(*first);
  }
  /// Strings are made in place, from texts: no part of this Map may be one.
  void insert(std::initializer_list<Listed> values) { InsertList(values); }
  /// A list that is there already, of value_type, say.
  template <detail::PairLike<Pair> P>
  void insert(std::initializer_list<P> values) {
    InsertList(values);
  }

  size_type erase(const K& key) { return table_.EraseKey(key); }
  template <detail::LooksUp<K, H, E> Q>
  size_type erase(const Q& key) {
    return table_.EraseKey(key);
  }
  /// The element behind the erased one.
  iterator erase(iterator at) { return table_.EraseAt(at); }
  iterator erase(const_iterator at) { return table_.EraseAt(at.Mutable()); }
  iterator erase(const_iterator first, const_iterator last) {
    iterator at = first.Mutable();
    while (at != last) at = erase(at);
    return at;
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

  /// An element taken out, containers included; empty where the key is absent.
  /// Invalidates what erasing it would, and pointers to it. A Reset or Rewind
  /// that ends the table ends what the node holds: it gives nothing back then,
  /// and must not be inserted (misuse) if it holds something.
  node_type extract(const_iterator at) {
    return node_type(detail::Taken(), arena(), table_.rep().stamp,
                     [&](void* to) { table_.TakeAt(at.Mutable(), to); });
  }
  node_type extract(const K& key) { return Extract(find(key)); }
  template <detail::LooksUp<K, H, E> Q>
  node_type extract(const Q& key) {
    return Extract(find(key));
  }
  /// The node keeps its element where the key is there already. Requires: what
  /// the element holds is of this Map's arena (checked builds verify).
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
  /// Takes over the elements whose keys are not here. Where memory runs out
  /// each element is in one of the two. What runs meanwhile may use either;
  /// linear, and from the start of `other` again where it does. Requires:
  /// `other` is not part of an element of this Map, which moves as this grows.
  template <class H2, class E2>
  void merge(Map<K, V, H2, E2>& other) {
    if (static_cast<void*>(&other) == this) return;
    table_.CheckOutside(&other);
    table_.Merge(other.table_);
  }
  template <class H2, class E2>
  void merge(Map<K, V, H2, E2>&& other) {
    merge(other);
  }

  /// Releases the elements' containers; keeps the table.
  void clear() noexcept { table_.Clear(); }
  /// Until `count` elements are in nothing moves and nothing is allocated for
  /// the table, whatever is erased and inserted.
  void reserve(size_type count) { table_.Reserve(count); }
  /// Slots, of which at most seven eighths are used. No more than a hint.
  size_type bucket_count() const noexcept { return table_.slot_count(); }
  static constexpr size_type max_bucket_count() noexcept {
    return detail::kMaxGroups * detail::kGroupSlots;
  }
  float load_factor() const noexcept { return table_.load_factor(); }
  /// Of a small table; larger ones are filled to seven eighths.
  static constexpr float max_load_factor() noexcept { return 1; }
  /// A hint, as for std, and one that is never taken.
  void max_load_factor(float) noexcept {}
  /// bucket_count() is `count` at least. Never fewer than before.
  void rehash(size_type count) { table_.Rehash(count); }
  hasher hash_function() const { return H(); }
  key_equal key_eq() const { return E(); }
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

  template <class, class, class, class>
  friend class Map;

  using Insertion = typename Table::Insertion;
  using Key = std::remove_const_t<K>;

  static V* ValueOf(value_type* slot) {
    return slot == nullptr ? nullptr : &slot->second;
  }
  static V& Require(value_type* slot) {
    if (slot == nullptr) detail::FailNoSuchKey("Map::at");
    return slot->second;
  }
  std::pair<iterator, bool> Told(const Insertion& at) const {
    return {table_.At(at.slot), at.is_new};
  }

  template <detail::TakeValue Take = nullptr, class Q, class... Args>
  ACRE_INLINE Insertion Insert(Q&& key, Args&&... args) {
    if constexpr (Table::template kIsAsked<std::remove_cvref_t<Q>>) {
      static_assert(detail::RequireItem<V>());
      static_assert(detail::RequireElement<value_type>());
      const auto make = [&](void* at) {
        auto* slot = static_cast<value_type*>(at);
        void* key_at = const_cast<Key*>(&slot->first);
        detail::MakeKey<K>(key_at, *arena(), std::forward<Q>(key));
        MakeValue(&slot->second, slot->first, std::forward<Args>(args)...);
      };
      constexpr bool kPlainKey = detail::kRunsNoCode<Key, Q>;
      constexpr bool kPlainValue = detail::kRunsNoCode<V, Args...>;
      if constexpr (kPlainKey && kPlainValue) {
        return table_.template TryInsert<Take>(key, make);
      } else {
        if ((kPlainKey || detail::IsShortText<Key>(key)) &&
            (kPlainValue || detail::IsShortText<V>(args...))) {
          return table_.template TryInsert<Take>(key, make);
        }
        constexpr bool kInPlace =
            detail::kNeedsPlace<Key, Q> || detail::kNeedsPlace<V, Args...>;
        return table_.template TryInsertAside<kInPlace, Take>(key, make);
      }
    } else {
      detail::MadeKey<Key> made(KeyArena(), std::forward<Q>(key));
      return Insert<Take>(std::move(*made), std::forward<Args>(args)...);
    }
  }
  /// For keys that are made before they are looked up.
  Arena* KeyArena() {
    return detail::kHandlesIn<K> ? &table_.BoundArena() : nullptr;
  }
  template <class Q, class U>
  Insertion Assign(Q&& key, U&& value) {
    const auto at =
        Insert<&TakeMade>(std::forward<Q>(key), std::forward<U>(value));
    if (at.is_new || at.took_value) return at;
    // Insert has not touched `value`. A container that is moved gives back what
    // the other had by itself.
    constexpr bool kGivesBack =
        !detail::kHandlesIn<V> || detail::Shape<V>::kKind == TypeKind::kHandle;
    if constexpr (detail::kRunsNoCode<V, U> && kGivesBack) {
      at.slot->second = std::forward<U>(value);  // NOLINT(bugprone-*)
      return at;
    } else {
      return AssignAside(std::forward<Q>(key), std::forward<U>(value));
    }
  }
  /// Of an element that is there. What makes the value may run code that moves
  /// it, or erases it: it is looked for again.
  template <class Q, class U>
  Insertion AssignAside(Q&& key, U&& value) {
    detail::AsideOf<V, detail::kNeedsPlace<V, U>> made(*arena());
    detail::ConstructWith<V>(*arena(), made.get(), std::forward<U>(value));
    // What it had, or where it is not taken.
    const detail::ReleasedAtEnd<V> owned(*made.get());
    detail::BindIn(*made.get(), arena());
    for (;;) {
      value_type* const slot = table_.Look(key);
      if (slot == nullptr) break;
      if (!detail::HasSlotsAt(slot, *made.get(), *arena())) continue;
      detail::Exchange(*arena(), slot->second, *made.get());
      return {slot, false};
    }
    return Insert<&TakeMade>(std::forward<Q>(key), std::move(*made.get()));
  }
  /// See detail::TakeValue.
  static void TakeMade(Arena& arena, void* element, void* made) {
    V& to = static_cast<value_type*>(element)->second;
    V& from = static_cast<value_type*>(made)->second;
    if constexpr (detail::kHandlesIn<V>) {
      detail::Exchange(arena, to, from);
    } else {
      to = std::move(from);
    }
  }
  Insertion Emplace() {
    detail::MadeKey<Key> key(KeyArena());
    return Insert(std::move(*key));
  }
  template <class P>
  Insertion Emplace(P&& pair) {
    return EmplacePair(std::forward<P>(pair));
  }
  template <class Q, class... Args>
  Insertion Emplace(Q&& key, Args&&... args) {
    return Insert(std::forward<Q>(key), std::forward<Args>(args)...);
  }
  template <class A, class B>
  Insertion Emplace(std::piecewise_construct_t, A&& of_key, B&& of_value) {
    return detail::Apply(std::forward<A>(of_key), [&](auto&&... a) {
      detail::MadeKey<Key> key(KeyArena(), std::forward<decltype(a)>(a)...);
      return detail::Apply(std::forward<B>(of_value), [&](auto&&... b) {
        return Insert(std::move(*key), std::forward<decltype(b)>(b)...);
      });
    });
  }
  template <class P>
  Insertion EmplacePair(P&& pair) {
    if constexpr (requires {
                    pair.first;
                    pair.second;
                  }) {
      return Insert(detail::PartOf<0>(std::forward<P>(pair)),
                    detail::PartOf<1>(std::forward<P>(pair)));
    } else {
      return EmplacePair(static_cast<Pair>(std::forward<P>(pair)));
    }
  }
  template <class List>
  void InsertList(const List& values) {
    reserve(detail::SevenEighths(size() + values.size()));
    insert(values.begin(), values.end());
  }
  node_type Extract(const_iterator at) {
    return at == end() ? node_type() : extract(at);
  }
  Insertion InsertNode(node_type& node) {
    const Insertion at = table_.InsertTaken(node.Held("Map"));
    if (at.is_new) node.Forget();
    return at;
  }

  /// Where the constructor of the value throws, the key's storage goes back.
  template <class... Args>
  void MakeValue(V* at, [[maybe_unused]] const K& key, Args&&... args) {
    const auto make = [&] {
      detail::ConstructMade<V>(*arena(), at, std::forward<Args>(args)...);
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
  }

  Table table_;
};

template <class K, class V, class H, class E, class Pred>
std::size_t erase_if(Map<K, V, H, E>& map, Pred pred) {
  return map.erase_if(pred);
}

template <class K, class V>
Map(Arena&, std::initializer_list<std::pair<K, V>>)
    -> Map<std::remove_const_t<K>, V>;
template <class I>
Map(Arena&, I, I)
    -> Map<std::remove_cvref_t<decltype((*std::declval<I&>()).first)>,
           std::remove_cvref_t<decltype((*std::declval<I&>()).second)>>;

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
