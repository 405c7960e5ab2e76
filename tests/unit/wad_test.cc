// SPDX-License-Identifier: MIT
//
// Guards the promise of examples/game_world/wad.h: whatever the bytes, levels
// whose indices are in range, or an error that names lump and offence.

#include "wad.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/scaled.h"

namespace wad_test {

using Bytes = std::vector<std::uint8_t>;

void Put16(Bytes& to, unsigned value) {
  to.push_back(static_cast<std::uint8_t>(value));
  to.push_back(static_cast<std::uint8_t>(value >> 8));
}
void Put32(Bytes& to, std::uint32_t value) {
  Put16(to, value & 0xFFFF);
  Put16(to, value >> 16);
}
void PutName(Bytes& to, std::string_view name) {
  for (std::size_t i = 0; i < 8; ++i) {
    to.push_back(i < name.size() ? static_cast<std::uint8_t>(name[i]) : 0);
  }
}
void Set16(Bytes& in, std::size_t at, unsigned value) {
  in[at] = static_cast<std::uint8_t>(value);
  in[at + 1] = static_cast<std::uint8_t>(value >> 8);
}
void Set32(Bytes& in, std::size_t at, std::uint32_t value) {
  Set16(in, at, value & 0xFFFF);
  Set16(in, at + 2, value >> 16);
}

/// A WAD being put together, lump by lump.
struct Maker {
  struct Entry {
    std::string name;
    Bytes bytes;
  };
  std::vector<Entry> lumps;

  Maker& Add(std::string name, Bytes bytes = {}) {
    lumps.push_back({std::move(name), std::move(bytes)});
    return *this;
  }
  Bytes& operator[](std::string_view name) {
    for (Entry& lump : lumps) {
      if (lump.name == name) return lump.bytes;
    }
    FAIL("no such lump");
    return lumps[0].bytes;
  }
  void Remove(std::string_view name) {
    std::erase_if(lumps, [&](const Entry& e) { return e.name == name; });
  }

  /// The directory at the end, as tools write it, or right at the start.
  Bytes Finish(bool directory_first = false) const {
    Bytes out;
    const auto count = static_cast<std::uint32_t>(lumps.size());
    std::uint32_t data = 0;
    for (const Entry& lump : lumps) {
      data += static_cast<std::uint32_t>(lump.bytes.size());
    }
    for (char c : std::string_view("PWAD")) {
      out.push_back(static_cast<std::uint8_t>(c));
    }
    Put32(out, count);
    Put32(out, directory_first ? 12 : 12 + data);
    if (directory_first) PutDirectory(out, 12 + 16 * count);
    for (const Entry& lump : lumps) {
      out.insert(out.end(), lump.bytes.begin(), lump.bytes.end());
    }
    if (!directory_first) PutDirectory(out, 12);
    return out;
  }

