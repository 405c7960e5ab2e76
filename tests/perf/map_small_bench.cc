// SPDX-License-Identifier: MIT
//
// Small maps, as most maps of real programs are: made, 1, 4 or 16 entries, each
// looked up and as many that are absent, ended. Nanoseconds for all of it; and
// the bytes that such a map has allocated. Each with the hash that it comes
// with, where that is not the identity: for 16 keys nobody's order matters.

#include "map_cells.h"

namespace perf {
namespace {

template <class Key>
Key KeyOf(std::size_t i) {
  if constexpr (std::is_same_v<Key, std::string>) {
    return "entry " + std::to_string(i);
  } else {
    return Random(i).Next();
  }
}

template <class M, class Key>
void Life(benchmark::State& state, std::size_t count) {
  const Keys<Key> keys = MakeKeys<Key>(count, false, KeyOf<Key>);
  acre::Arena arena;
  for ([[maybe_unused]] auto _ : state) {
    M map(arena);
    Fill(map, keys);
    Value found = 0;
    for (const Key& key : keys.lookups) found += *map.Find(key);
    for (const Key& key : keys.other) found += map.Contains(key) ? 1 : 0;
    Sink(found);
    map.End();
  }
  state.SetItemsProcessed(state.iterations());
}

/// Bytes a map, of many: malloc counts what it keeps at hand as handed out.
template <class M, class Key>
void BytesOfMany(benchmark::State& state, std::size_t count) {
  constexpr std::size_t kMany = 10'000;
  const Keys<Key> keys = MakeKeys<Key>(count, false, KeyOf<Key>);
  for ([[maybe_unused]] auto _ : state) {
    acre::Arena arena;
    std::vector<M> maps;
    maps.reserve(kMany);
    const std::size_t before = Allocated();
    for (std::size_t i = 0; i < kMany; ++i) {
      Fill(maps.emplace_back(arena), keys);
    }
    const std::size_t bytes =
        M::kInArena ? arena.stats().live() : Allocated() - before;
    Report(state, static_cast<double>(bytes) / kMany);
  }
}

template <class M, class Key>
void AddSmall(const std::string& kind, const std::string& name) {
  for (const std::size_t count : {1, 4, 16}) {
    const std::string cell = kind + " " + std::to_string(count);
    Add("small map", cell, name,
        [=](benchmark::State& state) { Life<M, Key>(state, count); });
    if (round() != 0) continue;  // the same each time
    Add("small map", cell + " bytes", name,
        [=](benchmark::State& state) { BytesOfMany<M, Key>(state, count); },
        {.passes = 1});
  }
}

template <class Key>
void AddMaps(const std::string& kind) {
  AddSmall<AcreMap<Key>, Key>(kind, "acre::Map");
#ifdef ACRE_PERF_BOOST
  AddSmall<BoostMap<Key>, Key>(kind, "boost");
#endif
#ifdef ACRE_PERF_ABSL
  AddSmall<AbslMap<Key>, Key>(kind, "absl");
#endif
  AddSmall<StdMap<Key>, Key>(kind, "std");
}

}  // namespace

void DefineCells() {
  AddMaps<std::uint64_t>("int");
  AddMaps<std::string>("string");
}

}  // namespace perf
