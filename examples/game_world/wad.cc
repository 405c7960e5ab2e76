// SPDX-License-Identifier: MIT

#include "wad.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace game {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The format, as in the Unofficial Doom Specs, chapters 2 and 4.
constexpr std::size_t kHeaderSize = 12;
constexpr std::size_t kEntrySize = 16;
constexpr std::size_t kNameSize = 8;
constexpr std::array<std::string_view, 11> kLevelLumps = {
    "THINGS", "LINEDEFS", "SIDEDEFS", "VERTEXES", "SEGS",    "SSECTORS",
    "NODES",  "SECTORS",  "REJECT",   "BLOCKMAP", "BEHAVIOR"};

struct Lump {
  std::string name;
  Bytes bytes;
  std::string offence;  // empty: none
};

/// Little-endian numbers, whatever the machine. Requires: enough bytes left.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}

  std::uint32_t U32() {
    const std::uint32_t low = U16();
    return low | std::uint32_t{U16()} << 16;
  }
  std::uint16_t U16() {
    const Bytes two = Take(2);
    return static_cast<std::uint16_t>(two[0] | two[1] << 8);
  }
  std::int16_t I16() { return static_cast<std::int16_t>(U16()); }

  /// Up to eight characters; unprintable ones, as '?', may not end in errors.
  std::string Name() {
    std::string name;
    for (std::uint8_t c : Take(kNameSize)) {
      if (c == 0) break;
      name += c > ' ' && c < 127 ? static_cast<char>(c) : '?';
    }
    return name;
  }

 private:
  Bytes Take(std::size_t count) {
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  Bytes rest_;
};

void Decode(Cursor& in, RawThing& thing) {
  thing.x = in.I16();
  thing.y = in.I16();
  thing.angle = in.I16();
  thing.type = in.U16();
  in.U16();  // flags: skill levels
}

void Decode(Cursor& in, RawVertex& vertex) {
  vertex.x = in.I16();
  vertex.y = in.I16();
}

void Decode(Cursor& in, RawLine& line) {
  line.from = in.U16();
  line.to = in.U16();
  line.flags = in.U16();
  line.special = in.U16();
  line.tag = in.U16();
  line.front = in.U16();
  line.back = in.U16();
}

void Decode(Cursor& in, RawSide& side) {
  side.x_offset = in.I16();
  side.y_offset = in.I16();
  side.upper = in.Name();
  side.lower = in.Name();
  side.middle = in.Name();
  side.sector = in.U16();
}

