// SPDX-License-Identifier: MIT
//
// What a writer of reports writes: into memory, and onto a full disk.

#ifndef ACRE_TESTS_SUPPORT_WRITTEN_H_
#define ACRE_TESTS_SUPPORT_WRITTEN_H_

#include <doctest/doctest.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace acre_test {

/// What `write(std::FILE*)` writes. Requires that it returns true.
template <class Write>
std::string Written(Write write) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  REQUIRE(file != nullptr);
  CHECK(write(file));
  std::fclose(file);
  std::string written(text, size);
  std::free(text);
  return written;
}

/// True where `write` returns false and says that there is no space.
template <class Write>
bool FailsOnFullDisk(Write write) {
  std::FILE* file = std::fopen("/dev/full", "w");
  REQUIRE(file != nullptr);
  errno = 0;
  const bool is_refused = !write(file) && errno == ENOSPC;
  std::fclose(file);
  return is_refused;
}

}  // namespace acre_test

#endif  // ACRE_TESTS_SUPPORT_WRITTEN_H_
