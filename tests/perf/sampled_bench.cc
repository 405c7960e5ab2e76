// SPDX-License-Identifier: MIT
//
// What audits of a part of an arena cost in release builds: the same work in
// arenas of which no page, one in 1000, in 100, in 10, and each is audited
// (ArenaOptions::audit_one_in). The ratio to "none" is the price.

#include <gc.h>

#include <cstdint>
#include <iterator>
#include <vector>

#include "acre/arena.h"
#include "acre/audit_policy.h"
#include "acre/layout.h"
#include "acre/map.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "perf.h"

namespace perf {

struct Item {
  Item* next = nullptr;
  Item* other = nullptr;
  std::uint64_t number[6] = {};
};
ACRE_LAYOUT(Item, next, other, number)

struct Order {
  acre::String customer;
  acre::Vector<Item*> items;
  Order* earlier = nullptr;
  std::uint64_t total = 0;
};
ACRE_LAYOUT(Order, customer, items, earlier, total)

namespace {

constexpr std::uint32_t kOneIn[] = {0, 1000, 100, 10, 1};

std::string NameOf(std::uint32_t one_in) {
  if (one_in == 0) return "none";
  return one_in == 1 ? "all" : "one in " + std::to_string(one_in);
}

// `make(arena)` returns what is done in each pass; `operations` of them.
template <class Make>
void AddWork(const std::string& cell, std::size_t operations, Make make) {
  for (const std::uint32_t one_in : kOneIn) {
    Add("sampled", cell, NameOf(one_in), [=](benchmark::State& state) {
      // Linking the auditor is enough in checked builds; here it is asked for.
      acre::FlushAudits();
      acre::Arena arena({.audit_one_in = one_in});
      auto pass = make(arena);
      pass();
      for ([[maybe_unused]] auto _ : state) pass();
      state.SetItemsProcessed(state.iterations() *
                              static_cast<std::int64_t>(operations));
    });
  }
}

void AddNew(std::size_t count) {
  AddWork("New 64 B, 1M", count, [=](acre::Arena& arena) {
    return [&arena, count] {
      for (std::size_t i = 0; i < count; ++i) Sink(arena.New<Item>());
      arena.Reset();
    };
  });
}

void AddFree(std::size_t count) {
  AddWork("Free and New 64 B, 4k", count, [=](acre::Arena& arena) {
    std::vector<Item*> items;
    for (int i = 0; i < 4096; ++i) items.push_back(arena.New<Item>());
    return [&arena, count, items, random = Random(1)]() mutable {
      for (std::size_t i = 0; i < count; ++i) {
        Item*& item = items[random.Below(items.size())];
        arena.Free(item);
        item = arena.New<Item>();
        Sink(item);
      }
    };
  });
}

void AddMap(std::size_t count) {
  AddWork("Map of 100k: insert, erase", count, [=](acre::Arena& arena) {
    return [&arena, count] {
      acre::Map<std::uint64_t, Item*> map(arena);
      for (std::uint64_t i = 0; i < count; ++i) map[i * 7919] = nullptr;
      for (std::uint64_t i = 0; i < count; ++i) map.erase(i * 7919);
      map = {};  // gives its storage back
    };
  });
}

void AddVector(std::size_t count) {
  AddWork("Vector of pointers: push, pop", count, [=](acre::Arena& arena) {
    return [&arena, count] {
      acre::Vector<Item*> vector(arena);
      for (std::size_t i = 0; i < count; ++i) vector.push_back(nullptr);
      for (std::size_t i = 0; i < count; ++i) vector.pop_back();
      vector = {};
    };
  });
}

// A server that keeps its last orders, and makes texts for the collector.
void AddServer(std::size_t count) {
  AddWork("a server, with collections", count, [=](acre::Arena& arena) {
    std::vector<Order*> kept(20'000, nullptr);
    return [&arena, count, kept, random = Random(1)]() mutable {
      acre::Map<std::uint64_t, Order*> open(arena);
      for (std::size_t i = 0; i < count; ++i) {
        Order* const order = arena.New<Order>();
        order->customer = "a customer with a name of some length";
        for (int item = 0; item < 4; ++item) {
          order->items.push_back(arena.New<Item>());
          order->total += order->items.back()->number[0] + i;
        }
        Order*& place = kept[random.Below(kept.size())];
        order->earlier = nullptr;
        open[i] = order;
        if (place != nullptr) {
          for (Item* item : place->items) arena.Free(item);
          arena.Free(place);
        }
        place = order;
        Sink(GC_malloc_atomic(200));
      }
      open = {};
    };
  });
}

}  // namespace

void DefineCells() {
  AddNew(BySmoke<std::size_t>(1000, 1'000'000));
  AddFree(BySmoke<std::size_t>(1000, 200'000));
  AddMap(BySmoke<std::size_t>(1000, 100'000));
  AddVector(BySmoke<std::size_t>(1000, 1'000'000));
  AddServer(BySmoke<std::size_t>(100, 100'000));
}

}  // namespace perf
