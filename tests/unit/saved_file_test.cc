// SPDX-License-Identifier: MIT
//
// Guards <acre/saved_arena.h>: what cannot be saved, or is no whole file of
// ours, is refused by name; where the system refuses, nothing is lost.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include "acre/saved_arena.h"
#include "saved/saved_format.h"
#include "saved_world.h"
#include "support/death.h"
#include "support/sanitizer.h"
#include "support/scaled.h"

namespace saved_file_test {

using acre::Arena;
using acre::LoadArena;
using acre::MapArena;
using acre::Outside;
using acre::Save;
using acre::SavedArena;
using acre::SaveError;
using saved_world::Folder;
using saved_world::InTheWay;
using saved_world::kAddress;
using saved_world::MakeWorld;
using saved_world::ReadAll;
using saved_world::Thing;
using saved_world::Wide;
using saved_world::World;
using saved_world::WriteAll;

// ------------------------------------------------------------------- refusals

TEST_CASE("Save: pointers that mean nothing elsewhere are refused by path") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena({.name = "level"});
  Arena other;
  World* world = MakeWorld(arena);
  const auto refused = [&] {
    const SaveError error = Save(arena, *world, file.c_str());
    CHECK(error.code == 0);
    CHECK(error.text() == file + ": " + error.path + ": " + error.what);
    CHECK(folder.files() == 0);
    return error.path + " " + error.what;
  };
  const std::string name = "saved_world::World";

  world->players["7"]->target = other.New<Thing>();
  CHECK(refused() == name +
                         ".players[\"7\"].target points out of the arena "
                         "'level'");
  static Thing thing;
  world->players["7"]->target = &thing;
  CHECK(refused() == name +
                         ".players[\"7\"].target points out of the arena "
                         "'level'");
  world->players["7"]->target = nullptr;

  world->inside[9].target = &thing;
  CHECK(refused() ==
        name + ".inside[9].target points out of the arena 'level'");
  world->inside[9].target = nullptr;
  world->things[4].target->target = &thing;
  CHECK(refused().starts_with(name + ".things["));
  world->things[4].target->target = nullptr;

  world->motto = "a literal";
  CHECK(refused() == name + ".motto shows what lies out of the arena 'level'");
  world->motto = {};
  world->window = &arena;
  CHECK(refused() ==
        name + ".window is borrowed, and leads nowhere in another process");
  world->window = nullptr;
  world->leader = reinterpret_cast<Thing*>(&world->wide[0]);
  CHECK(refused() == name +
                         ".leader.value() leads into saved_world::Wide, "
                         "where no saved_world::Thing lies");
  world->leader.reset();
  CHECK(Save(arena, *world, file.c_str()).text() == "");

  CHECK_DIES(static_cast<void>(Save(other, *world, file.c_str())),
             "does not lie in arena");
  CHECK_DIES(
      static_cast<void>(Save(arena, *world, file.c_str(), {.address = &arena})),
      "no multiple of 2 MiB");
}

TEST_CASE("Save: what leads outside is null, where that is asked for") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  static Thing elsewhere;
  world->players["7"]->target = &elsewhere;
  world->motto = "a literal";
  world->some = {&elsewhere, 1};
  world->window = &arena;
  REQUIRE(
      Save(arena, *world, file.c_str(), {.outside = Outside::kNull}).text() ==
      "");
  const SavedArena<World> saved = LoadArena<World>(file.c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(saved->players["7"]->target == nullptr);
  CHECK(saved->motto.empty());
  CHECK(saved->some.empty());
  CHECK(saved->window == nullptr);
  CHECK(world->window == &arena);  // the arena stays as it is
  CHECK(world->motto == "a literal");
}

TEST_CASE("Save: an address that is taken, and one file over another") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  const World* world = MakeWorld(arena);
  {
    const InTheWay in_the_way(kAddress);
    CHECK(Save(arena, *world, file.c_str(), {.address = kAddress}).what ==
          "something lies already at the address that was asked for");
  }
  CHECK(folder.files() == 0);

  WriteAll(file, "what was there");
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  std::filesystem::create_symlink(file, folder / "link");
  REQUIRE(!Save(arena, *world, (folder / "link").c_str()));
  CHECK(std::filesystem::is_symlink(folder / "link"));
  struct stat status;
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0640);
  CHECK(MapArena<World>(file.c_str()));
  CHECK(folder.files() == 2);

  const SaveError nowhere =
      Save(arena, *world, (folder / "none/world").c_str());
  CHECK(nowhere.code == ENOENT);
  CHECK(nowhere.what == "cannot be made: No such file or directory");
  std::filesystem::create_directory(folder / "folder");
  CHECK(Save(arena, *world, (folder / "folder").c_str()).code == EISDIR);
  CHECK(folder.files() == 3);
}

