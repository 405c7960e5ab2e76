// SPDX-License-Identifier: MIT
//
// Guards checked builds: every misuse of Free that they promise to find is
// found, named, and told apart; valid use is never refused.

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <span>

#include "acre/arena.h"
#include "acre/gc.h"
#include "acre/vector.h"
#include "support/death.h"
#include "support/sanitizer.h"
#include "test_sources.h"

namespace checked_test {

struct Base {
  std::int64_t id;
};
ACRE_LAYOUT(Base, id)

struct Twin {  // as Base, but for the name
  std::int64_t id;
};
ACRE_LAYOUT(Twin, id)

struct Derived : Base {
  std::int64_t extra;
};
ACRE_LAYOUT(Derived, base(Base), extra)

[[maybe_unused]] void Touch(volatile char* p) {
  *p = static_cast<char>(*p + 1);
}

TEST_CASE("checked: a double Free is found, in every form") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena({.name = "twice"});
  Base* object = arena.New<Base>();
  const std::span<int> array = arena.NewArray<int>(10);
  void* raw = arena.Allocate(48);
  arena.Free(object);
  arena.Free(array);
  arena.Free(raw, 48);
  CHECK_DIES(arena.Free(object),
             "in arena 'twice': double Free of checked_test::Base");
  CHECK_DIES(arena.Free(array), "double Free of int\\[10\\]");
  CHECK_DIES(arena.Free(raw, 48), "double Free of 48 raw bytes");
}

TEST_CASE("checked: a double Free is found while a mark is open") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  Base* below = arena.New<Base>();
  static_cast<void>(arena.Checkpoint());
  arena.Free(below);
  CHECK_DIES(arena.Free(below), "double Free");
  Base* above = arena.New<Base>();
  arena.Free(above);
  CHECK_DIES(arena.Free(above), "double Free");
}

TEST_CASE("checked: a double Free of a waiting large block is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  void* large = arena.Allocate(1 << 20);
  static_cast<void>(arena.Checkpoint());
  arena.Free(large, 1 << 20);
  CHECK_DIES(arena.Free(large, 1 << 20), "double Free");
}

TEST_CASE("checked: a foreign Free is found, and its owner named") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena({.name = "mine"});
  acre::Arena other({.name = "yours"});
  Base* object = other.New<Base>();
  CHECK_DIES(arena.Free(object),
             "not a block of arena 'mine' at 0x[0-9a-f]+; it is of arena "
             "'yours' at 0x[0-9a-f]+");
  Base local{};
  static Base global{};
  auto* heap = static_cast<Base*>(std::malloc(sizeof(Base)));
  for (Base* foreign : {&local, &global, heap}) {
    CHECK_DIES(arena.Free(foreign), "not a block of arena 'mine'");
  }
  CHECK_DIES(arena.Free(heap, sizeof(Base)), "not a block of arena 'mine'");
  std::free(heap);
  arena.New<Base>();  // with chunks of its own as well
  CHECK_DIES(arena.Free(&local), "not a block of arena 'mine'");
}

TEST_CASE("foreign Free of a large block is found in every build") {
  acre::Arena arena({.name = "mine"});
  acre::Arena other;
  void* large = other.Allocate(1 << 20);
  CHECK_DIES(arena.Free(large, 1 << 20), "not a block of arena 'mine'");
}

TEST_CASE("checked: Free of an interior pointer is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  const std::span<Base> array = arena.NewArray<Base>(10);
  CHECK_DIES(arena.Free(&array[1]), "no block starts there");
  CHECK_DIES(arena.Free(&array[2]), "no block starts there");
  auto* large = static_cast<char*>(arena.Allocate(1 << 20));
  CHECK_DIES(arena.Free(large + 4096, 1 << 20), "no block starts there");
  CHECK_DIES(arena.Free(&array[9] + 1, 8), "no block starts there");
}

TEST_CASE("checked: Free with another type is found, Free(Base*) above all") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  Derived* derived = arena.New<Derived>();
  CHECK_DIES(arena.Free(static_cast<Base*>(derived)),
             "allocated as checked_test::Derived, freed as "
             "checked_test::Base");
  Base* base = arena.New<Base>();
  CHECK_DIES(arena.Free(reinterpret_cast<Twin*>(base)),
             "allocated as checked_test::Base, freed as checked_test::Twin");
  CHECK_DIES(arena.Free(base, sizeof(Base)), "freed as 8 raw bytes");
  void* raw = arena.Allocate(sizeof(Base));
  CHECK_DIES(arena.Free(static_cast<Base*>(raw)),
             "allocated as 8 raw bytes, freed as checked_test::Base");
}

TEST_CASE("checked: Free with another size is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  void* block = arena.Allocate(40);
  CHECK_DIES(arena.Free(block, 41),
             "allocated as 40 raw bytes, freed as 41 raw bytes");
  CHECK_DIES(arena.Free(block, 33), "freed as 33 raw bytes");
  arena.Free(block, 40);
}

TEST_CASE("checked: Free with another alignment is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  void* block = arena.Allocate(40, 16);
  CHECK_DIES(arena.Free(block, 40, 64), "allocated as");
  void* aligned = arena.Allocate(40, 64);
  CHECK_DIES(arena.Free(aligned, 40, 16), "allocated as");
}

TEST_CASE("checked: Free of a part of an array is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  const std::span<int> array = arena.NewArray<int>(10);
  CHECK_DIES(arena.Free(array.first(9)),
             "allocated as int\\[10\\], freed as int\\[9\\]");
  CHECK_DIES(arena.Free(array.data()), "allocated as int\\[10\\]");
  CHECK_DIES(arena.Free(array.subspan(4)), "no block starts there");
  const std::span<int> one = arena.NewArray<int>(1);
  arena.Free(one.data());  // the same block as of New<int>
}

