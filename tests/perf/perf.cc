// SPDX-License-Identifier: MIT
//
// main of every benchmark program: --scale=smoke|default|full, --round=N, and
// the flags of Google Benchmark.

#include "perf.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

namespace perf {
namespace {

struct Result {
  std::string implementation;
  Body body;
  Timing timing;
};
struct Cell {
  std::string name;  // group/cell
  std::vector<Result> results;
};

Scale chosen_scale = Scale::kDefault;
int chosen_round = 0;
std::vector<Cell> cells;

bool ParseScale(const std::string& text) {
  if (text == "smoke") {
    chosen_scale = Scale::kSmoke;
  } else if (text == "default") {
    chosen_scale = Scale::kDefault;
  } else if (text == "full") {
    chosen_scale = Scale::kFull;
  } else {
    return false;
  }
  return true;
}

bool ParseRound(const std::string& text) {
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, chosen_round);
  return error == std::errc() && rest == end && chosen_round >= 0;
}

// Takes our own flags out of the arguments; false where one makes no sense.
bool TakeFlags(int* argc, char** argv) {
  int kept = 1;
  for (int i = 1; i < *argc; ++i) {
    const std::string argument = argv[i];
    if (argument.rfind("--scale=", 0) == 0) {
      if (!ParseScale(argument.substr(8))) return false;
    } else if (argument.rfind("--round=", 0) == 0) {
      if (!ParseRound(argument.substr(8))) return false;
    } else {
      argv[kept++] = argv[i];
    }
  }
  *argc = kept;
  return true;
}

void Register(const std::string& cell, const Result& result) {
  const std::string name = cell + "/" + result.implementation;
  auto* added = benchmark::RegisterBenchmark(name.c_str(), result.body);
  if (result.timing.passes != 0) added->Iterations(result.timing.passes);
  if (result.timing.by_body) added->UseManualTime();
  if (result.timing.threads != 0) {
    added->Threads(result.timing.threads)->UseRealTime();
  }
}

// Google Benchmark runs them in this order: cell by cell, so that nothing but
// a moment lies between results that are compared, and within a cell in
// another order each round, so that nobody always comes first.
void RegisterAll() {
  for (Cell& cell : cells) {
    if (round() != 0) {
      Shuffle(cell.results, static_cast<std::uint64_t>(round()));
    }
    for (const Result& result : cell.results) Register(cell.name, result);
  }
}

}  // namespace

Scale scale() { return chosen_scale; }
int round() { return chosen_round; }

void Add(const std::string& group, const std::string& cell,
         const std::string& implementation, Body body, Timing timing) {
  const std::string name = group + "/" + cell;
  const auto at =
      std::find_if(cells.begin(), cells.end(),
                   [&](const Cell& other) { return other.name == name; });
  Cell& to = at == cells.end() ? cells.emplace_back(Cell{name, {}}) : *at;
  to.results.push_back({implementation, std::move(body), timing});
}

void Report(benchmark::State& state, double value) {
  state.counters["value"] = value;
}

std::string PowerOfTen(std::size_t n) {
  return "1e" + std::to_string(std::lround(std::log10(n)));
}

}  // namespace perf

int main(int argc, char** argv) {
  if (!perf::TakeFlags(&argc, argv)) {
    std::fprintf(stderr,
                 "--scale is smoke, default or full; --round a number\n");
    return 2;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  perf::DefineCells();
  perf::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