/// Runs in a child in which a system call is refused; false: it is not to be
/// had here.
bool WithRefused(long call, int error, const std::function<bool()>& body) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K,
                 SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const sock_fprog program{std::size(filter), filter};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      ::_exit(77);
    }
    ::_exit(body() ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) return false;
  CHECK(WEXITSTATUS(status) == 0);
  return true;
}

TEST_CASE("Save: where the system refuses, the old file stays, alone") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  REQUIRE(!Save(arena, *world, file.c_str()));
  const std::string before = ReadAll(file);
  world->things[0].health = 1;
  struct Refused {
    long call;
    int error;
  };
  const Refused calls[] = {
    {SYS_pwrite64, ENOSPC},
    {SYS_fsync, EIO},
    {SYS_mmap, ENOMEM},
#if defined(SYS_rename)
    {SYS_rename, EACCES},
#endif
  };
  for (const Refused& refused : calls) {
    CAPTURE(refused.call);
    // A sanitizer maps memory of its own, and ends where it cannot.
    if (ACRE_TEST_ASAN && refused.call == SYS_mmap) continue;
    const bool is_here = WithRefused(refused.call, refused.error, [&] {
      const SaveError told = Save(arena, *world, file.c_str());
      return told.code == refused.error && !told.what.empty();
    });
    if (!is_here) MESSAGE("seccomp is not to be had here");
    CHECK(ReadAll(file) == before);
    CHECK(folder.files() == 1);
  }
  for (const long call : {SYS_pread64, SYS_mmap}) {
    CAPTURE(call);
    if (ACRE_TEST_ASAN && call == SYS_mmap) continue;
    static_cast<void>(WithRefused(call, EIO, [&] {
      const SavedArena<World> saved = LoadArena<World>(file.c_str());
      return !saved && saved.error().code == EIO;
    }));
  }
}

TEST_CASE("Save: a file that is longer than the process may write") {
  const Folder folder;
  Arena arena;
  World* world = MakeWorld(arena);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const rlimit limit{10'000, 10'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const SaveError error = Save(arena, *world, (folder / "world").c_str());
    ::_exit(error.code == EFBIG ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));  // no SIGXFSZ
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(folder.files() == 0);
}

TEST_CASE("SavedArena: a child that is killed while it saves") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena, acre_test::Scaled(20'000, 2'000));
  REQUIRE(!Save(arena, *world, file.c_str()));
  world->things[0].health = 77;
  std::mt19937 random(1);
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      static_cast<void>(Save(arena, *world, file.c_str()));
      ::_exit(0);
    }
    ::usleep(random() % 30'000);
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    const SavedArena<World> saved = LoadArena<World>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    const int health = saved->things[0].health;
    CHECK((health == 77 || health == 1000));
  }
}

// ---------------------------------------------------------------- other files

