// SPDX-License-Identifier: MIT
// EXPECT: can be neither borrowed nor transient: 'object'
// EXPECT: can be neither borrowed nor transient: 'cache'

#include "acre/arena.h"
#include "acre/gc_ref.h"

struct Cell {
  acre::GcRef<int> object;
};
struct Form {
  acre::GcWeakRef<int> cache[2];
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Cell, object)
ACRE_LAYOUT(Form, cache)
#else
ACRE_LAYOUT(Cell, borrowed(object))
ACRE_LAYOUT(Form, transient(borrowed(cache)))
#endif

int main() {
  acre::Arena arena;
  arena.New<Cell>();
  arena.New<Form>();
}
