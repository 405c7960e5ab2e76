// SPDX-License-Identifier: MIT
// EXPECT: ACRE_PLAIN is for trivially copyable data

#include "acre/arena.h"

struct Field {
#ifndef ACRE_CONTROL
  Field(const Field& other) : value(other.value) {}
#endif
  int value;
};
ACRE_PLAIN(Field);

int main() {}