TEST_CASE("SavedArena: what is no file of ours, or was cut or damaged") {
  const Folder folder;
  const std::string file = folder / "world";
  const auto error_of = [&](std::string_view bytes) {
    WriteAll(file, bytes);
    const SavedArena<World> mapped = MapArena<World>(file.c_str());
    const SavedArena<World> loaded = LoadArena<World>(file.c_str());
    CHECK(!loaded);
    // MapArena looks at the head alone; where it refuses it says the same.
    if (!mapped) CHECK(mapped.error().text() == loaded.error().text());
    return loaded.error().what;
  };
  CHECK(error_of("") == "is no saved arena");
  CHECK(error_of(std::string(1000, 'x')) == "is no saved arena");
  CHECK(LoadArena<World>((folder / "none").c_str()).error().code == ENOENT);
  CHECK(LoadArena<World>("/").error().code == EISDIR);
  CHECK(LoadArena<World>("/dev/null").error().code == EINVAL);

  Arena arena;
  const World* world = MakeWorld(arena);
  REQUIRE(!Save(arena, *world, file.c_str()));
  const std::string whole = ReadAll(file);
  for (const std::size_t cut : {1u, 100u, 5'000u, 40'000u}) {
    const std::string what = error_of(whole.substr(0, whole.size() - cut));
    CHECK(what == "has " + std::to_string(whole.size() - cut) + " bytes of " +
                      std::to_string(whole.size()));
  }
  CHECK(error_of(whole + "x").starts_with("has "));

  // Every bit counts; of the gap before the image, which nobody reads, none.
  std::mt19937 random(5);
  int found = 0;
  for (int i = 0; i < 300; ++i) {
    std::string damaged = whole;
    const std::size_t at = random() % whole.size();
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random() % 8));
    WriteAll(file, damaged);
    const SavedArena<World> loaded = LoadArena<World>(file.c_str());
    found += !loaded;
    if (at >= 65536) {
      CHECK(loaded.error().what.find("are not what was saved") !=
            std::string::npos);
      const SavedArena<World> verified =
          MapArena<World>(file.c_str(), {.verify = true});
      CHECK(verified.error().what == loaded.error().what);
    }
  }
  CHECK(found > 100);

  std::string other = whole;
  const std::uint32_t version = 9;
  std::memcpy(other.data() + 8, &version, sizeof version);
  CHECK(error_of(other) == "has version 9 of the format, and this is 2");
  other = whole;
  std::swap(other[12], other[15]);
  std::swap(other[13], other[14]);
  CHECK(error_of(other) ==
        "was saved on a machine with another order of bytes");
  other = whole;
  other[20] ^= 1;  // checked or not, and its sum put right
  CHECK(error_of(other) == "its header is damaged");
}

namespace before {
struct Player {
  std::int32_t hp = 1;
  double x = 2;
};
ACRE_LAYOUT(Player, hp, x)
struct Game {
  acre::Vector<Player> players;
  acre::Map<acre::String, Player*> by_name;
};
ACRE_LAYOUT(Game, players, by_name)
}  // namespace before

TEST_CASE("SavedArena: layouts of another version are refused by name") {
  const Folder folder;
  const std::string file = folder / "game";
  Arena arena;
  auto* game = arena.New<before::Game>();
  game->players.emplace_back();
  REQUIRE(!Save(arena, *game, file.c_str()));
  // What another version's file would say.
  const auto error_with = [&](std::string_view from, std::string_view to) {
    REQUIRE(from.size() == to.size());
    std::string bytes = ReadAll(file);
    const std::size_t at = bytes.find(from);
    REQUIRE(at != std::string::npos);
    bytes.replace(at, from.size(), to);
    acre::detail::SavedHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    header.types.sum =
        acre::detail::SumOf(bytes.data() + header.types.at, header.types.bytes);
    header.sum = acre::detail::SumOf(header);
    std::memcpy(bytes.data(), &header, sizeof header);
    WriteAll(folder / "other", bytes);
    const SaveError error =
        MapArena<before::Game>((folder / "other").c_str()).error();
    return error.path + ": " + error.what;
  };
  const std::string player =
      "saved_file_test::before::Game.saved_file_test::before::Player: ";
  CHECK(error_with(" hp\tint", " HP\tint") ==
        player +
            "field 'hp' (offset 0) is not in the file; saved by another "
            "version");
  CHECK(error_with(" x\tdouble", " x\tbouble") ==
        player +
            "field 'x' is double, and in the file bouble; saved by "
            "another version");
  CHECK(error_with("FIELD 8 8 0 x", "FIELD 4 8 0 x") ==
        player +
            "field 'x' is at offset 8, and in the file at 4; saved by "
            "another version");
  CHECK(error_with("FIELD 8 8 0 x", "FIELD 8 4 0 x") ==
        player +
            "field 'x' has 8 bytes, and in the file 4; saved by another "
            "version");
  CHECK(error_with("FIELD 8 8 0 x", "FIELD 8 8 1 x") ==
        player +
            "field 'x' has another note in the file; saved by another "
            "version");
  CHECK(error_with("TYPE 16 8 1", "TYPE 24 8 1") ==
        player + "has 16 bytes, and in the file 24; saved by another version");
  CHECK(error_with("TYPE 16 8 1", "NOTE 16 8 1")
            .starts_with("saved_file_test::before::Game"));
  const SavedArena<World> world = MapArena<World>(file.c_str());
  CHECK(world.error().path == "saved_world::World");
  CHECK(world.error().what == "the file holds 'saved_file_test::before::Game'");
}

}  // namespace saved_file_test
