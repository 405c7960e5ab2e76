// SPDX-License-Identifier: MIT
// EXPECT: Vector<std::.*string.*\[\]: std::string, use acre::String
// EXPECT: Vector<std::map<int, int>.*\[\]: std::map, use acre::Map
// EXPECT: Vector<std::set<int>.*\[\]: std::set, use acre::Set
// EXPECT: Vector<std::vector<int>.*\[\]: std::vector, use acre::Vector
// EXPECT: (basic_string<char16_t>|u16string): std::string, use acre::String

// DeepCopy turns std types into acre's, but not what a pointer leads to, and
// no text of other characters.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "acre/arena.h"
#include "acre/deep_copy.h"

#ifdef ACRE_CONTROL
template <class T>
using Held = T;
using Text = std::string;
#else
template <class T>
using Held = T*;
using Text = std::u16string;
#endif

template <class T>
void Copy() {
  acre::Arena arena;
  acre::DeepCopy(arena, std::vector<Held<T>>());
}

int main() {
  Copy<std::string>();
  Copy<std::map<int, int>>();
  Copy<std::set<int>>();
  Copy<std::vector<int>>();
  acre::Arena arena;
  acre::DeepCopy(arena, Text());
}
