// SPDX-License-Identifier: MIT

// g++ 12 takes parts of <regex> for uninitialised under sanitizers.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include "support/death.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <regex>

#include "support/sanitizer.h"

#if ACRE_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace acre_test {
namespace {

bool g_is_child = false;

// A child that hangs is killed, and counts as dead without a text.
constexpr unsigned kSecondsToLive = 60;

[[noreturn]] void BeChild(int write_end, const std::function<void()>& body) {
  ::dup2(write_end, STDERR_FILENO);
  ::close(write_end);
  g_is_child = true;
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(SIGABRT, SIG_DFL);  // the test framework reports its own
  ::alarm(kSecondsToLive);
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
  } catch (...) {
    std::fputs("exception\n", stderr);
  }
  std::fflush(stderr);
  ::_exit(EXIT_SUCCESS);  // runs no destructors, flushes nothing twice
}

std::string ReadAll(int read_end) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t count = ::read(read_end, buffer, sizeof buffer);
    if (count > 0) text.append(buffer, static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

}  // namespace

Death RunInChild(const std::function<void()>& body) {
  std::fflush(nullptr);
  int ends[2];
  if (::pipe(ends) != 0) return {false, "pipe failed"};
  const pid_t child = ::fork();
  if (child < 0) return {false, "fork failed"};
  if (child == 0) {
    ::close(ends[0]);
    BeChild(ends[1], body);
  }
  ::close(ends[1]);
  Death death;
  death.text = ReadAll(ends[0]);
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  // Sanitizers end the process with an exit status of their own.
  death.died = !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
  return death;
}

bool Matches(const Death& death, const std::string& pattern) {
  return death.died && std::regex_search(death.text, std::regex(pattern));
}

}  // namespace acre_test

#if ACRE_TEST_ASAN
/// Called by AddressSanitizer before it reports. Its full report takes half a
/// second, nearly all of it for names of functions; of a child that is to die
/// one line is enough.
extern "C" void __asan_on_error() {
  if (!acre_test::g_is_child) return;
  std::fprintf(stderr, "AddressSanitizer: %s\n",
               __asan_get_report_description());
  std::fflush(stderr);
  ::_exit(EXIT_FAILURE);
}
#endif
