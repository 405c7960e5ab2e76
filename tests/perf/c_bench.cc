// SPDX-License-Identifier: MIT
//
// The C API against the C++ one: the same entries looked up and inserted.
// Nanoseconds an entry, keys in another order than they came in.

#include <acre/acre.h>

#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/string.h"
#include "perf.h"

namespace perf {
namespace {

std::vector<std::string> Names(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) {
    names.push_back("record " + std::to_string(i * 7919));
  }
  return names;
}

std::vector<std::int64_t> Numbers(std::size_t count) {
  std::vector<std::int64_t> numbers;
  Random random(7);
  for (std::size_t i = 0; i < count; ++i) {
    numbers.push_back(static_cast<std::int64_t>(random.Next()));
  }
  return numbers;
}

acre_value ValueOf(const std::string& name) {
  return acre_text(name.data(), name.size());
}
acre_value ValueOf(std::int64_t number) { return acre_int(number); }

/// `Key` is what a C++ map has for it.
template <class Key, class Keys>
void AddLookUps(const std::string& kind, const Keys& keys) {
  const std::string cell = "look up, " + kind + ", " + PowerOfTen(keys.size());
  auto others = keys;
  Shuffle(others, 3);
  Add("c", cell, "C++", [=](benchmark::State& state) {
    acre::Arena arena;
    acre::Map<Key, std::int64_t> map(arena);
    for (const auto& key : keys) map[key] = 1;
    std::uint64_t sum = 0;
    for ([[maybe_unused]] auto _ : state) {
      for (const auto& key : others) {
        sum += static_cast<std::uint64_t>(*map.get(key));
      }
    }
    Sink(sum);
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(others.size()));
  });
  Add("c", cell, "C", [=](benchmark::State& state) {
    acre_arena* arena = acre_arena_new(nullptr);
    acre_ref map;
    acre_map_new(arena, &map);
    for (const auto& key : keys) {
      const acre_value of = ValueOf(key);
      const acre_value one = acre_int(1);
      acre_map_set(&map, &of, &one);
    }
    std::uint64_t sum = 0;
    for ([[maybe_unused]] auto _ : state) {
      for (const auto& key : others) {
        const acre_value of = ValueOf(key);
        acre_value found;
        if (acre_map_get(&map, &of, &found) != ACRE_OK) {
          state.SkipWithError("an entry is lost");
          break;
        }
        sum += static_cast<std::uint64_t>(found.as.integer);
      }
    }
    Sink(sum);
    state.SetItemsProcessed(state.iterations() *
                            static_cast<std::int64_t>(others.size()));
    acre_arena_end(arena);
  });
}

}  // namespace

void DefineCells() {
  for (const std::size_t count : {1'000, 1'000'000}) {
    if (is_smoke() && count > 1'000) continue;
    AddLookUps<acre::String>("text", Names(count));
    AddLookUps<std::int64_t>("integer", Numbers(count));
  }
}

}  // namespace perf
