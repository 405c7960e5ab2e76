// SPDX-License-Identifier: MIT
// EXPECT: std::string, use acre::String

// A Vector of what cannot live in an arena may be named, but not used.

#include <string>

#include "acre/arena.h"
#include "acre/string.h"
#include "acre/vector.h"

#ifdef ACRE_CONTROL
using Element = acre::String;
#else
using Element = std::string;
#endif

int main() {
  acre::Arena arena;
  acre::Vector<Element> values(arena);
  values.emplace_back();
}
