// SPDX-License-Identifier: MIT
//
// What the benchmark programs share: how large a run is, the sink, random
// numbers, and the registration of cells.
//
// A result is named group/cell/implementation, "alloc/New 16 B, 4k/bumpalo".
// None of the three contains a slash: Google Benchmark appends its own.

#ifndef ACRE_PERF_PERF_H_
#define ACRE_PERF_PERF_H_

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace perf {

enum class Scale {
  kSmoke,    ///< tiny: every cell runs once, nothing is measured
  kDefault,  ///< twenty minutes in all
  kFull,     ///< the largest sizes too; under an hour
};

/// Of this run; set by main before DefineCells is called.
Scale scale();
/// From 0. A run is several rounds, each a process of its own. The first
/// defines every cell; what takes long may be left out of others.
int round();
inline bool is_smoke() { return scale() == Scale::kSmoke; }

/// `smoke` in a smoke run, else `usual`.
template <class T>
T BySmoke(T smoke, T usual) {
  return is_smoke() ? smoke : usual;
}

/// Each program defines this, and adds its cells in it.
void DefineCells();

using Body = std::function<void(benchmark::State&)>;

struct Timing {
  /// Passes of the body's loop; 0: as many as --benchmark_min_time takes.
  std::int64_t passes = 0;
  /// The body says how long each pass took, by SetIterationTime.
  bool by_body = false;
  /// How many run the body at once; the time is that of the clock then.
  int threads = 0;
};

/// Adds one result. The body reports by SetItemsProcessed, or by Report. All
/// of a cell are measured one right after the other.
void Add(const std::string& group, const std::string& cell,
         const std::string& implementation, Body body, Timing timing = {});

/// Makes `value` the result, which is not a time: bytes, or a quotient.
void Report(benchmark::State& state, double value);

/// "1e3" for 1000.
std::string PowerOfTen(std::size_t n);

/// The same sink for every implementation. benchmark::DoNotOptimize lets g++
/// choose memory and spill the pointer, which costs a fifth of a bump; a
/// register does not. The Rust loops have the same.
inline void Sink(const void* pointer) {
  asm volatile("" : : "r"(pointer) : "memory");
}
inline void Sink(std::uint64_t value) {
  asm volatile("" : : "r"(value) : "memory");
}

/// splitmix64 (Sebastiano Vigna, public domain): the same numbers in each run.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  /// Below `bound`; the bias of the remainder is of no account here.
  std::size_t Below(std::size_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

/// Fisher-Yates.
template <class Container>
void Shuffle(Container& values, std::uint64_t seed) {
  Random random(seed);
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[random.Below(i)]);
  }
}

/// Seconds that `work()` takes, for UseManualTime: what is not to be timed
/// stands outside. PauseTiming would cost more than a small pass.
template <class Work>
double Seconds(Work work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  const auto end = std::chrono::steady_clock::now();
  return std::chrono::duration<double>(end - start).count();
}

}  // namespace perf

#endif  // ACRE_PERF_PERF_H_
