// SPDX-License-Identifier: MIT
//
// Tasks that take an arena from a pool, fill it and give it back: by one
// thread, and by two at once, where the same number of tasks a second and
// thread is ideal. Nanoseconds a task, of wall-clock time. "(computing)" is
// what two threads gain on this machine where they share nothing at all.

#include <cstdlib>
#include <memory_resource>

#include "acre/arena_pool.h"
#include "acre/gc.h"
#include "acre/vector.h"
#include "perf.h"

namespace perf {
namespace {

// A task of a request's size: a hundred objects and a list of them.
constexpr int kObjects = 100;

struct Item {
  std::uint64_t number;
  std::uint64_t more[5];
};
ACRE_LAYOUT(Item, number, more)

void Task(acre::Arena& arena) {
  acre::Vector<Item*> items(arena);
  for (std::uint64_t i = 0; i < kObjects; ++i) {
    items.push_back(arena.New<Item>(i));
  }
  Sink(items.data());
}

void TaskOfPmr() {
  std::pmr::unsynchronized_pool_resource memory;
  std::pmr::vector<Item*> items(&memory);
  for (std::uint64_t i = 0; i < kObjects; ++i) {
    items.push_back(new (memory.allocate(sizeof(Item), alignof(Item)))
                        Item{i, {}});
  }
  Sink(items.data());
}

void TaskOfMalloc() {
  std::vector<Item*> items;
  for (std::uint64_t i = 0; i < kObjects; ++i) items.push_back(new Item{i, {}});
  Sink(items.data());
  for (Item* item : items) delete item;
}

void Compute() {
  Random random(9);
  std::uint64_t sum = 0;
  for (int i = 0; i < 10 * kObjects; ++i) sum += random.Next();
  Sink(sum);
}

void AddThreads(const char* name, auto task) {
  for (const int threads : {1, 2}) {
    Add("pool", "tasks", name + std::string(threads == 1 ? "" : ", 2 threads"),
        [=](benchmark::State& state) {
          // The chunks of the pool's arenas are the collector's.
          const acre::ThreadRegistration registered;
          for ([[maybe_unused]] auto _ : state) task();
          state.SetItemsProcessed(state.iterations());
        },
        {.threads = threads});
  }
}

}  // namespace

void DefineCells() {
  // Initialises the collector, before there are threads.
  acre::CollectorSeesInteriorPointers();
  // Lives as long as the process: benchmarks are run after this returns.
  static acre::ArenaPool pool;
  AddThreads("acre::ArenaPool", [] { pool.Execute(Task); });
  AddThreads("pmr", TaskOfPmr);
  AddThreads("malloc", TaskOfMalloc);
  AddThreads("(computing)", Compute);
}

}  // namespace perf
