// SPDX-License-Identifier: MIT
//
// Reads Doom-format WAD files (IWAD or PWAD): the five lumps of each level,
// MAPxx or ExMy, as plain records. Input is not trusted: whatever the bytes
// are, the result is levels whose indices are all in range, or an error that
// names the lump and the offence. A level that is damaged, or in another format
// (Hexen's, UDMF), is left out; the others are read.
//
//   game::Wad wad = game::ReadWad("freedoom2.wad");
//   if (!wad.error.empty()) fmt::print(stderr, "{}\n", wad.error);
//
// Ordinary std containers: nothing here lives in an arena.

#ifndef GAME_WORLD_WAD_H_
#define GAME_WORLD_WAD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace game {

/// RawLine::back of a one-sided line.
inline constexpr std::uint16_t kNoSide = 0xFFFF;

struct RawThing {
  std::int16_t x = 0;
  std::int16_t y = 0;
  std::int16_t angle = 0;  // degrees
  std::uint16_t type = 0;
};

struct RawVertex {
  std::int16_t x = 0;
  std::int16_t y = 0;
};

struct RawLine {
  std::uint16_t from = 0;  // index into vertexes
  std::uint16_t to = 0;    // index into vertexes
  std::uint16_t flags = 0;
  std::uint16_t special = 0;
  std::uint16_t tag = 0;
  std::uint16_t front = 0;       // index into sides; right of from -> to
  std::uint16_t back = kNoSide;  // index into sides, or kNoSide
};

struct RawSide {
  std::int16_t x_offset = 0;
  std::int16_t y_offset = 0;
  std::string upper;
  std::string lower;
  std::string middle;
  std::uint16_t sector = 0;  // index into sectors
};

struct RawSector {
  std::int16_t floor = 0;
  std::int16_t ceiling = 0;
  std::string floor_flat;
  std::string ceiling_flat;
  std::int16_t light = 0;
  std::uint16_t special = 0;
  std::uint16_t tag = 0;
};

struct RawLevel {
  std::string name;
  std::vector<RawThing> things;
  std::vector<RawLine> lines;
  std::vector<RawSide> sides;
  std::vector<RawVertex> vertexes;
  std::vector<RawSector> sectors;
};

/// Either levels, at least one, or an error; never both.
struct Wad {
  std::vector<RawLevel> levels;
  std::string error = {};
  std::vector<std::string> left_out = {};  // a sentence for each level that was
};

/// `name` stands at the front of every error and sentence.
Wad ParseWad(std::span<const std::uint8_t> bytes, std::string_view name);

Wad ReadWad(const std::string& path);

}  // namespace game

#endif  // GAME_WORLD_WAD_H_
