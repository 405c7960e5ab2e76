// SPDX-License-Identifier: MIT
// EXPECT: acre: fields are walked of structs that have an ACRE_LAYOUT

#include "acre/fields.h"

struct Thing {
  int count;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Thing, count)
#endif

int main() {
  Thing thing{};
  acre::ForEachField(thing, [](const acre::Field&, auto&) {});
}
