// SPDX-License-Identifier: MIT
// EXPECT: UseVectorInsteadOfFlexibleArray<Record
// EXPECT: flexible array member

#include "acre/arena.h"

struct Record {
  long count;
#ifndef ACRE_CONTROL
  Record* items[];
#endif
};
ACRE_LAYOUT(Record, count)

int main() {
  acre::Arena arena;
  arena.New<Record>();
}
