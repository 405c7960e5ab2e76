// SPDX-License-Identifier: MIT
//
// How long things take.

#ifndef GAME_WORLD_TIMING_H_
#define GAME_WORLD_TIMING_H_

#include <chrono>

namespace game {

/// Milliseconds since it was made.
class Stopwatch {
 public:
  double Milliseconds() const {
    return std::chrono::duration<double, std::milli>(Clock::now() - start_)
        .count();
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Milliseconds that a full collection takes with the heap as it is: the
/// median of eleven, after two that get rid of what was dropped before.
double TimeCollection();

}  // namespace game

#endif  // GAME_WORLD_TIMING_H_
