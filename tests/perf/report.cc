// SPDX-License-Identifier: MIT
//
// perf_report [--plots=DIR] [--json=FILE] [--check] RESULTS.json...
//
// Prints every result, the maps with the hash that each brings along, and last
// the table of cells and bars. --check prints how many results there are
// instead; the status is 1 where one has no number.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>

#include "bars.h"
#include "curves.h"
#include "plot.h"
#include "results.h"

namespace perf {
namespace {

struct Options {
  std::string plots;
  std::string json;
  bool check = false;
};

// "-" for what is not a number.
std::string Number(double value) {
  if (std::isnan(value)) return "-";
  char text[32];
  std::snprintf(text, sizeof text, value < 99.95 ? "%.3g" : "%.0f", value);
  return text;
}

void PrintSeries(const Series& series) {
  const auto [least, greatest] =
      std::minmax_element(series.values.begin(), series.values.end());
  std::printf("    %-26s %9s  (%s .. %s)\n", series.implementation.c_str(),
              Number(series.median()).c_str(), Number(*least).c_str(),
              Number(*greatest).c_str());
}

void PrintAll(const Results& results) {
  std::printf("Every result: median (least .. greatest), nanoseconds each\n");
  for (const Cell& cell : results.cells) {
    std::printf("  %s\n", cell.full_name().c_str());
    for (const Series& series : cell.series) PrintSeries(series);
  }
}

// The maps with the hash that each brings along.
void PrintOwnHash(const Results& results) {
  static constexpr const char* kMaps[] = {"boost", "absl", "tsl", "std"};
  const auto is_map = [](const Cell& cell) { return cell.group == "map"; };
  if (std::none_of(results.cells.begin(), results.cells.end(), is_map)) return;
  std::printf("\n%-32s %9s", "Own hash each", "acre::Map");
  for (const char* map : kMaps) std::printf(" %9s", map);
  std::printf("\n");
  for (const Cell& cell : results.cells) {
    const Series* acre = cell.Find("acre::Map");
    if (!is_map(cell) || acre == nullptr) continue;
    std::printf("%-32s %9s", cell.name.c_str(), Number(acre->median()).c_str());
    for (const char* map : kMaps) {
      const Series* peer = cell.Find(std::string(map) + ", own hash");
      std::printf(
          " %9s",
          Number(peer == nullptr ? std::nan("") : peer->median()).c_str());
    }
    std::printf("\n");
  }
}

void PrintVerdict(const Verdict& verdict) {
  char range[64];
  std::snprintf(range, sizeof range, "%s .. %s",
                Number(verdict.ratio.least).c_str(),
                Number(verdict.ratio.greatest).c_str());
  const bool is_absolute = verdict.peer.empty();
  std::printf("%-34s %-26s %8s %-22s %8s %7s %-15s %7s %s\n",
              verdict.cell.c_str(), verdict.subject.c_str(),
              Number(verdict.reached).c_str(),
              is_absolute ? "(the bar itself)" : verdict.peer.c_str(),
              Number(verdict.peer_reached).c_str(),
              Number(verdict.ratio.median).c_str(), range,
              verdict.bar == nullptr ? "-" : Number(verdict.bar->limit).c_str(),
              verdict.bar == nullptr ? "-"
              : verdict.is_met       ? "met"
                                     : "NOT MET");
}

void PrintVerdicts(const std::vector<Verdict>& verdicts) {
  std::printf("\n%-34s %-26s %8s %-22s %8s %7s %-15s %7s\n", "Cell", "acre", "",
              "best peer", "", "ratio", "least, most", "bar");
  int met = 0;
  int missed = 0;
  for (const Verdict& verdict : verdicts) {
    PrintVerdict(verdict);
    if (verdict.bar != nullptr) ++(verdict.is_met ? met : missed);
  }
  std::printf("%d bars met, %d not\n", met, missed);
}

bool WritePlots(const Results& results, const std::string& folder) {
  std::set<std::string> groups;
  for (const Cell& cell : results.cells) groups.insert(cell.group);
  bool is_written = true;
  for (const std::string& group : groups) {
    is_written &= WritePlot(folder + "/" + group + ".svg", results, group);
    if (group.ends_with("-between")) continue;  // in the curves of the rest
    is_written &=
        WriteCurves(folder + "/" + group + "-by-size.svg", results, group);
  }
  return is_written;
}

// "N passed, N failed", as all steps of the tests end.
bool Check(const Results& results) {
  std::size_t passed = 0;
  for (const Cell& cell : results.cells) passed += cell.series.size();
  std::printf("%zu passed, %zu failed\n", passed, results.failed);
  return passed != 0 && results.failed == 0;
}

// The part of `argument` after `flag`, or null.
const char* ValueOf(const char* argument, const char* flag) {
  const std::size_t length = std::strlen(flag);
  return std::strncmp(argument, flag, length) == 0 ? argument + length
                                                   : nullptr;
}

bool Parse(int argc, char** argv, Options* options, Results* results) {
  for (int i = 1; i < argc; ++i) {
    if (const char* folder = ValueOf(argv[i], "--plots=")) {
      options->plots = folder;
    } else if (const char* file = ValueOf(argv[i], "--json=")) {
      options->json = file;
    } else if (std::strcmp(argv[i], "--check") == 0) {
      options->check = true;
    } else if (!ReadResults(argv[i], results)) {
      std::fprintf(stderr, "no results in %s\n", argv[i]);
      return false;
    }
  }
  return true;
}

}  // namespace

int Main(int argc, char** argv) {
  Options options;
  Results results;
  if (!Parse(argc, argv, &options, &results)) return 2;
  const std::vector<Verdict> verdicts = Judge(results);
  if (!options.plots.empty() && !WritePlots(results, options.plots)) return 1;
  if (!options.json.empty() && !WriteJson(options.json.c_str(), results)) {
    return 1;
  }
  if (options.check) return Check(results) ? 0 : 1;
  PrintAll(results);
  PrintOwnHash(results);
  PrintVerdicts(verdicts);
  return 0;
}

}  // namespace perf

int main(int argc, char** argv) { return perf::Main(argc, argv); }
