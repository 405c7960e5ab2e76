// SPDX-License-Identifier: MIT
//
// The operations on maps that are measured, for any map of map_peers.h.
// Nanoseconds an element:
//
//   grow      n insertions into an empty map; reserved: the same, after reserve
//   hit, miss look-ups of every key in an order of their own
//   churn     one erased, oldest first, and a new one inserted; n alive
//   iterate   the sum of all values
//   bytes     of memory an element after growth (not a time)
//
// Making and ending the map is outside the time of grow and reserved: ending
// frees every string with the peers, and is the arena's Reset with acre.

#ifndef ACRE_PERF_MAP_CELLS_H_
#define ACRE_PERF_MAP_CELLS_H_

#include <malloc.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "map_peers.h"
#include "perf.h"

namespace perf {

/// The keys of a cell: the map holds `live`; `other` is as many again.
template <class Key>
struct Keys {
  std::vector<Key> live;     // in order of insertion
  std::vector<Key> lookups;  // the same, shuffled
  std::vector<Key> other;    // absent, until churn inserts them

  std::size_t size() const { return live.size(); }
};

template <class Key>
Keys<Key> MakeKeys(std::size_t n, bool in_order, const auto& key_of) {
  std::vector<Key> all;
  all.reserve(2 * n);
  for (std::size_t i = 0; i < 2 * n; ++i) all.push_back(key_of(i));
  if (!in_order) Shuffle(all, 5);
  const auto half = all.begin() + static_cast<std::ptrdiff_t>(n);
  Keys<Key> keys{{all.begin(), half}, {all.begin(), half}, {half, all.end()}};
  Shuffle(keys.lookups, 6);
  return keys;
}

template <class M, class Key>
void Fill(M& map, const Keys<Key>& keys) {
  Value value = 0;
  for (const Key& key : keys.live) map.Insert(key, ++value);
}

inline void CountOps(benchmark::State& state, std::size_t ops_each_pass) {
  state.SetItemsProcessed(state.iterations() *
                          static_cast<std::int64_t>(ops_each_pass));
}

/// Before the clock starts everyone does as much as is timed after: pages are
/// warm then, and so is the processor. After fresh pages times fall for some
/// milliseconds, eight fills of 1e5, to half of the second's.
inline constexpr std::size_t kLeastOps = 1'000'000;

/// How often to do so many operations.
inline std::size_t PassesOf(std::size_t ops) {
  return is_smoke() ? 1 : std::max<std::size_t>(2, kLeastOps / ops);
}

/// A fill is timed alone.
template <class M, class Key>
void Grow(benchmark::State& state, const Keys<Key>& keys, bool reserved) {
  acre::Arena arena;
  const auto fill = [&] {
    std::optional<M> map(std::in_place, arena);
    const double seconds = Seconds([&] {
      if (reserved) map->Reserve(keys.size());
      Fill(*map, keys);
      Sink(map->size());
    });
    map.reset();
    arena.Reset();
    return seconds;
  };
  for (std::size_t i = 0; i < PassesOf(keys.size()); ++i) fill();
  for ([[maybe_unused]] auto _ : state) state.SetIterationTime(fill());
  CountOps(state, keys.size());
}

/// How often a map of n elements is gone through between two looks at the
/// clock: ten thousand operations at least, beside which looking takes no time.
inline std::size_t PassesAtOnce(std::size_t n) {
  return std::max<std::size_t>(1, 10'000 / n);
}

/// `pass(map)` is timed on a map that holds keys.live.
template <class M, class Key>
void OnFilled(benchmark::State& state, const Keys<Key>& keys,
              const auto& pass) {
  acre::Arena arena;
  M map(arena);
  Fill(map, keys);
  const std::size_t passes = PassesAtOnce(keys.size());
  const auto pass_at_once = [&] {
    for (std::size_t i = 0; i < passes; ++i) pass(map);
  };
  const std::size_t ops = passes * keys.size();
  for (std::size_t i = 0; i < PassesOf(ops); ++i) pass_at_once();
  for ([[maybe_unused]] auto _ : state) {
    state.SetIterationTime(Seconds(pass_at_once));
  }
  CountOps(state, ops);
}

template <class M, class Key>
void Hit(benchmark::State& state, const Keys<Key>& keys) {
  OnFilled<M>(state, keys, [&](const M& map) {
    Value sum = 0;
    for (const Key& key : keys.lookups) sum += *map.Find(key);
    Sink(sum);
  });
}

template <class M, class Key>
void HitByIterator(benchmark::State& state, const Keys<Key>& keys) {
  OnFilled<M>(state, keys, [&](const M& map) {
    Value sum = 0;
    for (const Key& key : keys.lookups) sum += *map.FindByIterator(key);
    Sink(sum);
  });
}

template <class M, class Key>
void Miss(benchmark::State& state, const Keys<Key>& keys) {
  OnFilled<M>(state, keys, [&](const M& map) {
    Value found = 0;
    for (const Key& key : keys.other) found += map.Contains(key) ? 1 : 0;
    Sink(found);
  });
}

template <class M, class Key>
void Churn(benchmark::State& state, const Keys<Key>& keys) {
  bool live_is_in = true;  // a pass replaces all keys by the other half
  const auto pass = [&](M& map) {
    const auto& out = live_is_in ? keys.live : keys.other;
    const auto& in = live_is_in ? keys.other : keys.live;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      map.Erase(out[i]);
      map.Insert(in[i], i);
    }
    Sink(map.size());
    live_is_in = !live_is_in;
  };
  OnFilled<M>(state, keys, pass);
}

template <class M, class Key>
void Iterate(benchmark::State& state, const Keys<Key>& keys) {
  OnFilled<M>(state, keys, [&](const M& map) { Sink(map.Sum()); });
}

/// Bytes that malloc has handed out, and not got back.
inline std::size_t Allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// What malloc or the arena has handed out, and not got back.
template <class M, class Key>
void Bytes(benchmark::State& state, const Keys<Key>& keys) {
  for ([[maybe_unused]] auto _ : state) {
    acre::Arena arena;
    const std::size_t before = Allocated();
    M map(arena);
    Fill(map, keys);
    const std::size_t bytes =
        M::kInArena ? arena.stats().live() : Allocated() - before;
    Report(state,
           static_cast<double>(bytes) / static_cast<double>(keys.size()));
  }
}

/// One set of keys, and how often to go through them.
template <class Key>
struct KeySet {
  std::string name;  // "int random 1e3"
  std::shared_ptr<const Keys<Key>> keys;
  const char* group = "map";

