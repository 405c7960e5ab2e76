// SPDX-License-Identifier: MIT
// EXPECT: UseVectorInsteadOfFlexibleArray<Header

#include "acre/arena.h"

struct Header {
  int kind;
#ifndef ACRE_CONTROL
  unsigned char bytes[];
#endif
};
ACRE_PLAIN(Header);

int main() {
  acre::Arena arena;
  arena.New<Header>();
}
