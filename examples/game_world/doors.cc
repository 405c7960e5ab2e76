// SPDX-License-Identifier: MIT

#include "doors.h"

#include <algorithm>
#include <limits>

#include "trace.h"

namespace game {
namespace {

constexpr std::int32_t kDoorSpeed = 2;   // map units a tic
constexpr std::int32_t kDoorWait = 150;  // tics
constexpr std::int32_t kFrame = 4;       // map units an open door still shows

/// Line specials of the original that open doors by tag.
constexpr std::uint16_t kDoorSwitches[] = {2,   4,   16,  29,  42,  46,  61,
                                           63,  75,  76,  86,  90,  103, 105,
                                           106, 108, 109, 111, 112, 114, 115};

std::int32_t OpenHeight(const Sector& sector) {
  std::int32_t lowest = std::numeric_limits<std::int32_t>::max();
  for (const Line* line : sector.lines) {
    const Sector* other = Across(*line, &sector);
    if (other == nullptr || other == &sector) continue;
    lowest = std::min(lowest, other->ceiling);
  }
  return lowest == std::numeric_limits<std::int32_t>::max() ? sector.ceiling
                                                            : lowest - kFrame;
}

void Raise(Game& game, Sector& sector, Door& door) {
  sector.ceiling = std::min(sector.ceiling + kDoorSpeed, door.top);
  if (sector.ceiling < door.top) return;
  door.phase = DoorPhase::kOpen;
  door.wait = kDoorWait;
  ++game.counters.doors_opened;
}

/// Turns round where somebody stands in the way. True: it is down.
bool Lower(Game& game, Sector& sector, Door& door) {
  if (!sector.things.empty()) {
    door.phase = DoorPhase::kOpening;
    return false;
  }
  sector.ceiling = std::max(sector.ceiling - kDoorSpeed, sector.floor);
  if (sector.ceiling > sector.floor) return false;
  ++game.counters.doors_closed;
  return true;
}

/// One tic. True: the door is at rest again.
bool RunDoor(Game& game, Sector& sector, Door& door) {
  switch (door.phase) {
    case DoorPhase::kOpening:
      Raise(game, sector, door);
      return false;
    case DoorPhase::kOpen:
      if (--door.wait <= 0) door.phase = DoorPhase::kClosing;
      return false;
    case DoorPhase::kClosing:
      return Lower(game, sector, door);
  }
  return true;
}

}  // namespace

bool IsManualDoor(const Line& line) {
  const int special = line.special;
  return line.back != nullptr &&
         (special == 1 || (special >= 26 && special <= 28) ||
          (special >= 31 && special <= 34) || special == 117 || special == 118);
}

void OpenDoor(Level& level, Sector& sector) {
  if (Door* moving = level.doors.get(&sector)) {
    if (moving->phase == DoorPhase::kClosing) {
      moving->phase = DoorPhase::kOpening;
    }
    return;
  }
  const std::int32_t top = OpenHeight(sector);
  if (top <= sector.ceiling) return;
  level.doors.try_emplace(&sector, Door{.top = top});
}

void UseDoor(Level& level, const Line& line) {
  if (IsManualDoor(line)) OpenDoor(level, *line.back->sector);
}

void UseSwitches(Level& level, const Sector& sector) {
  for (const Line* line : sector.lines) {
    if (std::ranges::find(kDoorSwitches, line->special) ==
        std::end(kDoorSwitches)) {
      continue;
    }
    const auto* tagged = level.by_tag.get(line->tag);
    if (tagged == nullptr) continue;
    for (Sector* door : *tagged) OpenDoor(level, *door);
  }
}

void RunDoors(Game& game, Level& level) {
  for (auto it = level.doors.begin(); it != level.doors.end();) {
    const bool is_done = RunDoor(game, *it->first, it->second);
    it = is_done ? level.doors.erase(it) : std::next(it);
  }
}

}  // namespace game
