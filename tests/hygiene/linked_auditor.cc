// SPDX-License-Identifier: MIT
//
// A program that calls nothing of the auditor, and leaks: linked in several
// ways, see plugins. A leak is told, or that no auditor is there.

#include <acre/arena.h>
#include <gc/gc.h>

struct Item {
  long numbers[12];
};
ACRE_LAYOUT(Item, numbers)

struct Holder {
  Item* item;
};
ACRE_LAYOUT(Holder, item)

__attribute__((noinline)) void Leak(Holder* holder) {
  holder->item = ::new (GC_MALLOC(sizeof(Item))) Item{};
}

int main() {
  acre::Arena arena;
  acre::Arena second;
  second.New<Item>();
  auto* holder = arena.New<Holder>();
  Leak(holder);
  GC_gcollect();
  arena.New<Holder>();
}
