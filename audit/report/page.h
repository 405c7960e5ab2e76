// SPDX-License-Identifier: MIT
//
// The fixed parts of HTML reports: markup, style, scripts. What changes from
// audit to audit is JSON, which the scripts put into the page as text, never as
// markup. The pages load nothing.

#ifndef ACRE_AUDIT_PAGE_H_
#define ACRE_AUDIT_PAGE_H_

#include <string_view>

#include "acre/config.h"

#pragma GCC visibility push(hidden)
namespace acre::inline ACRE_ABI::detail {

/// Up to the title.
std::string_view PageHead();
std::string_view PageStyle();
std::string_view PageBody();
/// Common to the others; first.
std::string_view PageScript();
std::string_view FindingsScript();
std::string_view MemoryScript();

}  // namespace acre::inline ACRE_ABI::detail
#pragma GCC visibility pop

#endif  // ACRE_AUDIT_PAGE_H_
