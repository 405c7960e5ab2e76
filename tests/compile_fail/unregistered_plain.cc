// SPDX-License-Identifier: MIT
// EXPECT: Event\.when: unregistered type, add ACRE_LAYOUT in its namespace, or ACRE_PLAIN where it is another library's data without pointers

#include <sys/time.h>

#include "acre/arena.h"

#ifdef ACRE_CONTROL
ACRE_PLAIN(timeval);
#endif

struct Event {
  timeval when;
};
ACRE_LAYOUT(Event, when)

int main() {
  acre::Arena arena;
  arena.New<Event>();
}
