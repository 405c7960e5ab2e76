// SPDX-License-Identifier: MIT

#include "odr.h"

Shared* MakeShared(acre::Arena& arena) {
  auto* shared = arena.New<Shared>();
  shared->groups[1].push_back(shared);
  return shared;
}

const acre::TypeLayout* SharedLayout() { return &acre::LayoutOf<Shared>(); }
