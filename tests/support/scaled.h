// SPDX-License-Identifier: MIT
//
// How much of a long computation a test runs.

#ifndef ACRE_TESTS_SUPPORT_SCALED_H_
#define ACRE_TESTS_SUPPORT_SCALED_H_

#include "acre/config.h"

namespace acre_test {

/// `whole` in release builds. Checked ones look at each step, without an
/// optimizer and often under a sanitizer: a hundredth of the speed. There
/// `part` is enough, since how much there is changes what is tested only by
/// limits that `part` passes too.
template <class T>
constexpr T Scaled(T whole, T part) {
  return acre::kChecked ? part : whole;
}

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_SCALED_H_
