// SPDX-License-Identifier: MIT
//
// Draws the plots.

#include "plot.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "svg.h"

namespace perf {
namespace {

// Pixels.
constexpr double kLeft = 250;
constexpr double kWidth = 560;
constexpr double kTop = 60;
constexpr double kRow = 20;
constexpr double kLegend = 20;
constexpr int kLegendColumns = 4;

struct Axis {
  double least;     // log10
  double greatest;  // log10

  double At(double ratio) const {
    const double log = std::clamp(std::log10(ratio), least, greatest);
    return kLeft + kWidth * (log - least) / (greatest - least);
  }
};

const Series* Reference(const Cell& cell) {
  for (const Series& series : cell.series) {
    if (IsAcre(series.implementation)) return &series;
  }
  return nullptr;
}

struct Plot {
  std::vector<const Cell*> cells;
  std::vector<std::string> names;  // of implementations
  Axis axis{-1, 1};

  double height() const {
    const auto rows = (names.size() + kLegendColumns - 1) / kLegendColumns;
    return kTop + kRow * static_cast<double>(cells.size()) +
           kLegend * static_cast<double>(rows) + 40;
  }
};

// Whole decades, three either way at most: beyond that dots lie on the edge.
void Extend(Axis* axis, double ratio) {
  if (!(ratio > 0)) return;
  const double log = std::log10(ratio);
  axis->least = std::clamp(std::floor(log), -3.0, axis->least);
  axis->greatest = std::clamp(std::ceil(log), axis->greatest, 3.0);
}

Plot Collect(const Results& results, const std::string& group) {
  Plot plot;
  for (const Cell& cell : results.cells) {
    const Series* reference = Reference(cell);
    if (cell.group != group || reference == nullptr) continue;
    plot.cells.push_back(&cell);
    for (const Series& series : cell.series) {
      Extend(&plot.axis, series.median() / reference->median());
      if (std::find(plot.names.begin(), plot.names.end(),
                    series.implementation) == plot.names.end()) {
        plot.names.push_back(series.implementation);
      }
    }
  }
  return plot;
}

void DrawAxis(std::FILE* file, const Plot& plot) {
  const double bottom = kTop + kRow * static_cast<double>(plot.cells.size());
  for (double log = plot.axis.least; log <= plot.axis.greatest; log += 1) {
    const double x = plot.axis.At(std::pow(10, log));
    Line(file, x, kTop - 5, x, bottom, log == 0 ? "#000000" : "#cccccc");
    char label[32];
    std::snprintf(label, sizeof label, "%g", std::pow(10, log));
    Text(file, x, kTop - 10, "middle", label);
  }
}

void DrawRow(std::FILE* file, const Plot& plot, std::size_t row) {
  const Cell& cell = *plot.cells[row];
  const double reference = Reference(cell)->median();
  const double y = kTop + kRow * (static_cast<double>(row) + 0.5);
  Text(file, kLeft - 10, y + 4, "end", cell.name);
  for (std::size_t i = 0; i < plot.names.size(); ++i) {
    if (const Series* series = cell.Find(plot.names[i])) {
      Dot(file, plot.axis.At(series->median() / reference), y, i);
    }
  }
}

void DrawLegend(std::FILE* file, const Plot& plot) {
  const double top =
      kTop + kRow * static_cast<double>(plot.cells.size()) + kLegend;
  for (std::size_t i = 0; i < plot.names.size(); ++i) {
    const double x = 20 + 210 * static_cast<double>(i % kLegendColumns);
    const double y = top + kLegend * static_cast<double>(i / kLegendColumns);
    Dot(file, x, y - 4, i);
    Text(file, x + 12, y, "start", plot.names[i]);
  }
}

}  // namespace

bool WritePlot(const std::string& path, const Results& results,
               const std::string& group) {
  const Plot plot = Collect(results, group);
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  BeginSvg(file, 860, plot.height());
  Text(file, 20, 24, "start",
       group + ": median over acre's (the line at 1); left is better");
  DrawAxis(file, plot);
  for (std::size_t row = 0; row < plot.cells.size(); ++row) {
    DrawRow(file, plot, row);
  }
  DrawLegend(file, plot);
  std::fprintf(file, "</svg>\n");
  return std::fclose(file) == 0;
}

}  // namespace perf
