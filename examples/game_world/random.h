// SPDX-License-Identifier: MIT
//
// Random numbers that are the same on every machine: games replay.

#ifndef GAME_WORLD_RANDOM_H_
#define GAME_WORLD_RANDOM_H_

#include <acre/layout.h>

#include <cstdint>

namespace game {

/// A linear congruential generator; multiplier and increment from Knuth's MMIX.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  /// 0 .. bound - 1. Requires: bound > 0.
  std::int32_t Below(std::int32_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t high = state_ >> 33;  // the low bits are poor
    return static_cast<std::int32_t>(high % static_cast<std::uint64_t>(bound));
  }

  ACRE_LAYOUT_INSIDE(Random, state_)

 private:
  std::uint64_t state_;
};

}  // namespace game

#endif  // GAME_WORLD_RANDOM_H_
