// SPDX-License-Identifier: MIT
//
// Which arenas live, and whose memory an address was before. Checked builds
// only: in release builds every arena counts as living and nothing is known to
// be gone. For messages and for the auditor. Internal to acre.
//
// Threads: any. Complexity: constant under a lock; FindGone is linear in what
// is remembered, a few thousand records.

#ifndef ACRE_DETAIL_LIFE_H_
#define ACRE_DETAIL_LIFE_H_

#include <cstddef>
#include <cstdint>

#include "acre/config.h"
#include "acre/fwd.h"

namespace acre::inline ACRE_ABI::detail {

/// True from the construction of the Arena at this address to its end, the
/// collector's included.
bool IsLiving(const Arena* arena) noexcept;

/// What an address was part of.
struct Gone {
  char name[48] = {};      // of the arena; cut where it is longer
  bool has_ended = false;  // the arena; else it gave the memory back
};

/// The arena whose chunk held `address` before it was given back, or null and
/// nothing done. The newest of several. What is long gone is forgotten.
bool FindGone(const void* address, Gone* gone) noexcept;

/// The arena that stood at this address before it ended, in the same way.
bool FindEnded(const Arena* arena, Gone* gone) noexcept;

}  // namespace acre::inline ACRE_ABI::detail

#endif  // ACRE_DETAIL_LIFE_H_
