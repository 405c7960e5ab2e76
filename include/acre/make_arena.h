// SPDX-License-Identifier: MIT
//
// MakeArena: an explicit arena on the ordinary heap. A header of its own:
// <memory> takes as long to compile as all of <acre/map.h>.

#ifndef ACRE_MAKE_ARENA_H_
#define ACRE_MAKE_ARENA_H_

#include <memory>

#include "acre/arena.h"
#include "acre/config.h"

namespace acre::inline ACRE_ABI {

/// An arena that lives as long as the pointer.
inline std::unique_ptr<Arena> MakeArena(const ArenaOptions& options = {}) {
  return std::make_unique<Arena>(options);
}

}  // namespace acre::inline ACRE_ABI

#endif  // ACRE_MAKE_ARENA_H_