  /// Many short rounds see through a noisy second, few long ones do not.
  Timing timing(std::size_t passes_at_once) const {
    const std::size_t passes = PassesOf(passes_at_once * keys->size());
    return {.passes = static_cast<std::int64_t>(passes), .by_body = true};
  }
  Timing fill_timing() const { return timing(1); }
  Timing other_timing() const { return timing(PassesAtOnce(keys->size())); }
};

template <class M, class Key>
void AddMap(const KeySet<Key>& set, const std::string& name) {
  const auto add = [&](const char* operation, const Timing& timing, auto body) {
    Add(
        set.group, set.name + " " + operation, name,
        [keys = set.keys, body](benchmark::State& state) {
          body(state, *keys);
        },
        timing);
  };
  const Timing fill = set.fill_timing();
  const Timing other = set.other_timing();
  using State = benchmark::State;
  // Of less the clock, and what malloc keeps at hand, would tell more than the
  // map: see "small map".
  const bool is_small = set.keys->size() < 1'000;
  if (!is_small) {
    add("grow", fill, [](State& s, auto& keys) { Grow<M>(s, keys, false); });
    add("reserved", fill, [](State& s, auto& keys) { Grow<M>(s, keys, true); });
  }
  add("hit", other, [](State& s, auto& keys) { Hit<M>(s, keys); });
  add("miss", other, [](State& s, auto& keys) { Miss<M>(s, keys); });
  add("churn", other, [](State& s, auto& keys) { Churn<M>(s, keys); });
  add("iterate", other, [](State& s, auto& keys) { Iterate<M>(s, keys); });
  if (round() == 0 && !is_small) {  // the same each time
    Add(set.group, set.name + " bytes", name,
        [keys = set.keys](State& state) { Bytes<M>(state, *keys); },
        {.passes = 1});
  }
  if constexpr (M::kInArena) {
    Add(
        set.group, set.name + " hit", name + " find()",
        [keys = set.keys](State& state) { HitByIterator<M>(state, *keys); },
        other);
  }
}

/// Each map twice: with the same hash as acre, and with its own.
template <template <class, class...> class Map, class Key>
void AddPeer(const KeySet<Key>& set, const std::string& name, bool own_hash) {
  AddMap<Map<Key, SameHash>>(set, name);
  if (own_hash) AddMap<Map<Key>>(set, name + ", own hash");
}

/// Filling large maps takes most of the time of a run.
inline bool IsMeasured(std::size_t n) {
  const int every = n < 1'000'000 ? 1 : n < 10'000'000 ? 3 : 5;
  return round() % every == 0;
}

/// From 1e6 on (1e7 with --full) what was never best there and would take half
/// of the time is left out: std, and all own hashes but the identity.
template <class Key>
void AddMaps(const KeySet<Key>& set) {
  const std::size_t few = scale() == Scale::kFull ? 10'000'000 : 1'000'000;
  const bool all = set.keys->size() < few;
  AddMap<AcreMap<Key>>(set, "acre::Map");
#ifdef ACRE_PERF_BOOST
  AddPeer<BoostMap>(set, "boost", all);
#endif
#ifdef ACRE_PERF_ABSL
  AddPeer<AbslMap>(set, "absl", all);
#endif
#ifdef ACRE_PERF_TSL
  AddPeer<TslMap>(set, "tsl", all || std::is_integral_v<Key>);
#endif
  if (all) AddPeer<StdMap>(set, "std", true);
  if constexpr (std::is_integral_v<Key>) AddMap<OneSlot>(set, "(one slot)");
}

}  // namespace perf

#endif  // ACRE_PERF_MAP_CELLS_H_
