// SPDX-License-Identifier: MIT
//
// Guards that a crash in a unit test is told with the test case it happened in,
// and counted by tests/run.

#include "support/crash_report.h"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

#include "support/death.h"

namespace crash_report_test {

TEST_CASE("crash report: names the signal and the test case") {
  CHECK_DIES(
      {
        acre_test::ReportCrashes();  // children say nothing otherwise
        std::raise(SIGSEGV);
      },
      "CRASHED: SEGV in \"crash report: names the signal and the test case\" "
      "\\(.*crash_report_test\\.cc:[0-9]+\\)\n"
      "\\[doctest\\] test cases: .*\\| 1 failed");
}

TEST_CASE("crash report: a child that is to die says nothing of it") {
  const acre_test::Death death =
      acre_test::RunInChild([] { std::raise(SIGSEGV); });
  CHECK(death.died);
  CHECK(death.text.find("CRASHED") == std::string::npos);
}

}  // namespace crash_report_test
