// SPDX-License-Identifier: MIT

#include "timing.h"

#include <gc/gc.h>

#include <algorithm>
#include <array>

namespace game {
namespace {

/// Overwrites what earlier calls left on the stack below: pointers to dropped
/// objects, for which the collector would keep those alive.
[[gnu::noinline]] void ClearStack() {
  std::array<volatile char, 64 << 10> bytes;
  for (volatile char& byte : bytes) byte = 0;
}

}  // namespace

double TimeCollection() {
  ClearStack();
  GC_gcollect();
  GC_gcollect();
  std::array<double, 11> times;
  for (double& time : times) {
    const Stopwatch watch;
    GC_gcollect();
    time = watch.Milliseconds();
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

}  // namespace game
