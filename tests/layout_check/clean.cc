// SPDX-License-Identifier: MIT
//
// Layouts of every kind that tell the truth: the tool has nothing to say.
//
// EXPECT: 25 layouts, 0 disagreements

#include <acre/arena.h>
#include <acre/map.h>
#include <acre/set.h>
#include <acre/string.h>
#include <acre/vector.h>

#include <array>
#include <chrono>
#include <complex>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#define TEN(p) p##0, p##1, p##2, p##3, p##4, p##5, p##6, p##7, p##8, p##9

namespace clean {

struct Node {
  std::int64_t value = 0;
  Node* next = nullptr;
};
ACRE_LAYOUT(Node, value, next)

struct Notes {
  Node* child = nullptr;
  const void* outside = nullptr;
  void (*callback)() = nullptr;
  std::string_view text;
  Node* known = nullptr;
};
ACRE_LAYOUT(Notes, owned(child), borrowed(outside), borrowed(callback),
            borrowed(text), reviewed(known, "kept by the host"))

struct Bits {
  std::int64_t before = 0;
  unsigned low : 3;
  unsigned high : 29;
  std::int32_t after = 0;
  std::uint64_t wide : 40;
};
ACRE_LAYOUT(Bits, before, opaque(bits, 4), after, opaque(wide, 5))

struct alignas(64) Aligned {
  std::int64_t value = 0;
};
ACRE_LAYOUT(Aligned, value, opaque(padding, 56))

// ---- bases

struct Empty {};
ACRE_LAYOUT(Empty)

struct Tagged : Empty {
  [[no_unique_address]] Empty tag;
  Node* node = nullptr;
};
ACRE_LAYOUT(Tagged, node)

struct Second {
  std::int64_t order = 0;
};
ACRE_LAYOUT(Second, order)

using Alias = Second;
struct Twofold : Node, private Second {
  float tail = 0;
};
ACRE_LAYOUT(Twofold, base(Node), base(Alias), tail)

struct Inherits : Node {
  double weight = 0;
};
ACRE_LAYOUT(Inherits, value, next, weight)

class Padded {
  std::int64_t x = 0;
  std::int32_t y = 0;
  ACRE_LAYOUT_INSIDE(Padded, x, y)
};
class InTail : public Padded {
  std::int32_t z = 0;
  ACRE_LAYOUT_INSIDE(InTail, base(Padded), z)
};

// ---- templates, unions, plain data

template <class T, class U>
struct Both {
  T first;
  U second;
  ACRE_LAYOUT_INSIDE(Both, first, second)
};

struct InUnion {
  std::int64_t tag = 0;
  union {
    Node* node = nullptr;
    double number;
  };
};
ACRE_LAYOUT(InUnion, tag, node)

struct BorrowedInUnion {
  union {
    const char* text = nullptr;
    Node* node;
  };
};
ACRE_LAYOUT(BorrowedInUnion, borrowed(text))

struct Vec3 {
  float x, y, z;
};

struct Wide {
  int TEN(a), TEN(b), TEN(c), TEN(d), TEN(e);
  Node* f0;
  Node* f1;
  Node* f2;
  Node* f3;
  Node* f4;
  Node* f5;
  Node* f6;
  Node* f7;
  Node* f8;
  Node* f9;
};
ACRE_LAYOUT(Wide, TEN(a), TEN(b), TEN(c), TEN(d), TEN(e), TEN(f))

struct Std {
  std::array<Node*, 3> array = {};
  std::array<int, 3> numbers = {};
  Node nodes[2][2] = {};
  std::optional<Vec3> maybe;
  std::optional<Node*> maybe_node;
  std::pair<char, Node*> pair;
  std::tuple<int, Node*, float> tuple;
  std::variant<int, Node*> either;
  std::span<Node> span;
  std::complex<float> number;
  std::chrono::seconds time{};
  std::int64_t Node::*member = nullptr;
  enum class Colour { kRed } colour = Colour::kRed;
  std::nullptr_t nothing = nullptr;
};
ACRE_LAYOUT(Std, array, numbers, nodes, maybe, maybe_node, pair, tuple, either,
            span, number, time, member, colour, nothing)

namespace {
struct Private {
  acre::String name;
  acre::Vector<Both<int, acre::String>> items;
  acre::Map<acre::String, Node*> nodes;
  acre::Set<int> numbers;
  Vec3 at;
  struct Inner {
    std::int32_t a;
    std::int32_t b;
  } inner;
};
ACRE_LAYOUT(Private, name, items, nodes, numbers, at, inner.a, inner.b)
}  // namespace

}  // namespace clean

ACRE_PLAIN(clean::Vec3);

using namespace clean;

int main() {
  acre::Arena arena;
  arena.New<Notes>();
  arena.New<Bits>();
  arena.New<Aligned>();
  arena.New<Tagged>();
  arena.New<Twofold>();
  arena.New<Inherits>();
  arena.New<InTail>();
  arena.New<Both<int, std::pair<short, Node*>>>();
  arena.New<InUnion>();
  arena.New<BorrowedInUnion>();
  arena.New<Wide>();
  arena.New<Std>();
  arena.New<Private>();
  return 0;
}
