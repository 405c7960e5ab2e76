// SPDX-License-Identifier: MIT
//
// What most unit tests include of others' headers, compiled once a build: half
// of the time that a short test takes. Tests include what they use all the
// same. Nothing of acre belongs here: tests see its headers in an order of
// their own, and g++ forgets the `#pragma GCC diagnostic` of what is
// precompiled.

#ifndef ACRE_TESTS_SUPPORT_PRECOMPILED_H_
#define ACRE_TESTS_SUPPORT_PRECOMPILED_H_

#include <doctest/doctest.h>

#include <complex>
#include <memory_resource>
#include <random>
#include <ranges>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <unordered_set>

#include "support/standard.h"

#endif  // ACRE_TESTS_SUPPORT_PRECOMPILED_H_
