// SPDX-License-Identifier: MIT

#include "generate.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "random.h"

namespace game {
namespace {

// Map units. A room's walls are `kRoom` long; rooms stand `kGap` apart, and a
// doorway `kDoor` wide fills the gap in the middle of a wall.
//
//   +-----------+     +-----------+
//   |           +-----+           |
//   |   room      door    room    |
//   |           +-----+           |
//   +-----------+     +-----------+
constexpr int kRoom = 384;
constexpr int kGap = 32;
constexpr int kDoor = 96;
constexpr int kPitch = kRoom + kGap;
constexpr int kManualDoor = 1;  // the line special "DR door"
constexpr int kNone = -1;

struct Corner {
  int x;
  int y;
};

/// One level of `size` x `size` rooms.
class Generator {
 public:
  Generator(int number, int size)
      : size_(size), random_(static_cast<std::uint64_t>(number)) {
    level_.name = fmt::format("MAP{:02}", number);
  }

  RawLevel Run() {
    for (int i = 0; i < size_ * size_; ++i) AddSector(128 + 8 * (i % 5), 0);
    for (int y = 0; y < size_; ++y) {
      for (int x = 0; x < size_; ++x) AddRoom(x, y);
    }
    return std::move(level_);
  }

 private:
  int RoomAt(int x, int y) const {
    const bool is_inside = x >= 0 && y >= 0 && x < size_ && y < size_;
    return is_inside ? y * size_ + x : kNone;
  }

  /// Walls run clockwise, so that the room is on their right.
  void AddRoom(int x, int y) {
    const int room = RoomAt(x, y);
    const Corner low = {x * kPitch, y * kPitch};
    const Corner high = {low.x + kRoom, low.y + kRoom};
    AddWall(room, RoomAt(x - 1, y), {low.x, low.y}, {low.x, high.y});
    AddWall(room, RoomAt(x, y + 1), {low.x, high.y}, {high.x, high.y});
    AddWall(room, RoomAt(x + 1, y), {high.x, high.y}, {high.x, low.y});
    AddWall(room, RoomAt(x, y - 1), {high.x, low.y}, {low.x, low.y});
    AddThings(room, low);
  }

  void AddWall(int room, int other, Corner from, Corner to) {
    if (other == kNone) return AddLine(from, to, room, kNone, 0);
    const int along_x = (to.x - from.x) / kRoom;  // -1, 0 or 1
    const int along_y = (to.y - from.y) / kRoom;
    const int half = (kRoom - kDoor) / 2;
    const Corner a = {from.x + along_x * half, from.y + along_y * half};
    const Corner b = {to.x - along_x * half, to.y - along_y * half};
    const int doorway = Doorway(room, other);
    const bool is_door = SectorOf(doorway).ceiling == 0;
    AddLine(from, a, room, kNone, 0);
    AddLine(a, b, room, doorway, is_door ? kManualDoor : 0);
    AddLine(b, to, room, kNone, 0);
    if (room < other) {  // the doorway's own two walls, once
      const Corner c = {b.x - along_y * kGap, b.y + along_x * kGap};
      const Corner d = {a.x - along_y * kGap, a.y + along_x * kGap};
      AddLine(a, d, doorway, kNone, 0);
      AddLine(c, b, doorway, kNone, 0);
    }
  }

  /// The sector between two rooms; every other one is a closed door.
  int Doorway(int room, int other) {
    const auto key = std::minmax(room, other);
    const auto [at, is_new] = doorways_.try_emplace(key, kNone);
    if (is_new) at->second = AddSector(random_.Below(2) == 0 ? 0 : 120, 0);
    return at->second;
  }

  void AddThings(int room, Corner low) {
    constexpr std::array<std::uint16_t, 6> kMonsters = {3004, 9,    3001,
                                                        3002, 3005, 3003};
    const auto put = [&](std::uint16_t type) {
      const int x = low.x + 48 + random_.Below(kRoom - 96);
      const int y = low.y + 48 + random_.Below(kRoom - 96);
      level_.things.push_back({static_cast<std::int16_t>(x),
                               static_cast<std::int16_t>(y), 0, type});
    };
    if (room == 0) return put(1);  // where the player starts
    for (int n = random_.Below(4); n > 0; --n) {
      put(kMonsters[static_cast<std::size_t>(random_.Below(6))]);
    }
    put(2035);  // a barrel
  }

  int AddSector(int ceiling, int floor) {
    RawSector sector;
    sector.floor = static_cast<std::int16_t>(floor);
    sector.ceiling = static_cast<std::int16_t>(ceiling);
    sector.floor_flat = "FLOOR4_8";
    sector.ceiling_flat = "CEIL3_5";
    sector.light = 160;
    level_.sectors.push_back(std::move(sector));
    return static_cast<int>(level_.sectors.size()) - 1;
  }

  const RawSector& SectorOf(int index) const {
    return level_.sectors[static_cast<std::size_t>(index)];
  }

  void AddLine(Corner from, Corner to, int front, int back, int special) {
    RawLine line;
    line.from = AddVertex(from);
    line.to = AddVertex(to);
    line.special = static_cast<std::uint16_t>(special);
    line.front = AddSide(front, back == kNone ? "STARTAN3" : "-");
    line.back = back == kNone ? kNoSide : AddSide(back, "BIGDOOR2");
    level_.lines.push_back(line);
  }

  std::uint16_t AddVertex(Corner at) {
    const auto next = static_cast<std::uint16_t>(level_.vertexes.size());
    const auto [found, is_new] = vertexes_.try_emplace({at.x, at.y}, next);
    if (is_new) {
      level_.vertexes.push_back(
          {static_cast<std::int16_t>(at.x), static_cast<std::int16_t>(at.y)});
    }
    return found->second;
  }

  std::uint16_t AddSide(int sector, const char* texture) {
    RawSide side;
    side.upper = side.lower = side.middle = texture;
    side.sector = static_cast<std::uint16_t>(sector);
    level_.sides.push_back(std::move(side));
    return static_cast<std::uint16_t>(level_.sides.size() - 1);
  }

  const int size_;
  Random random_;
  RawLevel level_;
  std::map<std::pair<int, int>, int> doorways_;            // rooms -> sector
  std::map<std::pair<int, int>, std::uint16_t> vertexes_;  // x, y -> index
};

}  // namespace

std::vector<RawLevel> GenerateLevels(int count) {
  std::vector<RawLevel> levels;
  for (int number = 1; number <= count; ++number) {
    levels.push_back(Generator(number, 10 + number % 5).Run());
  }
  return levels;
}

}  // namespace game
