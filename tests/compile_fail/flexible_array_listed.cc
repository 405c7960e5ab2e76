// SPDX-License-Identifier: MIT
// EXPECT: Record\.items: flexible array member, use acre::Vector or a std::span

#include "acre/arena.h"
#include "acre/vector.h"

struct Record {
  long count;
#ifdef ACRE_CONTROL
  acre::Vector<Record*> items;
#else
  Record* items[0];
#endif
};
ACRE_LAYOUT(Record, count, items)

int main() {
  acre::Arena arena;
  arena.New<Record>();
}