 private:
  void PutDirectory(Bytes& out, std::uint32_t at) const {
    for (const Entry& lump : lumps) {
      const auto size = static_cast<std::uint32_t>(lump.bytes.size());
      Put32(out, at);
      Put32(out, size);
      PutName(out, lump.name);
      at += size;
    }
  }
};

/// Two triangles that share a line: 4 vertexes, 5 lines, 6 sides, 2 sectors.
Maker SmallWad(std::string level = "MAP01") {
  Bytes things, lines, sides, vertexes, sectors;
  for (int value : {16, -16, 90, 1, 7}) Put16(things, value & 0xFFFF);
  constexpr int kLines[5][4] = {
      {0, 1, 0, -1}, {1, 2, 1, -1}, {2, 0, 2, 3}, {2, 3, 4, -1}, {3, 0, 5, -1}};
  for (const auto& [from, to, front, back] : kLines) {
    for (int value : {from, to, 1, 0, 0, front, back}) {
      Put16(lines, value & 0xFFFF);
    }
  }
  for (int sector : {0, 0, 0, 1, 1, 1}) {
    Put16(sides, 3);
    Put16(sides, 0xFFFC);
    for (const char* name : {"-", "BRICK", "EIGHTCHR"}) PutName(sides, name);
    Put16(sides, sector);
  }
  for (int value : {0, 0, 0, 128, 128, 0, 0, -128}) {
    Put16(vertexes, value & 0xFFFF);
  }
  for (int i = 0; i < 2; ++i) {
    Put16(sectors, 0xFFF8);
    Put16(sectors, 128);
    for (const char* name : {"FLOOR1", "CEIL1"}) PutName(sectors, name);
    for (int value : {160, 9, 5}) Put16(sectors, value);
  }
  Maker maker;
  maker.Add("JUNK", {1, 2, 3}).Add(std::move(level)).Add("THINGS", things);
  maker.Add("LINEDEFS", lines).Add("SIDEDEFS", sides);
  maker.Add("VERTEXES", vertexes).Add("SECTORS", sectors);
  return maker;
}

Maker Two(Maker first, const Maker& second) {
  for (const Maker::Entry& lump : second.lumps) first.lumps.push_back(lump);
  return first;
}

game::Wad Parse(const Bytes& bytes) { return game::ParseWad(bytes, "x.wad"); }
std::string ErrorOf(const Maker& maker) { return Parse(maker.Finish()).error; }

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

bool IsSound(const game::RawLevel& level) {
  for (const game::RawLine& line : level.lines) {
    if (line.from >= level.vertexes.size()) return false;
    if (line.to >= level.vertexes.size()) return false;
    if (line.front >= level.sides.size()) return false;
    if (line.back != game::kNoSide && line.back >= level.sides.size()) {
      return false;
    }
  }
  for (const game::RawSide& side : level.sides) {
    if (side.sector >= level.sectors.size()) return false;
  }
  return true;
}

/// An error, or at least one level and all of them sound; never both.
bool KeepsPromise(const game::Wad& wad) {
  for (const std::string& text : wad.left_out) {
    if (!text.starts_with("x.wad: ")) return false;
  }
  if (!wad.error.empty()) {
    return wad.levels.empty() && wad.error.starts_with("x.wad: ");
  }
  for (const game::RawLevel& level : wad.levels) {
    if (!IsSound(level)) return false;
  }
  return !wad.levels.empty();
}

/// A copy without slack behind it, so that ASan sees any read past the end.
game::Wad ParseExactly(const std::uint8_t* data, std::size_t size) {
  const Bytes copy(data, data + size);
  return Parse(copy);
}

TEST_CASE("a WAD is read, every field of it") {
  const game::Wad wad = Parse(SmallWad().Finish());
  REQUIRE(wad.error == "");
  REQUIRE(wad.levels.size() == 1);
  const game::RawLevel& level = wad.levels[0];
  CHECK(level.name == "MAP01");
  REQUIRE(level.things.size() == 1);
  CHECK(level.things[0].x == 16);
  CHECK(level.things[0].y == -16);
  CHECK(level.things[0].angle == 90);
  CHECK(level.things[0].type == 1);
  REQUIRE(level.lines.size() == 5);
  CHECK(level.lines[0].back == game::kNoSide);
  CHECK(level.lines[2].from == 2);
  CHECK(level.lines[2].front == 2);
  CHECK(level.lines[2].back == 3);
  REQUIRE(level.sides.size() == 6);
  CHECK(level.sides[0].x_offset == 3);
  CHECK(level.sides[0].y_offset == -4);
  CHECK(level.sides[0].upper == "-");
  CHECK(level.sides[0].middle == "EIGHTCHR");
  CHECK(level.sides[5].sector == 1);
  REQUIRE(level.vertexes.size() == 4);
  CHECK(level.vertexes[3].y == -128);
  REQUIRE(level.sectors.size() == 2);
  CHECK(level.sectors[1].floor == -8);
  CHECK(level.sectors[1].ceiling == 128);
  CHECK(level.sectors[1].ceiling_flat == "CEIL1");
  CHECK(level.sectors[1].tag == 5);
}

TEST_CASE("IWAD, ExMy, and the directory in front are read too") {
  Bytes iwad = SmallWad("E2M7").Finish(true);
  iwad[0] = 'I';
  const game::Wad wad = Parse(iwad);
  CHECK(wad.error == "");
  REQUIRE(wad.levels.size() == 1);
  CHECK(wad.levels[0].name == "E2M7");
}

TEST_CASE("a marker may have any offset") {
  Bytes bytes = SmallWad().Finish(true);
  Set32(bytes, 12 + 16, 0xFFFFFFFF);  // of MAP01, the second entry
  CHECK(Parse(bytes).error == "");
}

TEST_CASE("header and directory: what is wrong is said") {
  const Bytes good = SmallWad().Finish();
  CHECK(Has(Parse({}).error, "truncated header: 0 bytes of 12"));
  CHECK(Has(ParseExactly(good.data(), 11).error, "truncated header"));
  Bytes bad = good;
  bad[1] = 'M';
  CHECK(Has(Parse(bad).error, "not a WAD file"));
  bad = good;
  Set32(bad, 4, 0xFFFFFFFF);
  CHECK(Has(Parse(bad).error, "truncated directory: 4294967295 lumps"));
  bad = good;
  Set32(bad, 8, 0x7FFFFFFF);
  CHECK(Has(Parse(bad).error, "truncated directory"));
  bad = good;
  Set32(bad, 4, 8);  // one more lump than there is
  CHECK(Has(Parse(bad).error, "truncated directory: 8 lumps"));
}

TEST_CASE("a lump past the end of the file is named") {
  Bytes bytes = SmallWad().Finish(true);
  constexpr std::size_t kSides = 12 + 16 * 4;
  Set32(bytes, kSides + 4, 1 << 20);
  CHECK(Has(Parse(bytes).error, "lump MAP01/SIDEDEFS (number 4): bytes"));
  CHECK(Has(Parse(bytes).error, "past the end of the file"));
  Set32(bytes, kSides, 0xFFFFFFFF);
  Set32(bytes, kSides + 4, 0xFFFFFFFF);  // the sum wraps in 32 bits
  CHECK(Has(Parse(bytes).error, "past the end of the file"));
}

TEST_CASE("lumps that are missing or of a wrong size are named") {
  for (const char* name :
       {"THINGS", "LINEDEFS", "SIDEDEFS", "VERTEXES", "SECTORS"}) {
    const std::string lump = std::string("lump MAP01/") + name;
    Maker maker = SmallWad();
    maker[name].push_back(0);
    CHECK(Has(ErrorOf(maker), lump + ": "));
    CHECK(Has(ErrorOf(maker), "not a multiple of the record size"));
    maker.Remove(name);
    CHECK(Has(ErrorOf(maker), lump + " is missing"));
  }
}

TEST_CASE("indices out of range are named, record and all") {
  const auto error_with = [](const char* lump, std::size_t at, unsigned value) {
    Maker maker = SmallWad();
    Set16(maker[lump], at, value);
    return ErrorOf(maker);
  };
  CHECK(error_with("LINEDEFS", 14, 4) ==
        "x.wad: lump MAP01/LINEDEFS: record 1: vertex 4 is out of range, there "
        "are 4");
  CHECK(Has(error_with("LINEDEFS", 2, 65535), "record 0: vertex 65535"));
  CHECK(Has(error_with("LINEDEFS", 10, 6), "record 0: front sidedef 6"));
  CHECK(Has(error_with("LINEDEFS", 10, 65535), "front sidedef 65535"));
  CHECK(Has(error_with("LINEDEFS", 40, 6), "record 2: back sidedef 6"));
  CHECK(Has(error_with("SIDEDEFS", 28, 2),
            "lump MAP01/SIDEDEFS: record 0: sector 2"));
}

TEST_CASE("no level, a level twice, and other formats are told") {
  Maker maker;
  CHECK(Has(ErrorOf(maker), "no levels"));
  CHECK(Has(ErrorOf(maker.Add("MAPXX").Add("E1M")), "no levels"));
  const game::Wad twice = Parse(Two(SmallWad(), SmallWad()).Finish());
  CHECK(twice.levels.size() == 1);
  REQUIRE(twice.left_out.size() == 1);
  CHECK(twice.left_out[0] == "x.wad: level MAP01 appears twice");
  Maker hexen = SmallWad();
  hexen.Add("BEHAVIOR", {0});
  CHECK(Has(ErrorOf(hexen), "lump MAP01/BEHAVIOR: Hexen"));
}

TEST_CASE("UDMF levels are called so, whatever their name") {
  for (const char* name : {"MAP01", "TITLEMAP"}) {
    Maker udmf;
    udmf.Add(name).Add("TEXTMAP", {'n'}).Add("BEHAVIOR").Add("MAP02");
    udmf.Add("ENDMAP");
    CHECK(ErrorOf(udmf) == std::string("x.wad: level ") + name +
                               ": UDMF levels (TEXTMAP) are not supported");
    CHECK(Parse(udmf.Finish()).left_out.size() == 1);
    const game::Wad mixed = Parse(Two(udmf, SmallWad("MAP03")).Finish());
    CHECK(mixed.error == "");
    REQUIRE(mixed.levels.size() == 1);
    CHECK(mixed.levels[0].name == "MAP03");
    CHECK(mixed.left_out.size() == 1);
  }
  Maker endless;
  CHECK(Has(ErrorOf(endless.Add("MAP01").Add("TEXTMAP")), "UDMF"));
}

TEST_CASE("a level that is damaged is left out, the others are read") {
  const auto check = [](const Bytes& bytes, const char* text) {
    const game::Wad wad = Parse(bytes);
    CHECK(wad.error == "");
    REQUIRE(wad.levels.size() == 1);
    CHECK(wad.levels[0].name == "MAP02");
    CHECK(IsSound(wad.levels[0]));
    REQUIRE(wad.left_out.size() == 1);
    CHECK(Has(wad.left_out[0], text));
    CHECK(KeepsPromise(wad));
  };
  Maker maker = Two(SmallWad(), SmallWad("MAP02"));
  Set16(maker["LINEDEFS"], 2, 65535);
  check(maker.Finish(), "x.wad: lump MAP01/LINEDEFS: record 0: vertex 65535");
  maker = Two(SmallWad(), SmallWad("MAP02"));
  maker["THINGS"].push_back(0);
  check(maker.Finish(), "lump MAP01/THINGS: ");
  Bytes bytes = Two(SmallWad(), SmallWad("MAP02")).Finish(true);
  Set32(bytes, 12 + 16 * 4 + 4, 1 << 20);
  check(bytes, "lump MAP01/SIDEDEFS (number 4): bytes");
}

TEST_CASE("where no level can be read the first offence is the error") {
  Maker maker = SmallWad();
  maker["THINGS"].push_back(0);
  Maker other = SmallWad("MAP02");
  other.Remove("SECTORS");
  const game::Wad wad = Parse(Two(maker, other).Finish());
  CHECK(wad.levels.empty());
  CHECK(wad.left_out.size() == 2);
  CHECK(Has(wad.error, "lump MAP01/THINGS"));
}

TEST_CASE("lumps behind a level's own belong to nobody") {
  Maker maker = SmallWad();
  maker.Remove("SECTORS");
  maker.Add("D_MUSIC").Add("SECTORS");
  CHECK(Has(ErrorOf(maker), "lump MAP01/SECTORS is missing"));
}

TEST_CASE("unprintable names do not reach the terminal") {
  Maker maker = SmallWad();
  maker.Add("\x1B[2J\n\xFF", {1});
  Bytes bytes = maker.Finish(true);
  Set32(bytes, 12 + 16 * 7, 0x7FFFFFFF);
  CHECK(Has(Parse(bytes).error, "lump ?[2J?? (number 7)"));
}

TEST_CASE("cut off at every byte: an error, or still a sound WAD") {
  for (const bool directory_first : {false, true}) {
    const Bytes whole = SmallWad().Finish(directory_first);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const game::Wad wad = ParseExactly(whole.data(), size);
      REQUIRE(KeepsPromise(wad));
      REQUIRE(!wad.error.empty());  // every byte of this one is needed
    }
  }
}

