// SPDX-License-Identifier: MIT
//
// A world with something of everything, which tests of saved arenas save, and
// the folder in which they do.

#ifndef ACRE_TESTS_UNIT_SAVED_WORLD_H_
#define ACRE_TESTS_UNIT_SAVED_WORLD_H_

#include <doctest/doctest.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "acre/arena.h"
#include "acre/map.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"

namespace saved_world {

using acre::Arena;

struct Thing {
  std::int32_t health = 100;
  Thing* target = nullptr;
  acre::String name;
  std::int32_t drawn = 0;
  bool is_hidden = false;
};
ACRE_LAYOUT(Thing, health, target, name, transient(drawn), is_hidden)

struct alignas(64) Wide {
  double values[8] = {};
};
ACRE_LAYOUT(Wide, values)

struct World {
  acre::Map<acre::String, Thing*> players;
  acre::Map<Thing*, std::int32_t> scores;
  acre::Map<std::uint32_t, Thing> inside;
  acre::Set<std::int64_t> seen;
  acre::Set<std::int64_t> unseen;
  acre::Map<acre::String, int, acre::UntrustedHash<acre::String>> guarded;
  acre::Vector<Thing> things;
  acre::Vector<acre::Vector<acre::String>> lines;
  acre::Vector<Wide> wide;
  std::array<Thing*, 20> teams = {};
  std::span<Thing> some;
  std::string_view motto;
  std::optional<Thing*> leader;
  std::variant<std::monostate, int, acre::String> note;
  std::tuple<int, Thing*> pair = {};
  const std::int32_t* health = nullptr;
  const std::int32_t* score = nullptr;
  Wide* far = nullptr;
  void* window = nullptr;
};
ACRE_LAYOUT(World, players, scores, inside, seen, unseen, guarded, things,
            lines, wide, teams, some, motto, leader, note, pair, health, score,
            far, borrowed(window))

/// A folder that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "acre-saved-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const {
    return path_ + "/" + std::string(name);
  }
  std::size_t files() const {
    const std::filesystem::directory_iterator all(path_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

 private:
  std::string path_;
};

inline std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void WriteAll(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline constexpr std::string_view kLongName =
    "a name that needs storage of its own";

inline World* MakeWorld(Arena& arena, int count = 50) {
  auto* world = arena.New<World>();
  for (int i = 0; i < count; ++i) {
    auto* thing = arena.New<Thing>();
    thing->health = i;
    thing->name = i % 2 == 0 ? std::string_view("short") : kLongName;
    thing->drawn = 7;
    world->players[std::to_string(i)] = thing;
    world->scores[thing] = i;
    world->inside[static_cast<std::uint32_t>(i * 3)].target = thing;
    world->seen.insert(i * 1'000'003LL);
    world->guarded[std::to_string(i)] = i;
    world->things.emplace_back().health = 1000 + i;
    world->lines.emplace_back().emplace_back(kLongName);
    world->wide.emplace_back().values[3] = i;
    world->teams[static_cast<std::size_t>(i) % 20] = thing;
  }
  for (int i = 0; i < count; ++i) {
    Thing& thing = world->things[static_cast<std::size_t>(i)];
    thing.target = &world->things[static_cast<std::size_t>(i * 7 % count)];
  }
  world->some = {world->things.data() + 3, 5};
  auto* const text = static_cast<char*>(arena.Allocate(5, 1));
  std::copy_n("motto", 5, text);
  world->motto = {text, 5};
  world->leader = world->teams[2];
  world->note = acre::String("note");
  world->pair = {3, world->teams[3]};
  world->health = &world->things[1].health;
  world->score = &world->inside[6].health;
  world->far = arena.New<Wide>();
  world->seen.erase(1'000'003);
  return world;
}

/// Something at the address of a file's image.
class InTheWay {
  static constexpr std::size_t kBytes = 65536;  // whole pages, however long

 public:
  explicit InTheWay(const void* address)
      : mapped_(::mmap(const_cast<void*>(address), kBytes, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                       0)) {
    REQUIRE(mapped_ == address);
  }
  InTheWay(const InTheWay&) = delete;
  InTheWay& operator=(const InTheWay&) = delete;
  ~InTheWay() { ::munmap(mapped_, kBytes); }

 private:
  void* mapped_;
};

inline const void* const kAddress =
    reinterpret_cast<const void*>(0x551234000000);

}  // namespace saved_world

#endif  // ACRE_TESTS_UNIT_SAVED_WORLD_H_
