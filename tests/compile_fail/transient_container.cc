// SPDX-License-Identifier: MIT
// EXPECT: Sound: a transient field keeps its value while the arena goes back, so it can be plain data or borrowed, no pointer or container: 'samples'

#include "acre/arena.h"
#include "acre/vector.h"

struct Sound {
  acre::Vector<int> samples;
  int handle;
};
#ifdef ACRE_CONTROL
ACRE_LAYOUT(Sound, samples, transient(handle))
#else
ACRE_LAYOUT(Sound, transient(samples), transient(handle))
#endif

int main() {
  acre::Arena arena;
  arena.New<Sound>();
}
