// SPDX-License-Identifier: MIT
//
// The maps of the map benchmarks behind one interface:
//
//   void Reserve(n); void Insert(key, value); const std::uint64_t* Find(key);
//   bool Contains(key); void Erase(key); std::uint64_t Sum(); std::size_t
//   size()
//
// Keys are std::uint64_t or std::string; acre stores an acre::String for the
// latter. The maps own the bytes of their keys, all of them.

#ifndef ACRE_PERF_MAP_PEERS_H_
#define ACRE_PERF_MAP_PEERS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "acre/map.h"
#include "acre/string.h"

#ifdef ACRE_PERF_BOOST
#include <boost/unordered/unordered_flat_map.hpp>
#endif
#ifdef ACRE_PERF_ABSL
#include <absl/container/flat_hash_map.h>
#endif
#ifdef ACRE_PERF_TSL
#include <tsl/robin_map.h>
#endif

namespace perf {

using Value = std::uint64_t;

/// acre's hash, for the maps of others.
struct SameHash {
  using is_avalanching = void;
  std::size_t operator()(std::uint64_t key) const {
    return acre::Hash<std::uint64_t>()(key);
  }
  std::size_t operator()(const std::string& key) const {
    return acre::Hash<std::string_view>()(key);
  }
};

/// An arena is what acre's memory is: `Map(arena)`; others ignore it.
template <class Key>
class AcreMap {
 public:
  static constexpr bool kInArena = true;

  explicit AcreMap(acre::Arena& arena) : map_(arena) {}
  void Reserve(std::size_t count) { map_.reserve(count); }
  void Insert(const Key& key, Value value) { map_.try_emplace(key, value); }
  /// get() is how acre/map.h looks up. FindByIterator is measured beside it.
  const Value* Find(const Key& key) const { return map_.get(key); }
  const Value* FindByIterator(const Key& key) const {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  bool Contains(const Key& key) const { return map_.contains(key); }
  void Erase(const Key& key) { map_.erase(key); }
  Value Sum() const {
    Value sum = 0;
    for (const auto& [key, value] : map_) sum += value;
    return sum;
  }
  std::size_t size() const { return map_.size(); }
  /// Gives the memory back; the others do when they are destroyed.
  void End() { map_.Release(); }

 private:
  using Stored =
      std::conditional_t<std::is_same_v<Key, std::string>, acre::String, Key>;
  acre::Map<Stored, Value> map_;
};

/// All other maps have std's interface.
template <class Key, class Map>
class PeerMap {
 public:
  static constexpr bool kInArena = false;

  explicit PeerMap(acre::Arena&) {}
  void Reserve(std::size_t count) { map_.reserve(count); }
  void Insert(const Key& key, Value value) { map_.try_emplace(key, value); }
  const Value* Find(const Key& key) const {
    const auto it = map_.find(key);
    return it == map_.end() ? nullptr : &it->second;
  }
  bool Contains(const Key& key) const { return map_.contains(key); }
  void Erase(const Key& key) { map_.erase(key); }
  Value Sum() const {
    Value sum = 0;
    for (const auto& [key, value] : map_) sum += value;
    return sum;
  }
  std::size_t size() const { return map_.size(); }
  void End() {}

 private:
  Map map_;
};

/// No map, but the least that one does which mixes its keys: acre's hash, and
/// one slot; of keys that want the same slot the last one stays.
class OneSlot {
 public:
  static constexpr bool kInArena = false;

  explicit OneSlot(acre::Arena&) { Reserve(8); }
  void Reserve(std::size_t count) {
    std::vector<Slot> old(std::bit_ceil(count * 8 / 7));
    old.swap(slots_);
    shift_ = 64 - std::countr_zero(slots_.size());
    for (const Slot& slot : old) At(slot.key) = slot;
  }
  void Insert(std::uint64_t key, Value value) {
    if (size_ >= slots_.size() * 7 / 8) Reserve(2 * size_);
    At(key) = {key, value};
    ++size_;
  }
  const Value* Find(std::uint64_t key) const { return &At(key).value; }
  bool Contains(std::uint64_t key) const { return At(key).key == key; }
  void Erase(std::uint64_t key) {
    At(key).key = 0;
    --size_;
  }
  Value Sum() const {
    Value sum = 0;
    for (const Slot& slot : slots_) sum += slot.value;
    return sum;
  }
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t key;
    Value value;
  };
  Slot& At(std::uint64_t key) {
    return slots_[acre::Hash<std::uint64_t>()(key) >> shift_];
  }
  const Slot& At(std::uint64_t key) const {
    return const_cast<OneSlot*>(this)->At(key);
  }

  std::vector<Slot> slots_;
  int shift_ = 0;
  std::size_t size_ = 0;
};

template <class Key, class... Hash>
using StdMap = PeerMap<Key, std::unordered_map<Key, Value, Hash...>>;
#ifdef ACRE_PERF_BOOST
template <class Key, class... Hash>
using BoostMap = PeerMap<Key, boost::unordered_flat_map<Key, Value, Hash...>>;
#endif
#ifdef ACRE_PERF_ABSL
template <class Key, class... Hash>
using AbslMap = PeerMap<Key, absl::flat_hash_map<Key, Value, Hash...>>;
#endif
#ifdef ACRE_PERF_TSL
template <class Key, class... Hash>
using TslMap = PeerMap<Key, tsl::robin_map<Key, Value, Hash...>>;
#endif

}  // namespace perf

#endif  // ACRE_PERF_MAP_PEERS_H_
