// SPDX-License-Identifier: MIT
// EXPECT: UseVectorInsteadOfFlexibleArray<Packet

#include "acre/arena.h"

struct Record {
  long count;
#ifndef ACRE_CONTROL
  int items[];
#endif
};

// Private members, and the array lies in a field.
class Packet {
 public:
  ACRE_LAYOUT_INSIDE(Packet, kind_, borrowed(record_))

 private:
  long kind_ = 0;
  Record record_;
};

int main() {
  acre::Arena arena;
  arena.New<Packet>();
}
