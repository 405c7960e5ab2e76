// SPDX-License-Identifier: MIT
//
// A full collection while a million large messages are alive. Nanoseconds a
// collection, the median of several, each implementation in a process of its
// own.

#include <gc.h>

#include <type_traits>
#include <vector>

#include "acre/gc.h"
#include "acre/mmap_source.h"
#include "acre/vector.h"
#include "child.h"
#include "median.h"
#include "message.h"
#include "perf.h"

namespace perf {
namespace {

std::size_t MessageCount() { return BySmoke<std::size_t>(1'000, 1'000'000); }

// What keeps the messages: a root, as a program's statics are.
void* volatile root = nullptr;

double TimeCollections() {
  // The first sets mark bits and sorts free lists; it is slower.
  GC_gcollect();
  std::vector<double> nanoseconds;
  for (int i = 0; i < BySmoke(1, 5); ++i) {
    nanoseconds.push_back(1e9 * Seconds([] { GC_gcollect(); }));
  }
  return MedianOf(nanoseconds);
}

double EmptyHeap() {
  GC_INIT();
  return TimeCollections();
}

void FillArena(acre::Arena& arena) {
  const auto piece = [&]<class T>() { return arena.New<T>(); };
  auto* messages = arena.New<acre::Vector<Message*>>();
  for (std::size_t i = 0; i < MessageCount(); ++i) {
    messages->push_back(MakeMessage(piece));
  }
  root = messages;
}

double InArena() {
  GC_INIT();
  acre::Arena arena;
  FillArena(arena);
  return TimeCollections();
}

// Outside the collected heap, of whose every page the collector asks something.
double InMappedArena() {
  GC_INIT();
  acre::MmapSource source;
  acre::Arena arena({.source = &source});
  FillArena(arena);
  return TimeCollections();
}

// Blocks like an arena's chunks, and as many bytes, but no arena: what libgc
// does for so much heap.
double BlocksAlone() {
  GC_INIT();
  std::size_t bytes = 0;
  {
    acre::MmapSource source;
    acre::Arena arena({.source = &source});
    FillArena(arena);
    bytes = arena.stats().carved;
  }
  constexpr std::size_t kBlock = std::size_t{1} << 20;
  const std::size_t count = bytes / kBlock + 1;
  auto** blocks = static_cast<void**>(GC_malloc(count * sizeof(void*)));
  root = blocks;
  for (std::size_t i = 0; i < count; ++i) {
    blocks[i] = GC_malloc_atomic_ignore_off_page(kBlock);
  }
  return TimeCollections();
}

double InCollectedArena() {
  GC_INIT();
  FillArena(*acre::NewCollectedArena());
  return TimeCollections();
}

// `allocate.template operator()<T>()` as MakeMessage wants it.
double Separate(const auto& allocate) {
  GC_INIT();
  const std::size_t count = MessageCount();
  auto** messages = static_cast<Message**>(GC_malloc(count * sizeof(Message*)));
  root = messages;
  for (std::size_t i = 0; i < count; ++i) messages[i] = MakeMessage(allocate);
  return TimeCollections();
}

double SeparateObjects() {
  return Separate(
      []<class T>() { return static_cast<T*>(GC_malloc(sizeof(T))); });
}

// The kindest that one can be to the collector: it is told which objects hold
// no pointers.
double SeparateAtomic() {
  return Separate([]<class T>() {
    return static_cast<T*>(std::is_same_v<T, Message>
                               ? GC_malloc(sizeof(T))
                               : GC_malloc_atomic(sizeof(T)));
  });
}

void AddOne(const char* name, double (*measure)()) {
  Add("gc", "collection, 1M messages", name,
      [=](benchmark::State& state) {
        for ([[maybe_unused]] auto _ : state) Report(state, InChild(measure));
      },
      {.passes = 1});
}

}  // namespace

void DefineCells() {
  AddOne("acre::Arena", InArena);
  AddOne("acre::Arena, MmapSource", InMappedArena);
  AddOne("acre::NewCollectedArena", InCollectedArena);
  AddOne("GC_malloc", SeparateObjects);
  AddOne("GC_malloc, atomic pieces", SeparateAtomic);
  AddOne("(blocks alone)", BlocksAlone);
  AddOne("(empty heap)", EmptyHeap);
}

}  // namespace perf
