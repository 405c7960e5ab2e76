// SPDX-License-Identifier: MIT
// EXPECT: Slot\.value: a value of the script, keep a Handle
// EXPECT: Link\.next: objects of the script are collected
// EXPECT: ACRE_HOST_VALUE would reject every number of this type

#include "acre/arena.h"

struct Value {
  unsigned long bits;
};
struct Object {
  int kind;
};
ACRE_LAYOUT(Value, bits)
ACRE_LAYOUT(Object, kind)
#ifndef ACRE_CONTROL
ACRE_HOST_VALUE(Value, "a value of the script, keep a Handle");
ACRE_HOST_VALUE(Object*, "objects of the script are collected");
ACRE_HOST_VALUE(unsigned long, "a value that is a number");
#endif

struct Slot {
  Value value;
};
ACRE_LAYOUT(Slot, value)
struct Link {
  Object* next;
};
ACRE_LAYOUT(Link, next)

int main() {
  acre::Arena arena;
  arena.New<Slot>();
  arena.New<Link>();
}
