// SPDX-License-Identifier: MIT
//
// Guards <acre/saved_arena.h> where it is strange: roots and keys in tables,
// fields that are left out, what lies between objects, parts of parts, files
// that are none. Each was wrong once.

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "acre/audit.h"
#include "acre/deep_copy.h"
#include "acre/gc.h"
#include "acre/saved_arena.h"
#include "saved/saved_format.h"
#include "saved_world.h"

namespace saved_edge_test {

using acre::Arena;
using acre::LoadArena;
using acre::MapArena;
using acre::Outside;
using acre::Save;
using acre::SavedArena;
using acre::SaveError;
using saved_world::Folder;
using saved_world::kAddress;
using saved_world::ReadAll;
using saved_world::WriteAll;

/// Saves the root and opens it in each way.
template <class T>
void ForEachWay(const Arena& arena, const T& root,
                const std::function<void(SavedArena<T>&)>& check,
                Outside outside = Outside::kRefuse) {
  const Folder folder;
  const std::string file = folder / "file";
  REQUIRE(Save(arena, root, file.c_str(), {.outside = outside}).text() == "");
  SavedArena<T> all[] = {MapArena<T>(file.c_str()), MapArena<T>(file.c_str()),
                         LoadArena<T>(file.c_str()),
                         MapArena<T>(file.c_str(), {.verify = true})};
  for (SavedArena<T>& saved : all) {
    REQUIRE_MESSAGE(saved, saved.error().text());
    check(saved);
    CHECK(acre::Audit(saved.arena(), *saved).findings.empty());
  }
}

// -------------------------------------------------------------- tables and
// keys

struct Table;
struct Row {
  Table* table = nullptr;
  int value = 0;
};
ACRE_LAYOUT(Row, table, value)
struct Table {
  acre::Map<int*, Row> rows;
  Row* same = nullptr;
};
ACRE_LAYOUT(Table, rows, same)

TEST_CASE("Save, DeepCopy: the root is an entry of a table that moves") {
  Arena arena;
  auto* table = arena.New<Table>();
  for (int i = 0; i < 40; ++i) {
    Row& row = table->rows[arena.New<int>(i)];
    row = {table, i};
  }
  for (auto& entry : table->rows) {
    Row& row = entry.second;
    table->same = &row;
    Arena other;
    const Row* copy = acre::DeepCopy(other, row);
    CHECK(copy->value == row.value);
    CHECK(copy->table->same == copy);
    if (row.value % 8 != 0) continue;
    ForEachWay<Row>(arena, row, [&](SavedArena<Row>& saved) {
      CHECK(saved->value == row.value);
      CHECK(saved->table->same == &*saved);
      for (const auto& [number, there] : saved->table->rows) {
        CHECK(*number == there.value);
        CHECK(saved->table->rows.contains(number));
      }
    });
  }
}

struct Keys {
  acre::Map<int*, int> map;
  acre::Set<int*> set;
};
ACRE_LAYOUT(Keys, map, set)

TEST_CASE("Save: keys that null would make one, or that point into entries") {
  const Folder folder;
  const std::string file = folder / "file";
  Arena arena({.name = "keys"});
  auto* keys = arena.New<Keys>();
  static int outside[3];
  for (int& number : outside) keys->set.insert(&number);
  const SaveError error =
      Save(arena, *keys, file.c_str(), {.outside = Outside::kNull});
  CHECK(error.what == "points out of the arena 'keys', and is in a key");
  CHECK(error.path.starts_with("saved_edge_test::Keys.set{"));
  keys->set.clear();
  // As values they may be dropped, as keys they are found where they were.
  for (int i = 0; i < 30; ++i) keys->map[arena.New<int>(i)] = i;
  for (auto& [key, value] : keys->map) keys->set.insert(&value);
  CHECK(Save(arena, *keys, file.c_str()).what.find("points into an entry of") !=
        std::string::npos);
  CHECK(folder.files() == 0);
  keys->set.clear();
  ForEachWay<Keys>(arena, *keys, [](SavedArena<Keys>& saved) {
    for (const auto& [key, value] : saved->map) {
      CHECK(*key == value);
      CHECK(saved->map.contains(key));
    }
  });
}

// ---------------------------------------------------------------- fields left
// out

struct LeftOut {
  acre::Map<int, int> drawn;
  acre::Set<int> lent;
  acre::String title;
  acre::Vector<int> list;
  std::variant<acre::String, int> choice;
  std::optional<acre::String> maybe;
  std::span<int> none;
  int kept = 0;
};
ACRE_LAYOUT(LeftOut, transient(borrowed(drawn)), borrowed(lent),
            transient(borrowed(title)), borrowed(list),
            transient(borrowed(choice)), transient(borrowed(maybe)), none, kept)

TEST_CASE("Save: containers in fields that are left out come back empty") {
  Arena arena;
  auto* root = arena.New<LeftOut>();
  root->kept = 7;
  root->choice = acre::String("a text");
  root->none = {static_cast<int*>(nullptr) + 0, 0};
  // Bound, but empty: nothing is lent.
  ForEachWay<LeftOut>(arena, *root, [](SavedArena<LeftOut>& saved) {
    CHECK(saved->kept == 7);
    CHECK(saved->title.empty());
  });
  root->drawn[1] = 2;
  root->title = "a title that needs storage of its own";
  root->maybe = acre::String("short");
  root->lent.insert(3);
  root->list.push_back(1);
  const Folder folder;
  CHECK(Save(arena, *root, (folder / "file").c_str()).path ==
        "saved_edge_test::LeftOut.lent");
  ForEachWay<LeftOut>(
      arena, *root,
      [](SavedArena<LeftOut>& saved) {
        CHECK(saved->drawn.empty());
        CHECK(!saved->drawn.contains(1));
        saved->drawn[5] = 6;
        CHECK(saved->drawn.at(5) == 6);
        CHECK(!saved->lent.contains(3));
        saved->lent.insert(8);
        CHECK(saved->title.empty());
        CHECK(saved->title == "");
        saved->title = "another title that needs storage";
        CHECK(saved->list.empty());
        saved->list.push_back(2);
        CHECK(std::get<0>(saved->choice).empty());
        CHECK(!saved->maybe);
        saved->drawn.clear();
        saved->lent.clear();
        saved->list.clear();
      },
      Outside::kNull);
  CHECK(root->drawn.at(1) == 2);
}

// -------------------------------------------------------- what lies in between

struct Padded {
  char first = 1;
  long second = 2;
  short third = 3;
};
ACRE_LAYOUT(Padded, first, second, third)

struct Base {
  std::int64_t a = 1;
  std::int32_t b = 2;
};
ACRE_LAYOUT(Base, a, b)
/// Its field may lie in the padding of its base.
struct Derived : Base {
  constexpr Derived() {}
  std::int32_t c = 3;
};
ACRE_LAYOUT(Derived, base(Base), c)

struct Between {
  acre::Set<std::uint64_t> numbers;
  acre::Vector<Padded> rows;
  acre::Vector<Derived> derived;
  std::optional<Padded> maybe;
  std::optional<std::uint64_t> gone;
  Padded many[20];
  std::tuple<Padded, int> two;
};
ACRE_LAYOUT(Between, numbers, rows, derived, maybe, gone, many, two)

Between* MakeBetween(Arena& arena, std::uint64_t secret) {
  // What the arena had before.
  for (int i = 0; i < 200; ++i) {
    auto* const old = static_cast<std::uint64_t*>(arena.Allocate(4096));
    for (int k = 0; k < 512; ++k) old[k] = secret;
    arena.Free(old, 4096);
  }
  arena.Reset();
  auto* const root = arena.New<Between>();
  for (std::uint64_t i = 0; i < 300; ++i) root->numbers.insert(secret + i);
  for (std::uint64_t i = 10; i < 300; ++i) root->numbers.erase(secret + i);
  root->numbers.clear();
  for (std::uint64_t i = 0; i < 10; ++i) root->numbers.insert(i);
  for (int i = 0; i < 20; ++i) {
    root->rows.emplace_back();
    root->derived.emplace_back();
  }
  // The padding of a row that was something else before.
  for (Padded& padded : root->many) {
    std::memset(reinterpret_cast<char*>(&padded) + 1, 0x5E, 7);
    std::memset(reinterpret_cast<char*>(&padded) + 18,
                static_cast<int>(secret >> 56), 6);
  }
  auto& first = std::get<0>(root->two);
  std::memset(reinterpret_cast<char*>(&first) + 1,
              static_cast<int>(secret >> 56), 7);
  root->gone = secret;
  root->gone.reset();
  return root;
}

TEST_CASE("Save: nothing that was erased, freed or never anything is written") {
  constexpr std::uint64_t kSecret = 0x5EC4E75EC4E75EC4;
  const Folder folder;
  std::string files[2];
  for (const std::uint64_t which : {0, 1}) {
    Arena arena;
    const Between* root = MakeBetween(arena, kSecret + (which << 56));
    const std::string file = folder / std::to_string(which);
    REQUIRE(Save(arena, *root, file.c_str(), {.address = kAddress}).text() ==
            "");
    files[which] = ReadAll(file);
    // By its top: the low bytes count.
    const std::uint64_t secret = kSecret + (which << 56);
    std::string bytes(reinterpret_cast<const char*>(&secret) + 2, 6);
    CHECK(files[which].find(bytes) == std::string::npos);
    const SavedArena<Between> saved = LoadArena<Between>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    CHECK(saved->derived[19].c == 3);
    CHECK(saved->derived[19].b == 2);
    CHECK(saved->rows[19].third == 3);
    CHECK(saved->numbers.size() == 10);
  }
  // In checked builds no two arenas have the same stamps.
  CHECK((files[0] == files[1]) == !acre::kChecked);
}

/// Places of which one of several parts has the bytes, or none.
struct Chosen {
  std::variant<char, std::array<std::uint64_t, 6>, std::monostate> part;
  std::optional<std::uint64_t> none;
  std::optional<std::uint64_t> some;
  std::variant<Padded, int> padded;
  std::optional<std::variant<char, double>> both;
};
ACRE_LAYOUT(Chosen, part, none, some, padded, both)
struct ManyChosen {
  acre::Vector<Chosen> all;
};
ACRE_LAYOUT(ManyChosen, all)

TEST_CASE("Save: nothing that another part had, or that lies behind a flag") {
  const Folder folder;
  std::string files[2];
  for (const int which : {0, 1}) {
    Arena arena;
    auto* const root = arena.New<ManyChosen>();
    root->all.resize(40);
    Chosen* const all = root->all.data();
    for (int i = 0; i < 40; ++i) {
      Chosen& chosen = all[i];
      // Whatever was there before these were made.
      std::memset(static_cast<void*>(&chosen), 0x51 + which, sizeof chosen);
      new (&chosen) Chosen;
      std::array<std::uint64_t, 6> numbers;
      numbers.fill(0x5EC4E75EC4E75EC4u + static_cast<unsigned>(which));
      chosen.part = numbers;
      switch (i % 3) {
        case 0:
          chosen.part.emplace<char>('c');
          break;
        case 1:
          chosen.part.emplace<std::monostate>();
          break;
        default:
          numbers.fill(7);
          chosen.part = numbers;
      }
      chosen.none = numbers[0];
      chosen.none.reset();
      chosen.some = 5;
      if (i % 2 == 0) chosen.padded = 9;
      if (i % 4 != 0) chosen.both = 1e9 + which;
      if (i % 4 != 0) *chosen.both = 'b';
    }
    const std::string file = folder / std::to_string(which);
    REQUIRE(Save(arena, *root, file.c_str(), {.address = kAddress}).text() ==
            "");
    files[which] = ReadAll(file);
    const SavedArena<ManyChosen> saved = LoadArena<ManyChosen>(file.c_str());
    REQUIRE_MESSAGE(saved, saved.error().text());
    const Chosen* const back = saved->all.data();
    for (int i = 0; i < 40; ++i) {
      CHECK(back[i].part == all[i].part);
      CHECK(!back[i].none);
      CHECK(back[i].some == 5);
      CHECK(back[i].padded.index() == all[i].padded.index());
      CHECK(back[i].both == all[i].both);
    }
  }
  CHECK((files[0] == files[1]) == !acre::kChecked);
  std::size_t differing = 0;
  for (std::size_t i = 65536; i < files[0].size(); ++i) {
    differing += files[0][i] != files[1][i] ? 1 : 0;
  }
  if (!acre::kChecked) CHECK(differing == 0);
}

TEST_CASE("Save: of a collected arena nothing of the collector's remains") {
  Arena* const arena = acre::NewCollectedArena();
  auto* const root = MakeBetween(*arena, 7);
  const Folder folder;
  REQUIRE(Save(*arena, *root, (folder / "file").c_str()).text() == "");
  const SavedArena<Between> saved =
      MapArena<Between>((folder / "file").c_str());
  REQUIRE_MESSAGE(saved, saved.error().text());
  CHECK(acre::AuditAll(saved.arena(), {acre::RootOf(*saved)}).findings.empty());
}

// ----------------------------------------------------------------------- parts

struct Target {
  std::int64_t a = 1;
  Target* next = nullptr;
  std::int64_t b = 3;
  std::optional<Target*> maybe;
  std::variant<std::uint64_t, Target*> either;
  std::optional<int> number;
  bool flag = false;
  double row[4] = {1, 2, 3, 4};
  acre::String name;
  std::pair<std::int32_t, std::int32_t> pair = {5, 6};
};
ACRE_LAYOUT(Target, a, next, b, maybe, either, number, flag, row, name, pair)

struct Pointers {
  Target target;
  Target** to_maybe = nullptr;
  std::span<std::int64_t> numbers;
  std::span<double> doubles;
  std::span<const unsigned char> bytes;
  std::string_view text;
  const std::int32_t* second = nullptr;
  std::optional<int>* option = nullptr;
  acre::Vector<double> more;
};
ACRE_LAYOUT(Pointers, target, to_maybe, numbers, doubles, bytes, text, second,
            option, more)

TEST_CASE("Save: pointers to parts are what they seem, or are refused") {
  Arena arena;
  auto* root = arena.New<Pointers>();
  root->target.maybe = &root->target;
  root->to_maybe = &*root->target.maybe;
  root->doubles = std::span(root->target.row).subspan(1, 2);
  root->target.name = "short";
  root->text = root->target.name.view().substr(1, 3);
  root->second = &root->target.pair.second;
  root->option = &root->target.number;
  for (int i = 0; i < 9; ++i) root->more.push_back(i);
  // Bytes of numbers, and of nothing else.
  root->bytes = {reinterpret_cast<const unsigned char*>(&root->more[1]), 16};
  root->numbers = {&root->target.b, 1};
  ForEachWay<Pointers>(arena, *root, [](SavedArena<Pointers>& saved) {
    CHECK(saved->to_maybe == &*saved->target.maybe);
    CHECK(saved->doubles.data() == &saved->target.row[1]);
    CHECK(saved->text == "hor");
    CHECK(*saved->second == 6);
    CHECK(saved->option == &saved->target.number);
    CHECK(static_cast<const void*>(saved->bytes.data()) == &saved->more[1]);
  });

  const Folder folder;
  const auto refused = [&] {
    return Save(arena, *root, (folder / "file").c_str()).path;
  };
  const auto numbers = root->numbers;
  root->numbers = {&root->target.a, 3};  // over a pointer
  CHECK(refused() == "saved_edge_test::Pointers.numbers");
  root->numbers = numbers;
  const auto bytes = root->bytes;
  root->bytes = {reinterpret_cast<const unsigned char*>(&root->more), 16};
  CHECK(refused() == "saved_edge_test::Pointers.bytes");
  root->bytes = {reinterpret_cast<const unsigned char*>(&root->target.flag), 1};
  CHECK(refused() == "saved_edge_test::Pointers.bytes");
  root->bytes = bytes;
  root->option = reinterpret_cast<std::optional<int>*>(&root->target.b);
  CHECK(refused() == "saved_edge_test::Pointers.option");
  root->option = nullptr;
  root->target.maybe.reset();  // there is none any more
  CHECK(refused() == "saved_edge_test::Pointers.to_maybe");
  CHECK(folder.files() == 0);
}

/// Changes a word of the file's image and puts its sums right.
template <class Change>
void Forge(const std::string& file, Change change) {
  std::string bytes = ReadAll(file);
  acre::detail::SavedHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  char* const image = bytes.data() + header.image.at;
  change(image, header);
  for (std::size_t at = 0; at < header.image.bytes;
       at += acre::detail::kSumBytes) {
    const std::uint64_t sum = acre::detail::SumOf(
        image + at, std::min<std::size_t>(acre::detail::kSumBytes,
                                          header.image.bytes - at));
    std::memcpy(bytes.data() + header.sums.at +
                    at / acre::detail::kSumBytes * sizeof sum,
                &sum, sizeof sum);
  }
  header.sums.sum =
      acre::detail::SumOf(bytes.data() + header.sums.at, header.sums.bytes);
  header.sum = acre::detail::SumOf(header);
  std::memcpy(bytes.data(), &header, sizeof header);
  WriteAll(file, bytes);
}

TEST_CASE("LoadArena: a table of one group never overflows") {
  const Folder folder;
  const std::string file = folder / "file";
  Arena arena;
  auto* map = arena.New<acre::Map<int, acre::String>>();
  map->reserve(15);
  for (int i = 0; i < 14; ++i) (*map)[i] = "text";
  REQUIRE(!Save(arena, *map, file.c_str()));
  using Map = acre::Map<int, acre::String>;
  CHECK(LoadArena<Map>(file.c_str()));
  Forge(file, [](char* image, const acre::detail::SavedHeader& header) {
    // The control bytes stand at the start of the storage, which comes before
    // or behind the Map.
    const std::size_t map_at = header.root;
    const std::size_t table_at =
        map_at == 16 ? 16 + (sizeof(Map) + 15) / 16 * 16 : 16;
    REQUIRE(image[table_at + 15] == 0);
    REQUIRE(image[table_at] != 0);
    image[table_at + 15] = 1;
  });
  CHECK(LoadArena<Map>(file.c_str()).error().what.starts_with("is no "));
}

TEST_CASE("LoadArena: a file with holes of a terabyte is refused at once") {
  const Folder folder;
  const std::string file = folder / "file";
  Arena arena;
  REQUIRE(!Save(arena, *arena.New<int>(1), file.c_str()));
  constexpr std::uint64_t kHole = std::uint64_t{1} << 40;
  const std::string whole = ReadAll(file);
  for (const bool is_types : {true, false}) {
    WriteAll(file, whole);
    Forge(file, [&](char*, acre::detail::SavedHeader& header) {
      (is_types ? header.types : header.blocks).bytes = kHole - 4096;
      header.file_bytes = kHole;
    });
    if (::truncate(file.c_str(), static_cast<off_t>(kHole)) != 0) {
      MESSAGE("no file may be so long here");
      return;
    }
    CHECK(LoadArena<int>(file.c_str()).error().what.ends_with("is damaged"));
    CHECK(LoadArena<int>(file.c_str(), {.max_bytes = 1 << 20})
              .error()
              .what.ends_with("more than are allowed"));
  }
}

TEST_CASE("LoadArena: others do not choose where their objects come to lie") {
  const Folder folder;
  const std::string file = folder / "file";
  Arena arena;
  const auto* const elsewhere = reinterpret_cast<const void*>(0x330000000000);
  REQUIRE(
      !Save(arena, *arena.New<int>(1), file.c_str(), {.address = elsewhere}));
  const SavedArena<int> mapped = MapArena<int>(file.c_str());
  CHECK(!mapped.is_moved());
  const SavedArena<int> loaded = LoadArena<int>(file.c_str());
  CHECK(loaded.is_moved());
  CHECK(reinterpret_cast<std::uintptr_t>(&*loaded) >= 0x550000000000);
}

// ----------------------------------------------------------------------- files

TEST_CASE("Save: takes the place of files alone") {
  const Folder folder;
  Arena arena;
  const int* number = arena.New<int>(1);
  const std::string fifo = folder / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(Save(arena, *number, fifo.c_str()).code == EINVAL);
  CHECK(std::filesystem::is_fifo(fifo));
  CHECK(Save(arena, *number, "").code == ENOENT);
  // As long as a name may be.
  const std::string longest = folder / std::string(255, 'n');
  CHECK(Save(arena, *number, longest.c_str()).text() == "");
  CHECK(*MapArena<int>(longest.c_str()) == 1);
  // A link to what is not there yet.
  std::filesystem::create_symlink("target", folder / "link");
  CHECK(Save(arena, *number, (folder / "link").c_str()).text() == "");
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(*MapArena<int>((folder / "target").c_str()) == 1);
  // Relative to where the process stands.
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder / "");
  CHECK(Save(arena, *number, "here").text() == "");
  std::filesystem::current_path(before);
  CHECK(*MapArena<int>((folder / "here").c_str()) == 1);
  CHECK(folder.files() == 5);
}

TEST_CASE("Save: what leads to freed memory is told as such") {
  if (!acre::kChecked) return;  // who frees is not known
  const Folder folder;
  Arena arena;
  auto* root = arena.New<saved_world::Thing>();
  root->target = arena.New<saved_world::Thing>();
  root->target->target = root;
  arena.Free(root->target);
  const SaveError error = Save(arena, *root, (folder / "file").c_str());
  CHECK(error.path == "saved_world::Thing.target");
  CHECK(error.what == "leads to what was freed");
}

}  // namespace saved_edge_test
