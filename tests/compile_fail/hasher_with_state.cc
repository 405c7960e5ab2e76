// SPDX-License-Identifier: MIT
// EXPECT: acre: a hasher or equality with state
// EXPECT: Make it an empty struct
#include "acre/arena.h"
#include "acre/hash.h"
#include "acre/map.h"

struct Seeded {
  std::uint64_t operator()(int key) const {
    return acre::Hash<int>()(key) ^ seed;
  }
  std::uint64_t seed = 1;
};
struct Plain {
  std::uint64_t operator()(int key) const { return acre::Hash<int>()(key); }
};

void Use(acre::Arena& arena) {
#ifdef ACRE_CONTROL
  acre::Map<int, int, Plain> map(arena);
#else
  acre::Map<int, int, Seeded> map(arena);
#endif
  map[1] = 2;
}
