// SPDX-License-Identifier: MIT
//
// Guards that checked builds name the container and the arena where one is used
// after its memory was given up, or after its arena has ended, instead of dying
// at an address that means nothing.

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "acre/arena.h"
#include "acre/chunk_source.h"
#include "acre/gc.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"

namespace after_the_end_test {

using acre::Arena;

constexpr const char* kLong = "a text that is longer than twenty-three";

struct OfVector {
  using C = acre::Vector<int>;
  static constexpr const char* kName = "Vector";
  static void Grow(C& c) { c.push_back(1); }
  static void Read(C& c) { static_cast<void>(c[0]); }
};
struct OfString {
  using C = acre::String;
  static constexpr const char* kName = "String";
  static void Grow(C& c) { c += kLong; }
  static void Read(C& c) { static_cast<void>(c.view()); }
};
struct OfMap {
  using C = acre::Map<acre::String, int>;
  static constexpr const char* kName = "Map";
  static void Grow(C& c) { c[kLong] = 1; }
  static void Read(C& c) { static_cast<void>(c.get("key")); }
};
struct OfSet {
  using C = acre::Set<int>;
  static constexpr const char* kName = "Set";
  static void Grow(C& c) { c.insert(1); }
  static void Read(C& c) { static_cast<void>(c.contains(1)); }
};

/// Every way to use a container dies with the same words.
template <class Of>
void CheckEachUseDies(typename Of::C& c, const std::string& why) {
  // AddressSanitizer sees the poison first.
  const std::string message = std::string(Of::kName) +
                              " at 0x[0-9a-f]+ is used, but " + why +
                              "|use-after-poison";
  CHECK_DIES(Of::Grow(c), message);
  CHECK_DIES(Of::Read(c), message);
  CHECK_DIES(static_cast<void>(c.size()), message);
  CHECK_DIES(static_cast<void>(c.empty()), message);
  CHECK_DIES(static_cast<void>(c.begin()), message);
  CHECK_DIES(c.clear(), message);
  CHECK_DIES(c.Release(), message);
}

template <class Of>
typename Of::C* MakeIn(Arena& arena) {
  auto* c = arena.New<typename Of::C>();
  Of::Grow(*c);
  return c;
}

TEST_CASE_TEMPLATE("after Reset, a container inside the arena", Of, OfVector,
                   OfString, OfMap, OfSet) {
  if (!acre::kChecked) return;
  Arena arena({.name = "frame"});
  auto* c = MakeIn<Of>(arena);
  arena.Reset();
  CheckEachUseDies<Of>(*c, "lies in memory of arena 'frame' that was given up");
}

TEST_CASE_TEMPLATE("after Rewind, a container above the mark", Of, OfVector,
                   OfString, OfMap, OfSet) {
  if (!acre::kChecked) return;
  Arena arena({.name = "frame"});
  const acre::Mark mark = arena.Checkpoint();
  auto* c = MakeIn<Of>(arena);
  arena.Rewind(mark);
  CHECK_DIES(Of::Grow(*c), "Vector|String|Map|Set|use-after-poison");
}

TEST_CASE_TEMPLATE("after Free, a container inside the arena", Of, OfVector,
                   OfString, OfMap, OfSet) {
  if (!acre::kChecked) return;
  Arena arena({.name = "frame"});
  auto* c = MakeIn<Of>(arena);
  arena.Free(c);
  CheckEachUseDies<Of>(*c, "lies in memory of arena 'frame' that was given up");
}

TEST_CASE_TEMPLATE("a container that outlives its arena", Of, OfVector,
                   OfString, OfMap, OfSet) {
  if (!acre::kChecked) return;
  auto c = std::make_unique<typename Of::C>();
  {
    Arena inner({.name = "inner"});
    *c = typename Of::C(inner);
    Of::Grow(*c);
  }
  const std::string message = std::string(Of::kName) +
                              " at 0x[0-9a-f]+ is used, but its arena "
                              "'inner' has ended";
  CHECK_DIES(Of::Grow(*c), message);
  CHECK_DIES(Of::Read(*c), message);
  CHECK_DIES(c->clear(), message);
  CHECK_DIES(c->Release(), message);
  // Nor does a second arena at the same address, with a chunk at the same
  // address, take the first one's containers for its own.
  std::byte buffer[4096];
  alignas(Arena) std::byte place[sizeof(Arena)];
  acre::FixedSource source(buffer);
  auto* arena = ::new (place) Arena({.name = "one", .source = &source});
  typename Of::C old(*arena);
  Of::Grow(old);
  arena->~Arena();
  arena = ::new (place) Arena({.name = "two", .source = &source});
  typename Of::C young(*arena);
  Of::Grow(young);
  CHECK_DIES(Of::Read(old), std::string(Of::kName) +
                                ": its storage was given up by a Reset or "
                                "Rewind of arena 'two'");
  arena->~Arena();
}

TEST_CASE_TEMPLATE("an empty container that outlives its arena", Of, OfVector,
                   OfString, OfMap, OfSet) {
  if (!acre::kChecked) return;
  auto c = std::make_unique<typename Of::C>();
  {
    Arena inner({.name = "inner"});
    *c = typename Of::C(inner);
  }
  CHECK_DIES(Of::Grow(*c), "its arena 'inner' has ended");
}

TEST_CASE("a container after the end of the arena that it lay in") {
  if (!acre::kChecked) return;
  std::byte buffer[8192];
  acre::FixedSource source(buffer);
  acre::Vector<int>* v;
  {
    Arena inner({.name = "inner", .source = &source});
    v = inner.New<acre::Vector<int>>();
    v->push_back(1);
  }
  CHECK_DIES(v->push_back(2), "Vector at 0x[0-9a-f]+ is used, but|use-after");
}

}  // namespace after_the_end_test
