// SPDX-License-Identifier: MIT
//
// What an extension in C++ may do wrong: an object in an arena of Scheme's that
// holds the only pointer to a collected one. Only for the tests.

#include <gc/gc.h>

#include "acre/arena.h"
#include "acre/layout.h"

namespace leaky {

struct Leaky {
  Leaky* object = nullptr;
};
ACRE_LAYOUT(Leaky, object)

}  // namespace leaky

/// An acre_arena is an acre::Arena.
extern "C" __attribute__((visibility("default"))) void LeakIntoArena(
    void* arena) {
  auto* const leak = static_cast<acre::Arena*>(arena)->New<leaky::Leaky>();
  leak->object = static_cast<leaky::Leaky*>(GC_MALLOC(sizeof(leaky::Leaky)));
}
