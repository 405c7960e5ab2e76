// SPDX-License-Identifier: MIT
//
// Two translation units that include every public header (all.h, made by
// tests/hygiene/run) and use the same types: they must link, and agree.

#ifndef ACRE_TESTS_HYGIENE_ODR_H_
#define ACRE_TESTS_HYGIENE_ODR_H_

#include "all.h"

struct Shared {
  acre::String name;
  acre::Map<int, acre::Vector<Shared*>> groups;
};
ACRE_LAYOUT(Shared, name, groups)

/// Defined in odr_other.cc.
Shared* MakeShared(acre::Arena& arena);
const acre::TypeLayout* SharedLayout();

#endif  // ACRE_TESTS_HYGIENE_ODR_H_
