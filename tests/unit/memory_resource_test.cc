// SPDX-License-Identifier: MIT
//
// Guards ArenaResource: std::pmr containers work over an arena, and give back
// to its freelists what they drop.

#include "acre/memory_resource.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory_resource>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "acre/arena.h"
#include "acre/failure.h"
#include "test_sources.h"

namespace memory_resource_test {

TEST_CASE("memory_resource: vector, string and map live in the arena") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  acre::ArenaResource resource(arena);
  CHECK(&resource.arena() == &arena);
  {
    std::pmr::vector<int> numbers(&resource);
    for (int i = 0; i < 10000; ++i) numbers.push_back(i);
    CHECK(numbers[9999] == 9999);
    CHECK(arena.Owns(numbers.data()));

    std::pmr::string text("a text that is too long for its own pocket",
                          &resource);
    text += text;
    CHECK(arena.Owns(text.data()));

    std::pmr::map<int, std::pmr::string> names(&resource);
    for (int i = 0; i < 500; ++i) {
      names.emplace(i, std::string(40, static_cast<char>('a' + i % 26)));
    }
    for (int i = 0; i < 500; i += 2) names.erase(i);
    CHECK(names.size() == 250);
    CHECK(std::string_view(names.at(25)) == std::string(40, 'z'));
    CHECK(arena.Owns(&names.at(25)));
    CHECK(arena.Owns(names.at(25).data()));

    std::pmr::unordered_map<int, int> table(&resource);
    for (int i = 0; i < 3000; ++i) table[i] = i * i;
    CHECK(table.at(55) == 3025);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("memory_resource: dropped storage is used again") {
  acre_test::CountingSource source;
  acre::Arena arena({.source = &source});
  acre::ArenaResource resource(arena);
  std::size_t first = 0;
  for (int i = 0; i < 200; ++i) {
    std::pmr::vector<std::int64_t> numbers(&resource);
    for (int k = 0; k < 3000; ++k) numbers.push_back(k);
    if (i == 0) first = source.bytes;
  }
  CHECK(source.bytes == first);
}

TEST_CASE("memory_resource: alignment is honoured") {
  acre::Arena arena;
  acre::ArenaResource resource(arena);
  for (std::size_t align = 1; align <= acre::kMaxAlignment; align *= 2) {
    void* block = resource.allocate(100, align);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % align == 0);
    resource.deallocate(block, 100, align);
  }
  CHECK(arena.stats().live() == 0);
}

TEST_CASE("memory_resource: equal to itself only") {
  acre::Arena arena;
  acre::ArenaResource first(arena);
  acre::ArenaResource second(arena);
  CHECK(first == first);
  CHECK_FALSE(first == second);
  CHECK_FALSE(first == *std::pmr::new_delete_resource());
}

TEST_CASE("memory_resource: runs out with bad_alloc, the container is intact") {
  std::byte buffer[4096];
  acre::FixedSource source(buffer);
  acre::Arena arena({.source = &source});
  acre::ArenaResource resource(arena);
  std::pmr::vector<int> numbers(&resource);
  const auto fill = [&] {
    for (int i = 0; i < 100000; ++i) numbers.push_back(i);
  };
  CHECK_THROWS_AS(fill(), std::bad_alloc);
  REQUIRE_FALSE(numbers.empty());
  CHECK(numbers.back() == static_cast<int>(numbers.size()) - 1);
}

TEST_CASE("memory_resource: what it cannot give is bad_alloc, as pmr demands") {
  struct alignas(8192) Sector {
    char bytes[8192];
  };
  acre::Arena arena({.name = "disk"});
  acre::ArenaResource resource(arena);
  std::pmr::polymorphic_allocator<> allocator(&resource);
  CHECK_THROWS_AS(static_cast<void>(allocator.new_object<Sector>()),
                  std::bad_alloc);
  for (std::size_t align = 2 * acre::kMaxAlignment; align != 0; align *= 2) {
    CHECK_THROWS_AS(static_cast<void>(resource.allocate(1, align)),
                    std::bad_alloc);
  }
  for (const std::size_t bytes : {SIZE_MAX, SIZE_MAX - 15, SIZE_MAX / 2}) {
    for (const std::size_t align : {1UL, 16UL, 64UL, acre::kMaxAlignment}) {
      CHECK_THROWS_AS(static_cast<void>(resource.allocate(bytes, align)),
                      std::bad_alloc);
    }
  }
  CHECK(arena.stats().live() == 0);
  try {
    static_cast<void>(resource.allocate(48, 8192));
    FAIL("the alignment was not refused");
  } catch (const acre::OutOfMemory& error) {
    CHECK(std::string(error.what()) ==
          "acre: arena 'disk': 48 bytes at a multiple of 8192 asked for, 4096 "
          "is the largest alignment");
  }
}

TEST_CASE(
    "memory_resource: an alignment that it cannot give asks the handler") {
  struct Refused {
    std::size_t align;
  };
  const auto before = acre::SetOutOfMemoryHandler(
      [](const acre::OutOfMemoryInfo& info) { throw Refused{info.align}; });
  acre::Arena arena;
  acre::ArenaResource resource(arena);
  std::size_t align = 0;
  try {
    static_cast<void>(resource.allocate(48, 8192));
  } catch (const Refused& refused) {
    align = refused.align;
  }
  CHECK(align == 8192);
  acre::SetOutOfMemoryHandler(before);
}

}  // namespace memory_resource_test
