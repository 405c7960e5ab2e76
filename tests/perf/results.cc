// SPDX-License-Identifier: MIT
//
// Reads and writes results.

#include "results.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "median.h"

namespace perf {
namespace {

// Of one object in the "benchmarks" array.
struct Entry {
  std::string name;
  bool is_round = false;  // and not a mean of several
  double items_per_second = std::nan("");
  double value = std::nan("");

  double result() const {
    return std::isnan(value) ? 1e9 / items_per_second : value;
  }
};

// `"key": value,` of a line; false for any other line.
bool SplitLine(const std::string& line, std::string* key, std::string* value) {
  const std::size_t begin = line.find('"');
  const std::size_t end = line.find("\": ", begin + 1);
  if (begin == std::string::npos || end == std::string::npos) return false;
  *key = line.substr(begin + 1, end - begin - 1);
  *value = line.substr(end + 3);
  while (!value->empty() && (value->back() == ',' || value->back() == '\r')) {
    value->pop_back();
  }
  if (value->size() >= 2 && value->front() == '"') {
    *value = value->substr(1, value->size() - 2);
  }
  return true;
}

Cell& CellOf(Results* results, const std::string& group,
             const std::string& name) {
  for (Cell& cell : results->cells) {
    if (cell.group == group && cell.name == name) return cell;
  }
  results->cells.push_back({group, name, {}});
  return results->cells.back();
}

Series& SeriesOf(Cell* cell, const std::string& implementation) {
  for (Series& series : cell->series) {
    if (series.implementation == implementation) return series;
  }
  cell->series.push_back({implementation, {}});
  return cell->series.back();
}

// The name is group/cell/implementation[/more of Google Benchmark].
void AddEntry(const Entry& entry, Results* results) {
  if (!entry.is_round) return;
  const std::size_t cell = entry.name.find('/');
  const std::size_t last = entry.name.find('/', cell + 1);
  if (last == std::string::npos || !std::isfinite(entry.result())) {
    ++results->failed;
    return;
  }
  const std::size_t end = entry.name.find('/', last + 1);
  Cell& to = CellOf(results, entry.name.substr(0, cell),
                    entry.name.substr(cell + 1, last - cell - 1));
  SeriesOf(&to, entry.name.substr(last + 1, end - last - 1))
      .values.push_back(entry.result());
}

void TakeField(const std::string& key, const std::string& value, Entry* entry) {
  if (key == "name") entry->name = value;
  if (key == "run_type") entry->is_round = value == "iteration";
  if (key == "items_per_second") {
    entry->items_per_second = std::strtod(value.c_str(), nullptr);
  }
  if (key == "value") entry->value = std::strtod(value.c_str(), nullptr);
}

void WriteSeries(std::FILE* file, const Cell& cell, const Series& series,
                 bool is_first) {
  const auto [least, greatest] =
      std::minmax_element(series.values.begin(), series.values.end());
  std::fprintf(file,
               "%s\n  {\"group\": \"%s\", \"cell\": \"%s\", "
               "\"implementation\": \"%s\", \"median\": %.6g, "
               "\"min\": %.6g, \"max\": %.6g, \"values\": [",
               is_first ? "" : ",", cell.group.c_str(), cell.name.c_str(),
               series.implementation.c_str(), series.median(), *least,
               *greatest);
  const char* comma = "";
  for (const double value : series.values) {
    std::fprintf(file, "%s%.6g", comma, value);
    comma = ", ";
  }
  std::fprintf(file, "]}");
}

}  // namespace

double Series::median() const { return MedianOf(values); }

const Series* Cell::Find(const std::string& implementation) const {
  for (const Series& one : series) {
    if (one.implementation == implementation) return &one;
  }
  return nullptr;
}

bool IsAcre(const std::string& implementation) {
  return implementation.rfind("acre", 0) == 0;
}
bool IsPeer(const std::string& implementation) {
  return !IsAcre(implementation) && implementation[0] != '(';
}

bool ReadResults(const char* path, Results* results) {
  std::ifstream file(path);
  if (!file) return false;
  Entry entry;
  std::string line;
  std::string key;
  std::string value;
  bool in_benchmarks = false;
  while (std::getline(file, line)) {
    if (line.find("\"benchmarks\": [") != std::string::npos) {
      in_benchmarks = true;
    } else if (in_benchmarks && SplitLine(line, &key, &value)) {
      TakeField(key, value, &entry);
    } else if (in_benchmarks && line.find('}') != std::string::npos) {
      if (!entry.name.empty()) AddEntry(entry, results);
      entry = {};
    }
  }
  return in_benchmarks;
}

bool WriteJson(const char* path, const Results& results) {
  std::FILE* file = std::fopen(path, "w");
  if (file == nullptr) return false;
  std::fprintf(file, "{\"results\": [");
  bool is_first = true;
  for (const Cell& cell : results.cells) {
    for (const Series& series : cell.series) {
      WriteSeries(file, cell, series, is_first);
      is_first = false;
    }
  }
  std::fprintf(file, "\n]}\n");
  return std::fclose(file) == 0;
}

Ratio RatioOf(const Series& a, const Series& b) {
  std::vector<double> quotients;
  const std::size_t rounds = std::min(a.values.size(), b.values.size());
  for (std::size_t i = 0; i < rounds; ++i) {
    quotients.push_back(a.values[i] / b.values[i]);
  }
  const auto [least, greatest] =
      std::minmax_element(quotients.begin(), quotients.end());
  return {MedianOf(quotients), *least, *greatest};
}

}  // namespace perf