TEST_CASE("checked: Free of what a Reset or Rewind ended is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  for (const acre::ResetMode mode :
       {acre::ResetMode::kKeep, acre::ResetMode::kClear}) {
    Base* object = arena.New<Base>();
    arena.Reset(mode);
    CHECK_DIES(arena.Free(object), "no block starts there");
  }
  const acre::Mark mark = arena.Checkpoint();
  Base* object = arena.New<Base>();
  arena.Rewind(mark);
  CHECK_DIES(arena.Free(object), "no block starts there");
  Base* released = arena.New<Base>();
  arena.Reset(acre::ResetMode::kRelease);
  CHECK_DIES(arena.Free(released), "not a block of arena");
}

TEST_CASE("checked: TryGrow of what is no live block is found") {
  if constexpr (!acre::kChecked) return;
  acre::Arena arena;
  acre::Arena other;
  auto* block = static_cast<char*>(arena.Allocate(64));
  CHECK_DIES(arena.TryGrow(block + 16, 48, 64), "no live block of arena");
  CHECK_DIES(other.TryGrow(block, 64, 128), "no live block of arena");
  arena.Free(block, 64);
  CHECK_DIES(arena.TryGrow(block, 64, 128), "it was freed");
}

TEST_CASE("checked: valid use of every form is never refused") {
  acre::Arena arena;
  for (int i = 0; i < 200; ++i) {
    Derived* derived = arena.New<Derived>();
    const std::span<Base> array = arena.NewArray<Base>(i % 7);
    void* raw = arena.Allocate(i, 64);
    void* large = arena.Allocate(300000 + i);
    if (i % 20 == 0) {
      const acre::Mark mark = arena.Checkpoint();
      arena.Free(arena.New<Twin>());
      arena.Rewind(mark);
    }
    arena.Free(const_cast<const Derived*>(derived));
    arena.Free(std::span<const Base>(array));
    arena.Free(raw, i, 64);
    arena.Free(large, 300000 + i);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("checked: fresh raw memory and freed memory are told by their fill") {
  if constexpr (!acre::kChecked) return;
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  auto* block = static_cast<unsigned char*>(arena.Allocate(64));
  for (int i = 0; i < 64; ++i) CHECK(block[i] == 0xAC);
  arena.Free(block, 64);
  const auto freed = [&]() __attribute__((no_sanitize("address"))) {
    int count = 0;
    for (int i = 16; i < 64; ++i) count += block[i] == 0xDE;
    return count;
  };
  CHECK(freed() == 48);
}

TEST_CASE("checked: under ASan a freed block cannot be touched") {
  if constexpr (!acre::kChecked || !ACRE_TEST_ASAN) return;
  acre::Arena arena;
  auto* block = static_cast<char*>(arena.Allocate(50));
  Touch(block);
  Touch(block + 49);
  CHECK_DIES(Touch(block + 50), "use-after-poison");
  arena.Free(block, 50);
  CHECK_DIES(Touch(block), "use-after-poison");
  CHECK_DIES(Touch(block + 49), "use-after-poison");
  CHECK_DIES(Touch(block + 50), "use-after-poison");
}

TEST_CASE("checked: under ASan Reset and Rewind end the use of blocks") {
  if constexpr (!acre::kChecked || !ACRE_TEST_ASAN) return;
  acre::Arena arena;
  const acre::Mark mark = arena.Checkpoint();
  auto* above = static_cast<char*>(arena.Allocate(50));
  auto* large = static_cast<char*>(arena.Allocate(1 << 20));
  arena.Rewind(mark);
  CHECK_DIES(Touch(above), "use-after-poison");
  CHECK_DIES(Touch(large), "use-after-poison");
  auto* block = static_cast<char*>(arena.Allocate(50));
  arena.Reset();
  CHECK_DIES(Touch(block), "use-after-poison");
}

TEST_CASE("checked: under ASan memory that is given back is clean") {
  static unsigned char buffer[65536];
  {
    acre::FixedSource source(std::as_writable_bytes(std::span(buffer)));
    acre::Arena arena({.source = &source});
    static_cast<void>(arena.Allocate(100));
    arena.Free(arena.Allocate(100), 100);
    arena.Reset();
    arena.Reset(acre::ResetMode::kRelease);
    std::memset(buffer, 1, sizeof buffer);
    static_cast<void>(arena.Allocate(100));
    static_cast<void>(arena.Checkpoint());
    static_cast<void>(arena.Allocate(100));
  }
  std::memset(buffer, 2, sizeof buffer);  // dies where poison is left
  CHECK(buffer[65535] == 2);
}

struct Holder {
  int value = 0;
  acre::Vector<int> numbers;
};
ACRE_LAYOUT(Holder, value, numbers)
struct NoHolder {
  long words[5] = {};
};
ACRE_LAYOUT(NoHolder, words)

TEST_CASE("checked: Free is verified before containers inside are believed") {
  if constexpr (!acre::kChecked) return;
  using checked_test::Holder;
  using checked_test::NoHolder;
  acre::Arena arena;
  auto* holder = arena.New<Holder>();
  arena.Free(holder);
  CHECK_DIES(arena.Free(holder), "double Free of .*Holder");
  auto* plain = arena.New<NoHolder>();
  for (long& word : plain->words) word = 77;
  CHECK_DIES(arena.Free(reinterpret_cast<Holder*>(plain)),
             "allocated as .*NoHolder, freed as .*Holder");
}

}  // namespace checked_test
