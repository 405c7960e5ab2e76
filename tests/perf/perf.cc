// SPDX-License-Identifier: MIT
//
// main of every benchmark program: --scale=smoke|default|full, and the flags
// of Google Benchmark.

#include "perf.h"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <utility>

namespace perf {
namespace {

Scale chosen_scale = Scale::kDefault;

bool ParseScale(const char* text) {
  if (std::strcmp(text, "smoke") == 0) {
    chosen_scale = Scale::kSmoke;
  } else if (std::strcmp(text, "default") == 0) {
    chosen_scale = Scale::kDefault;
  } else if (std::strcmp(text, "full") == 0) {
    chosen_scale = Scale::kFull;
  } else {
    return false;
  }
  return true;
}

// Takes --scale out of the arguments; false where it makes no sense.
bool TakeScale(int* argc, char** argv) {
  static constexpr char kFlag[] = "--scale=";
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    if (std::strncmp(argv[i], kFlag, sizeof kFlag - 1) != 0) {
      argv[kept++] = argv[i];
    } else if (!ParseScale(argv[i] + sizeof kFlag - 1)) {
      return false;
    }
  }
  *argc = kept;
  return true;
}

}  // namespace

Scale scale() { return chosen_scale; }

benchmark::internal::Benchmark* Add(const std::string& group,
                                    const std::string& cell,
                                    const std::string& implementation,
                                    Body body) {
  const std::string name = group + "/" + cell + "/" + implementation;
  return benchmark::RegisterBenchmark(name.c_str(), std::move(body));
}

void Report(benchmark::State& state, double value) {
  state.counters["value"] = value;
}

std::string PowerOfTen(std::size_t n) {
  return "1e" + std::to_string(std::lround(std::log10(n)));
}

}  // namespace perf

int main(int argc, char** argv) {
  if (!perf::TakeScale(&argc, argv)) {
    std::fprintf(stderr, "--scale is smoke, default or full\n");
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  perf::DefineCells();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
