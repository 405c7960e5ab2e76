// SPDX-License-Identifier: MIT
//
// The command line.

#ifndef GAME_WORLD_OPTIONS_H_
#define GAME_WORLD_OPTIONS_H_

#include <cstdint>
#include <span>
#include <string>

namespace game {

struct Options {
  std::string wad;         // empty: look in the usual places
  bool generated = false;  // do not even look
  std::int32_t tics = 3000;
  std::string json;            // empty: the world is not written
  std::string from_json;       // empty: the world is built from levels
  std::string save;            // empty: it is not saved to be mapped
  std::string load;            // empty: no such file is played
  std::int32_t rollback = 0;   // tics back at every tic; 0: plays without
  std::int32_t sync_test = 0;  // the same, to compare checksums
  bool desync = false;         // plants one wrong health, and finds it
  bool help = false;
  std::string error;  // not empty: how not to call this program
};

/// `words` without the name of the program.
Options ParseOptions(std::span<char* const> words);

/// What --help prints.
const char* Usage();

}  // namespace game

#endif  // GAME_WORLD_OPTIONS_H_
