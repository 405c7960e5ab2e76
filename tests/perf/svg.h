// SPDX-License-Identifier: MIT
//
// What plots are drawn with.

#ifndef ACRE_PERF_SVG_H_
#define ACRE_PERF_SVG_H_

#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>

namespace perf {

// Okabe and Ito: told apart by the colour-blind too; then repeated, hollow.
inline constexpr const char* kColours[] = {"#000000", "#E69F00", "#56B4E9",
                                           "#009E73", "#CC79A7", "#0072B2",
                                           "#D55E00"};

inline const char* ColourOf(std::size_t index) {
  return kColours[index % std::size(kColours)];
}

inline void Text(std::FILE* file, double x, double y, const char* anchor,
                 const std::string& text) {
  std::fprintf(file,
               "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", x,
               y, anchor, text.c_str());
}

inline void Line(std::FILE* file, double x1, double y1, double x2, double y2,
                 const char* colour) {
  std::fprintf(file,
               "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
               "stroke=\"%s\"/>\n",
               x1, y1, x2, y2, colour);
}

inline void Dot(std::FILE* file, double x, double y, std::size_t index) {
  const char* const colour = ColourOf(index);
  const bool is_hollow = index >= std::size(kColours);
  std::fprintf(file,
               "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" "
               "stroke=\"%s\" stroke-width=\"1.5\"/>\n",
               x, y, is_hollow ? "white" : colour, colour);
}

inline void BeginSvg(std::FILE* file, double width, double height) {
  std::fprintf(file,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" "
               "height=\"%.0f\" font-family=\"sans-serif\" font-size=\"11\">\n"
               "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
               width, height);
}

}  // namespace perf

#endif  // ACRE_PERF_SVG_H_
