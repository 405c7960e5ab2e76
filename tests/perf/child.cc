// SPDX-License-Identifier: MIT
//
// fork, a pipe for one number, wait.

#include "child.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <utility>

#include "perf.h"

namespace perf {

double InChild(const std::function<double()>& measure) {
  int ends[2];
  if (pipe(ends) != 0) return std::nan("");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const double result = measure();
    const bool written = write(ends[1], &result, sizeof result) ==
                         static_cast<ssize_t>(sizeof result);
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  double result = std::nan("");
  double received = 0;
  if (child > 0 && read(ends[0], &received, sizeof received) ==
                       static_cast<ssize_t>(sizeof received)) {
    result = received;
  }
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return result;
}

void AddInChild(const std::string& group, const std::string& cell,
                const std::string& implementation,
                std::function<double()> measure) {
  Add(group, cell, implementation,
      [measure = std::move(measure)](benchmark::State& state) {
        for ([[maybe_unused]] auto _ : state) Report(state, InChild(measure));
      },
      {.passes = 1});
}

std::size_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long size = 0;
  unsigned long resident = 0;
  const int fields = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * static_cast<std::size_t>(getpagesize()) : 0;
}

}  // namespace perf
