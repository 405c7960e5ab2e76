// SPDX-License-Identifier: MIT
// EXPECT: Cell\.value: an object of Scheme, keep it in a GcRef or outside
// EXPECT: Form\.parts\[\]: an object of Lisp, keep it outside

#include "acre/arena.h"
#include "acre/vector.h"

using SCM = struct scm_unused_struct*;
using cl_object = union cl_lispunion*;
ACRE_HOST_VALUE(SCM, "an object of Scheme, keep it in a GcRef or outside");
ACRE_HOST_VALUE(cl_object, "an object of Lisp, keep it outside");

struct Cell {
  SCM value;
};
struct Form {
#ifdef ACRE_CONTROL
  acre::Vector<int> parts;
#else
  acre::Vector<cl_object> parts;
#endif
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Cell, borrowed(value))
#else
ACRE_LAYOUT(Cell, value)
#endif
ACRE_LAYOUT(Form, parts)

int main() {
  acre::Arena arena;
  arena.New<Cell>();
  arena.New<Form>();
}
