// SPDX-License-Identifier: MIT
//
// Classes whose constructors are compiled elsewhere: clang does not describe
// them here unless it is told to. With -fstandalone-debug:
//
// EXPECT: undefined::InHole.far.hidden: hidden pointer: the layout says opaque, the compiler pointer to int at offset 8 (struct InHole {)
// EXPECT: undefined::Far.hidden: missing field: the layout says not listed, the compiler int at offset 4 (struct Far {)
// EXPECT: undefined::InField.far.hidden: hidden pointer: the layout says plain data, the compiler pointer to int at offset 0 (struct InField {)
// EXPECT: 4 layouts, 3 disagreements

#include <acre/element.h>

#include <cstdint>

namespace undefined {

struct Far {
  explicit Far(int);
  std::int32_t a;
  std::int32_t hidden;
  std::int64_t b;
};
ACRE_LAYOUT(Far, a, b)

struct Pointing {
  explicit Pointing(int);
  int* hidden;
};
struct InHole {
  std::int64_t id;
  Pointing far;
};
ACRE_LAYOUT(InHole, id, opaque(far, 8))

}  // namespace undefined

ACRE_PLAIN(undefined::Pointing);

namespace undefined {

struct InField {
  Pointing far;
  std::int64_t id;
};
ACRE_LAYOUT(InField, far, id)

}  // namespace undefined

int main(int argc, char**) {
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<undefined::Far>(), &acre::LayoutOf<undefined::InHole>(),
      &acre::LayoutOf<undefined::InField>()};
  return layouts[argc]->size == 0 ? 1 : 0;
}
