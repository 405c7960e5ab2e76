// SPDX-License-Identifier: MIT
//
// ReportCrashes: a signal that ends the tests says in which test case. doctest
// can do so itself, by handlers that it sets before each test case and takes
// back behind it; but libgc, where it collects incrementally, needs a handler
// of its own for SIGSEGV: that is set once, in the middle of some test case,
// and passes on what is not meant for it.

#ifndef ACRE_TESTS_SUPPORT_CRASH_REPORT_H_
#define ACRE_TESTS_SUPPORT_CRASH_REPORT_H_

namespace acre_test {

/// To be called once, before the collector begins.
void ReportCrashes();

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_CRASH_REPORT_H_
