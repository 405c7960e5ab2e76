// SPDX-License-Identifier: MIT
//
// Reads a block that was freed. A program that runs under AddressSanitizer is
// to die of it, although the checked libraries were not compiled for that.

#include <cstdint>
#include <cstdio>

#include "acre/arena.h"

int main() {
  acre::Arena arena;
  auto* number = arena.New<std::int64_t>(7);
  arena.Free(number);
  std::printf("read: %jd\n", static_cast<std::intmax_t>(*number));
}
