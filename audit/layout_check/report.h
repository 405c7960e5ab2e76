// SPDX-License-Identifier: MIT
//
// How results are told: lines of text, or of JSON, one object a line. May touch
// the results and fmt; decides nothing.

#ifndef ACRE_LAYOUT_CHECK_REPORT_H_
#define ACRE_LAYOUT_CHECK_REPORT_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "check.h"

namespace layout_check {

/// What the fields of JSON lines mean; a new number where one changes.
inline constexpr int kSchema = 1;

struct Format {
  bool is_json = false;
  bool is_verbose = false;
};

/// Each line of them ends with a line feed.
std::string ResultText(Format format, std::string_view binary,
                       const CheckResult& result);
std::string SummaryText(Format format, std::size_t layouts,
                        std::size_t disagreements);

}  // namespace layout_check

#endif  // ACRE_LAYOUT_CHECK_REPORT_H_