void Decode(Cursor& in, RawSector& sector) {
  sector.floor = in.I16();
  sector.ceiling = in.I16();
  sector.floor_flat = in.Name();
  sector.ceiling_flat = in.Name();
  sector.light = in.I16();
  sector.special = in.U16();
  sector.tag = in.U16();
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsLevelName(std::string_view name) {
  if (name.size() == 5 && name.starts_with("MAP")) {
    return IsDigit(name[3]) && IsDigit(name[4]);
  }
  return name.size() == 4 && name[0] == 'E' && IsDigit(name[1]) &&
         name[2] == 'M' && IsDigit(name[3]);
}

bool IsLevelLump(std::string_view name) {
  return std::ranges::find(kLevelLumps, name) != kLevelLumps.end();
}

/// One file. Each step returns false once error_ is set: for one level, or for
/// the whole.
class Parser {
 public:
  Parser(Bytes file, std::string_view name) : file_(file), name_(name) {}

  Wad Run() {
    if (ReadDirectory() && ReadLevels()) {
      return {std::move(levels_), {}, std::move(left_out_)};
    }
    return {{}, std::move(error_), std::move(left_out_)};
  }

 private:
  template <class... Args>
  bool Fail(fmt::format_string<Args...> text, Args&&... args) {
    error_ = fmt::format("{}: {}", name_,
                         fmt::format(text, std::forward<Args>(args)...));
    return false;
  }

  bool ReadDirectory() {
    if (file_.size() < kHeaderSize) {
      return Fail("truncated header: {} bytes of {}", file_.size(),
                  kHeaderSize);
    }
    Cursor header(file_);
    const std::uint32_t magic = header.U32();
    if (magic != 0x44415749 && magic != 0x44415750) {  // IWAD, PWAD
      return Fail("not a WAD file: it begins with neither IWAD nor PWAD");
    }
    const std::uint64_t count = header.U32();
    const std::uint64_t start = header.U32();
    if (start > file_.size() || count * kEntrySize > file_.size() - start) {
      return Fail(
          "truncated directory: {} lumps listed at offset {}, but the "
          "file ends at {}",
          count, start, file_.size());
    }
    return ReadEntries(Cursor(file_.subspan(start)), count);
  }

  bool ReadEntries(Cursor in, std::uint64_t count) {
    lumps_.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t start = in.U32();
      const std::uint64_t size = in.U32();
      std::string name = in.Name();
      // Markers are empty, and their offset is often nonsense.
      if (size != 0 && start + size > file_.size()) {
        lumps_.push_back({std::move(name), {}, PastEnd(i, start, size)});
        continue;
      }
      lumps_.push_back({std::move(name),
                        size == 0 ? Bytes() : file_.subspan(start, size),
                        {}});
    }
    return true;
  }

  std::string PastEnd(std::uint64_t number, std::uint64_t start,
                      std::uint64_t size) const {
    return fmt::format(
        "(number {}): bytes {} to {} lie past the end of the file at {}",
        number, start, start + size, file_.size());
  }

  bool ReadLevels() {
    for (std::size_t i = 0; i < lumps_.size(); ++i) {
      if (!CheckLump(lumps_[i])) return false;
      const std::size_t parts = CountParts(i);
      if (parts == 0 && !IsLevelName(lumps_[i].name)) continue;
      if (!ReadLevel(i, parts)) left_out_.push_back(std::move(error_));
      i += parts;
    }
    if (!levels_.empty()) return true;
    if (left_out_.empty()) return Fail("no levels: no lump MAPxx or ExMy");
    error_ = left_out_[0];
    return false;
  }

  bool CheckLump(const Lump& lump) {
    return lump.offence.empty() || Fail("lump {} {}", lump.name, lump.offence);
  }

  bool IsUdmf(std::size_t marker) const {
    return marker + 1 < lumps_.size() && lumps_[marker + 1].name == "TEXTMAP";
  }

  /// How many lumps behind the marker belong to its level.
  std::size_t CountParts(std::size_t marker) const {
    const auto rest = std::span(lumps_).subspan(marker + 1);
    if (IsUdmf(marker)) {  // whatever its name; ENDMAP is its last
      const auto end = std::ranges::find(rest, "ENDMAP", &Lump::name);
      const auto count = static_cast<std::size_t>(end - rest.begin());
      return count + (end != rest.end());
    }
    if (!IsLevelName(lumps_[marker].name)) return 0;
    const auto end = std::ranges::find_if_not(rest, IsLevelLump, &Lump::name);
    return static_cast<std::size_t>(end - rest.begin());
  }

  bool ReadLevel(std::size_t marker, std::size_t parts) {
    level_ = {};
    level_.name = lumps_[marker].name;
    for (const RawLevel& other : levels_) {
      if (other.name == level_.name) {
        return Fail("level {} appears twice", level_.name);
      }
    }
    if (IsUdmf(marker)) {
      return Fail("level {}: UDMF levels (TEXTMAP) are not supported",
                  level_.name);
    }
    parts_ = std::span(lumps_).subspan(marker + 1, parts);
    if (FindPart("BEHAVIOR") != nullptr) {
      return Fail("lump {}/BEHAVIOR: Hexen levels are not supported",
                  level_.name);
    }
    return ReadParts() && CheckLines() && CheckSides() && Keep();
  }

  bool Keep() {
    levels_.push_back(std::move(level_));
    return true;
  }

  bool ReadParts() {
    return ReadPart("THINGS", 10, level_.things) &&
           ReadPart("LINEDEFS", 14, level_.lines) &&
           ReadPart("SIDEDEFS", 30, level_.sides) &&
           ReadPart("VERTEXES", 4, level_.vertexes) &&
           ReadPart("SECTORS", 26, level_.sectors);
  }

  const Lump* FindPart(std::string_view part) const {
    const auto found = std::ranges::find(parts_, part, &Lump::name);
    return found == parts_.end() ? nullptr : &*found;
  }

  template <class Record>
  bool ReadPart(std::string_view part, std::size_t record_size,
                std::vector<Record>& records) {
    const Lump* lump = FindPart(part);
    if (lump == nullptr) {
      return Fail("lump {}/{} is missing", level_.name, part);
    }
    if (!lump->offence.empty()) {
      return Fail("lump {}/{} {}", level_.name, part, lump->offence);
    }
    if (lump->bytes.size() % record_size != 0) {
      return Fail(
          "lump {}/{}: {} bytes are not a multiple of the record size "
          "{}",
          level_.name, part, lump->bytes.size(), record_size);
    }
    records.resize(lump->bytes.size() / record_size);
    Cursor in(lump->bytes);
    for (Record& record : records) Decode(in, record);
    return true;
  }

  bool CheckLines() {
    for (std::size_t i = 0; i < level_.lines.size(); ++i) {
      const RawLine& line = level_.lines[i];
      const std::size_t sides = level_.sides.size();
      const std::size_t vertexes = level_.vertexes.size();
      const bool is_good =
          CheckIndex("LINEDEFS", i, "vertex", line.from, vertexes) &&
          CheckIndex("LINEDEFS", i, "vertex", line.to, vertexes) &&
          CheckIndex("LINEDEFS", i, "front sidedef", line.front, sides) &&
          (line.back == kNoSide ||
           CheckIndex("LINEDEFS", i, "back sidedef", line.back, sides));
      if (!is_good) return false;
    }
    return true;
  }

  bool CheckSides() {
    for (std::size_t i = 0; i < level_.sides.size(); ++i) {
      if (!CheckIndex("SIDEDEFS", i, "sector", level_.sides[i].sector,
                      level_.sectors.size())) {
        return false;
      }
    }
    return true;
  }

  bool CheckIndex(std::string_view part, std::size_t record,
                  std::string_view what, std::size_t index, std::size_t count) {
    if (index < count) return true;
    return Fail("lump {}/{}: record {}: {} {} is out of range, there are {}",
                level_.name, part, record, what, index, count);
  }

  const Bytes file_;
  const std::string_view name_;
  std::vector<Lump> lumps_;
  std::vector<RawLevel> levels_;       // complete and checked
  std::vector<std::string> left_out_;  // why, for each other
  RawLevel level_;                     // the one being read
  std::span<const Lump> parts_;        // of level_, within lumps_
  std::string error_;
};

}  // namespace

Wad ParseWad(std::span<const std::uint8_t> bytes, std::string_view name) {
  return Parser(bytes, name).Run();
}

Wad ReadWad(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return {{}, fmt::format("{}: no such file", path)};
  }
  if (!std::filesystem::is_regular_file(path, error)) {
    return {{}, fmt::format("{}: not a regular file", path)};
  }
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  std::vector<std::uint8_t> bytes(error ? 0 : size);
  in.read(reinterpret_cast<char*>(bytes.data()),
          static_cast<std::streamsize>(bytes.size()));
  if (error || !in) return {{}, fmt::format("{}: cannot be read", path)};
  return ParseWad(bytes, path);
}

}  // namespace game
