// SPDX-License-Identifier: MIT
// EXPECT: Item\.field: a wide string_view, use std::span

#include <span>
#include <string_view>

#include "acre/arena.h"

struct Item {
#ifdef ACRE_CONTROL
  std::span<const wchar_t> field;
#else
  std::wstring_view field;
#endif
};
ACRE_LAYOUT(Item, field)

int main() {
  acre::Arena arena;
  arena.New<Item>();
}
