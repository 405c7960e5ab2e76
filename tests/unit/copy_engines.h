// SPDX-License-Identifier: MIT
//
// Deep copies by an engine of the test's choice: DeepCopy takes the first that
// can, and what tests copy is mostly small.

#ifndef ACRE_TESTS_UNIT_COPY_ENGINES_H_
#define ACRE_TESTS_UNIT_COPY_ENGINES_H_

#include <doctest/doctest.h>

#include <new>

#include "acre/arena.h"
#include "acre/element.h"
#include "copy/copier.h"
#include "copy/graph_copier.h"
#include "copy/small_copier.h"

namespace acre_test {

/// As DeepCopy does where there are many pieces; null where memory runs out.
template <acre::Element T>
T* TryCopyGraph(acre::Arena& arena, const T& value, unsigned threads = 1) {
  {
    acre::detail::GraphCopier graph(arena);
    if (graph.Run(acre::LayoutOf<T>(), &value, threads)) {
      return static_cast<T*>(graph.copy());
    }
  }
  acre::detail::Copier copier(arena);
  return static_cast<T*>(copier.Run(acre::LayoutOf<T>(), &value));
}

/// The same; never null.
template <acre::Element T>
T* CopyGraph(acre::Arena& arena, const T& value, unsigned threads = 1) {
  T* copy = TryCopyGraph(arena, value, threads);
  if (copy == nullptr) throw std::bad_alloc();
  return copy;
}

/// Each test that asks is run with either.
inline unsigned OneThreadOrThree() {
  unsigned threads = 0;
  SUBCASE("one thread") { threads = 1; }
  SUBCASE("three threads") { threads = 3; }
  return threads;
}

/// By the engine for few pieces; null where it leaves it to others.
template <acre::Element T>
T* TryCopySmall(acre::Arena& arena, const T& value) {
  acre::detail::SmallCopier small(arena);
  const bool has_run = small.Run(acre::LayoutOf<T>(), &value);
  return has_run ? static_cast<T*>(small.copy()) : nullptr;
}

}  // namespace acre_test

#endif  // ACRE_TESTS_UNIT_COPY_ENGINES_H_
