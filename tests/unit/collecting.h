// SPDX-License-Identifier: MIT
//
// Forcing collections, and hiding from them what a test has finished with: the
// collector takes stale words on the stack for pointers.

#ifndef ACRE_TESTS_UNIT_COLLECTING_H_
#define ACRE_TESTS_UNIT_COLLECTING_H_

#include <gc/gc.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <limits>

#include "acre/gc.h"

namespace acre_test {

/// Overwrites what dead frames left on the stack.
__attribute__((noinline)) inline void ClobberStack(int depth = 30) {
  char frame[4096];
  std::memset(frame, 0, sizeof frame);
  asm volatile("" : : "r"(frame) : "memory");  // the zeros are needed
  if (depth != 0) ClobberStack(depth - 1);
  asm volatile("" : : "r"(frame) : "memory");  // so is the frame
}

__attribute__((noinline)) inline void Collect(int times = 1) {
  for (int i = 0; i < times; ++i) {
    ClobberStack();
    GC_gcollect();
    GC_invoke_finalizers();
  }
}

/// Processor time of a collection: the fastest of some, since others may want
/// the processors too.
inline double SecondsOfCollection() {
  GC_gcollect();
  std::clock_t fastest = std::numeric_limits<std::clock_t>::max();
  for (int i = 0; i < 5; ++i) {
    const std::clock_t start = std::clock();
    GC_gcollect();
    fastest = std::min(fastest, std::clock() - start);
  }
  return static_cast<double>(fastest) / CLOCKS_PER_SEC;
}

/// libgc, initialised the way acre does it.
inline void NeedCollector() {
  static_cast<void>(acre::CollectorSeesInteriorPointers());
}

/// An address the collector does not see.
class Hidden {
 public:
  Hidden() = default;
  explicit Hidden(const void* p) : word_(~reinterpret_cast<GC_word>(p)) {}
  void* reveal() const { return reinterpret_cast<void*>(~word_); }

 private:
  GC_word word_ = ~GC_word{0};
};

}  // namespace acre_test

#endif  // ACRE_TESTS_UNIT_COLLECTING_H_
