// SPDX-License-Identifier: MIT
//
// The same for libFuzzer: clang++, -Dfuzzers=true, then
//   build/tests/audit_fuzzer -max_len=4096 -max_total_time=60

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "audit_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  std::string error = acre_test::CheckAuditOf({data, size});
  if (error.empty()) error = acre_test::CheckCopyOf({data, size});
  if (error.empty()) return 0;
  std::fprintf(stderr, "%s\n", error.c_str());
  std::abort();
}
