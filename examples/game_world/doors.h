// SPDX-License-Identifier: MIT
//
// Doors: sectors whose ceiling goes up, waits, and comes down again. Those
// that move stand in Level::doors; a door at rest is just a sector.

#ifndef GAME_WORLD_DOORS_H_
#define GAME_WORLD_DOORS_H_

#include "sim.h"
#include "world.h"

namespace game {

/// True for lines that anybody opens by walking into them.
bool IsManualDoor(const Line& line);

/// Sets the sector in motion, unless its neighbours leave no room for that.
void OpenDoor(Level& level, Sector& sector);

/// Opens the door that a walker ran into, if it is one.
void UseDoor(Level& level, const Line& line);

/// Opens the doors that the switches around the sector command.
void UseSwitches(Level& level, const Sector& sector);

/// One tic of all doors.
void RunDoors(Game& game, Level& level);

}  // namespace game

#endif  // GAME_WORLD_DOORS_H_
