// SPDX-License-Identifier: MIT
//
// A full collection while a million large messages are alive, and of fewer.
// Nanoseconds a collection, the median of several, each implementation in a
// process of its own.

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

double EmptyHeap(std::size_t) {
  GC_INIT();
  return TimeCollections();
}

void FillArena(acre::Arena& arena, std::size_t count) {
  const auto piece = [&]<class T>() { return arena.New<T>(); };
  auto* messages = arena.New<acre::Vector<Message*>>();
  for (std::size_t i = 0; i < count; ++i) {
    messages->push_back(MakeMessage(piece));
  }
  root = messages;
}

double InArena(std::size_t messages) {
  GC_INIT();
  acre::Arena arena;
  FillArena(arena, messages);
  return TimeCollections();
}

// Outside the collected heap, of whose every page the collector asks something.
double InMappedArena(std::size_t messages) {
  GC_INIT();
  acre::MmapSource source;
  acre::Arena arena({.source = &source});
  FillArena(arena, messages);
  return TimeCollections();
}

// Blocks like an arena's chunks, and as many bytes, but no arena: what libgc
// does for so much heap.
double BlocksAlone(std::size_t messages) {
  GC_INIT();
  std::size_t bytes = 0;
  {
    acre::MmapSource source;
    acre::Arena arena({.source = &source});
    FillArena(arena, messages);
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

double InCollectedArena(std::size_t messages) {
  GC_INIT();
  FillArena(*acre::NewCollectedArena(), messages);
  return TimeCollections();
}

// `allocate.template operator()<T>()` as MakeMessage wants it.
double Separate(std::size_t count, const auto& allocate) {
  GC_INIT();
  auto** messages = static_cast<Message**>(GC_malloc(count * sizeof(Message*)));
  root = messages;
  for (std::size_t i = 0; i < count; ++i) messages[i] = MakeMessage(allocate);
  return TimeCollections();
}

double SeparateObjects(std::size_t messages) {
  return Separate(messages, []<class T>() {
    return static_cast<T*>(GC_malloc(sizeof(T)));
  });
}

// The kindest that one can be to the collector: it is told which objects hold
// no pointers.
double SeparateAtomic(std::size_t messages) {
  return Separate(messages, []<class T>() {
    return static_cast<T*>(std::is_same_v<T, Message>
                               ? GC_malloc(sizeof(T))
                               : GC_malloc_atomic(sizeof(T)));
  });
}

void AddCell(const char* group, const std::string& cell, std::size_t messages) {
  const auto add = [&](const char* name, double (*measure)(std::size_t)) {
    AddInChild(group, cell, name, [=] { return measure(messages); });
  };
  add("acre::Arena", InArena);
  add("acre::Arena, MmapSource", InMappedArena);
  add("acre::NewCollectedArena", InCollectedArena);
  add("GC_malloc", SeparateObjects);
  add("GC_malloc, atomic pieces", SeparateAtomic);
  add("(blocks alone)", BlocksAlone);
  add("(empty heap)", EmptyHeap);
}

}  // namespace

void DefineCells() {
  AddCell("gc", "collection, 1M messages",
          BySmoke<std::size_t>(1'000, 1'000'000));
  // For curves.
  if (is_smoke() || round() != 0) return;
  for (std::size_t n = 10; n <= 1'000'000; n *= 10) {
    AddCell("gc-between", "collection " + PowerOfTen(n), n);
  }
}

}  // namespace perf
