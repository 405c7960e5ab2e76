// SPDX-License-Identifier: MIT
//
// Guards the two replaceable handlers: what they are told, and that neither
// may be survived by returning.

#include "acre/failure.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/vector.h"
#include "support/death.h"
#include "test_sources.h"

namespace failure_test {

namespace {

struct OutOfRoom {
  std::string name;
  acre::OutOfMemoryInfo info;
};

void ThrowOutOfRoom(const acre::OutOfMemoryInfo& info) {
  throw OutOfRoom{info.arena_name, info};
}

void ReturnFromOutOfMemory(const acre::OutOfMemoryInfo&) {}

struct Misuse {
  std::string message;
};

void ThrowMisuse(const char* message) { throw Misuse{message}; }
void ReturnFromMisuse(const char*) {}

template <class Body>
std::string TextOf(Body body) {
  try {
    body();
  } catch (const std::bad_alloc& error) {
    return error.what();
  }
  return "no failure";
}

/// Puts the default handlers back.
struct Handlers {
  ~Handlers() {
    acre::SetOutOfMemoryHandler(nullptr);
    acre::SetMisuseHandler(nullptr);
  }
};

}  // namespace

TEST_CASE("failure: out of memory throws bad_alloc by default") {
  acre_test::CountingSource source;
  source.dry = true;
  acre::Arena arena({.source = &source});
  CHECK_THROWS_AS(arena.New<int>(), std::bad_alloc);
  CHECK_THROWS_AS(static_cast<void>(arena.NewArray<int>(3)), std::bad_alloc);
  CHECK_THROWS_AS(static_cast<void>(arena.Allocate(3)), std::bad_alloc);
  CHECK(arena.TryNew<int>() == nullptr);
  CHECK(arena.TryNewArray<int>(3).data() == nullptr);
  CHECK(arena.TryAllocate(3) == nullptr);
}

TEST_CASE("failure: the exception names the arena, the bytes and the limit") {
  static_assert(std::is_base_of_v<std::bad_alloc, acre::OutOfMemory>);
  static_assert(std::is_nothrow_copy_constructible_v<acre::OutOfMemory>);
  acre::MallocSource source;
  acre::Arena arena({.name = "game", .source = &source, .byte_limit = 1 << 20});
  static_cast<void>(arena.Allocate(16));
  const std::string reserved = std::to_string(arena.stats().reserved);
  CHECK(TextOf([&] { static_cast<void>(arena.Allocate(2 << 20)); }) ==
        "acre: arena 'game': out of memory: 2097152 bytes asked for, " +
            reserved + " of a limit of 1048576 reserved");
  acre_test::CountingSource dry;
  dry.dry = true;
  acre::Arena unlimited({.name = "dry", .source = &dry});
  CHECK(TextOf([&] { unlimited.New<std::int64_t>(); }) ==
        "acre: arena 'dry': out of memory: 8 bytes asked for, 0 reserved, "
        "no limit");
  acre::Vector<int> numbers(unlimited);
  CHECK(TextOf([&] {
          numbers.push_back(1);
        }).starts_with("acre: arena 'dry': out of memory: "));
}

TEST_CASE("failure: the exception cuts long names, not its end") {
  const std::string name(5000, 'n');
  const std::size_t huge = SIZE_MAX - 1;
  const acre::OutOfMemory limit({name.c_str(), huge, huge, huge});
  CHECK(std::string(limit.what()) ==
        "acre: arena '" + std::string(64, 'n') +
            "': out of memory: 18446744073709551614 bytes asked for, "
            "18446744073709551614 of a limit of 18446744073709551614 reserved");
  const acre::OutOfMemory align({name.c_str(), huge, huge, huge, huge});
  CHECK(std::string(align.what()).ends_with("4096 is the largest alignment"));
  const acre::OutOfMemory copy(limit);
  CHECK(std::string(copy.what()) == limit.what());
}

TEST_CASE("failure: the handler is told arena, sizes and limit") {
  const Handlers restore;
  CHECK((acre::SetOutOfMemoryHandler(&ThrowOutOfRoom) == nullptr));
  acre::MallocSource source;
  acre::Arena arena({.name = "tight", .source = &source, .byte_limit = 100000});
  static_cast<void>(arena.Allocate(16));
  try {
    static_cast<void>(arena.Allocate(200000));
    FAIL("out of memory was not reported");
  } catch (const OutOfRoom& caught) {
    CHECK(caught.name == "tight");
    CHECK(caught.info.bytes == 200000);
    CHECK(caught.info.reserved == arena.stats().reserved);
    CHECK(caught.info.byte_limit == 100000);
  }
  try {
    static_cast<void>(arena.NewArray<std::int64_t>(50000));
    FAIL("out of memory was not reported");
  } catch (const OutOfRoom& caught) {
    CHECK(caught.info.bytes == 400000);
  }
  try {
    static_cast<void>(arena.NewArray<std::int64_t>(SIZE_MAX));
    FAIL("out of memory was not reported");
  } catch (const OutOfRoom& caught) {
    CHECK(caught.info.bytes == SIZE_MAX);
  }
}

TEST_CASE("failure: Try forms do not call the handler") {
  const Handlers restore;
  acre::SetOutOfMemoryHandler(&ThrowOutOfRoom);
  acre_test::CountingSource source;
  source.dry = true;
  acre::Arena arena({.source = &source});
  CHECK_NOTHROW(static_cast<void>(arena.TryNew<int>()));
  CHECK_NOTHROW(static_cast<void>(arena.TryNewArray<int>(9)));
  CHECK_NOTHROW(static_cast<void>(arena.TryAllocate(9)));
}

TEST_CASE("failure: setting a handler returns the one before") {
  const Handlers restore;
  CHECK((acre::SetOutOfMemoryHandler(&ThrowOutOfRoom) == nullptr));
  CHECK((acre::SetOutOfMemoryHandler(nullptr) == &ThrowOutOfRoom));
  CHECK((acre::SetMisuseHandler(&ThrowMisuse) == nullptr));
  CHECK((acre::SetMisuseHandler(nullptr) == &ThrowMisuse));
}

TEST_CASE("failure: an out-of-memory handler that returns aborts") {
  const Handlers restore;
  acre::SetOutOfMemoryHandler(&ReturnFromOutOfMemory);
  acre_test::CountingSource source;
  source.dry = true;
  acre::Arena arena({.source = &source});
  CHECK_DIES(arena.New<int>(), "out-of-memory handler returned");
}

TEST_CASE("failure: misuse prints a sentence and aborts by default") {
  acre::Arena arena({.name = "plain"});
  CHECK_DIES(arena.Rewind(acre::Mark()), "^acre: Rewind of arena 'plain'");
}

TEST_CASE("failure: the misuse handler gets the sentence and may throw") {
  const Handlers restore;
  acre::SetMisuseHandler(&ThrowMisuse);
  acre::Arena arena({.name = "thrown"});
  int* number = arena.New<int>(5);
  try {
    arena.Rewind(acre::Mark());
    FAIL("misuse was not reported");
  } catch (const Misuse& misuse) {
    CHECK(misuse.message.find("'thrown'") != std::string::npos);
    CHECK(misuse.message.find("not open") != std::string::npos);
  }
  CHECK(*number == 5);
  CHECK(*arena.New<int>(6) == 6);  // and the arena goes on
}

TEST_CASE("failure: a misuse handler that returns aborts with the sentence") {
  const Handlers restore;
  acre::SetMisuseHandler(&ReturnFromMisuse);
  acre::Arena arena({.name = "stubborn"});
  CHECK_DIES(arena.Rewind(acre::Mark()), "arena 'stubborn'");
}

TEST_CASE("failure: very long messages are cut, not overrun") {
  const std::string name(5000, 'n');
  acre::Arena arena({.name = name.c_str()});
  CHECK_DIES(arena.Rewind(acre::Mark()), "^acre: Rewind of arena 'nnnn");
}

TEST_CASE("failure: a throw out of what is noexcept ends the process") {
  if constexpr (!acre::kChecked) return;
  const Handlers restore;
  acre::SetMisuseHandler(&ThrowMisuse);
  acre::Arena arena;
  acre::Vector<int> dead(arena, {1});
  arena.Reset();
  CHECK_THROWS_AS(dead.reserve(100), Misuse);
  static_assert(noexcept(dead.data()));
  CHECK_DIES(static_cast<void>(dead.data()), "Misuse");
}

TEST_CASE("failure: at() and length failures throw what std throws") {
  CHECK_THROWS_AS(acre::detail::FailOutOfRange("Vector::at", 7, 3),
                  std::out_of_range);
  CHECK_THROWS_AS(acre::detail::FailLength("Vector", 7, 3), std::length_error);
  try {
    acre::detail::FailOutOfRange("Vector::at", 7, 3);
  } catch (const std::out_of_range& error) {
    CHECK(std::string(error.what()) ==
          "acre: Vector::at: index 7 is out of range, size is 3");
  }
  acre::Arena arena;
  const acre::Map<int, int> map(arena, {{1, 2}});
  try {
    static_cast<void>(map.at(3));
    FAIL("a missing key was not reported");
  } catch (const std::out_of_range& error) {
    CHECK(std::string(error.what()) == "acre: Map::at: no such key");
  }
}

TEST_CASE("death tests: tell a child that dies from one that returns") {
  CHECK(acre_test::RunInChild([] { std::abort(); }).died);
  CHECK_FALSE(acre_test::RunInChild([] {}).died);
  const acre_test::Death thrown =
      acre_test::RunInChild([] { throw std::runtime_error("thrown"); });
  CHECK_FALSE(thrown.died);
  CHECK(thrown.text.find("thrown") != std::string::npos);
  const acre_test::Death silent = acre_test::RunInChild([] { std::abort(); });
  CHECK_FALSE(acre_test::Matches(silent, "some text"));
  CHECK(acre_test::Matches(silent, ""));
}

}  // namespace failure_test
