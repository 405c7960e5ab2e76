// SPDX-License-Identifier: MIT
//
// Guards <acre/saved_arena.h>: what comes back is what was saved, at its own
// address and elsewhere; what cannot be saved, or is no whole file of ours, is
// refused by name.

#include "acre/saved_arena.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/audit.h"
#include "acre/checksum.h"
#include "acre/diff.h"
#include "acre/gc.h"
#include "acre/history.h"
#include "acre/map.h"
#include "acre/mmap_source.h"
#include "acre/scope.h"
#include "acre/set.h"
#include "acre/string.h"
#include "acre/vector.h"
#include "saved/saved_format.h"
#include "support/death.h"
#include "support/sanitizer.h"
#include "support/scaled.h"

namespace saved_arena_test {

using acre::Arena;
using acre::LoadArena;
using acre::MapArena;
using acre::Outside;
using acre::Save;
using acre::SavedArena;
using acre::SaveError;

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

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void WriteAll(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

constexpr std::string_view kLongName = "a name that needs storage of its own";

World* MakeWorld(Arena& arena, int count = 50) {
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

/// Everything that can be done with a world; what comes of it does not depend
/// on where it lies.
void Play(Arena& arena, World& world) {
  for (int i = 0; i < 200; ++i) {
    auto* thing = arena.New<Thing>();
    thing->name = kLongName;
    world.players[std::to_string(i)] = thing;
    world.scores[thing] = i;
    world.inside[static_cast<std::uint32_t>(i)].name = kLongName;
    world.seen.insert(i);
    world.unseen.insert(i);
    world.guarded[std::to_string(i)] = -i;
    world.lines.emplace_back().emplace_back("x");
  }
  for (auto& [number, thing] : world.inside) thing.target = nullptr;
  for (int i = 0; i < 100; i += 3) {
    arena.Free(world.players.at(std::to_string(i)));
    world.players.erase(std::to_string(i));
    world.lines[static_cast<std::size_t>(i)].clear();
  }
  // Those that were freed are keys no longer, wherever they were.
  acre::erase_if(world.scores,
                 [](const auto& entry) { return entry.second % 2 == 0; });
  world.scores.clear();
  world.leader.reset();
  world.score = nullptr;  // its table has grown
  world.teams = {};
  world.pair = {};
  arena.Free(world.far);
  world.far = arena.New<Wide>();
}

std::uint64_t PlayedSum(Arena& arena, World& world) {
  Play(arena, world);
  const acre::AuditReport report = acre::Audit(arena, world);
  REQUIRE_MESSAGE(report.findings.empty(), acre::ToText(report));
  return acre::Checksum(arena, world);
}

/// Something at the address of a file's image.
class InTheWay {
 public:
  explicit InTheWay(const void* address)
      : mapped_(::mmap(const_cast<void*>(address), 4096, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
                       0)) {
    REQUIRE(mapped_ == address);
  }
  InTheWay(const InTheWay&) = delete;
  InTheWay& operator=(const InTheWay&) = delete;
  ~InTheWay() { ::munmap(mapped_, 4096); }

 private:
  void* mapped_;
};

const void* const kAddress = reinterpret_cast<const void*>(0x551234000000);

/// What leads outside is saved by another engine than all else.
void CheckComesBack(bool has_inner_pointers, bool leads_outside) {
  CAPTURE(has_inner_pointers);
  CAPTURE(leads_outside);
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena({.name = "level"});
  World* world = MakeWorld(arena);
  if (!has_inner_pointers) {
    world->score = nullptr;
    world->health = nullptr;
    for (Thing& thing : world->things) thing.target = nullptr;
    world->some = {};
  }
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::string_view motto =
      std::exchange(world->motto, std::string_view());
  const std::uint64_t sum = acre::Checksum(arena, *world);
  world->motto = motto;
  if (leads_outside) world->motto = "a literal";
  REQUIRE(Save(arena, *world, file.c_str(),
               {.outside = leads_outside ? Outside::kNull : Outside::kRefuse,
                .address = kAddress})
              .text() == "");
  world->motto = {};
  CHECK(folder.files() == 1);
  const std::uint64_t played = PlayedSum(arena, *world);

  for (const bool is_elsewhere : {false, true}) {
    for (const int way : {0, 1, 2}) {
      CAPTURE(is_elsewhere);
      CAPTURE(way);
      std::optional<InTheWay> in_the_way;
      if (is_elsewhere) in_the_way.emplace(kAddress);
      SavedArena<World> saved =
          way == 0   ? MapArena<World>(file.c_str())
          : way == 1 ? MapArena<World>(file.c_str(), {.verify = true})
                     : LoadArena<World>(file.c_str(), {.name = "loaded"});
      REQUIRE_MESSAGE(saved, saved.error().text());
      CHECK(saved.is_moved() == is_elsewhere);
      CHECK(saved->motto == (leads_outside ? "" : "motto"));
      saved->motto = {};
      CHECK(acre::Checksum(saved.arena(), *saved) == sum);
      CHECK(acre::Audit(saved.arena(), *saved).findings.empty());
      CHECK(saved.arena().name() ==
            std::string_view(way == 2 ? "loaded" : "saved"));
      CHECK(acre::ArenaOf(&*saved) == &saved.arena());
      CHECK(saved->players.at("7")->drawn == 0);
      CHECK(saved->scores.at(saved->players.at("7")) == 7);
      CHECK(saved->guarded.at("8") == 8);
      if (has_inner_pointers) {
        CHECK(*saved->health == 1001);
        CHECK(saved->score == &saved->inside.at(6).health);
        CHECK(saved->some.data() == &saved->things[3]);
      }
      CHECK(reinterpret_cast<std::uintptr_t>(saved->far) % 64 == 0);
      CHECK(PlayedSum(saved.arena(), *saved) == played);
    }
  }
  // The file is as it was.
  SavedArena<World> last = MapArena<World>(file.c_str());
  last->motto = {};
  CHECK(acre::Checksum(last.arena(), *last) == sum);
}

TEST_CASE("SavedArena: what comes back is what was saved, wherever it lies") {
  CheckComesBack(true, false);
}
TEST_CASE("SavedArena: the same without pointers into objects") {
  CheckComesBack(false, false);
}
TEST_CASE("SavedArena: the same where something leads outside") {
  CheckComesBack(true, true);
  CheckComesBack(false, true);
}

TEST_CASE("SavedArena: what a mapped arena holds can be saved again") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::uint64_t sum = acre::Checksum(arena, *world);
  REQUIRE(!Save(arena, *world, file.c_str()));
  for (int i = 0; i < 3; ++i) {
    const SavedArena<World> saved = MapArena<World>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    // Over the very file that is mapped: the new one takes its place.
    REQUIRE(Save(saved.arena(), *saved, file.c_str()).text() == "");
    CHECK(acre::Checksum(saved.arena(), *saved) == sum);
  }
  const SavedArena<World> last = LoadArena<World>(file.c_str());
  REQUIRE_MESSAGE(last, last.error().text());
  CHECK(acre::Checksum(last.arena(), *last) == sum);
  CHECK(folder.files() == 1);
}

TEST_CASE("Save: equal worlds make equal files, where the address is given") {
  const Folder folder;
  Arena arena;
  const World* one = MakeWorld(arena);
  REQUIRE(!Save(arena, *one, (folder / "1").c_str(), {.address = kAddress}));
  REQUIRE(!Save(arena, *one, (folder / "2").c_str(), {.address = kAddress}));
  // What was freed is no part of the file.
  arena.Free(arena.New<Wide>());
  REQUIRE(!Save(arena, *one, (folder / "3").c_str(), {.address = kAddress}));
  // In checked builds no two arenas have the same stamps.
  CHECK((ReadAll(folder / "1") == ReadAll(folder / "3")) == !acre::kChecked);
  CHECK((ReadAll(folder / "1") == ReadAll(folder / "2")) == !acre::kChecked);
}

TEST_CASE("SavedArena: small ones, and one that is only a number") {
  const Folder folder;
  Arena arena;
  const int* number = arena.New<int>(42);
  REQUIRE(!Save(arena, *number, (folder / "number").c_str()));
  const SavedArena<int> saved = LoadArena<int>((folder / "number").c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(*saved == 42);

  // The root may be a part of something.
  const auto things = arena.NewArray<Thing>(4);
  things[2].health = 2;
  things[2].target = &things[3];
  REQUIRE(!Save(arena, things[2], (folder / "part").c_str()));
  const SavedArena<Thing> part = LoadArena<Thing>((folder / "part").c_str());
  REQUIRE_MESSAGE(part, part.error().text());
  CHECK(part->health == 2);
  CHECK(part->target->health == 100);
}

struct Node {
  Node* next = nullptr;
  acre::Vector<Node> children;
  std::int64_t number = 0;
};
ACRE_LAYOUT(Node, next, children, number)

TEST_CASE("SavedArena: long lists and deep nesting take no stack") {
  const Folder folder;
  Arena arena;
  auto* root = arena.New<Node>();
  const int count = acre_test::Scaled(300'000, 20'000);
  Node* last = root;
  Node* deepest = root;
  for (int i = 1; i < count; ++i) {
    last->next = arena.New<Node>();
    last = last->next;
    last->number = i;
    deepest = &deepest->children.emplace_back();
  }
  last->next = root;
  REQUIRE(Save(arena, *root, (folder / "list").c_str()).text() == "");
  const InTheWay in_the_way(kAddress);  // of nobody
  const SavedArena<Node> saved = LoadArena<Node>((folder / "list").c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  const Node* node = saved->next;
  for (int i = 1; i < count; ++i) {
    REQUIRE(node->number == i);
    node = node->next;
  }
  CHECK(node == &*saved);
  // An error at the end has a path that can be read.
  static Node elsewhere;
  last->next = &elsewhere;
  const SaveError error = Save(arena, *root, (folder / "list").c_str());
  CHECK(error.path.size() < 1000);
  CHECK(error.path.find("more)") != std::string::npos);
}

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
  const std::string name = "saved_arena_test::World";

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
                         ".leader.value() leads into saved_arena_test::Wide, "
                         "where no saved_arena_test::Thing lies");
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
  other[8] = 9;  // the version
  CHECK(error_of(other) == "has version 9 of the format, and this is 1");
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
      "saved_arena_test::before::Game.saved_arena_test::before::Player: ";
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
            .starts_with("saved_arena_test::before::Game"));
  const SavedArena<World> world = MapArena<World>(file.c_str());
  CHECK(world.error().path == "saved_arena_test::World");
  CHECK(world.error().what ==
        "the file holds 'saved_arena_test::before::Game'");
}

// ---------------------------------------------------------------- as an arena

TEST_CASE("SavedArena: marks, scopes, Reset and History work as in any") {
  const Folder folder;
  const std::string file = folder / "world";
  {
    Arena arena;
    REQUIRE(!Save(arena, *MakeWorld(arena), file.c_str()));
  }
  SavedArena<World> saved = MapArena<World>(file.c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  Arena& arena = saved.arena();
  const std::uint64_t sum = acre::Checksum(arena, *saved);
  {
    acre::History history(arena, *saved);
    const acre::FrameId frame = history.Capture();
    const std::uint64_t played = PlayedSum(arena, *saved);
    CHECK(acre::Diff(*saved, history, frame).differences.size() > 0);
    history.Restore(frame);
    CHECK(acre::Checksum(arena, *saved) == sum);
    CHECK(PlayedSum(arena, *saved) == played);
    history.Restore(frame);
  }
  {
    const acre::Scope scope(arena);
    arena.NewArray<Thing>(10'000);
  }
  CHECK(acre::Checksum(arena, *saved) == sum);
  const acre::ArenaStats before = arena.stats();
  arena.NewArray<Wide>(100'000);  // from elsewhere
  CHECK(arena.stats().reserved > before.reserved);
  arena.Reset();
  CHECK(arena.stats().live() == 0);
  World* again = MakeWorld(arena);
  CHECK(acre::Audit(arena, *again).findings.empty());
  arena.Reset(acre::ResetMode::kRelease);
  CHECK(acre::Audit(arena, *MakeWorld(arena)).findings.empty());
}

TEST_CASE("SavedArena: many at once, moved, and ended in any order") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  World* world = MakeWorld(arena);
  for (const auto& [name, thing] : world->players) thing->drawn = 0;
  const std::uint64_t sum = acre::Checksum(arena, *world);
  REQUIRE(!Save(arena, *world, file.c_str()));
  std::vector<SavedArena<World>> all;
  for (int i = 0; i < 20; ++i) {
    all.push_back(i % 2 == 0 ? MapArena<World>(file.c_str())
                             : LoadArena<World>(file.c_str()));
    CHECK(all.back().is_moved() == (i != 0));
  }
  all[3] = std::move(all[9]);
  all[3] = SavedArena<World>();
  CHECK(!all[9]);
  CHECK(!all[9].error());
  for (std::size_t i = 0; i < all.size(); i += 2) {
    CHECK(acre::Checksum(all[i].arena(), *all[i]) == sum);
    Play(all[i].arena(), *all[i]);
    all[i] = SavedArena<World>();
  }
  CHECK(acre::Checksum(all[5].arena(), *all[5]) == sum);
  CHECK_DIES(static_cast<void>(all[9].root()), "holds none");
  CHECK_DIES(static_cast<void>(MapArena<World>("/no/such/file").arena()),
             "/no/such/file: cannot be opened");
}

constexpr const char* kFileVariable = "ACRE_TEST_SAVED_FILE";

TEST_CASE("SavedArena: in a process of its own" * doctest::skip()) {
  const char* const file = std::getenv(kFileVariable);
  REQUIRE(file != nullptr);
  const SavedArena<World> saved = MapArena<World>(file);
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(saved->guarded.size() == 50);
  for (int i = 0; i < 50; ++i) {
    CHECK(saved->guarded.at(std::to_string(i)) == i);
    CHECK(saved->players.at(std::to_string(i))->health == i);
  }
}

TEST_CASE("SavedArena: another process, with seeds of its own") {
  const Folder folder;
  const std::string file = folder / "world";
  Arena arena;
  const World* world = MakeWorld(arena);
  REQUIRE(!Save(arena, *world, file.c_str()));
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::setenv(kFileVariable, file.c_str(), 1);
    ::execl("/proc/self/exe", "unit_tests", "--no-skip", "--minimal",
            "--test-case=SavedArena: in a process of its own", nullptr);
    ::_exit(77);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("Save: of arenas over any source, in few chunks and in many") {
  const Folder folder;
  const std::string file = folder / "world";
  acre::MmapSource range({.reserve = std::size_t{1} << 30});
  acre::MallocSource& heap = acre::MallocSource::Instance();
  const acre::ArenaOptions all[] = {
      {.source = &range},
      {.source = &heap, .first_chunk = 4096, .max_chunk = 4096},
      {},
  };
  for (const acre::ArenaOptions& options : all) {
    Arena arena(options);
    World* world = MakeWorld(arena, 300);
    for (const auto& [name, thing] : world->players) thing->drawn = 0;
    REQUIRE(!Save(arena, *world, file.c_str()));
    const SavedArena<World> saved = LoadArena<World>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    CHECK(acre::Checksum(saved.arena(), *saved) ==
          acre::Checksum(arena, *world));
  }
  Arena* collected = acre::NewCollectedArena();
  World* world = MakeWorld(*collected);
  CHECK(Save(*collected, *world, file.c_str()).text() == "");
}

}  // namespace saved_arena_test
