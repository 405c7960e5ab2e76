// SPDX-License-Identifier: MIT
//
// The fixed parts of the HTML report: markup, style, scripts. What changes from
// report to report is JSON, which the scripts put into the page as text, never
// as markup. The page loads nothing.

#ifndef ACRE_AUDIT_PAGE_H_
#define ACRE_AUDIT_PAGE_H_

#include <string_view>

#include "acre/config.h"

namespace acre::inline ACRE_ABI::detail {

extern const std::string_view kPageStyle;
extern const std::string_view kPageBody;
/// Common to the others; first.
extern const std::string_view kPageScript;
extern const std::string_view kFindingsScript;
extern const std::string_view kMemoryScript;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_AUDIT_PAGE_H_
