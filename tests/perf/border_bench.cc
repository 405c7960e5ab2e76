// SPDX-License-Identifier: MIT
//
// Across the border: what references from arenas to collected objects cost, a
// collection beside traced arenas, and Escape. Nanoseconds, the median, each
// implementation in a process of its own.

#include <gc.h>
#include <gc/gc_typed.h>

#include <span>
#include <vector>

#include "acre/deep_copy.h"
#include "acre/escape.h"
#include "acre/gc.h"
#include "acre/gc_ref.h"
#include "acre/typed_arena.h"
#include "child.h"
#include "median.h"
#include "perf.h"

namespace perf {
namespace {

struct Object {
  std::uint64_t number;
};
ACRE_LAYOUT(Object, number)

/// Two words, as a GcRef has.
struct Raw {
  Object* object;
  std::uint64_t other;
};
ACRE_LAYOUT(Raw, borrowed(object), other)
struct Strong {
  acre::GcRef<Object> object;
};
ACRE_LAYOUT(Strong, object)
struct Weak {
  acre::GcWeakRef<Object> object;
};
ACRE_LAYOUT(Weak, object)

/// 48 bytes; one or none of its pointers leads out.
struct Node {
  Object* out;
  Node* next;
  std::uint64_t rest[4];
};
ACRE_LAYOUT(Node, out, next, rest)

struct Cell {
  std::int64_t value;
  Cell* head;
  Cell* tail;
};
ACRE_LAYOUT(Cell, value, head, tail)

std::size_t Many() { return BySmoke<std::size_t>(1'000, 1'000'000); }
constexpr std::size_t kHot = 4096;

void* volatile root = nullptr;

Object* NewObject() {
  return static_cast<Object*>(GC_malloc_atomic(sizeof(Object)));
}

/// Objects that something else holds.
std::span<Object*> HeldObjects(std::size_t count) {
  auto** all = static_cast<Object**>(GC_malloc(count * sizeof(Object*)));
  root = all;
  for (std::size_t i = 0; i < count; ++i) all[i] = NewObject();
  return {all, count};
}

double Median(const auto& work, int times = 15) {
  std::vector<double> all;
  for (int i = 0; i < BySmoke(1, times); ++i) {
    all.push_back(1e9 * Seconds(work));
  }
  return MedianOf(all);
}

double TimeCollections() {
  GC_gcollect();
  return Median([] { GC_gcollect(); }, 5);
}

void AddCell(const std::string& cell, const std::string& name,
             double (*measure)()) {
  AddInChild("border", cell, name, measure);
}

// ------------------------------------------------------------------ references

template <class T>
double ReadAll() {
  GC_INIT();
  acre::Arena arena;
  const auto objects = HeldObjects(kHot);
  std::span<T> refs = arena.NewArray<T>(kHot);
  for (std::size_t i = 0; i < kHot; ++i) refs[i].object = objects[i];
  constexpr int kTimes = 200;
  return Median([&] {
           std::uint64_t sum = 0;
           for (int k = 0; k < kTimes; ++k) {
             for (const T& ref : refs) sum += ref.object->number;
             Sink(sum);
           }
         }) /
         (kTimes * kHot);
}

double LockAll() {
  GC_INIT();
  acre::Arena arena;
  const auto objects = HeldObjects(kHot);
  std::span<Weak> refs = arena.NewArray<Weak>(kHot);
  for (std::size_t i = 0; i < kHot; ++i) refs[i].object = objects[i];
  return Median([&] {
           for (const Weak& ref : refs) Sink(ref.object.lock());
         }) /
         kHot;
}

/// `first`: each reference gets its slot.
template <class T, bool first>
double Assign() {
  GC_INIT();
  acre::Arena arena;
  const auto objects = HeldObjects(kHot);
  std::vector<double> all;
  for (int round = 0; round < BySmoke(2, 30); ++round) {
    std::span<T> refs = arena.NewArray<T>(kHot);
    const auto assign = [&] {
      for (std::size_t i = 0; i < kHot; ++i) refs[i].object = objects[i];
      Sink(refs.data());
    };
    if (!first) assign();
    all.push_back(1e9 * Seconds(assign) / kHot);
    arena.Reset();
  }
  return MedianOf(all);
}

/// Of a million held objects, with a weak reference to each.
template <bool has_refs>
double CollectWeak() {
  GC_INIT();
  acre::Arena arena;
  const auto objects = HeldObjects(Many());
  if (has_refs) {
    std::span<Weak> refs = arena.NewArray<Weak>(objects.size());
    for (std::size_t i = 0; i < refs.size(); ++i) refs[i].object = objects[i];
  }
  return TimeCollections();
}

// --------------------------------------------------------------------- tracing

/// One in `nth` leads out.
template <std::size_t nth>
double CollectTraced() {
  GC_INIT();
  acre::Arena arena({.trace = acre::Trace::kPointers});
  for (std::size_t i = 0; i < Many(); ++i) {
    Node* node = arena.New<Node>();
    if (i % nth == 0) node->out = NewObject();
  }
  return TimeCollections();
}

GC_descr NodeDescriptor() {
  const GC_word pointers[1] = {3};
  return GC_make_descriptor(pointers, sizeof(Node) / sizeof(void*));
}

/// As many objects of their own, of which the collector knows the pointers.
template <std::size_t nth, bool linked>
double CollectTyped() {
  GC_INIT();
  const GC_descr descriptor = NodeDescriptor();
  const std::size_t count = Many();
  auto** all = static_cast<Node**>(GC_malloc(count * sizeof(Node*)));
  root = all;
  for (std::size_t i = 0; i < count; ++i) {
    all[i] = static_cast<Node*>(
        GC_malloc_explicitly_typed(sizeof(Node), descriptor));
    if (i % nth == 0) all[i]->out = NewObject();
  }
  if (linked) {
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    Shuffle(order, 1);
    for (std::size_t i = 0; i + 1 < count; ++i) {
      all[order[i]]->next = all[order[i + 1]];
    }
    root = all[order[0]];
    for (std::size_t i = 0; i < count; ++i) all[i] = nullptr;
    all = nullptr;
  }
  return TimeCollections();
}

template <acre::Trace trace>
double NewNodes() {
  GC_INIT();
  acre::Arena arena({.trace = trace});
  std::vector<double> all;
  const std::size_t count = BySmoke<std::size_t>(100, 100'000);
  for (int round = 0; round < BySmoke(2, 15); ++round) {
    all.push_back(1e9 * Seconds([&] {
                    for (std::size_t i = 0; i < count; ++i) {
                      Sink(arena.New<Node>());
                    }
                  }) /
                  static_cast<double>(count));
    arena.Reset();
  }
  return MedianOf(all);
}

template <acre::Trace trace>
double NewNodesOfOneType() {
  GC_INIT();
  acre::TypedArena<Node> nodes(1024, acre::Growth::kGrowing, {.trace = trace});
  std::vector<double> all;
  const std::size_t count = BySmoke<std::size_t>(100, 100'000);
  for (int round = 0; round < BySmoke(2, 15); ++round) {
    all.push_back(1e9 * Seconds([&] {
                    for (std::size_t i = 0; i < count; ++i) Sink(nodes.New());
                  }) /
                  static_cast<double>(count));
    nodes.Reset();
  }
  return MedianOf(all);
}

// --------------------------------------------------------------------- leaving

/// A list of ten.
Cell* MakeCells(acre::Arena& arena) {
  Cell* first = nullptr;
  for (int i = 0; i < 10; ++i) {
    Cell* cell = arena.New<Cell>();
    cell->value = i;
    cell->tail = first;
    first = cell;
  }
  return first;
}

Cell* CopyByHand(const Cell* cell) {
  Cell* first = nullptr;
  Cell** at = &first;
  for (; cell != nullptr; cell = cell->tail) {
    auto* copy = static_cast<Cell*>(GC_malloc(sizeof(Cell)));
    copy->value = cell->value;
    copy->head = nullptr;
    *at = copy;
    at = &copy->tail;
  }
  return first;
}

template <bool by_hand>
double EscapeCells() {
  GC_INIT();
  acre::Arena arena;
  const Cell* const cells = MakeCells(arena);
  const int times = BySmoke(10, 10'000);
  return Median([&] {
           for (int i = 0; i < times; ++i) {
             Sink(by_hand ? CopyByHand(cells) : acre::Escape(cells));
           }
         }) /
         times;
}

Cell* MakeGraph(acre::Arena& arena) {
  std::vector<Cell*> cells(Many());
  for (Cell*& cell : cells) cell = arena.New<Cell>();
  Random random(7);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i]->tail = cells[(i + 1) % cells.size()];
    cells[i]->head = cells[random.Below(cells.size())];
  }
  return cells[0];
}

template <bool escapes>
double LeaveGraph() {
  GC_INIT();
  acre::Arena arena;
  const Cell* const graph = MakeGraph(arena);
  return Median(
      [&] {
        acre::Arena copy;
        Sink(escapes ? acre::Escape(graph) : acre::DeepCopy(copy, *graph));
      },
      5);
}

}  // namespace

void DefineCells() {
  AddCell("read", "acre::GcRef", ReadAll<Strong>);
  AddCell("read", "a pointer", ReadAll<Raw>);
  AddCell("lock", "acre::GcWeakRef", LockAll);
  AddCell("lock", "a nanosecond", [] { return 1.0; });
  AddCell("assign, first time", "acre::GcRef", Assign<Strong, true>);
  AddCell("assign, first time", "a nanosecond", [] { return 1.0; });
  AddCell("assign", "acre::GcRef", Assign<Strong, false>);
  AddCell("assign", "a nanosecond", [] { return 1.0; });
  AddCell("collection, 1M weak", "acre::GcWeakRef", CollectWeak<true>);
  AddCell("collection, 1M weak", "without them", CollectWeak<false>);

  AddCell("collection, all lead out", "traced", CollectTraced<1>);
  AddCell("collection, all lead out", "typed objects", CollectTyped<1, false>);
  AddCell("collection, all lead out", "typed graph", CollectTyped<1, true>);
  AddCell("collection, 1 % lead out", "traced", CollectTraced<100>);
  AddCell("collection, 1 % lead out", "typed objects",
          CollectTyped<100, false>);
  AddCell("collection, 1 % lead out", "typed graph", CollectTyped<100, true>);
  AddCell("New", "traced", NewNodes<acre::Trace::kPointers>);
  AddCell("New", "not traced", NewNodes<acre::Trace::kNothing>);
  AddCell("New, of one type", "traced",
          NewNodesOfOneType<acre::Trace::kPointers>);
  AddCell("New, of one type", "not traced",
          NewNodesOfOneType<acre::Trace::kNothing>);

  AddCell("ten cells leave", "acre::Escape", EscapeCells<false>);
  AddCell("ten cells leave", "by hand", EscapeCells<true>);
  AddCell("1M nodes leave", "acre::Escape", LeaveGraph<true>);
  AddCell("1M nodes leave", "acre::DeepCopy", LeaveGraph<false>);
}

}  // namespace perf
