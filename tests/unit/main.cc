// SPDX-License-Identifier: MIT

// Both: where doctest is precompiled, the second no longer implies the first.
#define DOCTEST_CONFIG_IMPLEMENT
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
