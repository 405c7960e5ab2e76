// SPDX-License-Identifier: MIT
//
// What a checked build adds to a collection beside an arena of a million nodes:
// nothing changed, one node in a hundred (neighbours), all; and AuditAll. The
// peer is the collector's own mark of as many objects. Milliseconds, the
// median of several, each result in a process of its own.

#include <gc.h>

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/audit.h"
#include "acre/audit_policy.h"
#include "acre/layout.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "child.h"
#include "median.h"
#include "perf.h"

namespace perf {
namespace {

static_assert(acre::kChecked, "for checked builds");

/// What an entity has: a name, links, a list, a number that changes.
struct Entity {
  acre::String name;
  Entity* left = nullptr;
  Entity* right = nullptr;
  acre::Vector<Entity*> near;
  long changes = 0;
};
ACRE_LAYOUT(Entity, name, left, right, near, changes)

std::size_t Count() { return BySmoke<std::size_t>(10'000, 1'000'000); }

std::vector<Entity*> MakeWorld(acre::Arena& arena) {
  std::mt19937_64 random(1);
  std::vector<Entity*> all;
  all.reserve(Count());
  for (std::size_t i = 0; i < Count(); ++i) {
    Entity* const entity = arena.New<Entity>();
    entity->name = "an entity";
    all.push_back(entity);
    entity->left = all[random() % all.size()];
    entity->right = all[random() % all.size()];
    if (i % 4 == 0) entity->near.push_back(all[random() % all.size()]);
  }
  return all;
}

double Median(const std::function<void()>& before,
              const std::function<void()>& run) {
  std::vector<double> milliseconds;
  for (int i = 0; i < BySmoke(1, 7); ++i) {
    before();
    milliseconds.push_back(1e3 * Seconds(run));
  }
  return MedianOf(milliseconds);
}

/// A collection after `share` of the entities have changed, neighbours.
double Collect(acre::PageTracking tracking, double share) {
  acre::Arena arena;
  acre::SetAuditPolicy(arena, {.tracking = tracking});
  const std::vector<Entity*> all = MakeWorld(arena);
  const auto changed =
      static_cast<std::size_t>(share * static_cast<double>(all.size()));
  std::mt19937_64 random(2);
  GC_gcollect();
  return Median(
      [&] {
        const std::size_t from = random() % (all.size() - changed + 1);
        for (std::size_t i = from; i < from + changed; ++i) ++all[i]->changes;
      },
      [] { GC_gcollect(); });
}

double AuditWhole() {
  acre::Arena arena;
  const std::vector<Entity*> all = MakeWorld(arena);
  return Median([] {}, [&] { Sink(acre::AuditAll(arena).objects); });
}

/// Marks as many collected objects, linked alike.
double Mark() {
  GC_INIT();
  const std::size_t count = Count();
  auto** all =
      static_cast<void**>(GC_malloc_uncollectable(count * sizeof(void*)));
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < count; ++i) {
    auto** object = static_cast<void**>(GC_malloc(sizeof(Entity)));
    all[i] = object;
    object[0] = all[random() % (i + 1)];
    object[1] = all[random() % (i + 1)];
  }
  return Median([] {}, [] { GC_gcollect(); });
}

void AddCell(const char* cell, const char* name,
             const std::function<double()>& measure) {
  AddInChild("checked", cell, name, measure);
}

void AddCollection(const char* cell, double share) {
  AddCell(cell, "acre",
          [=] { return Collect(acre::PageTracking::kKernel, share); });
  AddCell(cell, "acre, comparing",
          [=] { return Collect(acre::PageTracking::kComparing, share); });
  AddCell(cell, "mark of 1M objects", Mark);
}

}  // namespace

void DefineCells() {
  AddCollection("collection, nothing changed", 0);
  AddCollection("collection, 1 % changed", 0.01);
  AddCollection("collection, all changed", 1);
  AddCell("AuditAll", "acre", AuditWhole);
  AddCell("AuditAll", "mark of 1M objects", Mark);
}

}  // namespace perf
