// SPDX-License-Identifier: MIT
// Whatever describes a type to compiled code needs all of it: a translation
// unit that knows less would spoil the description for the others.
// EXPECT: Item ?\*: incomplete type, define it before

#include "acre/vector.h"

struct Item;
#ifdef ACRE_CONTROL
struct Item {
  int value;
};
ACRE_LAYOUT(Item, value)
#endif

void Trim(acre::Vector<Item*>& items) { items.shrink_to_fit(); }

int main() {}
