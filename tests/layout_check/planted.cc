// SPDX-License-Identifier: MIT
//
// Layouts that lie, each in one way that compiles. The tool must say exactly
// the EXPECT lines; in brackets stands the line that the place leads to.
//
// EXPECT: 14 layouts, 11 disagreements

#include <acre/element.h>

#include <array>
#include <cstdint>

namespace planted {

struct Node {
  std::int64_t value;
  Node* next;
};
ACRE_LAYOUT(Node, value, next)

// EXPECT: planted::InHole.blob.next: hidden pointer: the layout says opaque, the compiler pointer to planted::Node at offset 16 (struct InHole {)
struct Blob {
  std::int64_t size;
  Node* next;
};
struct InHole {
  std::int64_t id;
  Blob blob;
};
ACRE_LAYOUT(InHole, id, opaque(blob, 16))

// EXPECT: planted::Calls.call: hidden pointer: the layout says opaque, the compiler pointer to a function at offset 8 (struct Calls {)
struct Calls {
  std::int64_t id;
  void (*call)(int);
};
ACRE_LAYOUT(Calls, id, opaque(call, 8))

// EXPECT: planted::HoldsPlain.at.owner: hidden pointer: the layout says plain data, the compiler pointer to planted::Node at offset 16 (struct HoldsPlain {)
struct Place {
  double x;
  const Node* owner;
};
struct HoldsPlain {
  std::int64_t id;
  Place at;
};
ACRE_LAYOUT(HoldsPlain, id, at)

// EXPECT: planted::HoldsMany.all[].node: hidden pointer: the layout says plain data, the compiler pointer to planted::Node at offset 8 (struct HoldsMany {)
struct Many {
  Node* node;
};
struct HoldsMany {
  std::int64_t id;
  Many all[3];
};
ACRE_LAYOUT(HoldsMany, id, all)

// In no registered struct: elements of a container, say. (g++ describes no type
// that only constants name, hence a variable.)
// EXPECT: planted::Lone.node: hidden pointer: the layout says plain data, the compiler reference to planted::Node at offset 0 (struct Lone {)
struct Lone {
  Node& node;
};
Lone* elements = nullptr;

// EXPECT: planted::InUnion.node: hidden pointer: the layout says not listed, the compiler pointer to planted::Node at offset 8 (struct InUnion {)
struct InUnion {
  std::int64_t tag;
  union {
    std::int64_t number;
    double real;
    Node* node;
  };
};
ACRE_LAYOUT(InUnion, tag, number)

// EXPECT: planted::InPadding.hidden: missing field: the layout says not listed, the compiler int at offset 4 (struct InPadding {)
struct InPadding {
  std::int32_t a;
  std::int32_t hidden;
  std::int64_t b;
};
ACRE_LAYOUT(InPadding, a, b)

// EXPECT: planted::BitsInPadding.bits: missing field: the layout says not listed, the compiler unsigned int, a bit-field, at offset 4 (struct BitsInPadding {)
struct BitsInPadding {
  std::int32_t a;
  unsigned bits : 5;
  std::int64_t b;
};
ACRE_LAYOUT(BitsInPadding, a, b)

// EXPECT: planted::SmallHole.hole: size: the layout says 4 opaque bytes, the compiler 8 bytes at offset 8 (struct SmallHole {)
struct SmallHole {
  std::int64_t a;
  std::int32_t one;
  std::int32_t two;
  std::int64_t b;
};
ACRE_LAYOUT(SmallHole, a, opaque(hole, 4), b)

// EXPECT: planted::Box<int>.left_out: missing field: the layout says not listed, the compiler int at offset 4 (class Box {)
template <class T>
class Box {
  T value_ = {};
  T left_out = {};
  Node* node_ = nullptr;
  ACRE_LAYOUT_INSIDE(Box, value_, node_)
};

namespace {
// EXPECT: planted::(anonymous namespace)::Private.hidden: missing field: the layout says not listed, the compiler int at offset 4 (struct Private {)
struct Private {
  std::int32_t a;
  std::int32_t hidden;
  Node* b;
};
ACRE_LAYOUT(Private, a, b)
}  // namespace

}  // namespace planted

ACRE_PLAIN(planted::Place);
ACRE_PLAIN(planted::Many);
ACRE_PLAIN(planted::Lone);

using namespace planted;

int main(int argc, char**) {
  const acre::TypeLayout* const layouts[] = {
      &acre::LayoutOf<InHole>(),     &acre::LayoutOf<Calls>(),
      &acre::LayoutOf<HoldsPlain>(), &acre::LayoutOf<HoldsMany>(),
      &acre::LayoutOf<Lone>(),       &acre::LayoutOf<InUnion>(),
      &acre::LayoutOf<InPadding>(),  &acre::LayoutOf<BitsInPadding>(),
      &acre::LayoutOf<SmallHole>(),  &acre::LayoutOf<Box<int>>(),
      &acre::LayoutOf<Private>()};
  return layouts[argc]->size == 0 ? 1 : 0;
}
