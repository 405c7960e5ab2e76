// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: std::string, use acre::String

#include <string>

#include "acre/arena.h"
#include "acre/string.h"

struct Item {
#ifdef ACRE_CONTROL
  acre::String field;
#else
  std::wstring field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
