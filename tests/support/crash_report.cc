// SPDX-License-Identifier: MIT

#include "support/crash_report.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace acre_test {
namespace {

pid_t g_process = 0;  // a child that is to die says nothing
char g_running[512] = "no test case";

/// Notes which test case runs.
class Running final : public doctest::IReporter {
 public:
  explicit Running(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData& test) override {
    std::snprintf(g_running, sizeof g_running, "\"%s\" (%s:%u)", test.m_name,
                  test.m_file.c_str(), test.m_line);
  }
  void test_case_end(const doctest::CurrentTestCaseStats&) override {
    std::snprintf(g_running, sizeof g_running, "no test case");
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
  void test_case_skipped(const doctest::TestCaseData&) override {}
};
REGISTER_LISTENER("running", 1, Running);

void Write(const char* text) {
  static_cast<void>(!::write(STDERR_FILENO, text, std::strlen(text)));
}

// The last line is read by tests/run, as doctest's own would be.
void OnSignal(int signal) {
  if (::getpid() == g_process) {
    Write("\nCRASHED: ");
    Write(::sigabbrev_np(signal));
    Write(" in ");
    Write(g_running);
    Write(
        "\n[doctest] test cases: 1 | 0 passed | 1 failed | the rest not run\n");
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

}  // namespace

void ReportCrashes() {
  g_process = ::getpid();
  // Stacks that are used up are among the crashes.
  alignas(16) static char stack[1 << 16];
  stack_t other = {};
  other.ss_sp = stack;
  other.ss_size = sizeof stack;
  ::sigaltstack(&other, nullptr);
  struct sigaction action = {};
  action.sa_handler = &OnSignal;
  action.sa_flags = SA_ONSTACK | SA_NODEFER;
  for (const int signal :
       {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM, SIGINT}) {
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace acre_test
