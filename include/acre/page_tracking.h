// SPDX-License-Identifier: MIT
//
// PageTracking: how it is known which pages of an arena were written. A History
// and the audits of checked builds ask that.

#ifndef ACRE_PAGE_TRACKING_H_
#define ACRE_PAGE_TRACKING_H_

#include <cstdint>

#include "acre/config.h"

namespace acre::inline ACRE_ABI {

enum class PageTracking : std::uint8_t {
  kComparing,  ///< they are compared with what they held before
  kKernel,     ///< the kernel notes them; chunks below 128 KiB are compared
};

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_PAGE_TRACKING_H_
