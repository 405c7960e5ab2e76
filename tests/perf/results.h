// SPDX-License-Identifier: MIT
//
// The results of a run, read from the JSON files of Google Benchmark.

#ifndef ACRE_PERF_RESULTS_H_
#define ACRE_PERF_RESULTS_H_

#include <cstddef>
#include <string>
#include <vector>

namespace perf {

/// What one implementation reached in one cell: a value a round, in
/// nanoseconds an operation unless the cell says otherwise. Less is better.
struct Series {
  std::string implementation;
  std::vector<double> values;  // in order of rounds, at least one

  double median() const;
};

struct Cell {
  std::string group;
  std::string name;
  std::vector<Series> series;  // in the order of the first round

  std::string full_name() const { return group + "/" + name; }
  const Series* Find(const std::string& implementation) const;
};

struct Results {
  std::vector<Cell> cells;  // in the order of the first round
  std::size_t failed = 0;   // results without a number
};

/// acre's own. What stands in parentheses is shown, and is no peer either.
bool IsAcre(const std::string& implementation);
bool IsPeer(const std::string& implementation);

/// Adds a file, a round of a program; false where it cannot be read. Reads what
/// Google Benchmark writes, one key a line; no other JSON.
bool ReadResults(const char* path, Results* results);

/// Medians, minima, maxima and all values as JSON.
bool WriteJson(const char* path, const Results& results);

/// Of the quotients of two series, round by round: what a noisy second does to
/// one of them it does to the other, measured a moment later.
struct Ratio {
  double median;
  double least;
  double greatest;
};
Ratio RatioOf(const Series& a, const Series& b);

}  // namespace perf

#endif  // ACRE_PERF_RESULTS_H_
