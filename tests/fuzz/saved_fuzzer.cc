// SPDX-License-Identifier: MIT
//
// LoadArena and libFuzzer (clang, -Dfuzzers=true): bytes choose what is forged.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "saved_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  static acre_test::SavedFileCounts counts;
  const std::string error = acre_test::CheckSavedFile({data, size}, &counts);
  if (!error.empty()) {
    std::fprintf(stderr, "%s\n", error.c_str());
    std::abort();
  }
  return 0;
}
