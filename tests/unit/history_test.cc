// SPDX-License-Identifier: MIT
//
// Guards what <acre/history.h> promises, one by one; as a whole:
// history_model_test.cc.

#include "acre/history.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <gc/gc.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "acre/arena.h"
#include "acre/block_pool.h"
#include "acre/gc.h"
#include "acre/locked_arena.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/object_pool.h"
#include "acre/scope.h"
#include "acre/set.h"
#include "acre/shared_memory.h"
#include "acre/stack_arena.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "support/death.h"
#include "support/scaled.h"
#include "test_sources.h"

namespace history_test {

using acre::Arena;
using acre::FrameId;
using acre::History;
using acre::PageTracking;
using acre_test::CountingSource;

struct Player {
  acre::String name;
  Player* target = nullptr;
  std::int32_t health = 100;
};
ACRE_LAYOUT(Player, name, target, health)

struct World {
  acre::Map<std::uint32_t, Player*> players;
  acre::Vector<std::uint64_t> log;
};
ACRE_LAYOUT(World, players, log)

TEST_CASE("History: the example of the header, both ways to know pages") {
  for (const PageTracking tracking :
       {PageTracking::kKernel, PageTracking::kComparing}) {
    Arena arena({.name = "game"});
    World* world = arena.New<World>();
    Player* ann = world->players[1] = arena.New<Player>("Ann");
    Player* bob = world->players[2] = arena.New<Player>("Bob");
    ann->target = bob;
    for (std::uint64_t i = 0; i < 100; ++i) world->log.push_back(i);
    const auto before = arena.stats();

    History history(arena, *world, {.tracking = tracking});
    CHECK(history.frames() == 0);
    CHECK(history.current() == FrameId::kNone);
    const FrameId frame = history.Capture();
    CHECK(history.current() == frame);

    ann->health = 3;
    ann->name = "a name that is longer than what lies in a handle";
    arena.Free(bob);
    world->players.erase(2);
    for (std::uint64_t i = 0; i < 100'000; ++i) world->log.push_back(i);
    for (std::uint32_t i = 10; i < 500; ++i) {
      world->players[i] = arena.New<Player>("new");
    }
    const FrameId later = history.Capture();

    history.Restore(frame);
    CHECK(ann->health == 100);
    CHECK(ann->name == "Ann");
    CHECK(ann->target == bob);
    CHECK(bob->name == "Bob");
    CHECK(world->players.size() == 2);
    CHECK(world->players.at(2) == bob);
    CHECK(world->log.size() == 100);
    CHECK(arena.stats().live() == before.live());
    CHECK(arena.stats().reserved == before.reserved);

    history.Restore(later);
    CHECK(ann->health == 3);
    CHECK(world->log.size() == 100'100);
    CHECK(world->log.back() == 99'999);
    CHECK(world->players.size() == 491);
    CHECK(world->players.at(499)->name == "new");

    history.Restore(frame);
    arena.Free(bob);  // it is a live block, once
    ann->target = nullptr;
    world->players.erase(2);
    CHECK(world->players.size() == 1);
    if (tracking == PageTracking::kComparing) {
      CHECK(history.tracking() == PageTracking::kComparing);
    }
  }
}

TEST_CASE("History: Peek shows a frame and leaves no trace") {
  for (const PageTracking tracking :
       {PageTracking::kKernel, PageTracking::kComparing}) {
    CountingSource source;
    Arena arena({.name = "game", .source = &source});
    World* world = arena.New<World>();
    for (std::uint32_t i = 0; i < 50; ++i) {
      world->players[i] = arena.New<Player>("somebody");
    }
    History history(arena, {.tracking = tracking});
    const FrameId first = history.Capture();
    world->players[3]->health = 3;
    const FrameId second = history.Capture();
    acre::Vector<int> outside(arena, {1, 2, 3});
    arena.Free(world->players[4]);
    world->players.erase(4);
    for (std::uint64_t i = 0; i < 50'000; ++i) world->log.push_back(i);
    const acre::Mark mark = arena.Checkpoint();
    int* young = arena.New<int>(5);
    const auto stats = arena.stats();
    const std::uint64_t stamp = arena.stamp();
    for (int round = 0; round < 3; ++round) {
      const std::int32_t health = history.Peek(first, [&] {
        CHECK(world->players.size() == 50);
        CHECK(world->players[4]->health == 100);
        CHECK(world->log.empty());
        CHECK_FALSE(arena.IsOpen(mark));
        // What is done here is undone.
        arena.Free(world->players[9]);
        world->players.clear();
        for (std::uint64_t i = 0; i < 90'000; ++i) world->log.push_back(i);
        static_cast<void>(arena.Allocate(std::size_t{1} << 20));
        if (round == 2) arena.Reset(acre::ResetMode::kRelease);
        return round == 2 ? 100 : arena.New<Player>("new")->health;
      });
      CHECK(health == 100);
      CHECK(world->players.size() == 49);
      CHECK(world->players[9]->name == "somebody");
      CHECK(world->players[3]->health == 3);
      CHECK(world->log.size() == 50'000);
      CHECK(world->log.back() == 49'999);
      CHECK(arena.IsOpen(mark));
      CHECK(*young == 5);
      CHECK(arena.stats().live() == stats.live());
      CHECK(arena.stats().reserved == stats.reserved);
      CHECK(arena.stats().freed == stats.freed);
      CHECK(arena.stamp() == stamp);
      CHECK(history.current() == second);
      CHECK(outside.size() == 3);
    }
    arena.Rewind(mark);
    outside.push_back(4);
    world->log.push_back(1);
    history.Restore(second);
    CHECK(world->players.size() == 50);
    CHECK(world->players[3]->health == 3);
    history.Restore(first);
    CHECK(world->players[3]->health == 100);
#if ACRE_EXCEPTIONS
    world->players[3]->health = 7;
    CHECK_THROWS_AS(history.Peek(second, [] { throw 1; }), int);
    CHECK(world->players[3]->health == 7);
#endif
    CHECK_DIES(history.Peek(first, [&] { history.Restore(first); }),
               "Restore in the history of arena 'game': .* looked at, by Peek");
    CHECK_DIES(history.Peek(FrameId{99}, [] {}), "frame 99 is not kept");
    history.DropAll();
    outside = acre::Vector<int>();
  }
}

TEST_CASE("History: Peek, where there is no memory to come back") {
  CountingSource frames;
  {
    Arena arena({.name = "game"});
    int* number = arena.New<int>(1);
    History history(arena, {.source = &frames});
    const FrameId frame = history.Capture();
    *number = 2;
    frames.dry = true;
#if ACRE_EXCEPTIONS
    CHECK_THROWS_AS(history.Peek(frame, [] {}), acre::OutOfMemory);
#endif
    CHECK(*number == 2);
    frames.dry = false;
    history.Peek(frame, [&] { CHECK(*number == 1); });
    CHECK(*number == 2);
    frames.fail_at =
        frames.acquires + 2;  // the list is there, the bytes are not
#if ACRE_EXCEPTIONS
    CHECK_THROWS_AS(history.Peek(frame, [] {}), acre::OutOfMemory);
#endif
  }
  CHECK(frames.held.empty());
}

TEST_CASE("History: which frames are kept") {
  Arena arena;
  int* number = arena.New<int>(0);
  History history(arena, {.frames = 3});
  CHECK(history.oldest() == FrameId::kNone);
  CHECK(history.newest() == FrameId::kNone);
  CHECK_FALSE(history.IsKept(FrameId::kNone));
  FrameId frames[6];
  for (FrameId& frame : frames) {
    ++*number;
    frame = history.Capture();
  }
  CHECK(history.frames() == 3);
  CHECK_FALSE(history.IsKept(frames[2]));
  CHECK(history.oldest() == frames[3]);
  CHECK(history.newest() == frames[5]);
  history.Restore(frames[3]);
  CHECK(*number == 4);
  CHECK(history.current() == frames[3]);
  CHECK(history.IsKept(frames[5]));
  history.Restore(frames[5]);
  CHECK(*number == 6);
  history.Restore(frames[3]);
  *number = 99;
  const FrameId next = history.Capture();
  CHECK(next > frames[5]);  // no id is used twice
  CHECK(history.frames() == 2);
  CHECK_FALSE(history.IsKept(frames[4]));
  CHECK_FALSE(history.IsKept(frames[5]));
  history.Restore(frames[3]);
  CHECK(*number == 4);
  history.Restore(next);
  CHECK(*number == 99);
  history.DropAll();
  CHECK(history.frames() == 0);
  CHECK(history.current() == FrameId::kNone);
  CHECK_FALSE(history.IsKept(next));
  const FrameId first = history.Capture();
  *number = 7;
  history.Restore(first);
  CHECK(*number == 99);
}

TEST_CASE("History: of one frame") {
  Arena arena;
  auto* numbers = arena.New<acre::Vector<int>>();
  History history(arena, {.frames = 1});
  for (int round = 0; round < 10; ++round) {
    const FrameId frame = history.Capture();
    const std::size_t size = numbers->size();
    numbers->push_back(round);
    history.Restore(frame);
    CHECK(numbers->size() == size);
    numbers->push_back(round);
  }
  CHECK(history.frames() == 1);
  CHECK(numbers->size() == 10);
}

TEST_CASE("History: an arena that was empty, and one that becomes so") {
  CountingSource source;
  Arena arena({.name = "empty", .source = &source});
  History history(arena);
  const FrameId empty = history.Capture();
  int* number = arena.New<int>(5);
  const FrameId one = history.Capture();
  history.Restore(empty);
  CHECK(arena.stats().carved == 0);
  CHECK(arena.stats().reserved == 0);
  CHECK(arena.New<int>(6) == number);  // the same chunk
  history.Restore(one);
  CHECK(*number == 5);
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(arena.stats().reserved == 0);
  history.Restore(one);
  CHECK(*number == 5);
  CHECK(source.acquires == 1);
}

TEST_CASE(
    "History: large blocks that are freed stay while a frame needs them") {
  CountingSource source;
  Arena arena({.name = "large", .source = &source});
  constexpr std::size_t kBytes = std::size_t{3} << 20;
  auto* block = static_cast<char*>(arena.Allocate(kBytes));
  std::fill_n(block, kBytes, 'x');
  History history(arena, {.frames = 2});
  const FrameId frame = history.Capture();
  arena.Free(block, kBytes);
  CHECK(arena.stats().large_blocks == 0);
  CHECK(arena.stats().reserved < kBytes);
  CHECK(source.Holds(block));
  // Frames that it is needed for count neither here nor there.
  arena.set_byte_limit(arena.stats().reserved + kBytes + 4096);
  auto* other = static_cast<char*>(arena.TryAllocate(kBytes));
  CHECK(other == block);  // it is used again
  std::fill_n(other, kBytes, 'y');
  history.Restore(frame);
  CHECK(std::all_of(block, block + kBytes, [](char c) { return c == 'x'; }));
  arena.Free(block, kBytes);
  CHECK(source.Holds(block));
  for (int i = 0; i < 5; ++i) static_cast<void>(history.Capture());
  CHECK_FALSE(source.Holds(block));
}

TEST_CASE("History: Reset in each mode, over each kind of source") {
  acre::MmapSource range({.reserve = std::size_t{1} << 30});
  acre::SharedMemorySource shared({.bytes = std::size_t{32} << 20});
  alignas(16) static std::byte buffer[1 << 20];
  acre::FixedSource fixed(buffer);
  for (acre::ChunkSource* source :
       {static_cast<acre::ChunkSource*>(nullptr),
        static_cast<acre::ChunkSource*>(&acre::MallocSource::Instance()),
        static_cast<acre::ChunkSource*>(&range),
        static_cast<acre::ChunkSource*>(&shared),
        static_cast<acre::ChunkSource*>(&fixed)}) {
    for (const acre::ResetMode mode :
         {acre::ResetMode::kKeep, acre::ResetMode::kClear,
          acre::ResetMode::kRelease}) {
      Arena arena({.name = "each", .source = source});
      auto* first = arena.New<acre::Vector<int>>();
      for (int i = 0; i < 20'000; ++i) first->push_back(i);
      History history(arena);
      const FrameId frame = history.Capture();
      arena.Reset(mode);
      auto* second = arena.New<acre::Vector<int>>();
      for (int i = 0; i < 30'000; ++i) second->push_back(-i);
      const FrameId later = history.Capture();
      arena.Reset(mode);
      history.Restore(frame);
      REQUIRE(first->size() == 20'000);
      CHECK((*first)[19'999] == 19'999);
      first->push_back(1);
      history.Restore(later);
      REQUIRE(second->size() == 30'000);
      CHECK((*second)[29'999] == -29'999);
      second->push_back(1);
    }
  }
}

TEST_CASE("History: a range grows and is shorter again") {
  acre::MmapSource source({.reserve = std::size_t{1} << 30});
  Arena arena({.name = "range", .source = &source});
  auto* numbers = arena.New<acre::Vector<std::uint64_t>>();
  History history(arena, {.frames = 64});
  FrameId frames[40];
  for (std::uint64_t k = 0; k < 40; ++k) {
    frames[k] = history.Capture();
    for (std::uint64_t i = 0; i < 5000; ++i) numbers->push_back(k * 5000 + i);
  }
  for (std::uint64_t k = 40; k-- > 0;) {
    history.Restore(frames[k]);
    REQUIRE(numbers->size() == k * 5000);
    if (k != 0) REQUIRE(numbers->back() == k * 5000 - 1);
  }
  history.Restore(frames[39]);
  for (std::uint64_t i = 0; i < 39 * 5000; ++i) REQUIRE((*numbers)[i] == i);
}

TEST_CASE("History: marks, and scopes across frames") {
  Arena arena;
  int* old = arena.New<int>(1);
  History history(arena);
  const FrameId before = history.Capture();
  const acre::Mark mark = arena.Checkpoint();
  int* young = arena.New<int>(2);
  arena.Free(old);  // waits for the mark
  const FrameId inside = history.Capture();
  arena.Rewind(mark);
  CHECK_FALSE(arena.IsOpen(mark));
  history.Restore(inside);
  CHECK(arena.IsOpen(mark));
  CHECK(*young == 2);
  arena.Rewind(mark);
  history.Restore(before);
  CHECK_FALSE(arena.IsOpen(mark));
  CHECK(*old == 1);
  const acre::Mark next = arena.Checkpoint();
  CHECK_FALSE(arena.IsOpen(mark));  // at the same place, another one
  CHECK(arena.IsOpen(next));
  {
    const acre::Scope scope(arena);
    history.Restore(before);
  }  // its mark is gone; it notices
  CHECK(*old == 1);
  arena.Free(old);
}

TEST_CASE("History: stamps are not used again") {
  Arena arena;
  History history(arena);
  const FrameId frame = history.Capture();
  arena.Reset();
  acre::Vector<int> outside(arena);
  outside.push_back(1);
  history.Restore(frame);
  arena.Reset();
  CHECK_FALSE(arena.IsLive(arena.stamp() - 1));
  outside = acre::Vector<int>(arena);  // as after any Reset
  outside.push_back(2);
  CHECK(outside.size() == 1);
}

TEST_CASE("History: what the kernel writes is seen") {
  Arena arena({.name = "kernel",
               .source = &acre::MallocSource::Instance(),
               .first_chunk = std::size_t{1} << 20});
  constexpr std::size_t kBytes = 600'000;
  auto* bytes = static_cast<char*>(arena.Allocate(kBytes));
  std::fill_n(bytes, kBytes, 'a');
  History history(arena);
  const FrameId frame = history.Capture();
  for (int i = 0; i < 3; ++i) {
    const int zeros = open("/dev/zero", O_RDONLY);
    REQUIRE(read(zeros, bytes + 100'000, 300'000) == 300'000);
    close(zeros);
    static_cast<void>(history.Capture());
    history.Restore(frame);
    CHECK(std::all_of(bytes, bytes + kBytes, [](char c) { return c == 'a'; }));
  }
}

TEST_CASE("History: the collector keeps the chunks of frames") {
  Arena arena({.name = "collected heap"});
  std::uint64_t* blocks[50];
  for (std::uint64_t i = 0; i < 50; ++i) {
    blocks[i] = static_cast<std::uint64_t*>(arena.Allocate(400'000));
    std::fill_n(blocks[i], 50'000, i);
  }
  History history(arena);
  const FrameId frame = history.Capture();
  arena.Reset(acre::ResetMode::kRelease);
  for (int i = 0; i < 3; ++i) {
    GC_gcollect();
    for (int k = 0; k < 100; ++k) GC_malloc_atomic(400'000);
  }
  history.Restore(frame);
  for (std::uint64_t i = 0; i < 50; ++i) {
    CHECK(std::all_of(blocks[i], blocks[i] + 50'000,
                      [&](std::uint64_t word) { return word == i; }));
  }
}

// ------------------------------------------------------------------ transient

struct Sound {
  std::int32_t sample = 0;
  std::int32_t handle = 0;
  void* device = nullptr;
  std::int32_t volume = 0;
};
ACRE_LAYOUT(Sound, sample, transient(handle), transient(borrowed(device)),
            volume)

struct Place {
  std::optional<Sound> sound;
  std::variant<int, Sound> other;
  std::array<Sound, 2> fixed = {};
};
ACRE_LAYOUT(Place, sound, other, fixed)

struct Level {
  Place place;
  acre::Vector<Sound> sounds;
  acre::Map<std::uint32_t, Sound*> by_id;
  Level* next = nullptr;
  std::uint64_t tics = 0;
  std::uint64_t drawn = 0;
};
ACRE_LAYOUT(Level, place, sounds, by_id, next, tics, transient(drawn))

TEST_CASE("History: transient fields keep their present value") {
  Arena arena;
  Level* level = arena.New<Level>();
  level->next = level;
  level->place.sound.emplace();
  level->place.other = Sound{};
  for (int i = 0; i < 3; ++i) level->sounds.push_back({i, 0, nullptr, i});
  level->by_id[7] = arena.New<Sound>();
  Sound* gone = level->by_id[8] = arena.New<Sound>();
  int device = 0;
  History history(arena, *level);
  static_cast<void>(history.Capture());
  const FrameId frame = history.Capture();
  const auto all = [&](auto visit) {
    visit(*level->place.sound);
    visit(std::get<Sound>(level->place.other));
    visit(level->place.fixed[0]);
    visit(level->place.fixed[1]);
    for (Sound& sound : level->sounds) visit(sound);
    for (auto& [id, sound] : level->by_id) visit(*sound);
  };
  int next = 0;
  all([&](Sound& sound) {
    sound.handle = ++next;
    sound.device = &device;
    sound.volume = 50;
  });
  level->tics = 9;
  level->drawn = 9;
  arena.Free(gone);
  level->by_id.erase(8);
  history.Restore(frame);
  CHECK(level->tics == 0);
  CHECK(level->drawn == 9);
  next = 0;
  all([&](const Sound& sound) {
    ++next;
    if (&sound == gone) {
      CHECK(sound.handle == 0);  // there was none any more
      return;
    }
    CHECK(sound.handle == next);
    CHECK(sound.device == &device);
    CHECK(sound.volume < 50);
  });
  CHECK(level->by_id.size() == 2);
}

struct Flags {
  std::int32_t a = 0;
  std::uint32_t drawn : 3, heard : 5;
  std::int32_t b = 0;
};
ACRE_LAYOUT(Flags, a, transient(opaque(bits, 4)), b)

TEST_CASE("History: holes can be transient") {
  Arena arena;
  Flags* flags = arena.New<Flags>();
  flags->drawn = 0;
  flags->heard = 0;
  History history(arena, *flags);
  const FrameId frame = history.Capture();
  flags->a = flags->b = 2;
  flags->drawn = 5;
  flags->heard = 9;
  history.Restore(frame);
  CHECK(flags->a == 0);
  CHECK(flags->b == 0);
  CHECK(unsigned{flags->drawn} == 5);
  CHECK(unsigned{flags->heard} == 9);
}

TEST_CASE("History: fields that a type cannot reach are not looked for") {
  // The root leads to no transient field: no pointer is followed.
  Arena arena;
  Player* ann = arena.New<Player>("Ann");
  History history(arena, *ann);
  const FrameId frame = history.Capture();
  ann->health = 1;
  history.Restore(frame);
  CHECK(ann->health == 100);
}

// --------------------------------------------------------------- memory, ends

TEST_CASE("History: memory that runs out, wherever it does") {
  // Checked builds compare as much again, of which they know each block.
  const std::uint64_t pushes = acre_test::Scaled(40'000u, 6'000u);
  for (std::size_t fail_at = 1;; ++fail_at) {
    CountingSource frames;
    std::size_t acquires = 0;
    {
      Arena arena({.name = "short", .source = &acre::MallocSource::Instance()});
      auto* numbers = arena.New<acre::Vector<std::uint64_t>>();
      History history(arena, {.frames = 4, .source = &frames});
      numbers->push_back(1);
      const FrameId first = history.TryCapture();
      frames.fail_at = frames.acquires + fail_at;
      for (std::uint64_t round = 0; round < 8; ++round) {
        for (std::uint64_t i = 0; i < pushes; ++i) numbers->push_back(i);
        const std::size_t size = numbers->size();
        const FrameId frame = history.TryCapture();
        if (frame == FrameId::kNone) {
          CHECK(numbers->size() == size);
          if (history.IsKept(first)) {
            history.Restore(first);
            CHECK(numbers->size() == 1);
          }
          continue;
        }
        numbers->push_back(3);
        history.Restore(frame);
        CHECK(numbers->size() == size);
      }
      const FrameId last = history.Capture();  // there is some again
      numbers->clear();
      history.Restore(last);
      CHECK_FALSE(numbers->empty());
      acquires = frames.failures;
    }
    CHECK(frames.held.empty());
    CHECK_FALSE(frames.broken);
    if (acquires == 0) {
      CHECK(fail_at > 3);
      break;
    }
  }
}

TEST_CASE("History: Capture fails as New does") {
  CountingSource frames;
  Arena arena({.name = "short"});
  arena.New<int>(1);
  History history(arena, {.source = &frames});
  frames.dry = true;
#if ACRE_EXCEPTIONS
  CHECK_THROWS_AS(history.Capture(), acre::OutOfMemory);
#endif
  frames.dry = false;
  CHECK(history.Capture() != FrameId::kNone);
}

TEST_CASE("History: what it takes comes back, and how much it says it is") {
  CountingSource frames;
  CountingSource chunks;
  {
    Arena arena({.name = "bytes", .source = &chunks});
    {
      History history(arena, {.source = &frames});
      auto* bytes = static_cast<char*>(arena.Allocate(1 << 20));
      for (int i = 0; i < 40; ++i) {
        bytes[i * 5000] = 'x';
        static_cast<void>(history.Capture());
        CHECK(history.bytes() >= frames.bytes);
      }
      // A page a frame, beside the first copy, by 64 pages.
      const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
      CHECK(history.bytes() <
            (acre::kChecked ? 4u << 20 : 2u << 20) + 256 * page);
      history.DropAll();
      CHECK(frames.held.size() <= 1);  // a list to be used again
    }
    CHECK(frames.held.empty());
    arena.New<int>(1);
  }
  CHECK(chunks.held.empty());
  CHECK_FALSE(frames.broken);
}

TEST_CASE("History: the next one of an arena, and the arena ends first") {
  auto arena = std::make_unique<Arena>();
  int* number = arena->New<int>(1);
  for (int i = 0; i < 3; ++i) {
    History history(*arena);
    const FrameId frame = history.Capture();
    *number = 2;
    history.Restore(frame);
    CHECK(*number == 1);
  }
  History history(*arena);
  const FrameId frame = history.Capture();
  arena.reset();
  CHECK(history.frames() == 0);
  CHECK_FALSE(history.IsKept(frame));
  CHECK_DIES(history.Restore(frame), "Restore: the arena .* has ended");
  CHECK_DIES(static_cast<void>(history.Capture()), "Capture: the arena");
  // One at the same address is another one.
  Arena next;
  next.New<int>(1);
}

// ------------------------------------------------------------------- refusals

TEST_CASE("History: refusals name who is meant") {
  Arena arena({.name = "game"});
  int* number = arena.New<int>(1);
  CHECK_DIES(History(arena, {.frames = 0}), "'game' is to keep 0 frames");
  CHECK_DIES(History(arena, {.frames = 100'000}), "1 to 65536");
  History history(arena, {.frames = 2});
  CHECK_DIES(History(arena, {}), "arena 'game' has a History already");
  const FrameId first = history.Capture();
  static_cast<void>(history.Capture());
  static_cast<void>(history.Capture());
  CHECK_DIES(history.Restore(first),
             "arena 'game': frame 1 is not kept; 2 are, from 2 to 3");
  CHECK_DIES(history.Restore(FrameId{99}), "frame 99 is not kept");
  CHECK_DIES(History(*acre::NewCollectedArena({.name = "theirs"})),
             "arena 'theirs' is a collected one");
  acre::LockedArena locked({.name = "shared"});
  CHECK_DIES(locked.With([](Arena& inner) { History h(inner); }),
             "arena 'shared' is a LockedArena's");
  Arena other({.name = "other"});
  CHECK_DIES(History(other, *number), "is not in arena 'other'");
  if (acre::kChecked) {
    CHECK_DIES(
        std::thread([&] { static_cast<void>(history.Capture()); }).join(),
        "second thread");
    CHECK_DIES(std::thread([&] { history.Restore(history.newest()); }).join(),
               "second thread");
  }
}

TEST_CASE("History: checked builds know the blocks of then") {
  if (!acre::kChecked) return;
  Arena arena({.name = "game"});
  Player* ann = arena.New<Player>("Ann");
  History history(arena);
  const FrameId frame = history.Capture();
  Player* bob = arena.New<Player>("Bob");
  auto outside = std::make_unique<acre::Vector<int>>(arena);
  outside->push_back(1);
  arena.Free(ann);
  history.Restore(frame);
  CHECK(ann->health == 100);
  CHECK_DIES(arena.Free(bob), "Free");
  CHECK_DIES(
      outside->push_back(2),
      "given up by a Reset, a Rewind or its History's Restore of arena 'game'");
  arena.Free(ann);
  CHECK_DIES(arena.Free(ann), "double Free");
}

TEST_CASE("History: containers outside, of before the frame and of after it") {
  Arena arena({.name = "game"});
  acre::Vector<int> before(arena, {1, 2, 3});
  acre::Map<int, int> grown(arena);
  grown[1] = 1;
  History history(arena);
  const FrameId first = history.Capture();
  const FrameId frame = history.Capture();
  acre::Vector<int> after(arena, {4});
  acre::String text(arena, 100, 'x');
  acre::Set<int> set(arena);
  set.insert(1);
  for (int i = 0; i < 100; ++i) grown[i] = i;
  const auto live = arena.stats().live();
  history.Restore(frame);
  CHECK(before.size() == 3);
  before.push_back(4);  // it is live
  CHECK(arena.stats().live() < live);
  // What was made later is given up, and gives nothing back.
  const auto stats = arena.stats();
  after = acre::Vector<int>(arena);
  text = acre::String(arena);
  set = acre::Set<int>(arena);
  grown = acre::Map<int, int>(arena);
  CHECK(arena.stats().live() == stats.live());
  after.push_back(1);
  grown[5] = 5;
  history.Restore(first);
  CHECK(before.size() == 4);  // the handle did not go back
  for (int round = 0; round < 1000; ++round) {
    acre::Vector<int> undone(arena, {round});
    history.Restore(first);
    static_cast<void>(history.Capture());
    undone = acre::Vector<int>();
    before.Release();
    before = acre::Vector<int>(arena, {round});
  }
  CHECK(arena.IsLive(arena.stamp()));
}

TEST_CASE("History: containers outside that grew where they were") {
  Arena arena;
  acre::Vector<std::uint64_t> vector(arena, {1});
  acre::String text(arena, 40, 'x');
  History history(arena);
  const FrameId frame = history.Capture();
  for (std::uint64_t i = 0; i < 1000; ++i) vector.push_back(i);
  text.append(5000, 'y');
  history.Restore(frame);
  vector = acre::Vector<std::uint64_t>(arena);
  text = acre::String(arena);
  // Nothing that is in use is handed out once more.
  std::vector<std::uint64_t*> blocks;
  for (std::uint64_t i = 0; i < 500; ++i) {
    blocks.push_back(static_cast<std::uint64_t*>(arena.Allocate(64)));
    std::fill_n(blocks.back(), 8, i);
  }
  for (std::uint64_t i = 0; i < 500; ++i) {
    REQUIRE(std::all_of(blocks[i], blocks[i] + 8,
                        [&](std::uint64_t word) { return word == i; }));
  }
}

TEST_CASE("History: pools outside give nothing back after it") {
  Arena arena;
  History history(arena);
  FrameId frame = FrameId::kNone;
  std::size_t live = 0;
  {
    acre::ObjectPool<Player> before(arena, {.capacity = 4});
    frame = history.Capture();
    acre::ObjectPool<Player> after(arena, {.capacity = 4});
    acre::BlockPool blocks(arena, {.block_size = 64, .count = 10});
    acre::StackArena stack(arena, 1000);
    static_cast<void>(before.Acquire());
    history.Restore(frame);
    live = arena.stats().live();
  }
  CHECK(arena.stats().live() == live);
  {
    acre::ObjectPool<Player> next(arena, {.capacity = 4});
    acre::StackArena stack(arena, 1000);
  }
  CHECK(arena.stats().live() == live);
}

TEST_CASE("History: frames within marks, and stamps") {
  Arena arena;
  acre::Vector<int> level0(arena, {0});
  History history(arena);
  const FrameId outer = history.Capture();
  const acre::Mark mark = arena.Checkpoint();
  acre::Vector<int> level1(arena, {1});
  const FrameId inner = history.Capture();
  acre::Vector<int> later1(arena, {2});
  arena.Rewind(mark);
  CHECK(arena.IsLive(arena.stamp()));
  acre::Vector<int> later0(arena, {3});
  history.Restore(inner);
  // Of then: the first two.
  level0.push_back(1);
  level1.push_back(1);
  const auto live = arena.stats().live();
  later1 = acre::Vector<int>();
  later0 = acre::Vector<int>();
  CHECK(arena.stats().live() == live);
  arena.Rewind(mark);
  level0.push_back(1);
  level1 = acre::Vector<int>();
  history.Restore(outer);
  CHECK(level0.data()[0] == 0);
  history.DropAll();
  level0.push_back(2);
}

// ------------------------------------------------------- processes, the system

TEST_CASE("History: in the child of a fork") {
  Arena arena({.name = "forked",
               .source = &acre::MallocSource::Instance(),
               .first_chunk = std::size_t{1} << 20});
  auto* numbers = arena.New<acre::Vector<int>>();
  for (int i = 0; i < 100'000; ++i) numbers->push_back(i);
  History history(arena);
  const FrameId frame = history.Capture();
  (*numbers)[5] = 0;
  const FrameId second = history.Capture();
  const pid_t child = fork();
  if (child == 0) {
    (*numbers)[50'000] = 1;
    const FrameId mine = history.TryCapture();
    numbers->clear();
    history.Restore(frame);
    bool is_right = (*numbers)[5] == 5 && (*numbers)[50'000] == 50'000;
    history.Restore(mine);
    is_right = is_right && (*numbers)[5] == 0 && (*numbers)[50'000] == 1;
    is_right = is_right && history.tracking() == PageTracking::kComparing;
    history.DropAll();
    _exit(is_right ? 0 : 1);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  // What the child did has not touched what is noted here.
  (*numbers)[99'999] = 2;
  (*numbers)[70'000] = 3;
  static_cast<void>(history.Capture());
  history.Restore(second);
  CHECK((*numbers)[99'999] == 99'999);
  CHECK((*numbers)[70'000] == 70'000);
  history.Restore(frame);
  CHECK((*numbers)[5] == 5);
}

/// From now on the system call fails with EPERM in this process.
void Refuse(int call) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter = {4, program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    _exit(77);
  }
}

TEST_CASE("History: where the system refuses to help, pages are compared") {
  constexpr int kCount = acre_test::Scaled(100'000, 20'000);
  // Refused from the beginning, and after the first frame.
  for (const auto& [call, is_late] :
       {std::pair(SYS_userfaultfd, false), std::pair(SYS_openat, false),
        std::pair(SYS_ioctl, false), std::pair(SYS_ioctl, true)}) {
    const pid_t child = fork();
    if (child == 0) {
      Arena arena({.name = "refused",
                   .source = &acre::MallocSource::Instance(),
                   .first_chunk = std::size_t{1} << 20});
      auto* numbers = arena.New<acre::Vector<int>>();
      for (int i = 0; i < kCount; ++i) numbers->push_back(i);
      History history(arena);
      if (!is_late) Refuse(static_cast<int>(call));
      const FrameId frame = history.TryCapture();
      if (is_late) Refuse(static_cast<int>(call));
      bool is_right = true;
      for (int i = 0; i < 10; ++i) {
        (*numbers)[static_cast<std::size_t>(i) * kCount / 11] = -1;
        const FrameId next = history.TryCapture();
        (*numbers)[static_cast<std::size_t>(i) * kCount / 12] = -2;
        history.Restore(frame);
        for (int k = 0; k < kCount; ++k) {
          is_right &= (*numbers)[static_cast<std::size_t>(k)] == k;
        }
        history.Restore(next);
        is_right &= (*numbers)[static_cast<std::size_t>(i) * kCount / 11] == -1;
      }
      is_right &= history.tracking() == PageTracking::kComparing;
      _exit(is_right ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
      MESSAGE("seccomp is not to be had here");
    } else {
      CHECK(WEXITSTATUS(status) == 0);
    }
  }
}

}  // namespace history_test
