// SPDX-License-Identifier: MIT

#include "odr.h"

int main() {
  acre::Arena arena;
  Shared* shared = MakeShared(arena);
  shared->groups[1].push_back(arena.New<Shared>());
  const bool agree = SharedLayout() == &acre::LayoutOf<Shared>() &&
                     shared->groups[1].size() == 2 &&
                     acre::Audit(arena, *shared).clean();
  return agree ? 0 : 1;
}