TEST_CASE("bytes changed at random: an error, or still a sound WAD") {
  int errors = 0;
  int successes = 0;
  for (unsigned seed = 1; seed <= acre_test::Scaled(20'000u, 6'000u); ++seed) {
    std::mt19937 random(seed);
    Bytes bytes = SmallWad().Finish(seed % 2 == 0);
    for (unsigned n = 1 + random() % 8; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    const game::Wad wad = Parse(bytes);
    REQUIRE(KeepsPromise(wad));
    ++(wad.error.empty() ? successes : errors);
  }
  CHECK(errors > acre_test::Scaled(1000, 300));
  CHECK(successes > acre_test::Scaled(1000, 300));
}

TEST_CASE("files: missing, no file at all, and read") {
  namespace fs = std::filesystem;
  CHECK(game::ReadWad("/no/such.wad").error == "/no/such.wad: no such file");
  CHECK(Has(game::ReadWad("/tmp").error, "not a regular file"));
  CHECK(Has(game::ReadWad("/dev/zero").error, "not a regular file"));
  const fs::path path =
      fs::temp_directory_path() /
      ("acre_wad_test_" + std::to_string(std::random_device{}()));
  const Bytes bytes = SmallWad().Finish();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  CHECK(game::ReadWad(path.string()).levels.size() == 1);
  fs::resize_file(path, bytes.size() - 1);
  CHECK(Has(game::ReadWad(path.string()).error, "truncated directory"));
  fs::remove(path);
}

}  // namespace wad_test
