// SPDX-License-Identifier: MIT
// EXPECT: std::string, use acre::String

#include <string>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/string.h"

#ifdef ACRE_CONTROL
using Element = acre::String;
#else
using Element = std::string;
#endif

int main() {
  acre::Arena arena;
  acre::Map<int, Element> values(arena);
  values.try_emplace(1);
}
