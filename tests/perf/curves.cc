// SPDX-License-Identifier: MIT
//
// Draws curves.

#include "curves.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>
#include <vector>

#include "svg.h"

namespace perf {
namespace {

// Pixels.
constexpr double kPanelWidth = 280;
constexpr double kPanelHeight = 190;
constexpr double kLeft = 40;  // of a panel's axes
constexpr double kTop = 30;
constexpr double kRight = 15;
constexpr double kBottom = 25;
constexpr double kLegend = 20;
constexpr std::size_t kColumns = 3;
constexpr std::size_t kLegendColumns = 6;
constexpr std::size_t kLeastSizes = 3;

struct Curve {
  std::string implementation;
  std::vector<std::pair<double, double>> points;  // log10 of size, of value
};

struct Panel {
  std::string name;  // of the cells, without the size
  std::vector<Curve> curves;
  std::size_t sizes = 0;
};

/// The size in a cell's name, as its exponent, and the name without it.
bool TakeSize(const std::string& cell, std::string* name, double* exponent) {
  for (std::size_t at = cell.find("1e"); at != std::string::npos;
       at = cell.find("1e", at + 1)) {
    char* end = nullptr;
    *exponent = std::strtod(cell.c_str() + at + 2, &end);
    const bool is_word = (at == 0 || cell[at - 1] == ' ') &&
                         end != cell.c_str() + at + 2 &&
                         (*end == ' ' || *end == '\0');
    if (!is_word) continue;
    *name = cell.substr(0, at) + (*end == ' ' ? end + 1 : end);
    while (name->ends_with(' ')) name->pop_back();
    return true;
  }
  return false;
}

/// What is drawn: not the variants of a peer, which hide it, nor yardsticks.
bool IsDrawn(const std::string& implementation) {
  return implementation.find(',') == std::string::npos &&
         implementation.find('(') == std::string::npos;
}

Curve& CurveOf(Panel& panel, const std::string& implementation) {
  for (Curve& curve : panel.curves) {
    if (curve.implementation == implementation) return curve;
  }
  return panel.curves.emplace_back(Curve{implementation, {}});
}

std::vector<Panel> Collect(const Results& results, const std::string& group) {
  std::vector<Panel> panels;
  for (const Cell& cell : results.cells) {
    std::string name;
    double exponent = 0;
    const bool is_wanted =
        cell.group == group || cell.group == group + "-between";
    if (!is_wanted || !TakeSize(cell.name, &name, &exponent)) continue;
    auto panel =
        std::find_if(panels.begin(), panels.end(),
                     [&](const Panel& other) { return other.name == name; });
    if (panel == panels.end()) {
      panel = panels.insert(panels.end(), Panel{name, {}, 0});
    }
    ++panel->sizes;
    for (const Series& series : cell.series) {
      if (!IsDrawn(series.implementation) || !(series.median() > 0)) continue;
      CurveOf(*panel, series.implementation)
          .points.emplace_back(exponent, std::log10(series.median()));
    }
  }
  std::erase_if(panels, [](const Panel& panel) {
    return panel.sizes < kLeastSizes || panel.curves.empty();
  });
  for (Panel& panel : panels) {
    for (Curve& curve : panel.curves) {
      std::sort(curve.points.begin(), curve.points.end());
    }
  }
  return panels;
}

/// All implementations in the order in which they were met: acre's is first.
std::vector<std::string> NamesOf(const std::vector<Panel>& panels) {
  std::vector<std::string> names;
  for (const Panel& panel : panels) {
    for (const Curve& curve : panel.curves) {
      if (std::find(names.begin(), names.end(), curve.implementation) ==
          names.end()) {
        names.push_back(curve.implementation);
      }
    }
  }
  return names;
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double greatest = -std::numeric_limits<double>::infinity();

  void Add(double value) {
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  /// From 0 to 1.
  double At(double value) const {
    return greatest > least ? (value - least) / (greatest - least) : 0.5;
  }
};

class PanelWriter {
 public:
  PanelWriter(std::FILE* file, const Panel& panel, double x, double y)
      : file_(file), panel_(panel), left_(x + kLeft), top_(y + kTop) {
    for (const Curve& curve : panel.curves) {
      for (const auto& [size, value] : curve.points) {
        sizes_.Add(size);
        values_.Add(value);
      }
    }
    // Room for a line of the grid on either side.
    values_.least -= 0.1;
    values_.greatest += 0.1;
  }

  void Write(const std::vector<std::string>& names) {
    Text(file_, left_, top_ - 10, "start", panel_.name);
    WriteGrid();
    for (std::size_t i = names.size(); i-- > 0;) {  // acre's above the others
      for (const Curve& curve : panel_.curves) {
        if (curve.implementation == names[i]) WriteCurve(curve, i);
      }
    }
  }

 private:
  static constexpr double kWidth = kPanelWidth - kLeft - kRight;
  static constexpr double kHeight = kPanelHeight - kTop - kBottom;

  double X(double size) const { return left_ + kWidth * sizes_.At(size); }
  double Y(double value) const {
    return top_ + kHeight * (1 - values_.At(value));
  }

  /// Decades across; 1, 2, 5 and so on up.
  void WriteGrid() {
    for (double size = sizes_.least; size <= sizes_.greatest; size += 1) {
      Line(file_, X(size), top_, X(size), top_ + kHeight, "#eeeeee");
      char label[16];
      std::snprintf(label, sizeof label, "1e%.0f", size);
      Text(file_, X(size), top_ + kHeight + 14, "middle", label);
    }
    for (double decade = std::floor(values_.least); decade <= values_.greatest;
         decade += 1) {
      for (const int digit : {1, 2, 5}) {
        const double value = decade + std::log10(digit);
        if (value < values_.least || value > values_.greatest) continue;
        Line(file_, left_, Y(value), left_ + kWidth, Y(value), "#cccccc");
        char label[16];
        std::snprintf(label, sizeof label, "%g", std::pow(10, value));
        Text(file_, left_ - 5, Y(value) + 4, "end", label);
      }
    }
  }

  void WriteCurve(const Curve& curve, std::size_t index) {
    std::fprintf(file_,
                 "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" "
                 "points=\"",
                 ColourOf(index), index == 0 ? "3" : "1.5");
    for (const auto& [size, value] : curve.points) {
      std::fprintf(file_, "%.1f,%.1f ", X(size), Y(value));
    }
    std::fprintf(file_, "\"/>\n");
    for (const auto& [size, value] : curve.points) {
      Dot(file_, X(size), Y(value), index);
    }
  }

  std::FILE* file_;
  const Panel& panel_;
  double left_;  // of the axes
  double top_;
  Range sizes_;
  Range values_;
};

void WriteLegend(std::FILE* file, const std::vector<std::string>& names,
                 double top) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const double x = 20 + 140 * static_cast<double>(i % kLegendColumns);
    const double y = top + kLegend * static_cast<double>(i / kLegendColumns);
    Dot(file, x, y - 4, i);
    Text(file, x + 12, y, "start", names[i]);
  }
}

}  // namespace

bool WriteCurves(const std::string& path, const Results& results,
                 const std::string& group) {
  const std::vector<Panel> panels = Collect(results, group);
  if (panels.empty()) return true;
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const std::vector<std::string> names = NamesOf(panels);
  const std::size_t rows = (panels.size() + kColumns - 1) / kColumns;
  const std::size_t legend =
      (names.size() + kLegendColumns - 1) / kLegendColumns;
  const double top = 35;
  const double bottom = top + kPanelHeight * static_cast<double>(rows);
  BeginSvg(file, kPanelWidth * kColumns,
           bottom + kLegend * (static_cast<double>(legend) + 0.5));
  Text(file, 20, 22, "start",
       group +
           ": nanoseconds an operation, or bytes, over the number of "
           "elements; lower is better");
  for (std::size_t i = 0; i < panels.size(); ++i) {
    PanelWriter(file, panels[i],
                kPanelWidth * static_cast<double>(i % kColumns),
                top + kPanelHeight * static_cast<double>(i / kColumns))
        .Write(names);
  }
  WriteLegend(file, names, bottom + kLegend);
  std::fprintf(file, "</svg>\n");
  return std::fclose(file) == 0;
}

}  // namespace perf
