// SPDX-License-Identifier: MIT

#include <doctest/doctest.h>

// See support/crash_report.h. Behind the first inclusion, which may be a
// precompiled one.
#undef DOCTEST_CONFIG_POSIX_SIGNALS
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "support/crash_report.h"

int main(int argc, char** argv) {
  acre_test::ReportCrashes();
  return doctest::Context(argc, argv).run();
}
